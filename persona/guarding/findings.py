"""What the guard found and what it made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from persona.source import Provenance

Heed = Literal["speech", "chat", "name", "document", "tool"]
"""Where words came in: what somebody said or wrote, a caller's or participant's name, text that was retrieved."""

Code = Literal[
    "crisis", "abuse", "injection", "extraction", "roleplay", "banned_topic", "private", "prompt_leak",
    "human_claim", "promise", "invented", "unsafe", "moderation", "moderation_failed",
]  # fmt: skip
"""Why something was stopped, for the transcript; stable."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was stopped or answered by the guard. It carries no words of people."""

    code: Code
    rule: str
    """Which rule: `en.suicide`, a banned topic's name, the kind of disguise, ..."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of words on their way in."""

    text: str
    """What a brain may see; empty when nothing of it."""
    findings: tuple[Finding, ...] = ()
    reply: str | None = None
    """A fixed answer, said instead of asking a brain."""
    hang_up: bool = False
    """True when the call ends once `reply` was heard."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a sentence on its way to the voice."""

    text: str
    """What is said; empty: nothing, because the same fixed words were said just before in this answer."""
    provenance: Provenance
    findings: tuple[Finding, ...] = ()
