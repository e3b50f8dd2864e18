"""Reading what was spoken as it would be written: "plus four nine three oh" is +4930, "j o h n" is john.

`atoms` cuts a text into the smallest pieces that mean something to whoever looks for identifiers, each with its
place in the text, so that what is found in the written form can be covered where it was said. Nothing is decided
here: whether "oh" is a nought and "at" an @ is for those who read the atoms in their context.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

Sign = Literal["at", "dot", "dash", "underscore", "plus", "slash"]
SIGNS: tuple[Sign, ...] = ("at", "dot", "dash", "underscore", "plus", "slash")
WRITTEN_SIGNS: Mapping[str, Sign] = {
    "@": "at",
    ".": "dot",
    "-": "dash",
    "–": "dash",
    "‑": "dash",
    "_": "underscore",
    "+": "plus",
    "/": "slash",
}
AS_WRITTEN: Mapping[Sign, str] = {"at": "@", "dot": ".", "dash": "-", "underscore": "_", "plus": "+", "slash": "/"}
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "zh", "ja")
_LONGEST_PHRASE = 5
# Numerals of Chinese and Japanese stand one by one between other characters, without spaces.
_PIECE = re.compile(
    r"\d+|[〇零一二三四五六七八九幺两]|[^\W\d_〇零一二三四五六七八九幺两]+(?:['’][^\W\d_]+)*|[^\w\s]|_"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, a group of digits or a mark."""

    raw: str
    folded: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Atom:
    """One or more pieces that mean one thing."""

    kind: Literal["digits", "letter", "word", "sign", "filler", "mark"]
    value: str
    """Digits and letters as written, a sign's name, a word or filler folded, a mark as it is."""
    start: int
    end: int
    raw: str
    spoken: bool = False
    """True when it was said in words: "four" and not "4"."""
    quantity: bool = False
    """True when hundreds, thousands or millions were said: seldom part of an identifier."""
    word: bool = False
    """True for a sign or letter that is also an ordinary word, as "at", "point" or "a"."""


@dataclass(frozen=True, slots=True)
class _Lexicon:
    numbers: Mapping[tuple[str, ...], int]
    hundred: frozenset[str]
    thousand: frozenset[str]
    million: frozenset[str]
    joiners: frozenset[str]
    repeat: Mapping[tuple[str, ...], int]
    signs: Mapping[tuple[str, ...], Sign]
    fillers: frozenset[tuple[str, ...]]
    spelling: frozenset[tuple[str, ...]]


def fold(word: str) -> str:
    """Lower case without accents: what the tables' keys look like."""
    word = word.casefold().replace("’", "'")
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def pieces(text: str) -> list[Piece]:
    """The words, groups of digits and marks of a text, in order."""
    return [Piece(m.group(), fold(m.group()), m.start(), m.end()) for m in _PIECE.finditer(text)]


def atoms(text: str, language: str) -> list[Atom]:
    """The text in atoms. Besides its own language English is understood, as callers mix the two."""
    lexicon, cut = _lexicon(language if language in LANGUAGES else "en"), pieces(text)
    found: list[Atom] = []
    at = 0
    while at < len(cut):
        atom, at = _next(cut, at, lexicon)
        found.append(atom)
    return found


def _next(cut: Sequence[Piece], at: int, lexicon: _Lexicon) -> tuple[Atom, int]:
    piece = cut[at]
    if piece.raw.isdecimal():
        return _written_number(cut, at)
    if not (piece.raw.isalpha() or piece.raw.isnumeric()) and "'" not in piece.folded:
        sign = WRITTEN_SIGNS.get(piece.raw)
        return Atom("sign" if sign else "mark", sign or piece.raw, piece.start, piece.end, piece.raw), at + 1
    for read in (_number, _repeated, _sign, _filler):
        if (atom := read(cut, at, lexicon)) is not None:
            return atom
    if len(piece.raw) == 1:
        return Atom(
            "letter", piece.folded, piece.start, piece.end, piece.raw, word=piece.folded in "aioyue"
        ), at + 1
    if piece.folded in _alphabet() and _explains(cut, at, lexicon):
        return Atom("filler", piece.folded, piece.start, piece.end, piece.raw, word=True), at + 1
    if piece.folded in _alphabet() and _is_spelt(cut, at, lexicon):
        return Atom("letter", piece.folded[0], piece.start, piece.end, piece.raw, spoken=True, word=True), at + 1
    return Atom("word", piece.folded, piece.start, piece.end, piece.raw), at + 1


