"""Words of an utterance with what stands around them: a recogniser may give no capitals and no punctuation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.meeting.addressee.wording import folded

_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*")
_ENDS = re.compile(r"[.!?;:…]|\s[-–—]\s")
_QUOTES = re.compile(r"[\"“”„«»]")
_TITLES = frozenset(("mr", "mrs", "ms", "dr", "prof", "st", "hr", "fr"))
_POSSESSIVE = re.compile(r"['’]s?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """One word."""

    word: str
    """Lower case, without accents and possessive."""
    written: str
    """The same with it: `what's`."""
    capital: bool
    possessive: bool
    begins: bool
    """The first of its sentence, as far as punctuation tells."""
    ends: bool
    """The last of its sentence."""
    comma_before: bool
    comma_after: bool
    quoted: bool
    """Between quotation marks."""
    start: int
    """Where it stands in the text."""
    end: int


def tokens(text: str) -> tuple[Token, ...]:
    """The words of a text in order."""
    found = list(_WORD.finditer(text))
    read: list[Token] = []
    for at, match in enumerate(found):
        before = text[found[at - 1].end() if at else 0 : match.start()]
        after = text[match.end() : found[at + 1].start() if at + 1 < len(found) else len(text)]
        bare = _POSSESSIVE.sub("", match[0])
        read.append(
            Token(
                word=_bare(bare),
                written=_bare(match[0]),
                capital=match[0][:1].isupper(),
                possessive=bare != match[0],
                begins=not at or _ends(found[at - 1][0], before),
                ends=at + 1 == len(found) or _ends(match[0], after),
                comma_before="," in before,
                comma_after="," in after,
                quoted=len(_QUOTES.findall(text[: match.start()])) % 2 == 1,
                start=match.start(),
                end=match.end(),
            )
        )
    return tuple(read)


def _ends(word: str, after: str) -> bool:
    """Whether a sentence ends with the word; the dot of a title ends none."""
    return _ENDS.search(after) is not None and not (word.lower() in _TITLES and after.startswith("."))


def _bare(word: str) -> str:
    return folded(word).lower().replace("’", "'").replace(".", "")
