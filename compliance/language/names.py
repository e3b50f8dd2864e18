"""Names of people in what was said: those of the call, those somebody introduces, those of a list.

Without a model of language a name is known by how it is introduced, by a title before it, by lists of common
names, and by capitals where the recogniser writes them. Unusual names said in passing in lower case are missed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from compliance.language.identifiers import Span
from compliance.language.spoken_forms import Atom, Piece, fold, pieces

_MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class _Lists:
    first: frozenset[str]
    surname: frozenset[str]
    both: frozenset[str]
    titles: frozenset[str]
    particles: frozenset[str]
    ordinary: frozenset[str]
    onward: frozenset[str]
    places: frozenset[str]
    articles: frozenset[str]
    before_names: frozenset[str]
    greetings: frozenset[str]
    more: frozenset[str]
    """Surnames that are rarer, and too often nouns in German to count by themselves."""


@cache
def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("compliance.language").joinpath(f"{name}.toml").read_text("utf-8"))


@cache
def _lists() -> _Lists:
    more = _table("name_lists")
    words = {
        key: frozenset(fold(value).split()) for key, value in _table("names").items() if isinstance(value, str)
    }
    words["first"] |= frozenset(more["first"].split()) | frozenset(more["both"].split())
    words["both"] |= frozenset(more["both"].split())
    return _Lists(**words, more=frozenset(more["surname"].split()))


@dataclass(frozen=True, slots=True)
class _Introductions:
    strong: re.Pattern[str]
    of_self: re.Pattern[str]
    weak: re.Pattern[str]
    after: re.Pattern[str]
    east: re.Pattern[str]


@cache
def _introductions() -> _Introductions:
    table = _table("names")["introductions"]
    before = {key: rf"(?<![\w'])(?:{table[key]})(?=[\s,:]|$)[\s,:]*" for key in ("strong", "of_self", "weak")}
    bodies = {**before, "after": rf"[\s,]+{table['after']}", "east": table["east"]}
    flags = re.IGNORECASE | re.VERBOSE
    return _Introductions(**{key: re.compile(body, flags) for key, body in bodies.items()})


def names(text: str, language: str, known: Iterable[str] = ()) -> Iterator[Span]:
    """The names in a text; `known` are those of the call's people, found in any case and by each part."""
    text = text.replace("’", "'")
    cut = [piece for piece in pieces(text) if not piece.raw.isspace()]
    at_start = {piece.start: i for i, piece in enumerate(cut)}
    sentence = _Sentence(text, cut, language)
    for first, last in (
        *_known(cut, known),
        *_introduced(text, at_start, sentence),
        *_titled(sentence),
        *_listed(sentence),
    ):
        yield Span("name", cut[first].start, cut[last].end)
    for match in _introductions().east.finditer(text):
        start, end = match.span(match.lastgroup or 0)
        yield Span("name", start, end)


def spelled(atoms: Sequence[Atom]) -> Iterator[Span]:
    """Words spelled letter by letter, four or more: "S M I T H", "H for hotel"."""
    run: list[Atom] = []
    for atom in (*atoms, None):
        if atom is not None and atom.kind == "letter":
            run.append(atom)
        elif not run or atom is None or not _between_letters(atom):
            if sum(len(a.value) for a in run) >= 4:
                yield Span("name", run[0].start, run[-1].end)
            run = []


def _between_letters(atom: Atom) -> bool:
    if atom.value in (",", ".", "dash", "dot") and not (atom.spoken and atom.value == "dot"):
        return True
    return (
        atom.value in ("for", "wie", "comme", "as", "as in")
        or atom.kind == "filler"
        or atom.raw.casefold() in ("o", "oh")
    )


