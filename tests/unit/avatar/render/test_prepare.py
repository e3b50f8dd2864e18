"""What drawing is prepared from: colours and grids."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avatar.controls import CONTROLS, Control
from avatar.picture import Box
from avatar.puppet import Layer
from avatar.render.prepare import coarsest_px, piece, plate, premultiplied, told
from avatar.sheet import rgb
from tests.unit.avatar.puppets import checker_head


@pytest.mark.parametrize(
    ("colour", "yuv"),
    [((0, 0, 0), (16, 128, 128)), ((255, 255, 255), (235, 128, 128)), ((255, 0, 0), (81, 90, 240))],
)
def test_colours_are_limited_range_bt601(colour: tuple[int, int, int], yuv: tuple[int, int, int]) -> None:
    image = np.full((2, 2, 4), (*colour, 255), np.uint8)
    assert tuple(premultiplied(image)[0, 0]) == (*yuv, 255)
    picture = plate(np.full((16, 16, 3), colour, np.uint8))
    assert (picture.y[0, 0], picture.u[0, 0], picture.v[0, 0]) == yuv
    assert np.abs(rgb(picture)[0, 0].astype(int) - colour).max() <= 2


def test_what_is_transparent_adds_nothing() -> None:
    assert not premultiplied(np.full((2, 2, 4), (200, 100, 50, 0), np.uint8)).any()


def test_controls_are_told_within_their_limits() -> None:
    values = told(np.array([[np.nan, -3.0] * 17], np.float32)[:, :CONTROLS])
    assert values.shape == (1, 1 + CONTROLS)
    assert values[0, 0] == 1
    assert values[0, 1 + Control.JAW_OPEN] == 0
    assert values[0, 1 + Control.GAZE_X] == -1


def _layer(curve_px: float) -> Layer:
    """A layer that stretches by a parabola."""
    face = next(layer for layer in checker_head(256, 256).layers if layer.name == "left white")
    fields = np.zeros((1, 17, 17, 2), np.float32)
    fields[0, ..., 0] = (np.arange(17, dtype=np.float32) - 8) ** 2 * curve_px
    return dataclasses.replace(
        face,
        box=Box(64, 64, 64, 64),
        grid_px=4,
        controls=(Control.SMILE_LEFT,),
        fields=fields,
        rigid=np.zeros((6, 17, 17, 2), np.float32),
    )


def test_a_grid_is_as_coarse_as_its_fields_allow() -> None:
    assert [coarsest_px(_layer(curve)) for curve in (0.0, 0.015, 1.0)] == [16, 8, 4]


def test_fields_that_are_nothing_are_left_out() -> None:
    assert piece(_layer(0.0)).flesh is None
    moved = piece(_layer(1.0)).flesh
    assert moved is not None
    assert len(moved) == 2
