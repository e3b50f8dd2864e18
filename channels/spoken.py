"""What the twin says, as it travels from the voice to the outlet: audio with its timeline."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A written word and when it sounds, in milliseconds from the start of its utterance."""

    text: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Phoneme:
    """A phoneme in IPA and when it sounds, in milliseconds from the start of its utterance."""

    ipa: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """A piece of one utterance (a sentence), ready for the outlet.

    Pieces of an utterance come in order; words may arrive with any piece up to the last one, and their
    times count from the utterance's first sample, not from the piece's.
    """

    utterance: int
    """Which sentence, unique within the call."""
    epoch: int
    """The clock's epoch it was made in; the outlet drops it when the clock has moved on."""
    pcm: bytes
    """int16 mono at the outlet's rate."""
    words: tuple[Word, ...] = ()
    phonemes: tuple[Phoneme, ...] = ()
    exact: bool = False
    """True when the engine measured the times; False when they were estimated."""
    last: bool = False
    """True on the final piece of the utterance."""
    provenance: str = ""
    """Where the sentence comes from: fact, statement, memory, model, notice. Empty is unknown."""