class _Sentence:
    """A text's pieces, and what each looks like."""

    def __init__(self, text: str, cut: Sequence[Piece], language: str) -> None:
        self.text = text
        self.cut = cut
        self.german = language == "de"
        words = [piece for piece in cut if piece.raw[0].isalpha()]
        self.cased = any(piece.raw[0].isupper() and piece.folded not in ("i", "i'm", "i'll") for piece in words)

    def is_word(self, i: int) -> bool:
        return 0 <= i < len(self.cut) and self.cut[i].raw[0].isalpha() and len(self.cut[i].raw) > 1

    def key(self, i: int) -> str:
        return self.cut[i].folded.removesuffix("'s")

    def capital(self, i: int) -> bool:
        return self.cut[i].raw[0].isupper()

    def begins(self, i: int) -> bool:
        """Whether the piece begins a sentence, where a capital says nothing."""
        return i == 0 or self.cut[i - 1].raw in (".", "!", "?", "…", ":", "\n", '"')

    def beside(self, i: int) -> bool:
        """Whether nothing but a space or hyphen is between this piece and the one before."""
        return self.text[self.cut[i - 1].end : self.cut[i].start] in (" ", "")

    def contracted(self, i: int) -> bool:
        """ "I'm", "you've", "don't": no names, for all their capitals."""
        return self.cut[i].folded.endswith(("'m", "'re", "'ve", "'ll", "'d", "n't"))

    def likely(self, i: int, *, of_self: bool) -> bool:
        """Whether the word after an introduction is a name; `of_self` when it is hardly anything else."""
        if not self.is_word(i) or self.contracted(i):
            return False
        key, lists = self.key(i), _lists()
        listed = self.listed(key)
        if key in lists.places or key in lists.titles:
            return False
        if key in lists.ordinary and not (self.cased and self.capital(i) and key in lists.first):
            return False
        if not self.cased:
            return listed and (key not in lists.both or (of_self and key in lists.first))
        if not self.capital(i):
            return False
        # In German every noun has a capital.
        return listed or not self.german or (of_self and not _noun(key)) or self.is_pair(i)

    def listed(self, key: str) -> bool:
        """Whether a list has it as a name."""
        lists = _lists()
        found = key in lists.first or key in lists.surname or (key in lists.more and not self.german)
        return found and key not in lists.places

    def unknown(self, i: int) -> bool:
        """Whether it is a word that no list has, which a name may be."""
        if not self.is_word(i) or self.contracted(i):
            return False
        key, lists = self.key(i), _lists()
        return not any(key in words for words in (lists.ordinary, lists.onward, lists.places, lists.titles))

    def is_pair(self, i: int) -> bool:
        """Whether this and the next word look like a first name and a surname."""
        after = i + 2 if i + 2 < len(self.cut) and self.cut[i + 1].raw in "-‑" and self.beside(i + 1) else i + 1
        if not self.is_word(after) or not self.beside(after):
            return False
        lists, key, second = _lists(), self.key(i), self.key(after)
        surname = second in lists.surname or second in lists.more or (after > i + 1 and second in lists.first)
        if not self.cased:
            return key in lists.first and surname
        capitals = self.capital(i) and self.capital(after)
        plain = self.unknown(i) and self.unknown(after) and not (_noun(key) or _noun(second))
        return capitals and (plain or (key in lists.first and surname))

    def name_from(self, i: int, *, sure: bool) -> int:
        """The last piece of the name that begins at `i`."""
        lists, last, at = _lists(), i, i + 1
        while at < len(self.cut) and at - i < _MOST_WORDS * 2:
            if (
                self.cut[at].raw in ("-", "‑", "–")
                and at + 1 < len(self.cut)
                and self.beside(at)
                and self.beside(at + 1)
            ):
                last, at = at + 1, at + 2
                continue
            if not self.beside(at) or not self.cut[at].raw[0].isalpha():
                break
            key = self.key(at)
            if key in lists.particles and self._goes_on(at + 1):
                at += 1
                continue
            listed = key in lists.surname or key in lists.first or key in lists.more
            if self.cased:
                goes_on = self.capital(at) and len(key) > 1 and (listed or key not in lists.ordinary)
            else:
                unknown = key not in lists.ordinary and key not in lists.onward and at - i < 2 and len(key) > 2
                goes_on = key not in lists.onward and (
                    listed or (unknown and (sure or self.key(i) in lists.first))
                )
            if not goes_on or key in lists.titles:
                break
            last, at = at, at + 1
        return last

    def _goes_on(self, at: int) -> bool:
        if not self.is_word(at):
            return False
        key = self.key(at)
        if self.cased:
            return (self.capital(at) and key not in _lists().ordinary) or key in _lists().particles
        return self.unknown(at) or key in _lists().particles


def _noun(key: str) -> bool:
    """Whether a German word with a capital is a common noun by its ending."""
    return bool(
        re.search(
            r"(?:ung|heit|keit|schaft|tion|tat|nis|tum|ismus|chen|lein|ling|termin|nummer|vertrag|anruf|geber|nehmer|leiter|berater|firma|gmbh)$",
            key,
        )
    )


def _known(cut: Sequence[Piece], known: Iterable[str]) -> Iterator[tuple[int, int]]:
    parts = {fold(part) for name in known for part in re.findall(r"[^\W\d_]{2,}", name)} - _lists().particles
    for i, piece in enumerate(cut):
        if piece.folded in parts or piece.folded.removesuffix("'s") in parts:
            yield i, i


