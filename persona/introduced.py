"""How people say who they are ("this is Anna", "Schmidt am Apparat"), and whether two names are one person's."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from compliance.language.names import names

_LONGEST = 2000
"""How much of a turn is read."""
_CLAUSE = re.compile(r"(?<!\bdr)(?<!\bmr)(?<!\bms)(?<!\bmrs)[.!;\n。！，]+|,|\band (?=i'?m |my )", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[?？])\s*|(?<=[.!])(?<!\bdr\.)(?<!\bmr\.)(?<!\bms\.)(?<!\bmrs\.)\s+", re.IGNORECASE)
_QUESTION = re.compile(r"[?？]\s*$")
_TITLES = frozenset(
    (
        *("mr", "mrs", "ms", "miss", "dr", "doctor", "prof", "professor"),
        *("herr", "herrn", "frau", "doktor", "monsieur", "madame", "senor", "senora"),
    )
)
_BEFORE_A_NAME = _TITLES | {"it's", "its", "yes", "well", "hi", "hello", "ja", "hallo", "oui", "sí", "sim"}
_UNSPACED = ("zh", "ja")
_GERMAN_OF_SELF = re.compile(r"(?i)\b(?:ich bin|ich bins|das ist)\b")
_SURE_CHARS = 6
"""From this length on one letter may differ: recognisers write Christine for Christina."""
_SOUNDS = (
    ("ph", "f"), ("sch", "s"), ("sh", "s"), ("ck", "k"), ("ch", "k"), ("th", "t"), ("dt", "t"), ("tz", "s"),
    ("qu", "k"), ("ae", "a"), ("oe", "o"), ("ue", "u"), ("ey", "i"), ("ay", "i"), ("ei", "i"), ("ai", "i"),
    ("ie", "i"), ("ee", "i"), ("ea", "i"), ("c", "k"), ("z", "s"), ("y", "i"), ("w", "v"), ("j", "i"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """One language's part of identity.toml."""

    introduced: tuple[re.Pattern[str], ...]
    after: tuple[re.Pattern[str], ...]
    same: re.Pattern[str]
    other: re.Pattern[str]
    kin: re.Pattern[str]
    if_asked: re.Pattern[str]
    no: re.Pattern[str]
    bare: re.Pattern[str]
    questions: dict[str, str]
    """What the twin asks, by key."""


def name_given(text: str, language: str, *, asked: bool = False, known: Iterable[str] = ()) -> str:
    """The name under which the speaker introduces themselves, as it was said and without a title; or nothing.

    `asked`: they were just asked for it, so that a name alone counts. `known` are names that are expected, and
    are therefore found in any spelling of their case. Somebody who is only spoken of is not found.
    """
    language = base(language)
    words, known = words_of(language), tuple(known)
    for clause in _clauses(text):
        for pattern in (*words.introduced, *words.after):
            found = pattern.fullmatch(clause) if language not in _UNSPACED else pattern.match(clause)
            if found and (name := _name_in(clause, found, language, known)):
                return name
        still_them = words.same.search(clause) is not None
        if (
            asked
            and not still_them
            and not (words.other.search(clause) or words.kin.search(clause))
            and words.bare.fullmatch(clause)
        ):
            name = clause if language in _UNSPACED else _bare(clause, language, known)
            if name:
                return name
        asked = asked or still_them  # "it's me, Anna"
    return ""


@dataclass(frozen=True, slots=True)
class Another:
    """Somebody says that they are not who they may be taken for."""

    sure: bool
    """False where it may as well be meant of the owner: "I'm his sister"."""
    name: str = ""
    """Their own, where they add it."""


def speaks_for_another(text: str, language: str, *, asked: bool = False) -> Another | None:
    """ "No, this is her husband", "wrong number"; `asked`: it answers the question who is calling."""
    language = base(language)
    words = words_of(language)
    denies = words.no.search(text.strip()) is not None
    for clause in _clauses(text):
        if words.other.search(clause) or (asked and words.if_asked.search(clause)):
            return Another(sure=True)
        if found := words.kin.search(clause):
            spans = [span for span in names(clause, language) if span.start >= found.end()]
            return Another(denies, _tidy(clause[spans[0].start : spans[0].end]) if spans else "")
    return None


def says_it_is_still_them(text: str, language: str) -> bool:
    """ "Yes, it's me", "speaking": an answer without a name, which anybody could give."""
    same = words_of(base(language)).same
    return same.search(text.strip().replace("’", "'")) is not None or any(map(same.search, _clauses(text)))


def same_name(said: str, stored: str) -> bool:
    """True when somebody who says `said` may be the one known as `stored`, by sound and by the parts given.

    "Anna" may be "Anna Schmidt" and so may "Schmidt"; "Anna Schmitt" too; "Anna Weber" and "Tom Schmidt" may not.
    """
    one, other = _parts(said), _parts(stored)
    if not one or not other:
        return False
    if len(one) == 1:
        return _alike(one[0], other[0]) or _alike(one[0], other[-1])
    if len(other) == 1:
        return _alike(one[0], other[0])
    return _alike(one[0], other[0]) and _alike(one[-1], other[-1])


