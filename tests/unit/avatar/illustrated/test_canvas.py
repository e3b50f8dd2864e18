"""Stencils cover what they should, and layers mix as paint does."""

from __future__ import annotations

import numpy as np
import pytest

from avatar.illustrated.canvas import Frame, Layer, Stencil, blurred, ellipse, filled, hexa, mix
from avatar.illustrated.curve import line

FRAME = Frame.portrait(96, 80)


def square(x: float, y: float, side: float) -> Stencil:
    corners = line((x, y), (x + side, y), (x + side, y + side), (x, y + side))
    return filled(FRAME, (corners - (FRAME.x_px, FRAME.y_px)) / FRAME.unit_px)


def test_a_stencil_covers_pixels_in_part() -> None:
    whole = square(10.5, 20.25, 4.0).whole()
    assert whole.sum() == pytest.approx(16, rel=0.15)
    assert whole[22, 12] == 1
    assert 0.4 < whole[22, 10] < 0.8


def test_a_round_stencil_has_the_area_of_an_ellipse() -> None:
    area = ellipse(FRAME, 0.1, 0.2, 0.9, 0.6, 0.4).cover.sum() / FRAME.unit_px**2
    assert area == pytest.approx(np.pi * 0.9 * 0.6, rel=0.02)


def test_shapes_of_one_stencil_do_not_punch_holes_into_each_other() -> None:
    one = line((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    assert filled(FRAME, one, one + 0.2).cover.max() == 1
    assert filled(FRAME, one, one).cover.sum() == pytest.approx(filled(FRAME, one).cover.sum())


def test_what_lies_outside_of_the_picture_covers_nothing() -> None:
    far = square(500, 500, 10)
    assert far.whole().sum() == 0
    assert square(-5, -5, 10).whole()[0, 0] == 1


def test_blurring_spreads_and_keeps_the_amount() -> None:
    sharp = square(40, 30, 8)
    soft = sharp.soft(2.0 / FRAME.unit_px)
    assert soft.cover.sum() == pytest.approx(sharp.cover.sum(), rel=0.01)
    assert soft.cover.max() < 1


@pytest.mark.parametrize("sigma", [3.0, 9.0, 20.0])
def test_wide_blurs_leave_even_areas_as_they_are(sigma: float) -> None:
    assert np.allclose(blurred(np.full((60, 90), 0.37, np.float32), sigma), 0.37, atol=1e-4)


def test_paint_covers_and_adds_up() -> None:
    layer = Layer(FRAME)
    spot = square(40, 30, 8)
    layer.paint(spot, (1.0, 0.0, 0.0), 0.5)
    layer.paint(spot, (0.0, 0.0, 1.0), 0.5)
    assert layer.alpha[33, 43] == pytest.approx(0.75)
    assert layer.rgb[33, 43] == pytest.approx((1 / 3, 0, 2 / 3), abs=1e-5)


def test_a_tint_grows_nowhere() -> None:
    layer = Layer(FRAME)
    layer.tint(square(40, 30, 8), (1.0, 1.0, 1.0))
    assert not layer.alpha.any()


def test_there_is_colour_under_the_transparent_part_beside_an_edge() -> None:
    layer = Layer(FRAME)
    layer.paint(square(40, 30, 8), (0.2, 0.6, 0.4))
    picture = layer.rgba()
    assert picture[33, 50, 3] == 0
    assert np.abs(picture[33, 50, :3].astype(int) - (51, 153, 102)).max() <= 3


def test_colours_by_their_code() -> None:
    assert hexa("#ff8000") == (1.0, 128 / 255, 0.0)
    assert mix((0.0, 0.0, 0.0), (1.0, 0.5, 0.0), 0.5) == (0.5, 0.25, 0.0)
