"""E-mail and web addresses as they are said: "john dot smith at gmail dot com", "j o h n arobase", "www dot"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compliance.language.identifiers import Span
from compliance.language.spoken_forms import Atom
from compliance.language.word_lists import word_list

_LOCAL_SIGNS = ("dot", "dash", "underscore", "plus")
_MOST_WORDS = 3
_MOST_PLAIN = 2
_LONGEST_LOCAL = 48


def emails(atoms: Sequence[Atom]) -> Iterator[Span]:
    """Addresses around an @, written or said."""
    for at, atom in enumerate(atoms):
        if atom.kind != "sign" or atom.value != "at" or atom.raw == "-":
            continue
        end = _domain_end(atoms, at + 1)
        first = _local_first(atoms, at)
        if first < at and (end or _names_provider(atoms, at, first)):
            yield Span("email", atoms[first].start, atoms[(end or at + 2) - 1].end)


def sites(atoms: Sequence[Atom]) -> Iterator[Span]:
    """Web addresses that were said: "www dot smith minus partner dot de"."""
    for at, atom in enumerate(atoms):
        if (atom.value != "www" and not all(a.value == "w" for a in atoms[at : at + 3])) or atom.value not in (
            "www",
            "w",
        ):
            continue
        begin = at + (1 if atom.value == "www" else 3)
        if begin < len(atoms) and atoms[begin].value == "dot":
            begin += 1
        end = _domain_end(atoms, begin)
        if end:
            yield Span("url", atom.start, atoms[end - 1].end)


def _domain_end(atoms: Sequence[Atom], at: int) -> int:
    """The atom after the domain that begins at `at`: some labels, the last one an ending; 0 when there is none."""
    words, labels, end, i = 0, 0, 0, at
    while i < len(atoms) and i - at < 40:
        atom = atoms[i]
        if atom.value == "dot":
            # A full stop that ends a sentence has a capital after it, and no ending.
            if i + 1 < len(atoms) and labels and _is_ending(atoms[i + 1]):
                end = i + 2
            labels, words = labels + 1, 0
        elif atom.kind in ("word", "digits", "letter", "filler"):
            words += atom.kind in ("word", "filler")
            labels = max(labels, 1)
            if words > _MOST_WORDS:
                break
        elif atom.kind == "sign" and atom.value in ("dash", "underscore"):
            words = 0
        elif atom.value != ",":
            break
        if end and i >= end:
            break
        i += 1
    return end if end else _spelled_ending(atoms, at)


def _spelled_ending(atoms: Sequence[Atom], at: int) -> int:
    """ "gmail dot d e", "gmx punkt d e": an ending that was spelled out; else 0."""
    for i in range(at, min(at + 24, len(atoms) - 2)):
        if atoms[i].value == "dot" and i > at and all(a.kind == "letter" for a in atoms[i + 1 : i + 3]):
            letters = "".join(a.value for a in atoms[i + 1 : i + 4] if a.kind == "letter")
            for size in (3, 2):
                if letters[:size] in word_list("endings") and len(letters) >= size:
                    return i + 1 + size
            return 0
        if atoms[i].value in ("?", "!", ";", ":"):
            return 0
    return 0


def _is_ending(atom: Atom) -> bool:
    return atom.kind in ("word", "filler", "sign") and atom.raw.casefold() in word_list("endings")


def _names_provider(atoms: Sequence[Atom], at: int, first: int) -> bool:
    """ "anna underscore b at gmail": no ending was said, but nothing else is meant."""
    if at + 1 >= len(atoms) or atoms[at + 1].value not in word_list("providers"):
        return False
    spelt = any(a.kind in ("letter", "sign", "digits") for a in atoms[first:at])
    about = any("mail" in a.value or a.value in ("adresse", "address") for a in atoms[max(0, first - 8) : first])
    return spelt or about or not atoms[at].word


def _local_first(atoms: Sequence[Atom], at: int) -> int:
    """The first atom of the part before the @: what is joined by signs, spelled, or up to two plain words."""
    first, plain, joined, comma = at, 0, False, False
    for i in range(at - 1, max(at - _LONGEST_LOCAL, -1), -1):
        atom = atoms[i]
        if atom.kind == "sign" and atom.value in _LOCAL_SIGNS:
            if _ends_sentence(atoms, i):
                break
            joined = True
            continue
        if atom.value == ",":
            # Recognisers write one in every pause: signs and spelling go on behind it, plain words do not.
            comma = first < at
            continue
        if atom.kind in ("digits", "letter"):
            if atom.word and not joined and not _spells(atoms, i):
                break
        elif atom.kind in ("word", "filler", "sign"):
            plain = 0 if joined else plain + 1
            if not joined and (comma or plain > _MOST_PLAIN or _is_before(atom, begun=first < at)):
                break
        else:
            break
        first, joined, comma = i, False, False
    return first


def _is_before(atom: Atom, *, begun: bool) -> bool:
    """Whether a word leads to an address and is no part of it: "write to", "meine Adresse ist"."""
    stops = word_list("before_address")
    return atom.value in stops or atom.raw.casefold() in stops or (begun and atom.kind == "filler")


def _ends_sentence(atoms: Sequence[Atom], at: int) -> bool:
    """Whether a full stop ends a sentence: after it comes a space, and nothing that is spelled."""
    after = atoms[at + 1]
    return atoms[at].raw == "." and after.start > atoms[at].end and not _spells(atoms, at + 1)


def _spells(atoms: Sequence[Atom], at: int) -> bool:
    beside = [atoms[i] for i in (at - 1, at, at + 1) if 0 <= i < len(atoms)]
    return sum(a.kind in ("letter", "digits") for a in beside) >= 2
