"""The mark on every picture."""

from __future__ import annotations

import numpy as np
import pytest

from avatar.mark import TEXTS, drawable, stamp
from avatar.picture import Picture

SIZES = [(512, 512), (1280, 720), (360, 640), (256, 256), (1920, 1080)]


def _plain(size: tuple[int, int], level: int) -> Picture:
    picture = Picture(*size)
    picture.y.fill(level)
    picture.u.fill(90)
    picture.v.fill(160)
    return picture


def _stamped(size: tuple[int, int], level: int = 120, text: str = "AI") -> Picture:
    picture = _plain(size, level)
    stamp(picture, text)
    return picture


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", ["AI", "AI生成"])
def test_it_survives_a_round_crop_of_the_middle(size: tuple[int, int], text: str) -> None:
    y, x = np.nonzero(_stamped(size, text=text).y != 120)
    side = min(size)
    assert (np.hypot(x - (size[0] - 1) / 2, y - (size[1] - 1) / 2) <= side / 2).all()
    assert len(x) > 100


@pytest.mark.parametrize("size", SIZES)
def test_it_is_in_the_upper_left_where_no_meeting_writes_a_name(size: tuple[int, int]) -> None:
    y, x = np.nonzero(_stamped(size).y != 120)
    assert y.max() < size[1] / 2
    assert x.max() < size[0] / 2


@pytest.mark.parametrize("size", SIZES)
def test_its_letters_are_a_twentieth_of_the_shorter_side_high(size: tuple[int, int]) -> None:
    picture = _stamped(size, 120)
    rows = np.flatnonzero((picture.y > 200).any(axis=1))
    assert rows[-1] - rows[0] + 1 >= 0.05 * min(size)


@pytest.mark.parametrize("level", [16, 60, 128, 200, 235])
def test_it_is_legible_on_any_ground(level: int) -> None:
    picture = _stamped((512, 512), level)
    changed = picture.y[picture.y != level].astype(int)
    assert changed.min() < 45
    assert changed.max() > 215
    assert ((picture.u == 128) & (picture.v == 128)).any()


def test_putting_it_there_again_changes_nothing() -> None:
    picture = _stamped((512, 512))
    once = picture.i420.copy()
    for _ in range(3):
        stamp(picture)
    assert np.array_equal(picture.i420, once)


def test_it_leaves_nothing_of_what_was_there() -> None:
    dark, light = _stamped((512, 512), 16), _stamped((512, 512), 235)
    same = dark.y == light.y
    assert same.sum() > 1500
    rows = np.flatnonzero(same.any(axis=1))
    assert rows[-1] - rows[0] < 60


@pytest.mark.parametrize("text", sorted(set(TEXTS.values())))
def test_it_says_so_in_every_language(text: str) -> None:
    assert drawable(text)
    if text != "AI":
        assert not np.array_equal(_stamped((512, 512), text=text).y, _stamped((512, 512)).y)


@pytest.mark.parametrize("text", ["", "Bob", "AI" * 20, "人"])
def test_what_it_cannot_write_is_said_as_ai(text: str) -> None:
    assert not drawable(text)
    assert np.array_equal(_stamped((512, 512), text=text).y, _stamped((512, 512)).y)


def _raised(size: tuple[int, int], level: int = 120, text: str = "AI") -> Picture:
    picture = _plain(size, level)
    stamp(picture, text, raised=True)
    return picture


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", ["AI", "AI生成"])
def test_a_raised_hand_stands_beside_it_and_leaves_it_whole(size: tuple[int, int], text: str) -> None:
    without, raised = _stamped(size, text=text), _raised(size, text=text)
    _, mark = np.nonzero(without.y != 120)
    y, hand = np.nonzero(without.y != raised.y)
    side = min(size)
    assert mark.max() < hand.min() <= mark.max() + 0.03 * side
    assert hand.max() - hand.min() >= 0.12 * side
    assert (np.hypot(hand - (size[0] - 1) / 2, y - (size[1] - 1) / 2) <= side / 2).all()


@pytest.mark.parametrize("size", SIZES)
def test_the_hand_is_yellow_on_dark(size: tuple[int, int]) -> None:
    raised = _raised(size, 60)
    yellow = (raised.u < 60) & (raised.v > 138)
    assert yellow.sum() * 4 >= 0.15 * (0.13 * min(size)) ** 2
    assert raised.y[:-1:2, :-1:2][: yellow.shape[0], : yellow.shape[1]][yellow].mean() > 170


def test_raising_the_hand_twice_changes_nothing() -> None:
    raised = _raised((512, 512))
    once = raised.i420.copy()
    stamp(raised, raised=True)
    assert np.array_equal(raised.i420, once)
