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
    """Room for the facts, statements and documents that were found for the caller's last words."""
    memory_tokens: int = Field(default=300, ge=0, le=100_000)
    """Room for what this caller told in earlier calls."""
    examples: int = Field(default=3, ge=0, le=20)
    """How many of the owner's own exchanges are shown as examples of how they talk."""
    examples_tokens: int = Field(default=400, ge=0, le=100_000)
    """Room for those examples."""
    summary_tokens: int = Field(default=400, ge=50, le=100_000)
    """Room for the summary of the turns of this call that are no longer shown."""
    live_tokens: int = Field(default=200, ge=0, le=100_000)
    """Room for what the owner is doing now."""
    turns: int = Field(default=40, ge=4, le=1000)
    """How many of the last turns are shown."""
    turns_tokens: int = Field(default=6000, ge=200, le=1_000_000)
    """Room for the last turns; when they are long, fewer are shown."""
    canned: bool = True
    """Whether a model's answer is kept and said again when the same is asked and nothing it rests on has
    changed."""
    canned_answers: int = Field(default=500, ge=1, le=100_000)
    """How many such answers are kept, in memory only."""
