"""The `[memory]` section of twin.toml."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

OWN_STORE = "sqlite"
"""Our own store for mem0: one file, any number of processes."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class MemorySettings(BaseModel):
    """What the twin remembers of people, where, and when it asks them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    """Whether anything is remembered from call to call; only ever with the caller's consent."""
    ask: Literal["leaving", "never"] = "leaving"
    """When a caller who has not decided yet is asked whether the twin may remember: when they take their leave, or
    never; never means that nobody is remembered."""
    store: str = OWN_STORE
    """Where mem0 keeps it: `sqlite` (a file in the home), or one of mem0's stores by its name there: `qdrant`,
    `pgvector`, `chroma`, `faiss`, `redis`, ..."""
    options: dict[str, Any] = Field(default_factory=dict)
    """`[memory.options]`: what mem0 is told about that store, by mem0's own names (`connection_string`, `url`).
    Ours takes `busy_s`: how long it waits for another process that writes."""
    embedder: Literal["local", "openai", "fastembed"] = "local"
    """What turns a sentence into a vector: our own, which needs no model; an OpenAI-compatible server; or a model
    of the `fastembed` package on this machine."""
    embedder_model: str = ""
    """The model's name for `openai` and `fastembed`; empty is the usual one of each."""
    embedder_url: str = ""
    """The base URL of the OpenAI-compatible server (`http://127.0.0.1:11434/v1`); empty is OpenAI's own."""
    most: int = Field(default=5_000, ge=1, le=100_000)
    """Memories kept of one person; beyond that those that a newer one replaces go first, then the oldest."""
    load_s: float = Field(default=1.5, gt=0, le=10)
    """The longest that looking up a caller takes while it rings; later, or failing, means no memories."""
    write_s: float = Field(default=60.0, gt=0, le=600)
    """The longest that writing one call's memories takes before it counts as failed and is tried again."""
    fresh_days: int = Field(default=180, ge=1, le=3_650)
    """A caller last heard longer ago is asked whether it is still them before anything is used: numbers get new
    owners."""
    keep_days: int = Field(default=730, ge=1, le=3_650)
    """What is remembered of somebody who has not been heard for so long is forgotten."""

    @field_validator("store")
    @classmethod
    def _is_a_name(cls, store: str) -> str:
        if not _NAME.fullmatch(store):
            raise ValueError(
                "must be `sqlite` or the name of one of mem0's vector stores, such as qdrant or pgvector"
            )
        return store

    @model_validator(mode="after")
    def _fits_the_store(self) -> Self:
        if self.store == OWN_STORE and self.options.keys() - {"busy_s"}:
            raise ValueError("[memory.options]: the store `sqlite` takes only busy_s")
        return self

    @field_validator("embedder_url")
    @classmethod
    def _is_a_url(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must be a base URL such as http://127.0.0.1:11434/v1, or empty")
        return url
