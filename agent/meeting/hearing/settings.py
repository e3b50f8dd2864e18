"""How many people are listened to at once, and how long words may wait."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class HearingSettings(BaseModel):
    """The part of the `[meeting]` section that the hall reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recognisers: int = Field(3, ge=1, le=32)
    """People whose words are recognised at the same moment; what one more says is kept and waits its turn."""
    patience_s: float = Field(3.0, ge=0.1, le=30.0)
    """How long what somebody said may wait for a free recogniser after they ended; then it was not heard."""
    warm_s: float = Field(30.0, ge=0.0, le=600.0)
    """How long a recogniser stays with somebody who fell silent, while nobody else needs it."""
