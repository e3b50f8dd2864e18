"""Where somebody lives: a house number with a street, a post code with a town."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from compliance.language.identifiers import Span
from compliance.language.spoken_forms import Atom, fold
from compliance.language.word_lists import word_list

_STREET_WORD = re.compile(
    r"(?:strasse|str|gasse|allee|weg|platz|ring|ufer|damm|chaussee|stieg|steig|markt|berg|graben)$"
)
_POST_CODE = re.compile(
    r"\b(?:(?:[DF]-)?\d{5}\s+[A-ZÀ-Þ][\w'’-]+(?:[\s-][A-ZÀ-Þ][\w'’-]+)?"
    r"|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}"
    r"|[A-Z]{2}\s\d{5}(?:-\d{4})?)\b"
)


def addresses(text: str, atoms: Sequence[Atom]) -> Iterator[Span]:
    """Streets with a number and post codes with a town, in English, German and French order."""
    for match in _POST_CODE.finditer(text):
        yield Span("address", match.start(), match.end())
    for at, atom in enumerate(atoms):
        if atom.kind == "digits" and len(atom.value) <= 5:
            yield from _number_first(atoms, at)
        elif atom.kind in ("word", "filler"):
            yield from _street_first(atoms, at)


def _number_first(atoms: Sequence[Atom], at: int) -> Iterator[Span]:
    """ "221 b Baker Street", "12 bis rue de la Paix"; the digits may have come one by one."""
    first = at
    while first and atoms[first - 1].kind == "digits" and at - first < 4:
        first -= 1
    words = 0
    for i in range(at + 1, min(at + 7, len(atoms))):
        key = fold(atoms[i].value)
        if key in word_list("streets_fr") and words == 0 and (end := _french_end(atoms, i)) > i + 1:
            yield Span("address", atoms[first].start, atoms[end - 1].end)
            return
        if (
            key in word_list("streets_en")
            and words
            and not (
                key in word_list("streets_also_words")
                and atoms[i - 1].raw[0].islower() != atoms[i].raw[0].islower()
            )
        ):
            yield Span("address", atoms[first].start, atoms[i].end)
            return
        if atoms[i].kind == "letter" or key in ("bis", "ter", ","):
            continue
        if atoms[i].kind not in ("word", "filler") or key in word_list("before_street") or "n't" in key:
            return
        words += 1
        if words > 3:
            return


def _french_end(atoms: Sequence[Atom], at: int) -> int:
    named, i = 0, at + 1
    while i < len(atoms) and named < 3:
        key, atom = fold(atoms[i].value), atoms[i]
        if key in word_list("small") or key.startswith(("l'", "d'")) or atom.value == "dash":
            i += 1
            named += key.startswith(("l'", "d'"))
            continue
        if (
            atom.kind not in ("word", "letter", "filler")
            or key in word_list("before_street")
            or (named and not atom.raw[:1].isupper())
        ):
            break
        named, i = named + 1, i + 1
    return i if named else at


def _street_first(atoms: Sequence[Atom], at: int) -> Iterator[Span]:
    """ "Goethestraße 12 a", "Lange Straße 5"."""
    key = fold(atoms[at].value)
    match = _STREET_WORD.search(key)
    if not match or at + 1 >= len(atoms):
        return
    first = at
    if key in word_list("streets_alone"):
        if (
            at == 0
            or atoms[at - 1].kind != "word"
            or fold(atoms[at - 1].value) in (*word_list("before_street"), "die", "der", "den", "dem", "einen")
        ):
            return
        first = at - 1
    elif key in word_list("no_streets") or match.start() < 3:
        return
    i = at + 1
    while (
        i < len(atoms)
        and (atoms[i].value in (",", ".", "dot", "nummer") or atoms[i].kind == "filler")
        and i - at < 3
    ):
        i += 1
    if i < len(atoms) and atoms[i].kind == "digits":
        while i + 1 < len(atoms) and (
            atoms[i + 1].kind == "digits" or (atoms[i + 1].kind == "letter" and not atoms[i + 1].word)
        ):
            i += 1
        yield Span("address", atoms[first].start, atoms[i].end)
