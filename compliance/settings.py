"""What the compliance layer can be told: one frozen class per part, composed by `agent/settings.py`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class StoreSettings(BaseModel):
    """The `[store]` section: where the vault keeps its bytes and how long anything may wait for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = ""
    """A SQLAlchemy URL with a synchronous driver. Empty: SQLite in `twin.db` in the twin's home."""
    keys_url: str = ""
    """Where the keys are, apart from what they open, so that a copy of the one is useless without the other.
    Empty: SQLite in `keys.db` in the twin's home."""
    master: Literal["file", "keyring", "command"] = "file"
    """What wraps those keys: a file in the home, the keyring of the desktop, or a command of yours (a KMS). Chosen
    before the first start; it cannot be changed afterwards."""
    master_command: str = ""
    """With `command`: a program, run with `wrap` or `unwrap`, that reads and writes base64 on stdin and stdout."""
    mirror: str = ""
    """A folder, best on another disk, for the second copies of signed tree heads and of the erasure ledger.
    Empty: `mirror` in the twin's home."""
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

    @field_validator("url", "keys_url")
    @classmethod
    def _looks_like_a_url(cls, url: str) -> str:
        if url and "://" not in url:
            raise ValueError("must be a database URL such as sqlite:////var/lib/twin/twin.db, or empty")
        return url


class DisclosureSettings(BaseModel):
    """The `[disclosure]` section. Nothing in it can turn the disclosure off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repeat_minutes: float = Field(default=30.0, ge=1, le=60)
    """In a long call the twin says again that it is an AI, at the next pause after so long."""


class ConsentSettings(BaseModel):
    """The `[consent]` section: what callers are asked. Settings can only make it stricter than the law's table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recording: Literal["off", "ask"] = "off"
    """`ask`: after the disclosure the caller is asked whether sound may be kept; only a clear yes starts it."""
    transcription: Literal["notice", "ask", "off"] = "notice"
    """Whether the caller's words are written down after the notice, only after a yes, or never."""
    jurisdiction: str = Field(default="", pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")
    """Where the owner is, as `DE` or `US-CA`. Empty is unknown, and unknown means the strictest rules."""


class RetentionSettings(BaseModel):
    """The `[retention]` section: how long each kind is kept, in days. 0 deletes at the next sweep."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio_days: int = Field(default=30, ge=0, le=3_650)
    """Recordings."""
    transcript_days: int = Field(default=90, ge=0, le=3_650)
    """Calls with their turns and events."""
    message_days: int = Field(default=365, ge=0, le=3_650)
    """Messages for the owner."""
    evidence_days: int = Field(default=2_190, ge=30, le=3_650)
    """What proves disclosures, consents and erasures."""
    sweep_hours: float = Field(default=6.0, gt=0, le=168)
    """How often what is past its date is deleted while the twin serves."""


class ConsoleSettings(BaseModel):
    """The `[console]` section: the pages for the owner and reviewers under `/console`, and the public ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idle_minutes: float = Field(default=30.0, ge=1, le=1_440)
    """A session that is not used ends after so long."""
    session_hours: float = Field(default=12.0, gt=0, le=168)
    """Every session ends after so long."""
    public_url: str = Field(default="", pattern=r"^(https?://[^/\s]+)?$")
    """The address people use, as https://twin.example.org; the cookies are then for https only."""
    page_size: int = Field(default=25, ge=5, le=200)
    """Calls on one page."""
    max_upload_mb: int = Field(default=25, ge=1, le=500)
    """The largest file `/verify` takes."""


class PrivacySettings(BaseModel):
    """The `[privacy]` section: what the public notice says besides what the settings show by themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    controller: str = ""
    """Who is responsible, with a postal address. Empty: the owner's name from the profile."""
    contact: str = ""
    """An e-mail address for questions about privacy."""
    purpose: str = "to answer calls when the owner cannot, and to pass messages on"
    """What the words are kept for."""
