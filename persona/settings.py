"""The `[persona]` section of twin.toml."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PersonaSettings(BaseModel):
    """How much of the persona and of the conversation a model is shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    facts_tokens: int = Field(default=3000, ge=0, le=100_000)
    """Room for facts and statements in the stable part of the prompt; when they do not all fit, those that match
    the caller's last words are shown instead, turn by turn."""
    notes_tokens: int = Field(default=600, ge=0, le=100_000)
    """Room for what changes from turn to turn."""
    turns: int = Field(default=40, ge=4, le=1000)
    """How many of the last turns are shown."""
