"""The whole table: `python -m tests.bench face`, with `--quick` to see within minutes that it works.

`python -m tests.bench.face.measure PART ...` measures parts of it: films, hours, wire, interruptions, spacing,
costs, gpu, beginnings, chromium.

Everything is measured on pictures and sound that were encoded, sent or written, and decoded again.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loguru import logger as pipecat_logger

from avatar.rig import Rig
from channels.spoken import Spoken
from tests.bench import report
from tests.bench.face import (
    beginnings,
    cadence,
    chromium,
    costs,
    gpu,
    hours,
    interrupting,
    live,
    offsets,
    people,
    takes,
    talk,
)
from tests.bench.face.direct import direct, references
from tests.bench.face.mouths import Mouths, Trace
from tests.bench.face.rows import Row, offset_row, quick, spread
from tests.faces import faces_cache

BUSY = 2
"""Processes that keep the cores busy, on top of server and caller."""
DRIFT_MS = 0.5
"""An hour's drift that is still none: pictures are 40 ms apart and the lag of one sentence is known to 1 ms."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is measured."""

    sentences: int
    interruptions: int
    hours: int
    live_s: float
    cadence_s: float
    frames: int
    photos: int


FULL = Amount(
    sentences=len(talk.SENTENCES), interruptions=1_000, hours=8, live_s=40, cadence_s=60, frames=400, photos=10
)
QUICK = Amount(sentences=3, interruptions=20, hours=8, live_s=6, cadence_s=8, frames=60, photos=3)


@dataclass(slots=True)
class Bench:
    """What the parts share."""

    amount: Amount
    networks: Path
    mouths: Mouths
    rig: Rig
    said: list[Spoken]
    references: dict[bytes, Trace]


async def measure(*names: str) -> dict[str, Any]:
    """All rows, or those of the named parts; printed, and for the file."""
    # Pipecat logs every frame processor it links.
    pipecat_logger.remove()
    bench = await _prepared(QUICK if quick() else FULL)
    rows: list[Row] = []
    for part in (_films, _hours, _wire, _interruptions, _spacing, _costs, _gpu, _beginnings, _chromium):
        if not names or part.__name__.strip("_") in names:
            rows += await _tried(part, bench)
    size = "QUICK: too little to judge by" if quick() else "full"
    report.show(f"Face ({size})", [row.cells() for row in rows])
    missed = [row.what for row in rows if row.holds is False]
    print(f"missed: {'; '.join(missed) or 'nothing'}")
    return {"quick": quick(), "amount": asdict(bench.amount), "rows": [asdict(row) for row in rows]}


