from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avatar.flesh.contours import Contours
from tests.unit.avatar.flesh.heads import contours, head


def test_points_that_are_missing_or_beyond_all_numbers_are_refused() -> None:
    told = contours(256, 256)
    broken = told.oval.copy()
    broken[3] = np.nan
    for wrong in (
        {"oval": told.oval[:30]},
        {"oval": broken},
        {"lips_inner_lower": told.lips_inner_lower[:, :1]},
        {"surface": told.surface[:5]},
        {"chin": (float("nan"), 0.0)},
    ):
        with pytest.raises(ValueError, match=r"wanted|have a place"):
            replace(told, **wrong)


def test_a_face_of_a_few_pixels_is_refused() -> None:
    told = contours(256, 256)
    with pytest.raises(ValueError, match="too small"):
        replace(told, oval=told.oval * np.float32(0.05))


def test_an_eye_without_an_iris_or_with_open_corners_is_refused() -> None:
    eye = contours(256, 256).left
    with pytest.raises(ValueError, match="iris"):
        replace(eye, iris_radius=0.0)
    with pytest.raises(ValueError, match="corners"):
        replace(eye, lower=eye.lower + np.float32(3))


def test_all_images_have_the_size_of_the_plate() -> None:
    art = head()
    with pytest.raises(ValueError, match="size"):
        replace(art, head=art.head[:-2])
    with pytest.raises(ValueError, match="plate"):
        replace(art, plate=art.head)


def test_the_width_of_a_face_is_that_of_its_oval() -> None:
    told: Contours = contours(256, 256)
    assert told.width == pytest.approx(0.56 * 256, rel=0.01)
