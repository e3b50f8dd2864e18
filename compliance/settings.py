"""What the compliance layer can be told: one frozen class per part, composed by `agent/settings.py`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator


class StoreSettings(BaseModel):
    """The `[store]` section: where the vault keeps its bytes and how long anything may wait for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = ""
    """A SQLAlchemy URL with a synchronous driver. Empty: SQLite in `twin.db` in the twin's home."""
    busy_timeout_ms: int = Field(default=5_000, ge=100, le=60_000)
    """How long SQLite waits for another worker process to finish writing."""
    queue_records: int = Field(default=20_000, ge=1, le=1_000_000)
    """Records held in memory until they are committed; one more is refused with an error."""
    batch_ms: int = Field(default=100, ge=1, le=1_000)
    """Work gathered in one commit. A quiet store commits at once, whatever this says."""
    wait_s: float = Field(default=10.0, gt=0, le=120)
    """The longest an awaited read or write takes before it raises."""
    drain_s: float = Field(default=5.0, gt=0, le=60)
    """The longest closing takes to write what is still queued."""
    forget_s: float = Field(default=600.0, gt=0, le=7_200)
    """The longest one step of an erasure takes (SQLite rewrites the whole file)."""

    @field_validator("url")
    @classmethod
    def _looks_like_a_url(cls, url: str) -> str:
        if url and "://" not in url:
            raise ValueError("must be a database URL such as sqlite:////var/lib/twin/twin.db, or empty")
        return url
