"""How long a voice's server may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds. What takes longer raises `EngineTimeout`."""

    first_audio_s: float
    total_s: float
    gap_s: float = 5.0
    """Between two pieces of audio."""
