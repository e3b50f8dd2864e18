"""Which rules a call is under, from what is known of everybody in it: a table (`jurisdictions.toml`).

Nothing here guesses in the twin's favour. The strictest of all rows that may apply is taken; a telephone number,
which people carry with them when they move, can add a row and never replace one; where somebody's place is not
known, the strictest level of the whole table applies.

As the table stands, sound takes an explicit yes everywhere and words take a notice everywhere. So an unknown place
means a notice for words, because no row asks for more, and a yes for sound. The day one row asks for more, unknown
places do too; a test holds the two together.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from importlib import resources
from typing import Literal, TypeVar

from compliance.settings import ConsentSettings

Transcription = Literal["notice", "ask", "off"]
"""`notice`: words are written down once the notice was heard, and an objection is honoured at any time."""
Recording = Literal["ask", "off"]
"""Sound is never recorded on a notice alone."""

UNKNOWN = "unknown"
"""The row of whoever's place is not known, or not in the table."""

_Level = TypeVar("_Level", bound=str)
_TRANSCRIPTION: tuple[Transcription, ...] = ("notice", "ask", "off")
_RECORDING: tuple[Recording, ...] = ("ask", "off")


@dataclass(frozen=True, slots=True)
class Party:
    """What is known of where one person is. All of it may be missing."""

    country: str | None = None
    """ISO 3166-1, as `US`."""
    region: str | None = None
    """The second half of ISO 3166-2, as `CA` of `US-CA`."""
    number: str | None = None
    """A telephone number in E.164. A hint: it only makes the rules stricter."""
    stated: str | None = None
    """What they said themselves, as `DE` or `US-CA`. Counts beside `country`, not instead of it."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The rules of one call."""

    transcription: Transcription
    recording: Recording
    rows: tuple[str, ...] = ()
    """The rows of the table that were read, for the evidence."""
    version: str = ""
    """Of the table."""


@dataclass(frozen=True, slots=True)
class Law:
    """How soon a request about one's own data has to be answered."""

    name: str
    days: int
    """Counted so that it is never late: a month has 28, working days are taken as days."""
    extension_days: int
    """What may be added where the law allows it, with reasons given in time."""


@dataclass(frozen=True, slots=True)
class Row:
    """One place."""

    code: str
    name: str
    transcription: Transcription
    recording: Recording
    consent: Literal["one", "all"]
    """Whose agreement to a recording the law itself asks for. For information: we ask everybody."""
    law: str
    source: str
    checked: Literal["read", "known"]
    """`read`: a source was read for this row. `known`: from general knowledge, for counsel to confirm."""
    dated: date


def place(code: str) -> Party:
    """The party at `DE` or `US-CA`; at an unknown place for an empty code."""
    return Party(stated=code or None)


def stricter(one: Flow, other: Flow) -> Flow:
    """A flow under both."""
    return Flow(
        _strictest(_TRANSCRIPTION, one.transcription, other.transcription),
        _strictest(_RECORDING, one.recording, other.recording),
        tuple(dict.fromkeys(one.rows + other.rows)),
        other.version or one.version,
    )


def flow(parties: Iterable[Party], owner: Party, settings: ConsentSettings) -> Flow:
    """The rules of a call between `owner` and `parties`; `settings` can only make them stricter."""
    return table().flow(parties, owner, settings)


def law_of(parties: Iterable[Party], owner: Party | None = None) -> Law:
    """The law with the shortest deadline of all that may apply to a request of these people."""
    return table().law_of(parties, owner)


@cache
def table() -> Table:
    """The table that comes with the program. Read it once before serving: it takes some 20 ms."""
    data = tomllib.loads(resources.files("compliance").joinpath("jurisdictions.toml").read_text("utf-8"))
    rows = {row["code"]: Row(**row) for row in data["row"]}
    laws = {
        code: Law(law["name"], law["days"], law["extension_days"]) for code, law in data["law"].items()
    }  # fmt: skip
    areas = {area: code for code, listed in data["area_codes"].items() for area in listed}
    return Table(data["version"], rows, laws, areas)


@dataclass(frozen=True)
class Table:
    """The rows by code, the laws by name, and which North American area code is in which row."""

    version: str
    rows: Mapping[str, Row]
    laws: Mapping[str, Law]
    area_codes: Mapping[int, str]

    def flow(self, parties: Iterable[Party], owner: Party, settings: ConsentSettings) -> Flow:
        """See the function of this name."""
        codes = tuple(dict.fromkeys(code for party in (owner, *parties) for code in self.codes(party)))
        rows = [self._row(code) for code in codes]
        return Flow(
            _strictest(_TRANSCRIPTION, settings.transcription, *(row.transcription for row in rows)),
            _strictest(_RECORDING, settings.recording, *(row.recording for row in rows)),
            codes,
            self.version,
        )

    def law_of(self, parties: Iterable[Party], owner: Party | None = None) -> Law:
        """See the function of this name. For deadlines a number is enough to know a place by, as they shape
        nothing that is stored; and the owner's own law holds for everybody, so it will do for unknown places."""
        everybody = (*parties, owner) if owner else tuple(parties)
        codes = {code for party in everybody for code in self.codes(party)} - {UNKNOWN}
        laws = [self.laws[self._row(code).law] for code in codes or [UNKNOWN]]
        return min(laws, key=lambda law: (law.days, law.extension_days))

    def codes(self, party: Party) -> tuple[str, ...]:
        """The rows that may apply to `party`; `unknown` is among them unless its place is known."""
        known = [self._nearest(code) for code in (_code(party), (party.stated or "").upper()) if code]
        hint = self._code_of_number(party.number) if party.number else None
        return tuple(dict.fromkeys([*(known or [UNKNOWN]), *([hint] if hint else [])]))

    def _nearest(self, code: str) -> str:
        """The row of a region, else that of its country, else `unknown`."""
        for known in (code, code.partition("-")[0]):
            if known in self.rows:
                return known
        return UNKNOWN

    def _code_of_number(self, number: str) -> str | None:
        import phonenumbers

        try:
            parsed = phonenumbers.parse(number)
        except phonenumbers.NumberParseException:
            return None
        if parsed.country_code == 1:
            area = int(str(parsed.national_number)[:3])
            if area in self.area_codes:
                return self.area_codes[area]
        country = phonenumbers.region_code_for_number(parsed)
        return country if country in self.rows else None

    def _row(self, code: str) -> Row:
        return self._unknown if code == UNKNOWN else self.rows[code]

    @cached_property
    def _unknown(self) -> Row:
        rows = self.rows.values()
        law = min(
            {row.law for row in rows}, key=lambda name: (self.laws[name].days, self.laws[name].extension_days)
        )
        return Row(
            UNKNOWN,
            "a place that is not known",
            _strictest(_TRANSCRIPTION, *(row.transcription for row in rows)),
            _strictest(_RECORDING, *(row.recording for row in rows)),
            "all",
            law,
            "the strictest of all rows",
            "read",
            max(row.dated for row in rows),
        )


def _code(party: Party) -> str:
    country = (party.country or "").upper()
    return f"{country}-{party.region.upper()}" if country and party.region else country


def _strictest(order: tuple[_Level, ...], *levels: _Level) -> _Level:
    return max(levels, key=order.index)
