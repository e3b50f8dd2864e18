"""How the mark sounds: PESQ, STOI and the ratio of speech to change, of pieces of 10 s of every voice."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import chain

import numpy as np
import numpy.typing as npt

from tests.bench.watermark import corpus
from tests.bench.watermark.intervals import student
from tests.bench.watermark.marks import Mark
from tests.bench.watermark.trials import Source, cut, spread

Floats = npt.NDArray[np.float32]

SECONDS = 10
CLIPS = 3
PHONE_HZ, PESQ_WIDE_HZ, BROWSER_HZ = 8000, 16000, 48000


@dataclass(frozen=True, slots=True)
class Heard:
    """One piece, marked, against itself without. nan where the library is not here."""

    voice: str
    pesq_narrow: float
    """ITU-T P.862 at 8 kHz, MOS-LQO; 4.55 is no difference."""
    pesq_wide: float
    """P.862.2, marked at 48 kHz and compared at 16; 4.64 is no difference."""
    stoi: float
    snr_db: float


def missing() -> list[str]:
    """What would have to be installed to measure all."""
    return [name for name in ("pesq", "pystoi") if find_spec(name) is None]


def run(mark: Mark, of: Sequence[Source]) -> list[Heard]:
    return list(chain.from_iterable(spread(partial(_minute, mark), of)))


def mean(heard: Sequence[Heard]) -> tuple[float, float]:
    """PESQ-NB of the mean voice, and half of its 95 % interval over voices (Student's t): pieces of one voice are
    alike, and of some there are more than of others."""
    voices: dict[str, list[float]] = defaultdict(list)
    for one in heard:
        voices[one.voice].append(one.pesq_narrow)
    means = [float(np.mean(of)) for of in voices.values()]
    if len(means) < 2:
        return means[0], float("nan")
    error = float(np.std(means, ddof=1)) / math.sqrt(len(means))
    return float(np.mean(means)), student(len(means) - 1) * error


def _minute(mark: Mark, source: Source) -> list[Heard]:
    narrow, wide = (_pair(mark, source, rate_hz) for rate_hz in (PHONE_HZ, BROWSER_HZ))
    found = []
    for (plain, marked), (plain_wide, marked_wide) in zip(narrow, wide, strict=True):
        at_16k = [
            corpus.floats(corpus.resampled(corpus.to_int16(one), BROWSER_HZ, PESQ_WIDE_HZ))
            for one in (plain_wide, marked_wide)
        ]
        found.append(
            Heard(
                source.voice.name,
                _pesq(PHONE_HZ, plain, marked, "nb"),
                _pesq(PESQ_WIDE_HZ, at_16k[0], at_16k[1], "wb"),
                _stoi(plain, marked),
                snr_db(plain, marked),
            )
        )
    return found


def _pair(mark: Mark, source: Source, rate_hz: int) -> list[tuple[Floats, Floats]]:
    plain = corpus.resampled(corpus.minute(source.voice, source.number), corpus.RATE_HZ, rate_hz)
    if not len(plain):
        return []
    both = (plain, mark.put(plain, rate_hz, source.seed))
    pieces = (cut(corpus.floats(one), SECONDS * rate_hz, CLIPS, source.seed) for one in both)
    return list(zip(*pieces, strict=True))


def snr_db(plain: Floats, marked: Floats) -> float:
    """Energy of the speech by that of what the mark changed."""
    change = np.square(marked - plain).sum()
    return float(10 * np.log10(np.square(plain).sum() / change)) if change else float("inf")


def _pesq(rate_hz: int, plain: Floats, marked: Floats, band: str) -> float:
    if find_spec("pesq") is None:
        return float("nan")
    measured: Callable[..., float] = import_module("pesq").pesq
    return float(measured(rate_hz, plain, marked, band))


def _stoi(plain: Floats, marked: Floats) -> float:
    if find_spec("pystoi") is None:
        return float("nan")
    return float(import_module("pystoi").stoi(plain, marked, PHONE_HZ))