def _introduced(text: str, at_start: dict[int, int], sentence: _Sentence) -> Iterator[tuple[int, int]]:
    lists = _lists()
    patterns = _introductions()
    for match in patterns.strong.finditer(text):
        i = at_start.get(match.end())
        while (
            i is not None
            and sentence.is_word(i)
            and (sentence.key(i) in lists.titles or sentence.key(i) in lists.before_names)
        ):
            i += 1
        if i is not None and sentence.is_word(i) and not sentence.contracted(i):
            listed = sentence.key(i) in lists.first and (sentence.capital(i) or not sentence.cased)
            if sentence.key(i) not in lists.ordinary or listed:
                yield i, sentence.name_from(i, sure=True)
    for pattern in (patterns.of_self, patterns.weak):
        for match in pattern.finditer(text):
            i = at_start.get(match.end())
            # "im" is "I'm" without its mark only where it is not German.
            im = sentence.german and match.group().strip().casefold() == "im"
            if i is not None and sentence.is_word(i) and not im:
                yield from _looks_introduced(text, i, sentence, of_self=pattern is patterns.of_self)
    for match in patterns.after.finditer(text):
        last = next((i for i, piece in enumerate(sentence.cut) if piece.end == match.start()), None)
        here = match.group("here") is not None
        for found in _before(last, sentence) if last is not None else ():
            # "Anna here", but not "nobody lives here".
            if (
                not here
                or found[0] == 0
                or sentence.key(found[0] - 1) in lists.greetings
                or sentence.begins(found[0])
            ):
                yield found


def _before(last: int, sentence: _Sentence) -> Iterator[tuple[int, int]]:
    """The name that ends before "speaking" or "a appelé": one of no list too, unless an article is before it."""
    first = last
    while last - first < _MOST_WORDS and _may_be_part(first, sentence):
        first -= 1
        if sentence.is_word(first) and sentence.cut[first + 1].raw not in "-‑" and not sentence.beside(first + 1):
            break
    first += 1
    article = first > 0 and sentence.key(first - 1) in _lists().articles
    if first <= last and not article and sentence.is_word(first):
        yield first, last


def _may_be_part(i: int, sentence: _Sentence) -> bool:
    if i < 0:
        return False
    if sentence.cut[i].raw in "-‑":
        return True
    key, lists = sentence.key(i), _lists()
    if key in lists.particles or (sentence.cased and sentence.unknown(i) and not sentence.capital(i)):
        return key in lists.particles
    listed = key in lists.first and (sentence.capital(i) or not sentence.cased)
    return sentence.unknown(i) or (listed and not sentence.contracted(i))


def _looks_introduced(text: str, i: int, sentence: _Sentence, *, of_self: bool) -> Iterator[tuple[int, int]]:
    if sentence.likely(i, of_self=of_self):
        yield i, sentence.name_from(i, sure=False)
    elif (
        of_self and not sentence.cased and not sentence.contracted(i) and sentence.key(i) not in _lists().ordinary
    ):
        # "this is gudrun oberhauser calling" in lower case: what comes after says that it was a name.
        last = sentence.name_from(i, sure=True)
        if _introductions().after.match(text, sentence.cut[last].end):
            yield i, last


def _titled(sentence: _Sentence) -> Iterator[tuple[int, int]]:
    lists = _lists()
    for i, piece in enumerate(sentence.cut):
        if piece.folded not in lists.titles:
            continue
        at = i + 1
        while at < len(sentence.cut) and (sentence.cut[at].raw == "." or sentence.key(at) in lists.titles):
            at += 1
        if not sentence.is_word(at) or (
            sentence.cased and not sentence.capital(at) and sentence.key(at) not in lists.particles
        ):
            continue
        if sentence.key(at) in lists.particles and sentence.is_word(at + 1):
            yield at, sentence.name_from(at + 1, sure=True)
        elif sentence.key(at) not in lists.ordinary:
            yield at, sentence.name_from(at, sure=sentence.cased)


def _listed(sentence: _Sentence) -> Iterator[tuple[int, int]]:
    """Names of the lists wherever they stand, and what has a capital within a sentence for no other reason."""
    lists = _lists()
    for i in range(len(sentence.cut)):
        if not sentence.is_word(i) or sentence.contracted(i):
            continue
        key, capital, begins = sentence.key(i), sentence.capital(i), sentence.begins(i)
        is_first = key in lists.first and key not in lists.places
        if key in lists.both or key in lists.ordinary:
            within = sentence.cased and capital and not begins and not sentence.german and sentence.listed(key)
            if not (within or (is_first and sentence.is_pair(i))):
                continue
        elif sentence.cased:
            known = sentence.listed(key) and (is_first or not begins)
            stands_out = not begins and sentence.unknown(i) and (not sentence.german or sentence.is_pair(i))
            if not capital or not (known or stands_out):
                continue
        elif not is_first:
            continue
        yield i, sentence.name_from(i, sure=False)
