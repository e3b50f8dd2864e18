"""A call as a picture: a lane per side, what was recorded, and marks for what happened.

Pure. Positions are percent of the call's length, so that the drawing needs no style of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from compliance.console.lines import Line
from compliance.console.story import Step, Tone
from compliance.entries import Who

_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600)
_LABELS = 8
_THIN = 0.3
"""The least width that is still seen, in percent."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Somebody speaking, or the recording running."""

    x: float
    width: float
    sequence: int = -1
    who: Who | None = None
    cut: bool = False
    lane: int = 0
    """Which line of the drawing: the people from the top, the twin last."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened."""

    x: float
    title: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Strip:
    """The whole drawing."""

    length_s: float
    bars: tuple[Bar, ...]
    recorded: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, int], ...]
    """Where a label stands, and the second it names."""
    lanes: tuple[str, ...] = ("",)
    """The people who spoke, by identity, one lane each; the twin's comes after them."""


def strip(
    shown: Sequence[Line], steps: Iterable[Step], recorded: Iterable[tuple[float, float]], *, length_s: float
) -> Strip:
    """Lay out a call. `recorded` are spans in seconds of the call."""
    spans = list(recorded)
    length_s = max([length_s, 1.0, *(line.end_s for line in shown), *(end for _, end in spans)])

    lanes = tuple(dict.fromkeys(line.speaker for line in shown if line.who == "caller")) or ("",)

    def bar(start_s: float, end_s: float) -> Bar:
        x = _percent(start_s, length_s)
        return Bar(x, min(100 - x, max(_THIN, _percent(end_s - start_s, length_s))))

    def spoken(line: Line) -> Bar:
        lane = len(lanes) if line.who == "twin" else lanes.index(line.speaker)
        placed = bar(line.start_s, line.end_s)
        return replace(placed, sequence=line.sequence, who=line.who, cut=line.cut, lane=lane)

    every = next((step for step in _STEPS_S if length_s / step <= _LABELS), 3_600)
    return Strip(
        length_s=length_s,
        bars=tuple(spoken(line) for line in shown),
        recorded=tuple(bar(start, end) for start, end in spans),
        marks=tuple(
            Mark(_percent(step.at_s, length_s), step.title, step.tone)
            for step in steps
            if step.at_s is not None and step.tone != "plain" and step.at_s <= length_s
        ),
        ticks=tuple((_percent(at, length_s), at) for at in range(0, int(length_s) + 1, every)),
        lanes=lanes,
    )


def _percent(part_s: float, length_s: float) -> float:
    return round(min(100.0, max(0.0, 100 * part_s / length_s)), 3)