def base(language: str) -> str:
    """The language of a code, or English where identity.toml has none."""
    short = re.split("[-_]", language)[0].lower()
    return short if short in _table() else "en"


def question(key: str, language: str) -> str:
    """The wording of a question of `Identity`."""
    return words_of(base(language)).questions[key]


@cache
def words_of(language: str) -> Words:
    """What a language has to say; it must be one of identity.toml."""
    table = _table()[language]

    def compiled(pattern: object) -> re.Pattern[str]:
        return re.compile(str(pattern), re.IGNORECASE)

    return Words(
        introduced=tuple(map(compiled, table["introduced"])),
        after=tuple(map(compiled, table["after"])),
        same=compiled(table["same"]),
        other=compiled(table["other"]),
        kin=compiled(table["kin"]),
        if_asked=compiled(table["if_asked"]),
        no=compiled(table["no"]),
        bare=compiled(table["bare"]),
        questions={key: str(table[key]) for key in ("who_is_calling", "which_name")},
    )


@cache
def _table() -> dict[str, dict[str, str | list[str]]]:
    return tomllib.loads(resources.files("persona").joinpath("identity.toml").read_text("utf-8"))


def _clauses(text: str) -> Iterator[str]:
    """The clauses that are no question: of "this is Anna, is he in?" the first."""
    text = text[:_LONGEST].replace("’", "'")
    for sentence in _SENTENCE.split(text):
        clauses = [clause.strip(" -") for clause in _CLAUSE.split(sentence) if clause and clause.strip(" -")]
        yield from clauses[:-1] if _QUESTION.search(sentence) else clauses


def _name_in(clause: str, found: re.Match[str], language: str, known: tuple[str, ...]) -> str:
    if language in _UNSPACED:
        return found["name"]
    start, end = found.span("name")
    while (title := re.match(r"(?:(\w+)\.?\s+)", clause[start:end])) and title[1].lower() in _TITLES:
        start += title.end()
    # In some languages the lists know a name only where it does not begin the sentence.
    spans = sorted(names(clause, language, known), key=lambda span: (span.start, -span.end))
    for span in spans:
        inside = span.start <= start < span.end and span.end <= end
        if inside and not _possessive(clause, span.end) and _is_listed(clause, span.start, language, known):
            return _tidy(clause[start : span.end])
    return ""


def _is_listed(clause: str, start: int, language: str, known: tuple[str, ...]) -> bool:
    """In German every noun has a capital: after "ich bin" only a listed name is one, and no "Vegetarierin"."""
    if language != "de" or not _GERMAN_OF_SELF.search(clause[:start]):
        return True
    return any(span.start == start for span in names(clause.lower(), language, known))


def _bare(clause: str, language: str, known: tuple[str, ...]) -> str:
    """A name said by itself; names are known by the lists, or because they are expected."""
    if len(clause.split()) > 5:
        return ""
    for span in sorted(names(clause, language, known), key=lambda span: (span.start, -span.end)):
        before = clause[: span.start].lower().replace(".", " ").split()
        if set(before) <= _BEFORE_A_NAME:
            return "" if _possessive(clause, span.end) else _tidy(clause[span.start : span.end])
    return ""


def _possessive(clause: str, end: int) -> bool:
    """ "Anna's order" is no introduction."""
    return clause[:end].endswith("'s") or clause[end:].startswith("'s")


def _tidy(name: str) -> str:
    name = " ".join(name.split())
    # "Anna Schmidt von Siemens", but "Ursula von der Leyen".
    name = re.sub(r"(?i)^(\S+ \S+) (?:von|from|de la part) .*", r"\1", name)
    return name if any(ch.isupper() for ch in name) else name.title()


def _parts(name: str) -> list[str]:
    """How the parts of a name sound, roughly and alike in English and German; titles left out."""
    folded = unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss"))
    folded = "".join(ch for ch in folded if not unicodedata.combining(ch))
    return [_sound(part) for part in re.findall(r"\w+", folded.replace("'", "")) if part not in _TITLES]


def _sound(part: str) -> str:
    for letters, sound in _SOUNDS:
        part = part.replace(letters, sound)
    part = re.sub(r"(?<=[aiou])h", "", part)
    part = re.sub(r"d$", "t", part)
    return re.sub(r"(.)\1+", r"\1", part)


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    return min(len(one), len(other)) >= _SURE_CHARS and one[0] == other[0] and _distance_is_one(one, other)


def _distance_is_one(one: str, other: str) -> bool:
    """Whether one letter was changed, added or left out."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return one[at + 1 :] == other[at + 1 :] if len(one) == len(other) else one[at:] == other[at + 1 :]
