"""The whole table of the watermark: `make bench-watermark`, a quarter of an hour on two cores.

`python -m tests.bench.watermark.measure PART ...` measures parts of it: detection, alarms, quality, costs, peers.

- `WATERMARK_CLIPS`: clips for each condition (150; the first goals get twice as many).
- `WATERMARK_VOICES`: at most so many voices.
- `WATERMARK_ONLY`: parts of names of conditions, with commas between them.
- `WATERMARK_KEYS`: wrong keys for each clip.
- `WATERMARK_JOBS`: processes.
"""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tests.bench import report
from tests.bench.face.rows import Row
from tests.bench.watermark import alarms, costs, peers, quality, trials
from tests.bench.watermark.conditions import CONDITIONS
from tests.bench.watermark.goals import (
    ASKING,
    DELAY_MS,
    GOALS,
    MARKING,
    PESQ_MEAN,
    PESQ_WORST,
    TOKENS,
    Goal,
)
from tests.bench.watermark.marks import Mark, Ours
from tests.bench.watermark.rows import alarm_rows, found_row, share_of, token_rows, wrong_row
from tests.bench.watermark.trials import Asked, Outcome, Source
from tests.bench.watermark.voices import SCORING, Voice

CLIPS, VOICES, ONLY, KEYS = "WATERMARK_CLIPS", "WATERMARK_VOICES", "WATERMARK_ONLY", "WATERMARK_KEYS"
_PEERS_SHARE = 10
"""Peers get a tenth of the clips: a network takes as long as all the rest."""
_MINUTES = 2


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is measured."""

    clips: int
    voices: tuple[Voice, ...]
    goals: tuple[Goal, ...]
    keys: int

    @property
    def minutes(self) -> int:
        """Of each voice, so that four pieces of 10 s come from each minute at most."""
        return max(_MINUTES, math.ceil(self.clips / 2 / len(self.voices)))

    def sources(self) -> list[Source]:
        return trials.sources(self.voices, self.minutes)

    def asks(self, goals: Sequence[Goal]) -> list[Asked]:
        each = self.clips / len(self.sources())
        return [Asked(goal.condition, goal.seconds, math.ceil(each * (1 + goal.often))) for goal in goals]


Part = Callable[[Amount], tuple[list[Row], dict[str, Any]]]


async def measure(*names: str) -> dict[str, Any]:
    """All rows, or those of the named parts; printed, and for the file."""
    return await asyncio.to_thread(measured, amount(), names)


def amount() -> Amount:
    """As the environment asks."""
    voices = [voice for voice in SCORING if voice.at_hand]
    most = int(os.environ.get(VOICES, len(voices)))
    wanted = [name for name in os.environ.get(ONLY, "").split(",") if name]
    return Amount(
        clips=int(os.environ.get(CLIPS, "150")),
        voices=tuple(voices[:: math.ceil(len(voices) / most)]),
        goals=tuple(goal for goal in _possible() if not wanted or any(name in goal.condition for name in wanted)),
        keys=int(os.environ.get(KEYS, "200")),
    )


def _possible() -> list[Goal]:
    """Those whose conditions can be made here."""
    return [goal for goal in GOALS if CONDITIONS[goal.condition].at_hand]


def measured(of: Amount, names: Sequence[str] = ()) -> dict[str, Any]:
    rows: list[Row] = []
    details: dict[str, Any] = {}
    for name, part in PARTS.items():
        if names and name not in names:
            continue
        print(f"{name} ...", flush=True)
        try:
            found, more = part(of)
        except Exception as error:  # noqa: BLE001  one part that fails leaves the others' minutes of figures
            found, more = [Row(name, "", f"FAILED: {type(error).__name__}: {error}"[:120], holds=False)], {}
        rows += found
        details[name] = more
    report.show(f"Watermark ({len(of.voices)} voices, {of.clips} clips)", [row.cells() for row in rows])
    missed = [row.what for row in rows if row.holds is False]
    print(f"missed: {'; '.join(missed) or 'nothing'}")
    lacking = sorted({goal.condition for goal in GOALS} - {goal.condition for goal in _possible()})
    print(f"not measured, for want of a program: {'; '.join(lacking) or 'nothing'}")
    voices = [voice.name for voice in of.voices]
    return {
        "clips": of.clips,
        "voices": voices,
        "lacking": lacking,
        "rows": [asdict(row) for row in rows],
        **details,
    }


def _detection(of: Amount) -> tuple[list[Row], dict[str, Any]]:
    tokens = [goal for goal in TOKENS if any(goal.condition == other.condition for other in of.goals)]
    asked = {(goal.condition, goal.seconds): goal for goal in (*tokens, *of.goals)}
    outcomes = _by_condition(trials.run(Ours(), of.sources(), of.asks(list(asked.values()))))
    rows = [found_row(goal, outcomes[goal.condition, goal.seconds]) for goal in of.goals]
    for goal in tokens:
        rows += token_rows(goal, outcomes[goal.condition, goal.seconds])
    read = [one for found in outcomes.values() for one in found if one.told.short is not None]
    rows.append(wrong_row("token wrong, all conditions", [one.told.short is False for one in read]))
    return rows, {"misses": _misses(outcomes)}


def _by_condition(found: Sequence[Outcome]) -> dict[tuple[str, float], list[Outcome]]:
    by: dict[tuple[str, float], list[Outcome]] = defaultdict(list)
    for one in found:
        by[one.condition, one.seconds].append(one)
    return by


def _misses(outcomes: dict[tuple[str, float], list[Outcome]]) -> dict[str, dict[str, int]]:
    """Clips that were not found, by condition and voice."""
    missed: dict[str, dict[str, int]] = {}
    for (condition, seconds), found in outcomes.items():
        count: dict[str, int] = defaultdict(int)
        for one in found:
            count[one.voice] += not one.told.found
        missed[f"{condition}, {seconds:g} s"] = {voice: missing for voice, missing in count.items() if missing}
    return missed


def _alarms(of: Amount) -> tuple[list[Row], dict[str, Any]]:
    counted = alarms.run(trials.sources(of.voices, 1), of.keys)
    return alarm_rows(counted), {"at_most": {"levels": alarms.LEVELS, **_levels(counted)}}


def _levels(counted: alarms.Alarms) -> dict[str, list[int]]:
    return {"unmarked": counted.unmarked.at_most.tolist(), "marked": counted.marked.at_most.tolist()}


def _quality(of: Amount) -> tuple[list[Row], dict[str, Any]]:
    heard = quality.run(Ours(), of.sources())
    narrow = np.array([one.pesq_narrow for one in heard])
    rows = []
    if np.isfinite(narrow).all():
        worst = heard[int(narrow.argmin())]
        mean, error = quality.mean(heard)
        least = float(narrow.min())
        n = f"+- {error:.3f}, each voice alike; {len(heard)} pieces of 10 s, whose mean is {narrow.mean():.3f}"
        rows.append(Row("PESQ-NB, mean", f">= {PESQ_MEAN}", f"{mean:.3f}", n, mean >= PESQ_MEAN))
        rows.append(Row("PESQ-NB, worst", f">= {PESQ_WORST}", f"{least:.3f}", worst.voice, least >= PESQ_WORST))
    for what, values in (
        ("PESQ-WB at 48 kHz", [one.pesq_wide for one in heard]),
        ("STOI", [one.stoi for one in heard]),
        ("speech to change, dB", [one.snr_db for one in heard]),
    ):
        rows.append(Row(f"{what}: mean, worst", "", f"{np.mean(values):.3f}, {np.min(values):.3f}"))
    if lacks := quality.missing():
        rows.append(Row("quality", "", f"not all measured: pip install {' '.join(lacks)}"))
    return rows, {"by_voice": [asdict(one) for one in heard]}


def _costs(of: Amount) -> tuple[list[Row], dict[str, Any]]:
    rows = [
        Row(
            one.what,
            f"<= {goal:g} of real time",
            f"{one.real_time_factor:.4f}",
            holds=one.real_time_factor <= goal,
        )
        for goal, found in ((MARKING, trials.alone(costs.embedding)), (ASKING, trials.alone(costs.detecting)))
        for one in found
    ]
    for rate_hz, took in trials.alone(costs.chunk_ms).items():
        told = ", ".join(f"{report.quantile(took, q):.2f}" for q in (0.5, 0.95, 0.99, 1.0))
        rows.append(Row(f"20 ms at {rate_hz} Hz marked in", "", f"{told} ms", "p50, p95, p99, most; by the clock"))
    delay_ms = costs.delay_ms()
    rows.append(Row("delay", f"<= {DELAY_MS:g} ms", f"{delay_ms:.1f} ms", holds=delay_ms <= DELAY_MS))
    return rows, {}


def _peers(of: Amount) -> tuple[list[Row], dict[str, Any]]:
    marks, why = peers.at_hand()
    rows = [Row(name, "", f"not measured: {reason}") for name, reason in why.items()]
    fewer = Amount(max(1, of.clips // _PEERS_SHARE), of.voices, of.goals, of.keys)
    asks = [Asked(goal.condition, goal.seconds, 1) for goal in of.goals]
    some = fewer.sources()[: fewer.clips]
    for mark in marks:
        rows += _peer_rows(mark, of.goals, some, asks)
    return rows, {}


def _peer_rows(mark: Mark, goals: Sequence[Goal], some: Sequence[Source], asks: Sequence[Asked]) -> list[Row]:
    found = _by_condition(trials.run(mark, some, asks))
    unmarked = _by_condition(trials.run(mark, some, asks, marked=False))
    rows = []
    for goal in goals:
        share = share_of(found[goal.condition, goal.seconds])
        false = share_of(unmarked[goal.condition, goal.seconds])
        n = f"{share.interval()}; {share.of} clips; unmarked {false.count} of {false.of}"
        rows.append(Row(f"{mark.name}, {goal.seconds:g} s: {goal.condition}", "", share.percent(), n))
    return rows


PARTS: dict[str, Part] = {
    "detection": _detection,
    "alarms": _alarms,
    "quality": _quality,
    "costs": _costs,
    "peers": _peers,
}


def main() -> int:
    names = sys.argv[1:]
    if unknown := [name for name in names if name not in PARTS]:
        print(f"error: no part {unknown[0]!r}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    print(f"saved {report.save('_'.join(['watermark', *names]), asyncio.run(measure(*names)))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
