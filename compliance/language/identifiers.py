"""Numbers that point to a person, found in atoms: cards, accounts, telephones, codes, dates of birth.

Pure. What cannot be told apart is still found: a long row of digits is a `number` when it is nothing better.
A transcript is covered rather too much than too little, but quantities, prices, years, times and dates stay.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal

import phonenumbers

from compliance.language.spoken_forms import Atom, fold
from compliance.language.word_lists import word_list

Kind = Literal["card", "iban", "phone", "email", "ip", "url", "birth_date", "address", "number", "name", "secret"]

REGIONS = {
    "en": ("US", "GB"),
    "de": ("DE", "AT", "CH"),
    "fr": ("FR", "BE", "CH"),
    "es": ("ES", "MX"),
    "it": ("IT",),
    "pt": ("PT", "BR"),
    "zh": ("CN",),
    "ja": ("JP",),
}
"""Where a number without a country code is likely from."""
_SECRET = re.compile(
    r"^(pin|code|codes|cvv|cvc|passcode|kennwort|geheimzahl|prufziffer|verification|tan|cryptogramme|password)$"
)
_LAST = re.compile(r"^(ending|ends|last|final|endet|letzten|endziffern|derniers|finissant|termine)$")
_CARD = re.compile(r"card|karte|carte|visa|mastercard|amex|credit|kredit")
_PHONE = re.compile(
    r"phone|mobile|cell|handy|nummer|number|numero|telefon|tel|rufnummer|ruckruf|call|reach|ring|appel|joindre|rappel|"
    r"erreich|anruf|ruf|whatsapp|sms|text|fax|extension|durchwahl|portable|fixe|vorwahl"
)
_BIRTH = re.compile(
    r"\b(?:born|birth\w*|dob|geboren\w*|geburt\w*|geb|naissance|née?|nacid[oa]|nat[oa]|nascid[oa]|anniversaire)\b",
    re.I,
)
_ORDINALS = re.compile(
    r"^(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\w+teenth|twentieth|thirtieth|"
    r"premier|erste[nr]?|zweite[nr]?|dritte[nr]?|siebte[nr]?|achte[nr]?|st|nd|rd|th|"
    r"(?:vier|funf|sechs|neun|zehn|elf|zwolf|\w+zehn|\w*(?:zwanzig|dreissig)s)te[nr]?)$"
)
_FOLLOW_GAP = 4


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text that points to a person."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Run:
    """Digits that belong together, and where they are among the atoms."""

    first: int
    last: int
    groups: tuple[Atom, ...]

    @property
    def digits(self) -> str:
        return "".join(group.value for group in self.groups)

    @property
    def one_by_one(self) -> bool:
        """Spoken digit by digit, as nobody says a quantity."""
        return (
            sum(group.spoken and len(set(group.value)) == 1 and len(group.value) < 4 for group in self.groups) >= 3
        )


def numbers(atoms: Sequence[Atom], language: str) -> Iterator[Span]:
    """Rows of digits, spoken or written, that are identifiers."""
    runs = list(_runs(atoms))
    telling = [_tells(atoms, run) for run in runs]
    for before, after in pairwise(range(len(runs))):
        # "oh one seven two, then comes three four five six": what follows an identifier closely belongs to it.
        close = runs[after].first - runs[before].last <= _FOLLOW_GAP and not _ends_between(
            atoms, runs[before], runs[after]
        )
        row = all(len(runs[i].digits) >= 3 and not _is_quantity(atoms, runs[i]) for i in (before, after))
        joined = len(runs[before].digits) + len(runs[after].digits) >= 7
        if close and row and joined and (telling[before] or telling[after] or runs[before].one_by_one):
            telling[before] = telling[after] = True
    for run, tells in zip(runs, telling, strict=True):
        if tells:
            yield Span(
                _kind_of(atoms, run, language), atoms[_with_sign(atoms, run.first)].start, atoms[run.last].end
            )


def _with_sign(atoms: Sequence[Atom], first: int) -> int:
    """Where the row begins when its plus or bracket is counted."""
    for i in range(first - 1, max(first - 8, -1), -1):
        if atoms[i].value in ("plus", "("):
            return i
        if not _may_stand_between(atoms[i]):
            break
    return first


def ibans(atoms: Sequence[Atom]) -> Iterator[Span]:
    """Account numbers that begin with a country's two letters, in any mixture of spelling and writing."""
    at = 0
    while at < len(atoms):
        end = _iban_end(atoms, at)
        if end:
            yield Span("iban", atoms[at].start, atoms[end - 1].end)
        at = end or at + 1


