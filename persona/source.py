"""Where what the twin says comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Provenance = Literal["fact", "statement", "document", "memory", "general", "guess", "notice"]
"""Of a sentence: the owner's facts, words or documents; what this caller told earlier; knowledge that is not about
the owner; a claim about the owner that nothing supports; or the twin's own fixed words and courtesies."""


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that a brain was shown, and may therefore say."""

    kind: Literal["fact", "statement", "document", "memory"]
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Memory:
    """Something that a caller told in an earlier call, in one sentence about them."""

    id: str
    text: str
    """A sentence in the third person: "Anna's daughter starts school in August."."""
    at_ms: int
    """When it was said, in Unix milliseconds."""
    about: str = ""
    """What it is about, so that a newer one replaces it: `employer`, `daughter`; empty: stands by itself."""
    person: str = ""
    """Who said it, by name, where several people share a number; empty is unknown."""
    call_id: str = ""
    """The call it was said in."""
