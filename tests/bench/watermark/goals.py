"""What the issue asks of the mark, and how much is asked to find out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """At least that share of the clips is found; None where no figure was set."""

    condition: str
    seconds: float
    least: float | None
    often: bool = False
    """Asked of twice as many clips: the first goals, which lie near to 1."""


GOALS: tuple[Goal, ...] = (
    Goal("mu-law", 10, 0.999, often=True),
    Goal("phone chain", 10, 0.99, often=True),
    Goal("mu-law, Opus 16k", 10, 0.99, often=True),
    Goal("mu-law", 5, 0.99, often=True),
    Goal("mu-law", 3, 0.95, often=True),
    Goal("phone chain", 5, None),
    Goal("phone chain", 3, None),
    Goal("unchanged", 10, None),
    Goal("unchanged", 3, None),
    Goal("A-law", 10, 0.95),
    Goal("GSM-FR", 10, 0.95),
    Goal("AMR-NB 12.2", 10, 0.95),
    Goal("AMR-NB 4.75", 10, None),
    Goal("Opus 12k", 10, 0.95),
    Goal("Opus 24k", 10, 0.95),
    Goal("MP3 64k", 10, 0.95),
    Goal("AAC 64k", 10, 0.95),
    Goal("G.722", 10, None),
    Goal("G.723.1", 10, None),
    Goal("white noise 20 dB", 10, 0.99),
    Goal("babble 20 dB", 10, 0.99),
    Goal("white noise 10 dB", 10, 0.90),
    Goal("babble 10 dB", 10, 0.90),
    Goal("5 % packets lost", 10, 0.99),
    Goal("both sides, talking over", 10, 0.95),
    Goal("both sides, in turns", 10, 0.95),
    Goal("speed +5 %", 10, 0.99),
    Goal("speed -5 %", 10, 0.99),
    Goal("speed +2 %", 10, 0.99),
    Goal("speed -2 %", 10, 0.99),
    Goal("tempo +3 %", 10, 0.95),
    Goal("tempo -3 %", 10, 0.95),
    Goal("gain -20 dB", 10, None),
    Goal("gain +6 dB", 10, None),
    Goal("polarity", 10, None),
    Goal("44.1 kHz", 10, None),
    Goal("22.05 kHz", 10, None),
    Goal("small room", 10, None),
    Goal("WebRTC's microphone", 10, None),
    Goal("WebRTC's microphone in babble", 10, None),
    Goal("RNNoise", 10, None),
    Goal("RNNoise in babble", 10, None),
    Goal("loudspeaker, microphone, AMR-NB 12.2", 10, None),
    Goal("from 80 mel bands", 10, None),
)
TOKENS: tuple[Goal, ...] = (
    Goal("phone chain", 10, 0.99),
    Goal("phone chain", 30, 0.99),
)
"""The 16 bits of a call's token in 10 s, and all 32 in 30 s."""
TOKEN_WRONG = 1e-6
FALSE_ALARM = 1e-6
PESQ_MEAN, PESQ_WORST = 4.4, 4.2
DELAY_MS, MARKING, ASKING = 10.0, 0.01, 0.05
