"""How much each feature counts: a multinomial logistic model; its weights stand in `weights.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agent.meeting.addressee.said import Target

TARGETS: tuple[Target, ...] = ("twin", "owner", "other", "room", "nobody")
BIAS = "bias"
_REASONS = 4


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by target and feature."""

    weights: Mapping[Target, Mapping[str, float]]

    def odds(self, found: Mapping[str, float]) -> dict[Target, float]:
        """The probability of each target."""
        sums = {target: self._sum(target, found) for target in TARGETS}
        top = max(sums.values())
        grown = {target: math.exp(value - top) for target, value in sums.items()}
        total = sum(grown.values())
        return {target: value / total for target, value in grown.items()}

    def why(self, target: Target, found: Mapping[str, float]) -> tuple[str, ...]:
        """The features that spoke most for a target, against the mean of all."""

        def share(name: str) -> float:
            each = [self.weights[other].get(name, 0.0) for other in TARGETS]
            return (self.weights[target].get(name, 0.0) - sum(each) / len(each)) * found[name]

        ranked = sorted(found, key=lambda name: (-share(name), name))
        return tuple(name for name in ranked[:_REASONS] if share(name) > 0)

    def _sum(self, target: Target, found: Mapping[str, float]) -> float:
        of = self.weights[target]
        return of.get(BIAS, 0.0) + sum(of.get(name, 0.0) * value for name, value in found.items())


@lru_cache(maxsize=1)
def fitted() -> Model:
    """The weights that come with the twin."""
    text = files("agent.meeting.addressee").joinpath("weights.json").read_text(encoding="utf-8")
    return Model(json.loads(text)["weights"])