def _written_number(cut: Sequence[Piece], at: int) -> tuple[Atom, int]:
    digits = "".join(str(unicodedata.digit(c)) for c in cut[at].raw)
    return Atom("digits", digits, cut[at].start, cut[at].end, cut[at].raw), at + 1


def _explains(cut: Sequence[Piece], at: int, lexicon: _Lexicon) -> bool:
    """Whether the word only says again which letter was meant: "J for Juliet", "A wie Anton"."""
    return at >= 2 and (cut[at - 1].folded,) in lexicon.spelling and len(cut[at - 2].raw) == 1


def _is_spelt(cut: Sequence[Piece], at: int, lexicon: _Lexicon) -> bool:
    """Whether a word of a spelling alphabet is used as one: it, or a single letter or digit, stands beside it."""
    alphabet = _alphabet()

    def spells(piece: Piece) -> bool:
        single = len(piece.raw) == 1 and piece.raw.isalnum()
        return single or piece.folded in alphabet or (piece.folded,) in lexicon.numbers

    return any(spells(cut[i]) for i in (at - 1, at + 1) if 0 <= i < len(cut))


def _number(cut: Sequence[Piece], at: int, lexicon: _Lexicon) -> tuple[Atom, int] | None:
    value, end, quantity = _below_million(cut, at, lexicon)
    if end == at:
        return None
    while end < len(cut) and cut[end].folded in lexicon.million:
        quantity, end = True, end + 1
    start, stop = cut[at].start, cut[end - 1].end
    raw = " ".join(piece.raw for piece in cut[at:end])
    # "oh" is an exclamation as often as a nought, "one" and "un" are articles.
    word = raw.casefold() in ("oh", "o", "one", "ein", "eine", "un", "une", "uno", "um", "uma", "una")
    atom = Atom("digits", str(value), start, stop, raw, spoken=True, quantity=quantity, word=word)
    return atom, end


def _below_million(cut: Sequence[Piece], at: int, lexicon: _Lexicon) -> tuple[int, int, bool]:
    value, end = _below_thousand(cut, at, lexicon)
    quantity = end > at and value >= 100
    if (
        end < len(cut)
        and cut[end].folded in lexicon.thousand
        and (end > at or cut[end].folded in ("mille", "mil"))
    ):
        value, end = max(value, 1) * 1000, end + 1
        # "one thousand, two hundred and three" is written with a comma.
        comma = end + 1 < len(cut) and cut[end].raw == ","
        rest, after = _below_thousand(cut, _past_joiner(cut, end + comma, lexicon), lexicon)
        if comma and rest < 100:
            rest = 0
        if rest and after > end:
            value, end = value + rest, after
        return value, end, True
    return value, end, quantity


def _below_thousand(cut: Sequence[Piece], at: int, lexicon: _Lexicon) -> tuple[int, int]:
    value, end = _phrase(cut, at, lexicon)
    if end < len(cut) and cut[end].folded in lexicon.hundred and (end > at or cut[end].folded in ("cent", "cien")):
        value, end = max(value, 1) * 100, end + 1
        rest, after = _phrase(cut, _past_joiner(cut, end, lexicon), lexicon)
        # "eight hundred five five five": the digits that follow one by one are not part of the hundreds.
        following = _phrase(cut, after, lexicon)[1] > after
        if rest and not (following and rest < 10):
            value, end = value + rest, after
    return value, end


def _past_joiner(cut: Sequence[Piece], at: int, lexicon: _Lexicon) -> int:
    return at + 1 if at < len(cut) and cut[at].folded in lexicon.joiners else at


