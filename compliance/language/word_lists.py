"""The word lists of `identifiers.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources


@cache
def _lists() -> dict[str, str]:
    return tomllib.loads(resources.files("compliance.language").joinpath("identifiers.toml").read_text("utf-8"))


@cache
def word_list(name: str) -> frozenset[str]:
    """The words of one list."""
    return frozenset(_lists()[name].split())
