"""Streamed text in, sentences out, each as early as is safe, so that the voice can start on the first.

Pure. The result depends on the text alone, never on how it was cut into pieces on the way: a place is judged
only when everything it depends on has arrived, and the judging goes from left to right and waits at the first
place it cannot judge yet. What it depends on is one character after the mark, and for a full stop the beginning
of the next word.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from agent.engines.base import Piece


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ENDS = ".!?…。！？"
_WIDE_ENDS = "。！？"
_CLOSING = "\"'”’»)]}」』*_"
_CLAUSE = ",;:—–，；：、"
_ABBREVIATIONS = _listed(
    """mr mrs ms dr prof st sr jr rev hon gen col capt lt sgt no nos vs etc approx dept est inc ltd co corp ave
    rd blvd mt ft jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur fri sat e.g i.e a.m
    p.m u.s u.k ph.d cf al bzw z.b d.h u.a nr str hr fr ca"""
)
_HALVES = _listed("a.m p.m etc inc ltd co corp jr sr u.s u.k ph.d st rd ave str")
"""Abbreviations that may also end a sentence: they do when the next word begins with a capital."""
_LIST_MARK = re.compile(r"\s*\d{1,3}$")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_LINE_MARK = re.compile(r"^\s*(?:#{1,6}\s+|>\s+|[-*+•]\s+|\d{1,3}[.)]\s+|```\w*\s*$|[-=*_]{3,}\s*$)")
_SPAN_MARK = re.compile(r"\*+|`+|~~|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)|(?<=\s)\|(?=\s)|^\||\|$")


def speakable(text: str, *, line_start: bool = True) -> str:
    """`text` without markdown, as it would be read out. Words, numbers and addresses stay.

    Marks of headings and lists, and the numbers of a numbered list, are marks only where a line starts.
    """
    if line_start:
        text = _LINE_MARK.sub("", text)
    text = _SPAN_MARK.sub("", _LINK.sub(r"\1", text))
    return " ".join(text.split())


class Sentences:
    """Cuts one answer into sentences.

    `first_chars`: a first clause of at least this length is cut off at a comma or dash, so that something sounds
    soon.
    `max_chars`: a sentence without any mark is cut at a space before this length, because a voice needs an end.
    """

    def __init__(self, *, first_chars: int = 36, max_chars: int = 240) -> None:
        if not 1 <= first_chars <= max_chars or max_chars < 16:
            raise ValueError("first_chars must lie between 1 and max_chars, and max_chars be 16 or more")
        self._first_chars = first_chars
        self._max_chars = max_chars
        self._text = ""
        self._first = True
        self._line_start = True

    def feed(self, piece: str) -> list[str]:
        """The sentences that are complete now, in order, ready to be spoken."""
        text = _squeezed(self._text + piece)
        self._text = text.lstrip(" \n")
        # A newline that arrives after the sentence before it was cut off still begins a line.
        self._line_start = self._line_start or "\n" in text[: len(text) - len(self._text)]
        return self._take(final=False)

    def flush(self) -> list[str]:
        """The answer is over: what is left, and begin anew."""
        sentences = self.end()
        self._first = self._line_start = True
        return sentences

    def end(self) -> list[str]:
        """The sentence ends here whatever follows: what is left; the answer goes on."""
        sentences = self._take(final=True)
        self._text = ""
        return sentences

    def _take(self, *, final: bool) -> list[str]:
        sentences: list[str] = []
        while self._text and (end := self._end(final=final)) is not None:
            taken, self._text = self._text[:end], self._text[end:].lstrip(" ")
            sentence = speakable(taken, line_start=self._line_start)
            self._line_start = taken.endswith("\n")
            if any(ch.isalnum() for ch in sentence):
                sentences.append(sentence)
                self._first = False
        return sentences

    def _end(self, *, final: bool) -> int | None:
        """Where the first sentence ends, or nothing when more text is needed to tell."""
        text = self._text
        for at in range(min(len(text), self._max_chars)):
            mark = text[at]
            if mark == "\n":
                return at + 1
            if mark in _ENDS:
                verdict = self._after_end(at, final=final)
            elif self._first and mark in _CLAUSE and at + 1 >= self._first_chars:
                verdict = self._after_clause(at, final=final)
            else:
                continue
            if verdict is None or verdict > 0:
                return verdict
        if len(text) >= self._max_chars:
            return self._forced()
        return len(text) if final else None

    def _after_end(self, at: int, *, final: bool) -> int | None:
        """The end of a sentence whose last mark is at `at`; 0 when it goes on; nothing when that is not known
        yet."""
        text = self._text
        end = at + 1
        while end < min(len(text), self._max_chars) and (text[end] in _ENDS or text[end] in _CLOSING):
            end += 1
        if end >= self._max_chars:
            return end
        if end == len(text):
            return end if final else None
        if text[at] in _WIDE_ENDS or text[end] == "\n":
            return end
        if text[end] != " ":
            return 0
        if text[at] != ".":
            return end
        word = text[:at].rpartition(" ")[2].lstrip("\"'“‘«([{*_").lower()
        if self._line_start and _LIST_MARK.match(text[:at]):
            return 0
        single = len(word) == 1 and word.isalpha() and word != "i"
        if word not in _ABBREVIATIONS and not single:
            return end
        if word not in _HALVES:
            return 0
        if end + 1 == len(text):
            return end if final else None
        return end if text[end + 1].isupper() else 0

    def _after_clause(self, at: int, *, final: bool) -> int | None:
        """The end of a first clause; a comma within a number or an address is none."""
        text = self._text
        if text[at] in "，；：、—":
            return at + 1
        if at + 1 == len(text):
            return 0 if final else None
        return at + 1 if text[at + 1] == " " else 0

    def _forced(self) -> int:
        """Where to cut what has no mark: after the last clause or word that fits, else in the middle of a word."""
        text = self._text[: self._max_chars]
        clause = max(text.rfind(mark + " ") for mark in ",;:–")
        if clause >= self._max_chars // 2:
            return clause + 1
        space = text.rfind(" ")
        return space if space > 0 else self._max_chars


async def cut(pieces: AsyncIterator[Piece], sentences: Sentences) -> AsyncIterator[Piece]:
    """An answer's pieces as sentences; a sentence never has words of two provenances."""
    provenance = ""
    async for piece in pieces:
        if piece.provenance != provenance and provenance:
            for sentence in sentences.end():
                yield Piece(sentence, provenance)
        provenance = piece.provenance
        for sentence in sentences.feed(piece.text):
            yield Piece(sentence, provenance)
    for sentence in sentences.flush():
        yield Piece(sentence, provenance)


def _squeezed(text: str) -> str:
    """`text` with every run of spaces as one space, and newlines of one kind."""
    text = text.replace("\r\n", "\n").replace("\r", "").replace("\t", " ").replace("\u00a0", " ")
    return re.sub(r" {2,}", " ", text)
