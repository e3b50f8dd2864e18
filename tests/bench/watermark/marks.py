"""Watermarks one can measure: a way to put one on and a way to ask for it. Ours is here; others are in `peers`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
import numpy.typing as npt

from compliance.watermark.detector import Detector
from compliance.watermark.embedder import Embedder
from compliance.watermark.keys import DayKey
from compliance.watermark.token import SHORT_BITS

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

DAY = date(2026, 11, 22)


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a piece of sound."""

    found: bool
    p_value: float = float("nan")
    """Of the whole search; nan where a mark's own program gives none."""
    short: bool | None = None
    """Whether the call's 16 bits were read rightly; None when they were not read."""
    full: bool | None = None
    """The same for all 32."""


class Mark(Protocol):
    """A watermark. A seed stands for a key and a token of their own."""

    @property
    def name(self) -> str: ...

    def put(self, samples: Samples, rate_hz: int, seed: int) -> Samples:
        """The same sound with the mark in it."""
        ...

    def ask(self, heard: Floats, rate_hz: int, seed: int) -> Told:
        """What is found of that seed's mark."""
        ...


def day_key(seed: int | str) -> DayKey:
    return DayKey(DAY, 1, hashlib.sha256(f"watermark bench {seed}".encode()).digest())


def token(seed: int) -> int:
    """32 bits."""
    return int.from_bytes(hashlib.sha256(f"watermark bench token {seed}".encode()).digest()[:4], "big")


@dataclass(frozen=True, slots=True)
class Ours:
    """The twin's mark."""

    name: str = "ours"
    embedder: Callable[[bytes, int, int], Embedder] = Embedder

    def put(self, samples: Samples, rate_hz: int, seed: int) -> Samples:
        return self.embedder(day_key(seed).key, token(seed), rate_hz).process(samples)

    def ask(self, heard: Floats, rate_hz: int, seed: int) -> Told:
        finding = Detector([day_key(seed)]).detect(heard, rate_hz)
        if not finding.regions:
            return Told(finding.found, finding.p_value)
        best = min(finding.regions, key=lambda region: region.p_value)
        bits = token(seed)
        short = None if best.short is None else best.short == bits >> SHORT_BITS
        full = None if best.full is None else best.full == bits
        return Told(finding.found, finding.p_value, short, full)