async def _prepared(amount: Amount) -> Bench:
    networks = faces_cache()
    mouths = Mouths(networks)
    every = max(1, len(talk.SENTENCES) // amount.sentences)
    said = await talk.spoken(takes.RATE_HZ, talk.SENTENCES[::every][: amount.sentences])
    rig = people.drawn()
    known = await asyncio.to_thread(references, rig, said, takes.RATE_HZ, mouths)
    return Bench(amount, networks, mouths, rig, said, known)


async def _tried(part: Callable[[Bench], Awaitable[list[Row]]], bench: Bench) -> list[Row]:
    name = part.__name__.strip("_")
    print(f"{name} ...", flush=True)
    try:
        return await part(bench)
    except pytest.skip.Exception as skipped:
        return [Row(name, "", f"not measured: {skipped.msg}")]
    except Exception as error:  # noqa: BLE001  one part that fails leaves the others' minutes of figures
        return [Row(name, "", f"FAILED: {type(error).__name__}: {error}"[:120], holds=False)]


async def _films(bench: Bench) -> list[Row]:
    rows: list[Row] = []
    both = offsets.Offsets()
    for fps in (25, 30):
        take = await asyncio.to_thread(takes.film, bench.rig, bench.said, fps=fps)
        gaps, widths = await asyncio.to_thread(bench.mouths.shapes, take.pictures)
        found = offsets.traced(take, gaps, widths, bench.said)
        came = offsets.through(take, gaps, bench.said, bench.references)
        rows += _offset_rows(f"film, {fps} fps", came, found)
        both.add(found)
    return [*rows, *_shape_rows("films", both)]


async def _hours(bench: Bench) -> list[Row]:
    one = bench.said[0]
    found = await asyncio.to_thread(
        hours.drift, bench.rig, one, bench.references[one.pcm], bench.mouths, hours=bench.amount.hours
    )
    slope = offsets.drifted(found)
    worst = float(np.nanmax(np.abs([lag for _, lag in found])))
    measured = f"{slope:+.2f} ms an hour; {worst:.1f} ms at most in any"
    sentences = f"{len(found)} sentences in {bench.amount.hours} h of ticks"
    return [Row("audio to mouth: drift", "0", measured, sentences, abs(slope) <= DRIFT_MS)]


async def _wire(bench: Bench) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        take, gaps, widths, said = await live.call(
            Path(folder) / "home", bench.mouths, seconds=bench.amount.live_s
        )
    found = offsets.traced(take, gaps, widths, said)
    known = await _references(bench, take, said)
    came = offsets.through(take, gaps, said, known)
    rows = _offset_rows("WebRTC, by the sender's reports", came, found)
    found.silent_open, found.silent = live.open_in_silence(take, gaps)
    return [*rows, *_shape_rows("WebRTC", found)]


async def _interruptions(bench: Bench) -> list[Row]:
    times = bench.amount.interruptions
    talks = interrupting.Conversation(bench.rig, bench.said, bench.references, bench.mouths, seed=1)
    try:
        found = await asyncio.to_thread(talks.run, times, in_time=times)
    finally:
        talks.close()
    return [
        Row(
            "after an interruption: mouth closed",
            "<= 80 ms",
            f"p50 {report.quantile(found.shut_ms, 0.5):.0f} ms; latest {max(found.shut_ms, default=0):.0f} ms; "
            f"{found.late_open} open pictures later",
            f"{len(found.shut_ms)} open mouths of {times}; {found.late} later pictures",
            max(found.shut_ms, default=0) <= interrupting.LIMIT_MS and found.late_open == 0,
        ),
        Row(
            "  pictures of the old epoch",
            "0 in 10,000",
            str(found.stale),
            f"{times} interruptions (10,000: make soak)",
            found.stale == 0,
        ),
        offset_row("  offset in the first second after each", found.lags_ms, f"{len(found.lags_ms)} seconds"),
    ]


async def _spacing(bench: Bench) -> list[Row]:
    rows = []
    for busy in (0, BUSY):
        with tempfile.TemporaryDirectory() as folder:
            found = await cadence.call(Path(folder) / "home", seconds=bench.amount.cadence_s, busy=busy)
        p50, p95, p99 = (report.quantile(found.apart_ms, share) for share in (0.5, 0.95, 0.99))
        rows.append(
            Row(
                f"frames at 25 fps apart, at the receiver, {f'{busy} cores busy' if busy else 'idle machine'}",
                "p99 <= 45 ms; 0 freezes",
                f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms; {found.freezes} freezes; "
                f"{found.left_out} left out",
                f"{len(found.apart_ms)} frames",
                p99 <= 45.0 and not found.freezes,
            )
        )
    return rows


async def _costs(bench: Bench) -> list[Row]:
    return await costs.rows(bench.amount.frames)


async def _gpu(bench: Bench) -> list[Row]:
    return [gpu.row(await asyncio.to_thread(gpu.measured))]


async def _beginnings(bench: Bench) -> list[Row]:
    return await beginnings.rows(bench.networks, bench.amount.photos)


async def _chromium(bench: Bench) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        played = await chromium.call(Path(folder) / "home", bench.mouths, seconds=bench.amount.live_s)
    found = offsets.traced(played.take, played.gaps, played.widths, played.said)
    known = await _references(bench, played.take, played.said)
    came = offsets.through(played.take, played.gaps, played.said, known)
    rows = [
        offset_row(
            "audio to mouth: Chromium, pictures on screen against sound given to the loudspeaker",
            played.late_ms,
            f"{len(played.late_ms)} pictures",
        ),
        *_offset_rows("Chromium, as its own recorder keeps it", came, found),
    ]
    ahead = played.ahead_ms
    rows.append(
        Row(
            "  Chromium's own estimate: picture later in time than sound",
            "",
            f"median {np.median(ahead):+.0f} ms; from {min(ahead):+.0f} to {max(ahead):+.0f}" if ahead else "none",
            f"{len(ahead)} looks; {played.frames} frames; {played.freezes} freezes",
        )
    )
    return rows


async def _references(bench: Bench, take: takes.Take, said: Sequence[Spoken]) -> Mapping[bytes, Trace]:
    """Of the sentences that were found, as many as are measured."""
    known = [one for one in said if one.utterance in take.starts_ms][: bench.amount.sentences]

    def drawn() -> dict[bytes, Trace]:
        return {one.pcm: direct(bench.rig, one, takes.RATE_HZ, bench.mouths) for one in known}

    return await asyncio.to_thread(drawn)


def _offset_rows(where: str, came: Sequence[float], found: offsets.Offsets) -> list[Row]:
    mean, p99 = spread(found.lags_ms)
    sure = float(np.std(found.lags_ms) / np.sqrt(max(1, len(found.lags_ms)))) if found.lags_ms else float("nan")
    return [
        offset_row(f"audio to mouth: {where}", came, f"{len(came)} seconds of speech"),
        Row(
            "  against the phonemes, by how open vowels are",
            "mean within +-5 ms",
            "nothing to measure"
            if not found.lags_ms
            else f"mean {mean:+.1f} ms, give or take {sure:.1f}; single sentences up to {p99:.0f} ms",
            f"{len(found.lags_ms)} sentences",
            abs(mean) <= 5.0 if found.lags_ms else None,
        ),
    ]


def _shape_rows(where: str, found: offsets.Offsets) -> list[Row]:
    first = report.quantile(found.first_ms, 0.95)
    share = found.closed / found.closures if found.closures else float("nan")
    leak = found.silent_open / found.silent if found.silent else float("nan")
    return [
        Row(
            f"first mouth movement after first audio: {where}",
            "p95 <= 40 ms",
            f"p50 {report.quantile(found.first_ms, 0.5):+.0f} ms; p95 {first:+.0f} ms"
            if found.first_ms
            else "nothing to measure",
            f"{len(found.first_ms)} beginnings",
            first <= 40.0 if found.first_ms else None,
        ),
        Row(
            f"p, b, m closed on pixels: {where}",
            ">= 99 %",
            f"{100 * share:.1f} %" + (f" (missed: {', '.join(found.missed[:3])})" if found.missed else ""),
            f"{found.closures} closures",
            share >= 0.99 if found.closures else None,
        ),
        Row(
            f"open mouth in silence: {where}",
            "<= 0.5 %",
            f"{100 * leak:.2f} % ({found.unseen} pictures without a face)",
            f"{found.silent} silent pictures",
            leak <= 0.005 if found.silent else None,
        ),
    ]


if __name__ == "__main__":
    asyncio.run(measure(*sys.argv[1:]))
