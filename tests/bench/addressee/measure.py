"""How well the twin knows when it is meant: scripted meetings, those it was tuned on and those it was not.

The published best of other voice agents for "ignore speech not meant for me" is 0.58.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.meeting.addressee import Judgement, Mode, decide
from agent.meeting.addressee.model import Model
from tests.bench import report
from tests.bench.addressee import fit
from tests.bench.addressee.script import Case, Meeting, Part, load

PARTS: tuple[Part, ...] = ("tuning", "blind", "independent", "scoring", "fresh")
Row = Part | Literal["left_out"]
"""A part, or all that is fitted on with each meeting judged by weights fitted without it."""
_TITLES: dict[Row, str] = {
    "tuning": "tuning: fitted on",
    "blind": "blind: fitted on",
    "independent": "independent: fitted on, another author",
    "left_out": "the three, each meeting judged by weights fitted without it; words and thresholds knew them",
    "scoring": "scoring: not fitted on, errors never read, totals often",
    "fresh": "fresh: not fitted on, another author; judged as at first sight, since then it speaks less readily",
}
PUBLISHED_SELECTIVITY = 0.58
GOAL = 0.90
MODES: tuple[Mode, ...] = ("on_request", "active")
_SURE_Z = 1.96
_BINS = 5


@dataclass(slots=True)
class Score:
    """One part, judged."""

    judged: list[tuple[Meeting, Case, Judgement]] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)

    @property
    def hits(self) -> int:
        return sum(case.target == judged.target == "twin" for _, case, judged in self.judged)

    @property
    def taken(self) -> int:
        """How many were taken to be for the twin."""
        return sum(judged.target == "twin" for _, _, judged in self.judged)

    @property
    def meant(self) -> int:
        return sum(case.target == "twin" for _, case, _ in self.judged)

    @property
    def precision(self) -> float:
        return self.hits / max(1, self.taken)

    @property
    def recall(self) -> float:
        return self.hits / max(1, self.meant)

    @property
    def selectivity(self) -> float:
        """The share of what was not for the twin that it left alone."""
        return 1 - (self.taken - self.hits) / max(1, len(self.judged) - self.meant)

    def interruptions(self, mode: Mode) -> int:
        """How often the twin would have spoken on words that were not for it."""
        return sum(
            case.target != "twin" and decide(judged, mode, case.scene) == "speak"
            for _, case, judged in self.judged
        )

    def hands(self, mode: Mode) -> int:
        """How often it would have raised its hand, though nobody asked everybody something in its field."""
        return sum(
            case.target not in ("twin", "room") and decide(judged, mode, case.scene) == "raise_hand"
            for _, case, judged in self.judged
        )

    @property
    def hours(self) -> float:
        """How long such meetings last."""
        return sum({meeting.name: meeting.minutes for meeting, _, _ in self.judged}.values()) / 60

    @property
    def spoken_hours(self) -> float:
        """How long the lines alone take."""
        return sum({meeting.name: meeting.spoken_s for meeting, _, _ in self.judged}.values()) / 3600


def score(meetings: Iterable[Meeting | tuple[Meeting, Model]]) -> Score:
    """`meetings`: with weights of their own, or judged by those that come with the twin."""
    found = Score()
    for each in meetings:
        meeting, model = each if isinstance(each, tuple) else (each, None)
        judge = meeting.addressee(model)
        for case in meeting.cases:
            begun = time.perf_counter()
            judged = judge.judge(case.heard, case.scene)
            found.took_ms.append(1000 * (time.perf_counter() - begun))
            found.judged.append((meeting, case, judged))
    return found


async def measure() -> dict[str, Any]:
    scores: dict[Row, Score] = {part: score(load(part)) for part in PARTS}
    scores["left_out"] = score(fit.left_out(fit.meetings()))
    shown = [row for row in _TITLES if scores[row].judged]
    rows = [_row(row, scores[row]) for row in shown]
    report.show('Addressee: "meant for me"', rows)
    modes = [_mode_row(row, mode, scores[row]) for row in shown for mode in MODES]
    report.show("Addressee: what is done about it", modes)
    rest = [_rest_row(row, scores[row]) for row in shown]
    report.show("Addressee: the rest", rest)
    return {
        "goal": GOAL,
        "published_selectivity": PUBLISHED_SELECTIVITY,
        "rows": rows,
        "modes": modes,
        "rest": rest,
        "mistakes": {part: mistakes(scores[part]) for part in fit.FITTED},
    }


def _row(part: Row, of: Score) -> dict[str, Any]:
    hard = [(case, judged) for _, case, judged in of.judged if case.hard]
    return {
        "part": _TITLES[part],
        "utterances": len(of.judged),
        "meant": of.meant,
        "precision": _with_interval(of.hits, of.taken),
        "recall": _with_interval(of.hits, of.meant),
        "selectivity": _with_interval(len(of.judged) - of.meant - of.taken + of.hits, len(of.judged) - of.meant),
        "published": PUBLISHED_SELECTIVITY,
        "hard negatives": f"{len(hard) / max(1, len(of.judged)):.0%}",
        "left alone of hard": round(sum(j.target != "twin" for _, j in hard) / max(1, len(hard)), 3),
    }


def _mode_row(part: Row, mode: Mode, of: Score) -> dict[str, Any]:
    meant = [(case, judged) for _, case, judged in of.judged if case.target == "twin" and case.wants != "nothing"]
    asked = [(case, judged) for case, judged in meant if not case.command or case.command == "speak"]
    spoke = sum(decide(judged, mode, case.scene) == "speak" for case, judged in asked)
    return {
        "part": part,
        "mode": mode,
        "answered": f"{spoke}/{len(asked)}",
        "interruptions": of.interruptions(mode),
        "an hour of meeting": round(of.interruptions(mode) / max(of.hours, 1e-9), 2),
        "an hour of the lines alone": round(of.interruptions(mode) / max(of.spoken_hours, 1e-9), 2),
        "hands raised for nothing": of.hands(mode),
    }


def _rest_row(part: Row, of: Score) -> dict[str, Any]:
    orders = [(case, judged) for _, case, judged in of.judged if case.command]
    false_orders = sum(bool(judged.command) and not case.command for _, case, judged in of.judged)
    owner = [(case, judged) for _, case, judged in of.judged if case.target == "owner"]
    return {
        "part": part,
        "all five targets": round(_share([c.target == j.target for _, c, j in of.judged]), 3),
        "noted for the owner": f"{sum(j.target == 'owner' for _, j in owner)}/{len(owner)}",
        "orders obeyed": f"{sum(c.command == j.command for c, j in orders)}/{len(orders)}",
        "orders nobody gave": false_orders,
        "calibration error": round(calibration_error(of), 3),
        "p50_ms": round(report.quantile(of.took_ms, 0.5), 2),
        "p99_ms": round(report.quantile(of.took_ms, 0.99), 2),
    }


def calibration_error(of: Score) -> float:
    """The mean distance between how sure and how often right, over bins of equal width."""
    total = 0.0
    for nth in range(_BINS):
        low, high = nth / _BINS, (nth + 1) / _BINS
        near = [
            (c, j) for _, c, j in of.judged if low <= j.for_twin < high or (nth + 1 == _BINS and j.for_twin == 1)
        ]
        if near:
            sure = sum(j.for_twin for _, j in near) / len(near)
            total += abs(sure - _share([c.target == "twin" for c, _ in near])) * len(near)
    return total / max(1, len(of.judged))


def mistakes(of: Score) -> list[str]:
    """Utterances misjudged as for the twin, or as not."""
    return [
        f"{meeting.name}: {case.target} {judged.for_twin:.2f} {case.heard.text}"
        for meeting, case, judged in of.judged
        if (case.target == "twin") != (judged.target == "twin")
    ]


def interval(right: int, of: int) -> tuple[float, float]:
    """Wilson's, 95 %."""
    if not of:
        return 0.0, 1.0
    share, square = right / of, _SURE_Z**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _SURE_Z / (1 + square / of) * (share * (1 - share) / of + square / (4 * of * of)) ** 0.5
    return middle - half, middle + half


def _with_interval(right: int, of: int) -> str:
    low, high = interval(right, of)
    return f"{right / max(1, of):.3f} [{low:.2f}, {high:.2f}]"


def _share(holds: Sequence[bool]) -> float:
    return sum(holds) / max(1, len(holds))


if __name__ == "__main__":
    report.save("addressee", asyncio.run(measure()))
