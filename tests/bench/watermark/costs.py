"""What the mark costs: processor time by the length of the sound, and delay.

The product asks in a process that computes with one thread, and so does the benchmark (`trials.alone`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from compliance.watermark.detector import Detector
from compliance.watermark.embedder import Embedder
from tests.bench.watermark import corpus
from tests.bench.watermark.marks import day_key, token
from tests.bench.watermark.voices import SCORING

RATES_HZ = (8000, 16000, 24000, 48000)
KEYS = (1, 30)
TIMES = 3
LAG_MS = 40


@dataclass(frozen=True, slots=True)
class Cost:
    what: str
    real_time_factor: float
    """Processor time by the sound's length."""


def embedding() -> list[Cost]:
    """A minute of speech in chunks of 20 ms, as the outlet hands it over; the best of three."""
    found = []
    for rate_hz in RATES_HZ:
        chunks = _chunks(rate_hz)

        def work(chunks: list[corpus.Samples] = chunks, rate_hz: int = rate_hz) -> None:
            embedder = Embedder(day_key(0).key, token(0), rate_hz)
            for chunk in chunks:
                embedder.process(chunk)

        found.append(Cost(f"marking at {rate_hz} Hz", _best_s(work) * rate_hz / sum(map(len, chunks))))
    return found


def chunk_ms() -> dict[int, list[float]]:
    """By rate, how long each chunk of 20 ms of a minute took by the clock on the wall."""
    found = {}
    for rate_hz in RATES_HZ:
        embedder = Embedder(day_key(0).key, token(0), rate_hz)
        took: list[float] = []
        for chunk in _chunks(rate_hz):
            began = time.perf_counter()
            embedder.process(chunk)
            took.append(1000 * (time.perf_counter() - began))
        found[rate_hz] = took
    return found


def _chunks(rate_hz: int) -> list[corpus.Samples]:
    speech = corpus.resampled(corpus.minute(SCORING[0], 0), corpus.RATE_HZ, rate_hz)
    return np.array_split(speech, len(speech) * 50 // rate_hz)


def detecting() -> list[Cost]:
    """A minute that bears a mark, and one that bears none, both at 8 kHz."""
    plain = corpus.resampled(corpus.minute(SCORING[0], 0), corpus.RATE_HZ, 8000)
    marked = Embedder(day_key(0).key, token(0), 8000).process(plain)
    seconds = len(plain) / 8000
    found = []
    for keys in KEYS:
        detector = Detector([day_key(number) for number in range(keys)])
        for what, sound in (("marked", marked), ("unmarked", plain)):
            factor = _best_s(lambda d=detector, s=sound: d.detect(s, 8000)) / seconds  # type: ignore[misc]
            found.append(Cost(f"asking, {what}, {keys} key{'s' * (keys > 1)}", factor))
    return found


def delay_ms(rate_hz: int = 8000) -> float:
    """By how much the marked sound is later: where the two are most alike."""
    plain = corpus.resampled(corpus.minute(SCORING[0], 0), corpus.RATE_HZ, rate_hz)[: 10 * rate_hz]
    marked = Embedder(day_key(0).key, token(0), rate_hz).process(plain).astype(np.float64)
    most = LAG_MS * rate_hz // 1000
    alike = [float(plain[: len(plain) - most] @ marked[lag : len(marked) - most + lag]) for lag in range(most)]
    return 1000 * int(np.argmax(alike)) / rate_hz


def _best_s(work: Callable[[], object]) -> float:
    took = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)
