"""Asks a file for the twin's mark: two processes are started for it, one that reads and one that listens.

    verdict = await listened(path, keys, OWNER)      # -> MarkVerdict

This process only waits: no byte of the file is looked at in it, and no processor time of its event loop is taken.
The process that reads has no keys, and the one that has them gets numbers alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from compliance.confined import start
from compliance.errors import WatermarkError
from compliance.watermark.blocks import Ending
from compliance.watermark.listening import MISTAKE, Place, Result, of_json

_READER = "compliance.watermark.reading"
_LISTENER = "compliance.watermark.listening"
_SURE = 12
"""The most zeros that are told to people: the key may be stolen more often than that."""


class DayKey(Protocol):
    """The key of a day: `compliance.watermark.keys.DayKey`."""

    @property
    def day(self) -> date: ...
    @property
    def generation(self) -> int: ...
    @property
    def key(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a question may cost."""

    longest_s: float
    """Sound beyond this is refused."""
    wait_s: float
    """For the whole answer."""
    memory_bytes: int
    """For each of the two processes."""

    @property
    def in_words(self) -> str:
        """The longest sound, as `2 hours` or `10 minutes`."""
        for unit_s, unit in ((3_600, "hours"), (60, "minutes")):
            if self.longest_s >= 2 * unit_s and self.longest_s % unit_s == 0:
                return f"{self.longest_s / unit_s:g} {unit}"
        return f"{self.longest_s:g} seconds"


OWNER = Limits(longest_s=7_200, wait_s=1_800, memory_bytes=4 << 30)
"""At the owner's own terminal."""
PUBLIC = Limits(longest_s=600, wait_s=120, memory_bytes=2 << 30)
"""For anybody who asks."""


@dataclass(frozen=True, slots=True)
class MarkVerdict:
    """What was heard of the twin's mark in a file."""

    heard_s: float
    """How much sound it holds."""
    p_value: float = 1.0
    """The chance that sound without the mark would do as well: a bound over all keys, positions and channels."""
    places: tuple[Place, ...] = ()
    keys: int = 0
    """How many days' keys were tried."""
    problem: str = ""
    """Why it could not be listened to, in a line."""
    damaged: bool = False
    """A part of the file could not be read."""

    @property
    def found(self) -> bool:
        """True when chance would do as well at most once in a million."""
        return bool(self.places)

    @property
    def best(self) -> Place | None:
        """The surest place."""
        return min(self.places, key=lambda place: place.p_value, default=None)

    @property
    def made_on(self) -> date | None:
        """The day, in UTC, on which it was spoken; the surest one of several."""
        return self.best.day if self.best else None

    @property
    def tokens(self) -> tuple[str, ...]:
        """What the mark says, the surest first: `20261122-0123abcd`, or `20261122-0123` of a short excerpt."""
        sure = sorted(self.places, key=lambda place: (place.full is None, place.p_value))
        told = list[str]()
        for text in filter(None, map(token_text, sure)):
            if not any(known.startswith(text) for known in told):
                told.append(text)
        return tuple(told)

    @property
    def token(self) -> str:
        """The surest of them; empty when none could be told."""
        return next(iter(self.tokens), "")


def token_text(place: Place) -> str:
    """The token of a place as it is written: the day and 8 or 4 hexadecimal digits; empty when it is not known."""
    if place.full is not None:
        return f"{place.day:%Y%m%d}-{place.full:08x}"
    return "" if place.short is None else f"{place.day:%Y%m%d}-{place.short:04x}"


def zeros(p_value: float) -> int:
    """The chance is below one in ten to the power of this, which is at most `_SURE`; 0 for none."""
    if p_value >= 1.0:
        return 0
    return min(_SURE, math.floor(-math.log10(p_value)) if p_value > 0 else _SURE)


def opened(path: Path) -> int:
    """An open file, of which it is sure that it is one: no folder, no pipe, no device. Raises `WatermarkError`."""
    try:
        # Without waiting: a pipe that nobody writes to would never open.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise WatermarkError(f"{path}: cannot be read ({error.strerror}).") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise WatermarkError(f"{path}: is not a file; name a sound or video file.")
    return handle


async def listened(path: Path, keys: Sequence[DayKey], limits: Limits) -> MarkVerdict:
    """Read the file and listen for the mark of these keys; without keys it is only read.

    A file that cannot be read is a verdict with a `problem`. Raises `WatermarkError` when there is no such file,
    or this machine cannot listen at all.
    """
    handle = await asyncio.to_thread(opened, path)
    async with contextlib.AsyncExitStack() as started:
        with contextlib.ExitStack() as ours:
            ours.callback(os.close, handle)
            source, sink = os.pipe()
            ours.callback(os.close, source)
            ours.callback(os.close, sink)
            cpu_s, memory_bytes = str(math.ceil(limits.wait_s)), str(limits.memory_bytes)
            try:
                await start(
                    started, _READER, str(limits.longest_s), cpu_s, memory_bytes, stdin=handle, stdout=sink
                )
                listener = await start(
                    started, _LISTENER, str(source), cpu_s, memory_bytes,
                    stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, pass_fds=(source,),
                )  # fmt: skip
            except OSError as error:
                raise WatermarkError(
                    f"Nothing can be listened to: no process starts ({error.strerror})."
                ) from None
        sent = json.dumps([(key.day.isoformat(), key.generation, key.key.hex()) for key in keys])
        try:
            async with asyncio.timeout(limits.wait_s):
                told, _ = await listener.communicate(sent.encode("ascii"))
        except TimeoutError:
            return _verdict(Result(Ending.HEAVY, 0.0), len(keys), limits)
        return _verdict(_result(told, listener.returncode), len(keys), limits)


def _verdict(result: Result, keys: int, limits: Limits) -> MarkVerdict:
    problems = {
        Ending.UNREADABLE: "this is not a sound or video file that can be read",
        Ending.SILENT: "there is no sound in this file",
        Ending.LONG: f"it is longer than the {limits.in_words} that are listened to; cut out the part in question",
        Ending.HEAVY: "reading it takes more time or memory than it may; cut out the part in question",
    }
    return MarkVerdict(
        heard_s=result.heard_s,
        p_value=min(1.0, result.p_value),
        places=tuple(place for place in result.places if place.p_value <= MISTAKE),
        keys=keys,
        problem=problems.get(result.ending, ""),
        damaged=result.ending is Ending.DAMAGED,
    )


def _result(told: bytes, status: int | None) -> Result:
    if status is not None and status < 0:
        # Ended by the system, which is how its limits are kept.
        return Result(Ending.HEAVY, 0.0)
    try:
        return of_json(told)
    except (ValueError, KeyError, TypeError):
        raise WatermarkError(
            f"Nothing can be listened to here: `python -m {_LISTENER}` ended with status {status}."
        ) from None
