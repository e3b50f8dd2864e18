"""What a search found, as somebody may see it who sees masked text: a hit in what is hidden is none.

Pure, but for the masks. Otherwise searching for a number would tell who has it, masks or not.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

AROUND = 70
"""Characters shown on either side of what was found."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Find:
    """A passage: what stands before, what was searched for, what stands after."""

    before: str
    found: str
    after: str


def find(masked: str, wanted: str) -> Find | None:
    """The passage of a masked text that holds a wanted word; None when all of them are in what is hidden.

    A word fits where it begins a word, whatever the case and accents; in scripts without spaces, anywhere.
    """
    plain = _plain(masked)
    for word in dict.fromkeys(_WORD.findall(_plain(wanted))):
        for match in re.finditer(re.escape(word), plain):
            begins = match.start() == 0 or not plain[match.start() - 1].isalnum() or not word.isascii()
            if begins and not _in_mask(masked, match.start()):
                start, end = match.span()
                return Find(_before(masked[:start]), masked[start:end], _after(masked[end:]))
    return None


def _plain(text: str) -> str:
    """Character by character, so that places in it are places in the text."""
    return "".join(_base(character) for character in text)


def _base(character: str) -> str:
    base = unicodedata.normalize("NFD", character)[0].casefold()
    return base if len(base) == 1 else character


def _in_mask(masked: str, at: int) -> bool:
    return masked.rfind("[", 0, at) > masked.rfind("]", 0, at)


def _before(text: str) -> str:
    if len(text) <= AROUND:
        return text
    cut = text[-AROUND:]
    return "… " + cut[cut.find(" ") + 1 :]


def _after(text: str) -> str:
    if len(text) <= AROUND:
        return text
    cut = text[:AROUND]
    return cut[: cut.rfind(" ")] + " …" if " " in cut else cut + "…"
