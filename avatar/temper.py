"""How lively a face is: the settings of everything that moves besides the mouth."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Temper(BaseModel):
    """The defaults are those of a calm, friendly person in a conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    liveliness: float = Field(0.5, ge=0.0, le=1.0)
    """How far head and brows go: 0 keeps almost still, 1 is somebody who talks with the whole head."""
    blinks_per_min: float = Field(16.0, ge=4.0, le=30.0)
    """While speaking. A listener blinks less, about two thirds as often."""
    breaths_per_min: float = Field(14.0, ge=8.0, le=20.0)
    """At rest; speech has its own."""
    smile: float = Field(0.5, ge=0.0, le=1.0)
    """How friendly the face is at rest and how much good news shows; 0 hardly smiles."""
    emotion: float = Field(0.6, ge=0.0, le=1.0)
    """How much of the mood of the words shows at all."""
    eye_contact: float = Field(0.58, ge=0.2, le=0.95)
    """Share of the time that the eyes meet the viewer's while speaking. Listening has more of it."""
    nods: float = Field(0.75, ge=0.0, le=1.0)
    """How likely a listener's nod is at a pause that asks for one."""
