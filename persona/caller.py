"""Who calls, as far as the twin may use it; and who may hear what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Audience = Literal["anyone", "known", "nobody"] | tuple[str, ...]
"""Who may hear an entry: any caller, a caller the twin knows, no caller at all, or the people named."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What the twin may use about who calls."""

    name: str = ""
    number: str = ""
    known: bool = False
    """True when the twin knows the caller and may tell what is for known callers."""
    person: str = ""
    """The name under which the owner lists them in `people.toml`, once it is sure who speaks; else empty."""
    relation: str = ""
    """What they are to the owner, as `people.toml` says: family, friend, ...; empty is unknown."""

    def may_hear(self, tell: Audience) -> bool:
        """Whether what is for that audience may be told to this caller."""
        if isinstance(tell, tuple):
            return bool(self.person) and self.person in tell
        return tell == "anyone" or (tell == "known" and self.known)


STRANGER = Caller()
"""Somebody of whom nothing is known."""
