"""`python -m tests.bench.addressee.fit`: fits the weights on the meetings of `FITTED` and writes them.

With `--check` it leaves whole meetings out in turn and says how strongly to shrink. Never reads the scoring part.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import agent.meeting.addressee as addressee
from agent.meeting.addressee.judge import FOR_TWIN
from agent.meeting.addressee.model import BIAS, TARGETS, Model
from agent.meeting.addressee.said import Target
from tests.bench.addressee.script import Meeting, Part, load

WEIGHTS = Path(addressee.__file__).with_name("weights.json")
FITTED: tuple[Part, ...] = ("tuning", "blind", "independent")
"""What the weights, the words and the thresholds were made on."""
SHRINK = 1.0
"""Strength of the pull of every weight towards 0; chosen by leaving meetings out."""
SEEN_AT_LEAST = 2
"""In so many utterances a feature must be to get a weight."""
_STEPS = 600
_FOLDS = 8

Matrix = NDArray[np.float64]
Row = tuple[dict[str, float], str, str]
"""Features, target, meeting."""


def rows(of: Sequence[Meeting]) -> list[Row]:
    return [
        (judge.features(case.heard, case.scene), case.target, meeting.name)
        for meeting in of
        for judge in (meeting.addressee(),)
        for case in meeting.cases
    ]


def meetings() -> list[Meeting]:
    """All that is fitted on."""
    return [meeting for part in FITTED for meeting in load(part)]


def fit(data: Sequence[Row], shrink: float = SHRINK) -> dict[Target, dict[str, float]]:
    """Weights by target and feature."""
    seen = Counter(name for found, _, _ in data for name in found)
    names = sorted(name for name, count in seen.items() if count >= SEEN_AT_LEAST)
    given = np.array([[1.0, *(found.get(name, 0.0) for name in names)] for found, _, _ in data])
    right = np.array([[float(target == each) for each in TARGETS] for _, target, _ in data])
    weights = _descend(given, right, shrink)
    return {
        target: {name: round(float(weights[at, nth]), 3) for at, name in enumerate([BIAS, *names])}
        for nth, target in enumerate(TARGETS)
    }


def _descend(given: Matrix, right: Matrix, shrink: float) -> Matrix:
    """Nesterov's descent; the problem is convex, so that where it starts does not matter."""
    weights = ahead = np.zeros((given.shape[1], right.shape[1]))
    pull = np.full((given.shape[1], 1), shrink)
    pull[0] = 0.01
    step = 1.0 / (0.5 * float(np.linalg.norm(given, 2)) ** 2 + shrink)
    momentum = 1.0
    for _ in range(_STEPS):
        odds = _softmax(given @ ahead)
        after = ahead - step * (given.T @ (odds - right) + pull * ahead)
        grown = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = after + (momentum - 1) / grown * (after - weights)
        weights, momentum = after, grown
    return weights


def _softmax(sums: Matrix) -> Matrix:
    grown = np.exp(sums - sums.max(axis=1, keepdims=True))
    result: Matrix = grown / grown.sum(axis=1, keepdims=True)
    return result


def left_out(of: Sequence[Meeting], shrink: float = SHRINK) -> list[tuple[Meeting, Model]]:
    """Each meeting with weights fitted without it: whole meetings are left out, an eighth at a time."""
    data = rows(of)
    found: list[tuple[Meeting, Model]] = []
    for nth in range(_FOLDS):
        out = of[nth::_FOLDS]
        names = {each.name for each in out}
        model = Model(fit([row for row in data if row[2] not in names], shrink))
        found += [(each, model) for each in out]
    return found


def check(of: Sequence[Meeting], shrink: float) -> tuple[float, float, float]:
    """Precision, recall and log loss for "meant for the twin", each meeting judged by the others' weights."""
    hits = wrong = missed = 0
    loss = 0.0
    for meeting, model in left_out(of, shrink):
        for found, target, _ in rows([meeting]):
            p = model.odds(found)["twin"]
            loss -= float(np.log(max(p if target == "twin" else 1 - p, 1e-9)))
            hits += p >= FOR_TWIN and target == "twin"
            wrong += p >= FOR_TWIN and target != "twin"
            missed += p < FOR_TWIN and target == "twin"
    return hits / max(1, hits + wrong), hits / max(1, hits + missed), loss / sum(len(each.cases) for each in of)


def main() -> None:
    if "--check" in sys.argv:
        for shrink in (0.5, 1.0, 2.0):
            precision, recall, loss = check(meetings(), shrink)
            print(f"shrink {shrink}: precision {precision:.3f} recall {recall:.3f} log loss {loss:.4f}")
        return
    data = rows(meetings())
    weights = fit(data)
    result = {"fitted_on": f"{len(data)} utterances", "shrink": SHRINK, "weights": weights}
    WEIGHTS.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"wrote {len(weights[TARGETS[0]])} weights from {len(data)} utterances")


if __name__ == "__main__":
    main()