def secrets(atoms: Sequence[Atom]) -> Iterator[Span]:
    """PINs, codes and the last digits of cards: short, but named as what they are."""
    for at, atom in enumerate(atoms):
        is_secret, is_last = _SECRET.match(atom.value), _LAST.match(atom.value)
        if atom.kind != "word" or not (is_secret or is_last):
            continue
        near = atoms[at + 1 : at + 9]
        first = next(
            (i for i, a in enumerate(near) if a.kind == "digits" and not _is_article(atoms, at + 1 + i)), None
        )
        if first is None or any(a.value in ("?", "!") for a in near[:first]):
            continue
        digits, last = "", at + 1 + first
        for i in range(last, len(atoms)):
            if atoms[i].kind == "digits":
                digits, last = digits + atoms[i].value, i
            elif atoms[i].kind not in ("filler", "mark") and atoms[i].value != "dash":
                break
        if 3 <= len(digits) <= 12 and not _followed_by_unit(atoms, last):
            yield Span("secret", atoms[at + 1 + first].start, atoms[last].end)


def birth_dates(text: str, atoms: Sequence[Atom]) -> Iterator[Span]:
    """Dates within reach of a word about birth."""
    starts = [atom.start for atom in atoms]
    for match in _BIRTH.finditer(text):
        near = range(bisect_left(starts, match.start() - 50), bisect_right(starts, match.end() + 60))
        dates = [i for i in near if _in_date(atoms[i]) and not _is_article(atoms, i)]
        for first, last in _close(dates):
            parts = [a for a in atoms[first : last + 1] if _in_date(a)]
            if len(parts) < 3 and not any(a.value in word_list("months") for a in parts):
                continue
            yield Span("birth_date", atoms[first].start, atoms[last].end)


