"""How the twin takes turns, in milliseconds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TurnSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    end_of_turn_ms: int = Field(650, ge=200, le=5_000)
    """Silence after which the caller's turn is over."""
    complete_ms: int = Field(450, ge=200, le=5_000)
    """The same when the words so far end like a sentence."""
    decide_ms: int = Field(500, ge=100, le=2_000)
    """How long the twin stays silent on hold, at most, until it knows whether the caller takes the turn."""
    onset_ms: int = Field(96, ge=32, le=1_000)
    """Speech needed before it counts as the caller speaking."""
    offset_ms: int = Field(192, ge=64, le=1_000)
    """Silence needed before the caller counts as silent."""
    threshold: float = Field(0.5, gt=0.0, lt=1.0)
    """Probability of speech from which a window counts as speech."""
    backchannels: tuple[str, ...] = (
        "mm hmm", "mhm", "hmm", "hm", "mm", "uh huh", "uh", "um", "yeah", "yes", "yep", "okay", "ok",
        "right", "sure", "i see", "ah", "oh", "aha", "genau", "ja", "oui", "si", "sí",
    )  # fmt: skip
    """Words of listening, which do not take the turn."""

    @model_validator(mode="after")
    def _in_order(self) -> TurnSettings:
        if self.complete_ms > self.end_of_turn_ms:
            raise ValueError("complete_ms must not be longer than end_of_turn_ms")
        if self.offset_ms > self.complete_ms:
            raise ValueError("offset_ms must not be longer than complete_ms")
        return self
