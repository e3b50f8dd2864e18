"""First, second, third, as words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from persona.voice.reading.numbers import Numerals, cardinal


@dataclass(frozen=True, slots=True)
class Ordinals:
    """How one language makes ordinals: from the end of the cardinal, or digit by digit from tables."""

    irregular: Mapping[int, str] = field(default_factory=dict)
    endings: tuple[tuple[str, str], ...] = ()
    """The first that fits the end of the cardinal is replaced; an empty one fits any."""
    units: tuple[str, ...] = ()
    """First to ninth, where the parts are each said as ordinals (`vigésimo primero`)."""
    tens: tuple[str, ...] = ()
    hundreds: tuple[str, ...] = ()
    thousandth: str = ""
    limit: int = 10**9
    """From here on the cardinal is said, as people do."""
    forms: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Another gender or case: its name -> the ending and what replaces it, in every word."""


def ordinal(number: int, numerals: Numerals, ordinals: Ordinals, form: str = "") -> str:
    """`21` as `twenty-first`; `form` is a key of `Ordinals.forms`."""
    said = _plain(number, numerals, ordinals)
    if form not in ordinals.forms or not 0 < number < ordinals.limit:
        return said
    before, after = ordinals.forms[form]
    parts = said.split(" ") if ordinals.units else [said]
    return " ".join(p[: len(p) - len(before)] + after if p.endswith(before) else p for p in parts)


def _plain(number: int, numerals: Numerals, ordinals: Ordinals) -> str:
    if number in ordinals.irregular:
        return ordinals.irregular[number]
    said = cardinal(number, numerals)
    if not 0 < number < ordinals.limit:
        return said
    if ordinals.units:
        return " ".join(_parts(number, ordinals))
    for before, after in ordinals.endings:
        if said.endswith(before):
            return said[: len(said) - len(before)] + after
    return said


def _parts(number: int, ordinals: Ordinals) -> list[str]:
    parts = [ordinals.thousandth] if number >= 1000 else []
    for value, names in ((number // 100 % 10, ordinals.hundreds), (number // 10 % 10, ordinals.tens)):
        if value:
            parts.append(names[value - 1])
    rest = number % 100
    if rest in ordinals.irregular and rest > 9:  # undécimo stands for its two parts
        return [*parts[: -1 if rest >= 10 else None], ordinals.irregular[rest]]
    return [*parts, ordinals.units[number % 10 - 1]] if number % 10 else parts
