"""A checked view of a model's JSON: whatever it says is either of the right kind and within bounds, or refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from avatar.errors import UnfitModel

MOST_ENTRIES = 65_536
"""In any one list of the document, which is far more than any head has."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of the document. A key that is absent gives the default; one of the wrong kind raises
    `UnfitModel` with its path."""

    values: Mapping[str, object]
    path: str

    def has(self, key: str) -> bool:
        return key in self.values

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.values)

    def entry(self, key: str) -> Entry:
        """The object under `key`, an empty one where there is none."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self._unfit(key, "an object")
        return Entry(value, f"{self.path}.{key}")

    def entries(self, key: str) -> list[Entry]:
        """The list of objects under `key`."""
        found = []
        for number, value in enumerate(self._list(key)):
            if not isinstance(value, dict):
                raise self._unfit(key, "a list of objects")
            found.append(Entry(value, f"{self.path}.{key}[{number}]"))
        return found

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self._unfit(key, "a text")
        return value

    def texts(self, key: str) -> list[str]:
        """The texts of a list; what is no text in it counts as an empty one, so that places are kept."""
        return [value if isinstance(value, str) else "" for value in self._list(key)]

    def flag(self, key: str) -> bool:
        return self.values.get(key) is True

    def integer(self, key: str, default: int | None = None, *, low: int = 0, high: int = 2**31 - 1) -> int:
        value = self.values.get(key, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._unfit(key, f"a whole number from {low} to {high}")
        return value

    def index(self, key: str, count: int) -> int | None:
        """A reference into a list of `count` things, None where there is none."""
        if key not in self.values:
            return None
        value = self.integer(key, low=-1)
        if value >= count:
            raise UnfitModel(f"{self.path}.{key} refers to number {value} of {count}; export the model again")
        return None if value < 0 else value

    def indices(self, key: str, count: int) -> list[int]:
        """A list of references into a list of `count` things."""
        found = []
        for value in self._list(key):
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < count:
                raise self._unfit(key, f"a list of whole numbers under {count}")
            found.append(value)
        return found

    def number(self, key: str, default: float) -> float:
        value = self.values.get(key, default)
        if not _is_number(value):
            raise self._unfit(key, "a number")
        return _within(value)

    def numbers(self, key: str, default: tuple[float, ...]) -> tuple[float, ...]:
        """As many numbers as the default has."""
        if key not in self.values:
            return default
        values = self._list(key)
        found = []
        for value in values:
            if not _is_number(value):
                raise self._unfit(key, "a list of numbers")
            found.append(_within(value))
        if len(found) != len(default):
            raise self._unfit(key, f"a list of {len(default)} numbers")
        return tuple(found)

    def _list(self, key: str) -> list[object]:
        value = self.values.get(key, [])
        if not isinstance(value, list):
            raise self._unfit(key, "a list")
        if len(value) > MOST_ENTRIES:
            raise UnfitModel(f"{self.path}.{key} has {len(value)} entries, the most is {MOST_ENTRIES}")
        return value

    def _unfit(self, key: str, wanted: str) -> UnfitModel:
        return UnfitModel(f"{self.path}.{key} is not {wanted}; export the model again")


def _is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # A whole number may be larger than any float.
    return isinstance(value, int) or math.isfinite(value)


def _within(value: float) -> float:
    """Kept so small that no product of a few of them overflows."""
    return float(min(1e6, max(-1e6, value)))