def _phrase(cut: Sequence[Piece], at: int, lexicon: _Lexicon) -> tuple[int, int]:
    """The longest number below a hundred (or one German word of any size) that begins here."""
    # Hyphens stand between the parts: "twenty-three", "quatre-vingt-dix".
    joined = [at]
    while len(joined) < _LONGEST_PHRASE and joined[-1] + 2 < len(cut) and cut[joined[-1] + 1].raw in "-‑":
        joined.append(joined[-1] + 2)
    for count in range(len(joined), 1, -1):
        words = tuple(cut[i].folded for i in joined[:count])
        if (value := lexicon.numbers.get(words)) is not None:
            return value, joined[count - 1] + 1
    for count in range(min(_LONGEST_PHRASE, len(cut) - at), 0, -1):
        words = tuple(piece.folded for piece in cut[at : at + count])
        if (value := lexicon.numbers.get(words)) is not None:
            return value, at + count
    if at < len(cut) and len(cut[at].folded) > 8 and (german := _german(cut[at].folded)) is not None:
        return german, at + 1
    return 0, at


@cache
def _german(word: str) -> int | None:
    """A German number of one word: "neunzehnhundertvierundachtzig"; None when it is not one."""
    numbers = _lexicon("de").numbers

    def below_hundred(part: str) -> int | None:
        return numbers.get((part.removeprefix("und"),)) if part else 0

    def below_ten_thousand(part: str) -> int | None:
        head, hundred, rest = part.partition("hundert")
        if not hundred:
            return below_hundred(part)
        many, few = (1 if not head else below_hundred(head)), below_hundred(rest)
        return None if many is None or few is None else many * 100 + few

    head, thousand, rest = word.partition("tausend")
    if not thousand and "hundert" not in word:
        return None
    if not thousand:
        return below_ten_thousand(word)
    many, few = (1 if not head else below_ten_thousand(head)), below_ten_thousand(rest)
    return None if many is None or few is None else many * 1000 + few


def _repeated(cut: Sequence[Piece], at: int, lexicon: _Lexicon) -> tuple[Atom, int] | None:
    """ "double seven", "dreimal die fünf", "deux fois le huit"."""
    times, after = _longest(cut, at, lexicon.repeat)
    if times is None or after >= len(cut):
        return None
    if cut[after].raw.isdecimal() and len(cut[after].raw) == 1:
        value, end = int(cut[after].raw), after + 1
    else:
        value, end = _phrase(cut, after, lexicon)
    if end == after and len(cut[after].raw) == 1 and cut[after].raw.isalpha():
        stop = cut[after].end
        return Atom("letter", cut[after].folded * times, cut[at].start, stop, cut[at].raw, spoken=True), after + 1
    if end == after or value > 99:
        return None
    return Atom("digits", str(value) * times, cut[at].start, cut[end - 1].end, cut[at].raw, spoken=True), end


def _sign(cut: Sequence[Piece], at: int, lexicon: _Lexicon) -> tuple[Atom, int] | None:
    sign, end = _longest(cut, at, lexicon.signs)
    if sign is None:
        return None
    raw = " ".join(piece.raw for piece in cut[at:end])
    return Atom("sign", sign, cut[at].start, cut[end - 1].end, raw, spoken=True, word=True), end


def _filler(cut: Sequence[Piece], at: int, lexicon: _Lexicon) -> tuple[Atom, int] | None:
    for count in (2, 1):
        words = tuple(piece.folded for piece in cut[at : at + count])
        if len(words) == count and words in lexicon.fillers:
            raw = " ".join(piece.raw for piece in cut[at : at + count])
            return Atom(
                "filler", " ".join(words), cut[at].start, cut[at + count - 1].end, raw, word=True
            ), at + count
    return None


def _longest(cut: Sequence[Piece], at: int, table: Mapping[tuple[str, ...], Any]) -> tuple[Any, int]:
    for count in range(3, 0, -1):
        words = tuple(piece.folded for piece in cut[at : at + count])
        if len(words) == count and words in table:
            return table[words], at + count
    return None, at


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("compliance.language").joinpath("spoken_forms.toml").read_text("utf-8"))


