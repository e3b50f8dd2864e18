"""Boxes and I420 pictures."""

from __future__ import annotations

import av
import numpy as np
import pytest

from avatar.picture import Box, Picture


@pytest.mark.parametrize("sides", [(1, 0, 2, 2), (0, 0, 3, 2), (-2, 0, 2, 2), (0, 0, 0, 2)])
def test_a_box_has_whole_chroma_samples(sides: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="a box"):
        Box(*sides)


def test_a_box_around_two_holds_both() -> None:
    both = Box(10, 20, 4, 6).around(Box(2, 30, 40, 2))
    assert both == Box(2, 20, 40, 12)
    assert (both.right, both.bottom) == (42, 32)


@pytest.mark.parametrize("size", [(15, 16), (16, 8), (17, 32)])
def test_a_picture_has_even_sides(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="even sides"):
        Picture(*size)


def test_a_new_picture_is_black() -> None:
    picture = Picture(32, 16)
    assert (picture.y == 16).all()
    assert (picture.u == 128).all()
    assert (picture.v == 128).all()


def test_the_planes_lie_in_the_block_as_video_wants_them() -> None:
    picture = Picture(32, 16)
    picture.y[3, 5], picture.u[2, 7], picture.v[1, 9] = 40, 50, 60
    frame = av.VideoFrame.from_ndarray(picture.i420, format="yuv420p")
    planes = [
        np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size) for plane in frame.planes
    ]
    assert (planes[0][3, 5], planes[1][2, 7], planes[2][1, 9]) == (40, 50, 60)


def test_a_copy_has_memory_of_its_own() -> None:
    picture = Picture(32, 16)
    other = picture.copy()
    picture.u.fill(9)
    assert (other.u == 128).all()
    assert not np.shares_memory(other.i420, picture.i420)
