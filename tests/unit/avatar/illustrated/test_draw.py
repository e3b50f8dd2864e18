"""The drawn face: whole, with contours that lie where its parts are."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from avatar.controls import Control, at_rest
from avatar.flesh.contours import Artwork, Eye, Points
from avatar.illustrated.draw import draw
from avatar.illustrated.flat import flat
from avatar.illustrated.look import CHOICES, Look
from avatar.illustrated.person import illustrated
from avatar.puppet import Rgb
from avatar.render.cpu import CpuPuppet

SIZE = 192
PLAIN = Look()


@cache
def drawn(look: Look = PLAIN, width: int = SIZE, height: int = SIZE) -> Artwork:
    return draw(look, width, height)


@cache
def picture(look: Look = PLAIN) -> Rgb:
    return flat(drawn(look))


def covered(points: Points, size: int = SIZE) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask > 0


def around(eye: Eye) -> Points:
    return np.vstack((eye.upper, eye.lower[::-1]))


@pytest.mark.parametrize(("width", "height"), [(128, 128), (320, 180), (180, 320)])
def test_all_pieces_have_the_size_of_the_picture(width: int, height: int) -> None:
    art = drawn(Look(hair="long", glasses="round"), width, height)
    assert art.plate.shape == (height, width, 3)
    assert art.body is not None
    assert art.behind is not None
    assert art.left_eye is not None
    assert art.right_eye is not None
    pieces = [art.head, art.body, art.behind, *(front.image for front in art.front)]
    pieces += [art.left_eye.white, art.left_eye.iris, art.right_eye.white, art.right_eye.iris]
    assert {piece.shape for piece in pieces} == {(height, width, 4)}
    assert all(piece[..., 3].any() for piece in pieces)


@pytest.mark.parametrize(("width", "height"), [(63, 64), (32, 512), (128, 129)])
def test_odd_or_tiny_sizes_are_refused(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="even sides"):
        draw(Look(), width, height)


@pytest.mark.parametrize("part", [part for part in CHOICES if part != "background_colour"])
def test_every_choice_can_be_drawn_and_looks_different(part: str) -> None:
    looks = [Look(**{part: choice}) for choice in CHOICES[part]]  # type: ignore[arg-type]
    pictures = [flat(drawn(look, 64, 64)).astype(int) for look in looks]
    for i, one in enumerate(pictures):
        assert all(np.abs(one - other).max() > 10 for other in pictures[:i])


def test_the_same_look_is_the_same_picture() -> None:
    assert np.array_equal(flat(draw(Look.of("x"), 96, 96)), flat(draw(Look.of("x"), 96, 96)))


@pytest.mark.parametrize("skin", CHOICES["skin"])
def test_eyes_lie_within_their_contours(skin: str) -> None:
    art, seen = drawn(Look(skin=skin)), picture(Look(skin=skin)).astype(int)
    for eye in (art.contours.left, art.contours.right):
        inside = covered(around(eye))
        iris = np.hypot(*(np.indices((SIZE, SIZE))[::-1] - np.array(eye.iris)[:, None, None])) < eye.iris_radius
        white, pupil = seen[inside & ~iris], seen[inside & iris]
        assert np.percentile(white.min(axis=1), 75) > 150
        assert np.percentile(pupil.max(axis=1), 20) < 90


def test_the_persons_left_eye_is_at_the_viewers_right() -> None:
    contours = drawn().contours
    assert contours.left.iris[0] > contours.nose_tip[0] > contours.right.iris[0]
    for eye in (contours.left, contours.right):
        inner, outer = eye.upper[0], eye.upper[-1]
        assert abs(inner[0] - contours.nose_tip[0]) < abs(outer[0] - contours.nose_tip[0])
        assert np.array_equal(eye.upper[[0, -1]], eye.lower[[0, -1]])
        assert (eye.upper[1:-1, 1] < eye.lower[1:-1, 1]).all()
        assert (eye.brow[:, 1] < eye.upper[:, 1].min()).all()


def test_the_mouth_is_closed_and_darkest_where_the_lips_meet() -> None:
    contours, seen = drawn().contours, picture()
    assert np.array_equal(contours.lips_inner_upper, contours.lips_inner_lower)
    grey = seen.mean(axis=2)
    for x, y in contours.lips_inner_upper[3:8]:
        column = grey[round(y) - 5 : round(y) + 6, round(x)]
        assert abs(int(np.argmin(column)) - 5) <= 1


def test_lips_go_from_the_viewers_left_to_the_right_and_lie_in_order() -> None:
    contours = drawn().contours
    for edge in (contours.lips_outer_upper, contours.lips_inner_upper, contours.lips_outer_lower):
        assert edge.shape == (11, 2)
        assert (np.diff(edge[:, 0]) > 0).all()
    middle = slice(1, 10)
    assert (contours.lips_outer_upper[middle, 1] < contours.lips_inner_upper[middle, 1]).all()
    assert (contours.lips_inner_lower[middle, 1] < contours.lips_outer_lower[middle, 1]).all()


@pytest.mark.parametrize("face", CHOICES["face"])
def test_the_oval_runs_clockwise_around_the_face(face: str) -> None:
    contours = drawn(Look(face=face)).contours
    assert contours.oval.shape == (36, 2)
    assert np.argmin(contours.oval[:, 1]) in (0, 1, 35)
    x, y = contours.oval.T
    assert float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) > 0
    assert contours.oval[:, 1].max() == pytest.approx(contours.chin[1], abs=1.5)
    alpha = drawn(Look(face=face)).head[..., 3]
    assert (alpha[covered(contours.oval * 0.95 + contours.oval.mean(axis=0) * 0.05)] > 250).all()


def test_the_nose_comes_nearest_to_the_viewer() -> None:
    contours = drawn().contours
    nearest = contours.surface[np.argmax(contours.surface[:, 2])]
    assert np.hypot(*(nearest[:2] - np.array(contours.nose_tip))) < 0.1 * contours.width
    assert contours.surface[:, 2].min() >= 0
    assert contours.surface[:, 2].max() < contours.width


@pytest.mark.parametrize("hair", CHOICES["hair"])
def test_no_hair_touches_the_upper_edge_or_hides_the_eyes(hair: str) -> None:
    art = drawn(Look(hair=hair))
    assert not art.head[0, :, 3].any()
    for front in art.front:
        assert not front.image[0, :, 3].any()
        for eye in (art.contours.left, art.contours.right):
            assert front.image[..., 3][covered(around(eye))].mean() < 40


def test_it_breathes_speaks_and_blinks() -> None:
    rig = CpuPuppet(illustrated(Look(), 128, 128))
    still, moving = rig.blank(), rig.blank()
    rig.draw(at_rest(), still)
    for control in (Control.JAW_OPEN, Control.BLINK_LEFT, Control.HEAD_YAW, Control.BREATH):
        controls = at_rest()
        controls[control] = 1
        rig.draw(controls, moving)
        assert np.abs(moving.y.astype(int) - still.y).max() > 10


@pytest.mark.parametrize("clothes", ["tee", "sweater", "hoodie"])
def test_no_gap_opens_between_neck_and_collar_when_the_head_goes_up(clothes: str) -> None:
    art = draw(Look(clothes=clothes, hair="buzz"), 256, 256)
    assert art.body is not None
    head, body = art.head[..., 3], art.body[..., 3]
    raised = np.roll(head, -2, axis=0)
    below = np.arange(256)[:, None] > art.contours.chin[1]
    assert ((np.maximum(head, body) > 250) & (np.maximum(raised, body) < 200) & below).sum() <= 2