@cache
def _alphabet() -> frozenset[str]:
    return frozenset(str(_table()["letters"]["words"]).split())


@cache
def _lexicon(language: str) -> _Lexicon:
    tables = [_table()[name] for name in dict.fromkeys(("en", language))]
    numbers: dict[tuple[str, ...], int] = {}
    for name in dict.fromkeys(("en", language)):
        numbers |= _numbers(name)

    def words(key: str) -> Iterator[str]:
        return (phrase for table in tables for phrase in table[key])

    return _Lexicon(
        numbers=numbers,
        hundred=frozenset(words("hundred")),
        thousand=frozenset(words("thousand")),
        million=frozenset(words("million")),
        joiners=frozenset(words("joiners")),
        repeat={_parts(p): 2 for p in words("twice")} | {_parts(p): 3 for p in words("thrice")},
        signs={_parts(phrase): sign for sign in SIGNS for phrase in words(sign)},
        fillers=frozenset(tuple(f.split("_")) for f in str(tables[-1]["fillers"]).split()),
        spelling=frozenset(_parts(phrase) for phrase in words("spelling")),
    )


def _parts(phrase: str) -> tuple[str, ...]:
    return tuple(phrase.split())


def _numbers(language: str) -> Mapping[tuple[str, ...], int]:
    """Every way to say 0 to 99, by the words it is made of."""
    given = {
        word: int(value) for word, value in (p.split("=") for p in str(_table()[language]["numbers"]).split())
    }
    found: dict[tuple[str, ...], int] = {(word,): value for word, value in given.items()}
    tens = [(word, value) for word, value in given.items() if value >= 20 and value % 10 == 0]
    units = [(word, value) for word, value in given.items() if 1 <= value <= 9]
    match language:
        case "en":
            found |= {(ten, unit): t + u for ten, t in tens for unit, u in units}
        case "de":
            found |= {(f"{unit}und{ten}",): t + u for ten, t in tens for unit, u in units if unit != "eins"}
            found |= {(unit, "und", ten): t + u for ten, t in tens for unit, u in units}
        case "fr":
            found |= _french(given)
        case "es" | "pt" | "it":
            found |= {(ten, j, unit): t + u for ten, t in tens for unit, u in units for j in ("y", "e")}
            found |= _italian(tens, units) if language == "it" else {}
    return found


def _french(given: Mapping[str, int]) -> dict[tuple[str, ...], int]:
    teens: list[tuple[tuple[str, ...], int]] = [
        (("dix",), 10),
        *(((word,), value) for word, value in given.items() if 11 <= value <= 16),
    ]
    teens += [(("dix", word), 10 + value) for word, value in given.items() if value in (7, 8, 9)]
    units: list[tuple[tuple[str, ...], int]] = [
        ((word,), value) for word, value in given.items() if 1 <= value <= 9
    ]
    found: dict[tuple[str, ...], int] = {
        ("dix", word): 10 + value for word, value in given.items() if value in (7, 8, 9)
    }
    for word, value in given.items():
        if value >= 20 and word != "soixante":
            found |= {(word, *unit): value + u for unit, u in units} | {
                (word, "et", *unit): value + u for unit, u in units
            }
    for eighty in (("quatre", "vingt"), ("quatre", "vingts")):
        found[eighty] = 80
        found |= {(*eighty, *rest): 80 + r for rest, r in [*units, *teens]}
    for rest, value in [*units, *teens]:
        found[("soixante", *rest)] = found[("soixante", "et", *rest)] = 60 + value
    return found


def _italian(tens: Iterable[tuple[str, int]], units: Sequence[tuple[str, int]]) -> dict[tuple[str, ...], int]:
    # The ten loses its last vowel before uno and otto: ventuno, trentotto.
    return {((ten[:-1] if unit[0] in "uo" else ten) + unit,): t + u for ten, t in tens for unit, u in units}
