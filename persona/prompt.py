"""What a brain is asked: the one place where profile, facts and the conversation are composed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's words in the conversation, as they were heard."""

    who: Literal["caller", "twin"]
    text: str
    cut: bool = False
    """True when the twin was interrupted: `text` ends at the last word that was heard."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything a brain needs to answer the last of `turns` (which is the caller's)."""

    system: str
    """Stable through the call, so that providers' prompt caches hit."""
    turns: tuple[Turn, ...]
    language: str = "en"
    notes: str = ""
    """What changes from turn to turn (retrieved facts, live state); placed after the stable part."""
