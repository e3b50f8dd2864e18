"""What somebody says to the twin, without calling it: "Martin's twin, when are you open?". Pure.

Rules, a search and "yes" look into the words of a question, and a name that only calls is none of its words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.meeting.addressee import Names
from agent.meeting.addressee.reading import Reader

_LEAD = re.compile(r"^[\s,.:;!–-]*(?:(?:hey|hi|hello|ok|okay|so|hallo|also)[\s,.:;!–-]+)*$", re.IGNORECASE)
_EDGES = " \t\n,;:–-@"


class Calling:
    """Of one meeting."""

    def __init__(self, names: Names, language: str) -> None:
        self._reader = Reader(names, language)

    def without(self, text: str, others: Sequence[str]) -> str:
        """`text` without the calls, or as it is where nothing else is in it. `others`: the other people here."""
        reading = self._reader.read(text, tuple(others), False)
        kept, at = "", 0
        if not text or (reading.words and reading.words[-1].end > len(text)):
            return text
        for part in reading.parts:
            if part.role != "called" or part.whose == "other":
                continue
            words = reading.words[part.mention.first : part.mention.last + 1]
            kept += text[at : words[0].start]
            at = words[-1].end
        if at == 0:
            return text
        rest = text[at:]
        if _LEAD.match(kept):
            kept, rest = "", rest.lstrip(f"{_EDGES}.!?")
        # What stood between commas stands between spaces.
        bare = f"{kept.rstrip(_EDGES)} {rest.lstrip(_EDGES) if kept else rest}".strip(_EDGES)
        bare = re.sub(r"\s+([.?!])", r"\1", bare)
        return bare if any(map(str.isalnum, bare)) else text
