"""What the twin says and writes in meetings in fixed words; the words are data (`texts.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources

from compliance.language.plain import base

FALLBACK_LANGUAGE = "en"
NAME_LETTERS = 20


@dataclass(frozen=True, slots=True)
class MeetingTexts:
    """Of one language, with the owner's name filled in."""

    hand: str
    """Written when it raises its hand."""
    waited: str
    """The same, for an answer that found no gap."""
    silent: str
    on_request: str
    active: str
    """Said when the mode is switched."""
    may_not: str
    """Said to whoever may not switch it."""
    leaving: str
    """Said when it is sent away."""
    to_somebody: str

    def addressed(self, name: str, text: str) -> str:
        """`text`, said to one of several by name. A name is somebody else's text: only a plain word is said."""
        first = name.split()[0] if name.split() else ""
        if not first.isalpha() or len(first) > NAME_LETTERS:
            return text
        return self.to_somebody.format(name=first, rest=text)


@cache
def texts(language: str, short: str) -> MeetingTexts:
    """For a call's language; English where there are none for it."""
    tables = tomllib.loads(resources.files("agent.meeting").joinpath("texts.toml").read_text("utf-8"))
    table = tables.get(base(language), tables[FALLBACK_LANGUAGE])
    return MeetingTexts(**{one.name: table[one.name].replace("{short}", short) for one in fields(MeetingTexts)})
