"""Marked speech, cut anywhere, through what may happen to it: found or not, clip by clip.

The clips are spread over processes by the minute of a voice they are cut from; every number is drawn by a seed, so
that a clip is the same whoever is asked about it and however many processes work.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tests.bench.watermark import corpus
from tests.bench.watermark.conditions import CONDITIONS
from tests.bench.watermark.marks import Mark, Told
from tests.bench.watermark.voices import Voice

Floats = npt.NDArray[np.float32]
T = TypeVar("T")

JOBS = "WATERMARK_JOBS"
"""How many processes; else one per core."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One condition at one length."""

    condition: str
    seconds: float
    clips: int
    """Cut from each minute."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One clip."""

    voice: str
    condition: str
    seconds: float
    told: Told


@dataclass(frozen=True, slots=True)
class Source:
    """A minute of a voice."""

    voice: Voice
    number: int

    @property
    def seed(self) -> int:
        return seed(self.voice.name, self.number)


def sources(voices: Sequence[Voice], minutes: int) -> list[Source]:
    """Minutes that there are, one of each voice before the second of any."""
    return [Source(voice, number) for number in range(minutes) for voice in voices if voice.at_hand]


def seed(*parts: object) -> int:
    return zlib.crc32(" ".join(map(str, parts)).encode())


def run(mark: Mark, of: Sequence[Source], asks: Sequence[Asked], *, marked: bool = True) -> list[Outcome]:
    """All outcomes. With `marked` false the same clips are asked about that no mark was put on."""
    return list(chain.from_iterable(spread(partial(outcomes, mark, asks, marked), of)))


def outcomes(mark: Mark, asks: Sequence[Asked], marked: bool, source: Source) -> list[Outcome]:
    """Those of one minute."""
    plain = corpus.minute(source.voice, source.number)
    sounds: dict[int, Floats] = {}
    found: list[Outcome] = []
    for asked in asks:
        condition = CONDITIONS[asked.condition]
        rate_hz = condition.marked_hz
        if rate_hz not in sounds:
            at_rate = corpus.resampled(plain, corpus.RATE_HZ, rate_hz)
            put = mark.put(at_rate, rate_hz, source.seed) if marked and len(at_rate) else at_rate
            sounds[rate_hz] = corpus.floats(put)
        samples = round(asked.seconds * condition.stretch * rate_hz)
        for number, piece in enumerate(cut(sounds[rate_hz], samples, asked.clips, source.seed)):
            drawn = seed(source.seed, asked.condition, asked.seconds, number) % 100_003
            heard = condition.apply(piece, rate_hz, drawn)
            told = mark.ask(heard.samples, heard.rate_hz, source.seed)
            found.append(Outcome(source.voice.name, asked.condition, asked.seconds, told))
    return found


def cut(sound: Floats, samples: int, clips: int, drawn: int) -> Iterator[Floats]:
    """So many pieces from anywhere, in order, no more than fit without sharing a sample."""
    clips = min(clips, len(sound) // samples)
    places = np.sort(np.random.default_rng(drawn).random(clips)) * (len(sound) - clips * samples)
    for number, place in enumerate(places):
        begin = int(place) + number * samples
        yield sound[begin : begin + samples]


def spread(work: Callable[[Source], T], of: Iterable[Source]) -> Iterator[T]:
    """The work on each, by several processes, in order."""
    with _pool(jobs()) as pool:
        yield from pool.map(work, of)


def alone(work: Callable[[], T]) -> T:
    """The work, in a process of its own that computes with one thread."""
    with _pool(1) as pool:
        return pool.submit(work).result()


def jobs() -> int:
    return int(os.environ.get(JOBS, os.cpu_count() or 1))


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    spawn = multiprocessing.get_context("spawn")
    with _one_thread_each(), ProcessPoolExecutor(processes, spawn, _end_with_parent) as pool:
        yield pool


def _end_with_parent() -> None:
    """A benchmark that is ended leaves no process behind."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that are started here compute with one thread: each has a core."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
