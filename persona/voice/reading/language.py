"""What a language brings to reading: the tables of its TOML file, checked and kept."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from persona.voice.reading.numbers import Numerals, Scale, cardinal, decimal
from persona.voice.reading.ordinals import Ordinals

_Table = TypeVar("_Table")
_NAMES = re.compile(r"[a-z]{2,3}(?:-[a-z]{2})?")


@dataclass(frozen=True, slots=True)
class Unit:
    """What is counted: `km`, `$`."""

    one: str
    many: str
    gender: str = "m"
    part_one: str = ""
    part_many: str = ""
    """Of a currency: its hundredth."""


@dataclass(frozen=True, slots=True)
class Dates:
    """How days are written and said."""

    order: str
    """Of figures with slashes: `dmy` or `mdy`."""
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    spoken: str
    """With {day}, {month}; the year, with its joint, follows."""
    year_join: str = " "
    day: str = "ordinal"
    """`ordinal`, `cardinal`, or `first`: only the first is an ordinal."""
    day_joint: str = ""
    """Between day and month where they are written: `de`."""
    dative: tuple[str, ...] = ()
    """Words after which the ordinal takes its form `dative`."""
    definite: tuple[str, ...] = ()
    """Words after which it takes its form `definite`; else its form `alone`."""
    century_years: bool = False
    """1998 is `nineteen ninety-eight`."""
    year_words: tuple[str, ...] = ()
    """Words before a bare number that make it a year."""


@dataclass(frozen=True, slots=True)
class Times:
    """How clock times are said: {hour}, {minute}."""

    full: str
    part: str
    clock: tuple[str, ...] = ()
    """What may follow a time and is part of it: `Uhr`, `a.m.`; said as `clock_spoken` has it."""
    clock_spoken: Mapping[str, str] = field(default_factory=dict)
    hour_mark: bool = False
    """`14h30` is a time."""
    dotted: bool = False
    """`9.30 Uhr` is a time."""
    one: str = ""
    """The hour 1, where it has a form of its own, {hour} and its noun together."""
    zero_minutes: str = ""
    """Before minutes below ten: `oh`."""
    full_with_clock: str = "{hour}"
    """A full hour before a.m. or p.m."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language."""

    code: str
    numerals: Numerals
    ordinals: Ordinals
    dates: Dates
    times: Times
    decimal_mark: str
    words: Mapping[str, str]
    """Small words by their use; see the files."""
    masculine: tuple[tuple[str, str], ...] = ()
    """Endings of a number before a counted word."""
    feminine: tuple[tuple[str, str], ...] = ()
    singular_below: float = 1.0
    """Counts of at most this and above zero, or under 2 in French, take the singular."""
    units: Mapping[str, Unit] = field(default_factory=dict)
    currencies: Mapping[str, Unit] = field(default_factory=dict)
    large: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """`Mio.`, `million`: one and many, between a number and its currency."""
    large_joint: str = ""
    abbreviations: Mapping[str, str] = field(default_factory=dict)
    before_name: Mapping[str, str] = field(default_factory=dict)
    """Abbreviations that mean this only before a word with a capital (`St. Paul`)."""
    after_name: Mapping[str, str] = field(default_factory=dict)
    before_number: Mapping[str, str] = field(default_factory=dict)
    """The same before a figure: `No. 7`, for "No." is an answer."""
    ordinal_marks: Mapping[str, str] = field(default_factory=dict)
    """`st`, `º` -> form."""
    ordinal_after: Mapping[str, str] = field(default_factory=dict)
    """Words between which and a noun `3.` is an ordinal, and its form."""
    rulers: tuple[str, ...] = ()
    roman_after: tuple[str, ...] = ()
    roman_form: str = "{ordinal}"
    roman_limit: int = 10**6
    """Rulers beyond it take a cardinal."""
    codes: tuple[str, ...] = ()
    """Words before a number that is read digit by digit."""
    rooms: tuple[str, ...] = ()
    fractions: Mapping[str, str] = field(default_factory=dict)
    """`1/2` -> `one half`."""
    phone_pairs: bool = False
    """Two-digit groups of a telephone number are read as numbers."""

    def counted(self, number: str, unit: Unit) -> str:
        """A number as written (`1,234.5`) with what it counts."""
        noun = unit.one if self._is_singular(number) else unit.many
        return f"{self.number(number, unit.gender)} {noun}"

    def number(self, text: str, gender: str = "") -> str:
        """A number as written, as words; `gender` when a noun follows."""
        whole, part = self.split(text)
        if part:
            return decimal(whole, part, self.numerals)
        said = cardinal(int(whole), self.numerals)
        endings = {"m": self.masculine, "f": self.feminine}.get(gender, ())
        for before, after in endings:
            if said == before or said.endswith(before):
                return said[: len(said) - len(before)] + after
        return said

    def split(self, text: str) -> tuple[str, str]:
        """The digits (and the sign) before and after the decimal mark."""
        whole, _, part = text.partition(self.decimal_mark)
        sign = "-" if whole.startswith(("-", "−")) else ""
        return sign + re.sub(r"\D", "", whole), re.sub(r"\D", "", part)

    def _is_singular(self, number: str) -> bool:
        whole, part = self.split(number)
        value = float(f"{whole or 0}.{part or 0}")
        return value == 1 or (self.singular_below > 1 and abs(value) < self.singular_below)

    @property
    def figure(self) -> str:
        """A pattern for a number as this language writes it."""
        group = r"[.\u00a0\u202f']" if self.decimal_mark == "," else r"[,\u00a0\u202f']"
        mark = re.escape(self.decimal_mark)
        return rf"(?:\d{{1,3}}(?:{group}\d{{3}})+(?:{mark}\d+)?|\d+(?:{mark}\d+)?)"


@cache
def language(code: str) -> Language | None:
    """The tables for `de` or `pt-BR`; None for a language that is left to the engine."""
    name = code.lower().replace("_", "-")
    if not _NAMES.fullmatch(name.partition("-")[0]):
        return None
    values = _read(name.partition("-")[0])
    if values is None:
        return None
    if "-" in name and _NAMES.fullmatch(name) and (own := _read(name)) is not None:
        values = _over(values, own)
    return _language(name, values)


def _read(name: str) -> dict[str, Any] | None:
    source = files("persona.voice.reading") / "languages" / f"{name}.toml"
    return tomllib.loads(source.read_text("utf-8")) if source.is_file() else None


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """A region's tables over its language's."""
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _over(below[key], value) if isinstance(value, dict) and key in below else value
    return merged


def _language(code: str, values: dict[str, Any]) -> Language:
    numerals, ordinals = values["numerals"], values["ordinals"]
    numerals["scales"] = tuple(Scale(*scale) for scale in numerals["scales"])
    ordinals["irregular"] = {int(key): value for key, value in ordinals.get("irregular", {}).items()}
    parts = {
        "numerals": _made(Numerals, numerals),
        "ordinals": _made(Ordinals, ordinals),
        "dates": _made(Dates, values["dates"]),
        "times": _made(Times, values["times"]),
        "units": {key: Unit(*value) for key, value in values["units"].items()},
        "currencies": {key: Unit(*value) for key, value in values["currencies"].items()},
    }
    return _made(Language, {**values, "code": code, **parts})


def _made(kind: type[_Table], values: Mapping[str, Any]) -> _Table:
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: _frozen(value) for key, value in values.items() if key in known})


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
