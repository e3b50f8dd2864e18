"""The fixed words that are said instead of what was stopped."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from compliance.language.plain import base

FALLBACK_LANGUAGE = "en"
_TABLES = ("emergency", "despair")


@dataclass(frozen=True, slots=True)
class Replies:
    """The fixed words of one call."""

    language: str
    owner: str
    country: str = ""
    """Where the caller is, as two letters; empty: unknown, and no number is named."""

    def __getitem__(self, name: str) -> str:
        """The words called `name` in replies.toml, filled in. Raises `KeyError` for one that is not there."""
        table = self._texts
        text = table[name]
        number = _data()["emergency"].get(self.country) or table["local_number"]
        despair = _data()["despair"].get(self.country, "")
        line = table["suicide_line"].format(line=despair) if despair else ""
        return text.format(owner=self.owner, number=number, line=line)

    @property
    def _texts(self) -> Mapping[str, str]:
        tables = _data()
        code = base(self.language)
        found: Mapping[str, str] = tables[code if code in languages() else FALLBACK_LANGUAGE]
        return found

    def all(self) -> frozenset[str]:
        """Every fixed text of the call, to recognise them."""
        return frozenset(self[name] for name in self._texts if name not in ("suicide_line", "local_number"))


@cache
def languages() -> tuple[str, ...]:
    """The languages there are fixed words for."""
    return tuple(code for code in _data() if code not in _TABLES)


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(resources.files("persona.guarding").joinpath("replies.toml").read_text("utf-8"))
