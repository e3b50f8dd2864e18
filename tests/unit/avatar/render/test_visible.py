"""Rectangles around marks: all marks are in them, and no cell is in two."""

from __future__ import annotations

import numpy as np
import pytest

from avatar.render.visible import rectangles


@pytest.mark.parametrize("seed", range(40))
def test_every_mark_is_in_just_one_rectangle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    marks = np.zeros((int(rng.integers(1, 90)), int(rng.integers(1, 90))), np.uint8)
    for _ in range(rng.integers(0, 6)):
        y, x = rng.integers(0, marks.shape[0]), rng.integers(0, marks.shape[1])
        marks[y : y + rng.integers(1, 50), x : x + rng.integers(1, 50)] = 255
    times = np.zeros(marks.shape, int)
    for part in rectangles(marks, 8):
        left, top, width, height = part
        times[top : top + height, left : left + width] += 1
    assert (times[marks > 0] == 1).all()
    assert times.max(initial=0) <= 1


def test_what_is_empty_has_none() -> None:
    assert rectangles(np.zeros((40, 40), np.uint8), 8) == []


def test_an_arch_is_not_drawn_in_the_middle() -> None:
    marks = np.full((64, 64), 255, np.uint8)
    marks[16:, 12:52] = 0
    drawn = sum(part.width * part.height for part in rectangles(marks, 8))
    assert drawn < 0.7 * marks.size