def _close(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Parts of a date that stand close together; one part alone is none."""
    first = 0
    for i in range(1, len(places) + 1):
        if i == len(places) or places[i] - places[i - 1] > 3:
            if i - first > 1:
                yield places[first], places[i - 1]
            first = i


def _in_date(atom: Atom) -> bool:
    return atom.kind == "digits" or atom.value in word_list("months") or bool(_ORDINALS.match(fold(atom.value)))


def _runs(atoms: Sequence[Atom]) -> Iterator[_Run]:
    at = 0
    while at < len(atoms):
        if atoms[at].kind != "digits" or _is_article(atoms, at) or _is_date(atoms, at):
            at += 5 if _is_date(atoms, at) else 1
            continue
        last, i, groups = at, at + 1, [atoms[at]]
        while i < len(atoms) and i - last <= 8:
            if _is_date(atoms, i):
                break
            if atoms[i].kind == "digits":
                last = i
                groups.append(atoms[i])
            elif not _may_stand_between(atoms[i]):
                break
            i += 1
        yield _Run(at, last, tuple(groups))
        at = last + 1


def _is_date(atoms: Sequence[Atom], at: int) -> bool:
    """Whether a date as 12.05.2026 or 2026-05-12 is written here, and no longer row of numbers with dots."""
    cut = atoms[at : at + 5]
    if len(cut) < 5 or [a.kind for a in cut] != ["digits", "sign", "digits", "sign", "digits"]:
        return False
    if cut[4].end - cut[0].start != sum(len(a.raw) for a in cut) or any(a.spoken for a in cut):
        return False
    after = atoms[at + 5 : at + 7]
    goes_on = (
        len(after) == 2
        and after[0].kind == "sign"
        and after[0].start == cut[4].end
        and after[1].start == after[0].end
    )
    parts = [a.value for a in cut[::2]]
    day, month, year = parts if len(parts[0]) <= 2 else parts[::-1]
    return (
        not goes_on
        and len(year) == 4
        and year[:2] in ("19", "20")
        and 1 <= int(day) <= 31
        and 1 <= int(month) <= 31
    )


def _may_stand_between(atom: Atom) -> bool:
    if atom.kind == "sign":
        return atom.value not in ("at", "underscore")
    return atom.kind == "filler" or atom.value in (",", "(", ")", "…", "·", "'", "\n", ";", "|")


def _is_article(atoms: Sequence[Atom], at: int) -> bool:
    """Whether "one", "oh", "un" or "ein" is the ordinary word: no digit stands beside it."""
    if not atoms[at].word:
        return False
    beside = [atoms[i] for i in (at - 1, at + 1) if 0 <= i < len(atoms)]
    further = [
        atoms[i + step]
        for i, step in ((at - 1, -1), (at + 1, 1))
        if 0 <= i < len(atoms) and 0 <= i + step < len(atoms) and atoms[i].kind in ("filler", "mark", "sign")
    ]
    return not any(a.kind in ("digits", "letter") for a in beside + further) and not any(
        a.value == "plus" for a in beside
    )


def _tells(atoms: Sequence[Atom], run: _Run) -> bool:
    digits, count = run.digits, len(run.digits)
    if _is_quantity(atoms, run) or _is_years(run) or _is_date_or_time(atoms, run):
        return False
    before = [a.value for a in atoms[max(0, run.first - 12) : run.first] if a.kind == "word"]
    named = any(_PHONE.search(word) or _CARD.search(word) for word in before)
    international = atoms[_with_sign(atoms, run.first)].value == "plus"
    written = max((len(group.value) for group in run.groups if not group.spoken), default=0)
    if run.one_by_one and count >= 4:
        return True
    return count >= 7 or written >= 6 or (count >= 5 and (named or international or digits[0] == "0"))


def _is_quantity(atoms: Sequence[Atom], run: _Run) -> bool:
    before = atoms[run.first - 1].value if run.first else ""
    if before in ("$", "€", "£", "¥"):
        return True
    if _followed_by_unit(atoms, run.last):
        return not run.one_by_one
    return any(group.quantity for group in run.groups) and len(run.groups) == 1


def _followed_by_unit(atoms: Sequence[Atom], last: int) -> bool:
    after = [a.value for a in atoms[last + 1 : last + 3]]
    return bool(after) and (
        after[0] in ("%", "€", "$", "£", "°") or after[0] in word_list("units") or after[-1] in ("€",)
    )


def _is_years(run: _Run) -> bool:
    return len(run.groups) <= 4 and all(
        len(group.value) == 4 and group.value[:2] in ("19", "20") for group in run.groups
    )


def _is_date_or_time(atoms: Sequence[Atom], run: _Run) -> bool:
    """12.05.2024, 2024-05-12, 10.30: written with the signs of a date between."""
    values = [group.value for group in run.groups]
    signs = {a.value for a in atoms[run.first : run.last + 1] if a.kind != "digits"}
    if len(values) == 3 and not any(g.spoken for g in run.groups) and signs in ({"dot"}, {"slash"}, {"dash"}):
        day, month, year = values if len(values[0]) <= 2 else values[::-1]
        return (
            len(day) <= 2
            and len(month) <= 2
            and len(year) in (2, 4)
            and 1 <= int(month) <= 31
            and 1 <= int(day) <= 31
        )
    return len(values) == 2 and all(len(v) <= 2 for v in values)


def _ends_between(atoms: Sequence[Atom], before: _Run, after: _Run) -> bool:
    return any(a.value in ("?", "!") for a in atoms[before.last : after.first])


def _kind_of(atoms: Sequence[Atom], run: _Run, language: str) -> Kind:
    digits = run.digits
    words = " ".join(a.value for a in atoms[max(0, run.first - 12) : run.first] if a.kind == "word")
    if 13 <= len(digits) <= 19 and (luhn(digits) or _CARD.search(words)):
        return "card"
    international = atoms[_with_sign(atoms, run.first)].value == "plus"
    if international or digits.startswith("00") or is_phone(digits, language):
        return "phone"
    return "phone" if len(digits) <= 15 and _PHONE.search(words) else "number"


@cache
def _iban_lengths() -> dict[str, int]:
    return {country: int(size) for country, size in (part.split("=") for part in word_list("iban_length"))}


def luhn(digits: str) -> bool:
    """Whether a card number's last digit is the right one."""
    doubled = (sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return len(digits) > 1 and (sum(doubled) + sum(int(d) for d in digits[-1::-2])) % 10 == 0


def is_phone(digits: str, language: str) -> bool:
    """Whether these digits can be a telephone number where the language is spoken."""
    for region in REGIONS.get(language, ()):
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(digits, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def iban_is_right(iban: str) -> bool:
    """Whether the check digits fit (ISO 13616): the number, its first four characters last, is 1 modulo 97."""
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _is_letters(atom: Atom, row: str) -> bool:
    """Whether a word is letters of an account: its country, or the bank's where the country has such."""
    if not (atom.raw.isascii() and atom.raw.isalpha()) or len(atom.raw) > 4:
        return False
    if not row:
        return atom.raw.upper() in _iban_lengths()
    return atom.raw.isupper() or (row[:2] in ("GB", "IE", "NL", "MT", "RO", "LV", "BG") and 4 <= len(row) < 8)


def _iban_end(atoms: Sequence[Atom], at: int) -> int:
    """The atom after an IBAN that begins at `at`; 0 when none does."""
    row, ends, marks = "", [], 0
    for i in range(at, min(at + 80, len(atoms))):
        atom = atoms[i]
        if atom.kind in ("digits", "letter"):
            row, marks = row + atom.value.upper(), 0
        elif _is_letters(atom, row):
            row, marks = row + atom.raw.upper(), 0
        elif row and (_may_stand_between(atom) or atom.value in ("for", "wie", "comme", "as", "in")) and marks < 6:
            marks += 1
            continue
        else:
            break
        ends.append((len(row), i + 1))
        if (len(row) >= 2 and row[:2] not in _iban_lengths()) or (len(row) == 3 and not row[2].isdigit()):
            return 0
        if len(row) == 1 and not row.isalpha():
            return 0
    if len(row) < 4 or not row[2:4].isdigit():
        return 0
    length = _iban_lengths()[row[:2]]
    for size, end in ends:
        if size == length and iban_is_right(row[:size]):
            return end
    # Misheard by a digit or two it is still somebody's account.
    near = [end for size, end in ends if length - 4 <= size <= length + 2]
    return near[-1] if near else 0
