"""Text as people read it aloud: numbers, dates, money, addresses and abbreviations in words.

Six languages have tables (`languages/*.toml`); a text in another one is left to the voice. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from persona.voice.reading import amounts, contacts, dates, names
from persona.voice.reading.language import Language, language
from persona.voice.reading.spans import Read, Replacement, Span, rewritten

__all__ = ["Read", "Replacement", "Span", "read"]

Rule = Callable[[str, Language], Iterable[Replacement]]

# The first rule that claims a place has it: what is surest comes first.
_RULES: tuple[Rule, ...] = (
    contacts.addresses,
    dates.figures,
    dates.written,
    names.roman,
    names.abbreviations,
    amounts.versions,
    dates.times,
    amounts.money,
    contacts.phones,
    amounts.codes,
    amounts.fractions,
    amounts.shares,
    dates.years,
    amounts.units,
    amounts.ordinals,
    amounts.ranges,
    amounts.plain,
)
MAX_CHARS = 1000
"""A longer text is no sentence, and is read as it is."""


def read(text: str, code: str, fixed: Sequence[Replacement] = ()) -> Read:
    """`text` in the language of `code` (`de`, `pt-BR`) as it is read aloud.

    `fixed` are replacements that come before all rules, such as the owner's pronunciations; they must not overlap.
    """
    tables = language(code)
    claims = _Claims(fixed)
    if tables is not None and len(text) <= MAX_CHARS:
        for rule in _RULES:
            claims.take(rule(text, tables))
    return rewritten(text, claims)


class _Claims:
    """Places in the text that are taken."""

    def __init__(self, fixed: Iterable[Replacement]) -> None:
        self._taken: list[Replacement] = list(fixed)

    def take(self, replacements: Iterable[Replacement]) -> None:
        for new in replacements:
            if all(new.end <= old.start or old.end <= new.start for old in self._taken):
                self._taken.append(new)

    def __iter__(self) -> Iterator[Replacement]:
        return iter(self._taken)
