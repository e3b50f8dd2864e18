"""The fractional resampler: exact when nothing is asked of it, without a seam when something is."""

from __future__ import annotations

import numpy as np

from compliance.sound.stretch import Samples, Stretch
from tests.unit.compliance.sound_helpers import tone


def fed(stretch: Stretch, samples: Samples, *paces: float, piece: int = 160) -> Samples:
    pieces = [samples[at : at + piece] for at in range(0, len(samples), piece)]
    out = [stretch.feed(part, paces[index * len(paces) // len(pieces)]) for index, part in enumerate(pieces)]
    return np.concatenate([*out, stretch.finish()])


def test_at_its_own_pace_every_sample_passes_unchanged() -> None:
    samples = np.random.default_rng(1).integers(-32_768, 32_768, 16_000).astype(np.int16)
    assert np.array_equal(fed(Stretch(), samples, 0.0), samples)


def test_length_and_position_follow_the_pace() -> None:
    for pace in (-0.005, -0.0002, 0.0002, 0.005):
        stretch = Stretch()
        out = fed(stretch, tone(80_000), pace)
        assert abs(len(out) - 80_000 * (1 + pace)) <= 2
        assert abs(stretch.position - 80_000) <= 2


def test_a_tone_keeps_its_shape_while_the_pace_changes() -> None:
    stretch = Stretch()
    out = fed(stretch, tone(80_000, hz=1_000), 0.0, 0.0002, -0.0002, 0.005, 0.0)
    steps = np.abs(np.diff(out.astype(np.int32)))
    steepest = 2 * 8_000 * np.sin(np.pi * 1_000 / 8_000)
    assert steps.max() <= steepest * 1.005, "a click would be a step that the tone does not have"


def test_the_noise_it_adds_is_far_below_what_a_telephone_adds() -> None:
    pace = 0.0002
    out = fed(Stretch(), tone(80_000, hz=1_000), pace)
    at = np.arange(len(out)) / (1 + pace)
    ideal = 8_000 * np.sin(2 * np.pi * 1_000 * at / 8_000)
    middle = slice(1_000, 79_000)
    noise = out[middle] - ideal[middle]
    assert 10 * np.log10(np.mean(ideal[middle] ** 2) / np.mean(noise**2)) > 70
