"""A baked head on its pixels: what has to stay shut stays shut, what opens shows what is behind, nothing tears."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from avatar.controls import CONTROLS, RIGID, Control, Controls, at_rest, within_limits
from avatar.flesh.bake import bake
from avatar.flesh.contours import Contours, Eye, EyeArt, Front
from avatar.puppet import Layer, Puppet
from avatar.render.cpu import CpuPuppet
from avatar.sheet import controls, rgb
from tests.unit.avatar.flesh.heads import head

_MARK = (255, 0, 255)
_INSIDE = ("cavity", "tongue", "lower teeth", "upper teeth")
_EYEBALLS = ("eye whites", "irises")
_SIZES = ((256, 256), (320, 180))


def _marked(puppet: Puppet, names: tuple[str, ...], gone: tuple[str, ...]) -> CpuPuppet:
    """The same puppet, with loud paint on some layers and others left out."""

    def painted(layer: Layer) -> Layer:
        image = layer.image.copy()
        image[..., :3] = _MARK
        return replace(layer, image=image)

    layers = [painted(each) if each.name in names else each for each in puppet.layers if each.name not in gone]
    return CpuPuppet(replace(puppet, layers=tuple(layers)))


def _loud(rig: CpuPuppet, told: Controls) -> npt.NDArray[np.bool_]:
    """Where the paint shows: in no part of a head is there so much violet."""
    picture = rig.blank()
    rig.draw(told, picture)
    seen = rgb(picture).astype(int)
    return np.asarray(np.minimum(seen[..., 0], seen[..., 2]) - seen[..., 1] > 60)


@pytest.fixture(scope="module")
def puppet() -> Puppet:
    return bake(head(), "plain")


@pytest.fixture(scope="module")
def mouth(puppet: Puppet) -> CpuPuppet:
    return _marked(puppet, _INSIDE, ("lip shadow",))


@pytest.fixture(scope="module")
def eyes(puppet: Puppet) -> CpuPuppet:
    return _marked(puppet, _EYEBALLS, ("lid shadow",))


def _random(seed: int, keep_shut: tuple[Control, ...] = (), still: bool = False) -> Controls:
    chance = np.random.default_rng(seed)
    told = within_limits(chance.uniform(-1, 1, CONTROLS).astype(np.float32))
    told[chance.random(CONTROLS) < 0.5] = 0
    told[list(keep_shut)] = 0
    if still:
        told[list(RIGID)] = 0
    return told


@pytest.mark.parametrize(("width", "height"), _SIZES)
def test_at_rest_it_is_the_picture_it_was_made_of(width: int, height: int) -> None:
    art = head(width, height)
    rig = CpuPuppet(bake(art, "plain"))
    picture = rig.blank()
    rig.draw(at_rest(), picture)
    wanted = art.plate.astype(np.float32)
    for part in (art.body, art.head):
        assert part is not None
        share = part[..., 3:].astype(np.float32) / 255
        wanted += (part[..., :3] - wanted) * share
    grey = np.array([0.299, 0.587, 0.114])
    apart = np.abs((rgb(picture).astype(np.float32) - wanted) @ grey)
    eyes = np.zeros(apart.shape, bool)
    for eye in (art.contours.left, art.contours.right):
        (left, top), (right, bottom) = eye.upper.min(axis=0) - 2, eye.lower.max(axis=0) + 2
        x = sorted((left, right, *eye.upper[[0, -1], 0]))
        eyes[int(top) : int(bottom) + 1, int(x[0]) - 2 : int(x[-1]) + 3] = True
    assert apart[~eyes].max() < 30
    assert np.percentile(apart[~eyes], 99.9) < 6
    assert apart[eyes].mean() < 12


@pytest.mark.parametrize("roll", [-15.0, 0.0, 15.0])
def test_a_shut_mouth_shows_nothing_of_its_inside_however_the_head_is_held(roll: float) -> None:
    rig = _marked(bake(head(roll_degrees=roll), "plain"), _INSIDE, ("lip shadow",))
    assert not _loud(rig, at_rest()).any()
    assert not _loud(rig, controls(lips_press=1)).any()


def test_pressed_lips_are_shut_over_a_jaw_that_is_not_quite(mouth: CpuPuppet) -> None:
    for jaw in (0.02, 0.05, 0.08):
        assert not _loud(mouth, controls(lips_press=1, jaw_open=jaw)).any(), jaw


_PARTING = (
    Control.JAW_OPEN,
    Control.LIPS_FUNNEL,
    Control.UPPER_LIP_UP,
    Control.LOWER_LIP_DOWN,
    Control.LIP_TUCK,
)


def test_no_mood_gaze_or_turn_opens_shut_lips(mouth: CpuPuppet) -> None:
    for seed in range(40):
        assert not _loud(mouth, _random(seed, keep_shut=_PARTING)).any(), seed


def test_the_inside_of_the_mouth_stays_within_the_mouth(mouth: CpuPuppet, puppet: Puppet) -> None:
    """Whatever the controls, it shows in one place, between the lips, and nowhere through the skin."""
    box = puppet.mouth
    for seed in range(40):
        rows, columns = np.nonzero(_loud(mouth, _random(seed, still=True)))
        if len(rows):
            assert box.y <= rows.min(), seed
            assert rows.max() < box.bottom, seed
            assert box.x <= columns.min(), seed
            assert columns.max() < box.right, seed


def test_the_lips_part_as_far_as_the_jaw_drops(mouth: CpuPuppet) -> None:
    told = head().contours
    wide = float(np.ptp(told.lips_inner_upper[:, 0]))
    column = round(float(told.lips_inner_upper[5, 0]))
    gaps = []
    for jaw in np.linspace(0, 1, 11):
        gaps.append(int(_loud(mouth, controls(jaw_open=float(jaw)))[:, column].sum()))
    assert gaps == sorted(gaps)
    assert gaps[1] >= 2
    assert gaps[-1] == pytest.approx(0.55 * wide, abs=0.08 * wide)


def test_a_rounder_mouth_is_narrower_and_a_smile_wider(mouth: CpuPuppet) -> None:
    def width(**values: float) -> int:
        columns = np.flatnonzero(_loud(mouth, controls(jaw_open=0.4, **values)).any(axis=0))
        return int(columns[-1] - columns[0])

    plain = width()
    assert width(lips_pucker=1) < 0.85 * plain
    assert width(lips_funnel=1) < 0.95 * plain
    assert width(lips_wide=1) > 1.06 * plain
    assert width(smile=1) > 1.06 * plain


def test_open_eyes_show_what_is_behind_the_lids(eyes: CpuPuppet) -> None:
    assert _loud(eyes, at_rest()).sum() > 100


def test_closed_eyes_show_nothing_of_the_eyeball(eyes: CpuPuppet) -> None:
    for seed in range(30):
        told = _random(seed, keep_shut=(Control.EYE_WIDE_LEFT, Control.EYE_WIDE_RIGHT, Control.GAZE_Y))
        told[[Control.BLINK_LEFT, Control.BLINK_RIGHT]] = 1
        assert not _loud(eyes, told).any(), seed


def test_a_lid_closes_only_its_own_eye(eyes: CpuPuppet) -> None:
    middle = eyes.width // 2
    seen = _loud(eyes, controls(blink_left=1))
    assert seen[:, :middle].any()
    assert not seen[:, middle:].any()


def test_lids_go_down_little_by_little(eyes: CpuPuppet) -> None:
    seen = [int(_loud(eyes, controls(blink=float(share))).sum()) for share in np.linspace(0, 1, 11)]
    assert seen == sorted(seen, reverse=True)


def test_the_background_never_moves(puppet: Puppet) -> None:
    rig = CpuPuppet(puppet)
    blank, picture = rig.blank(), rig.blank()
    reach = round(0.30 * head().contours.width)
    person = np.zeros((puppet.height, puppet.width), bool)
    for part in (head().head, head().body):
        assert part is not None
        person |= part[..., 3] > 0
    rows, columns = np.nonzero(person)
    outside = np.ones_like(person)
    outside[max(rows.min() - reach, 0) :, max(columns.min() - reach, 0) : columns.max() + reach] = False
    for seed in range(10):
        rig.draw(_random(seed), picture)
        assert (picture.y == blank.y)[outside].all(), seed


def test_where_two_layers_meet_they_move_as_one(puppet: Puppet) -> None:
    """The jaw under the face, along the soft edge of the hole: the same field to a fraction of a pixel."""
    layers = {layer.name: layer for layer in puppet.layers}
    face, jaw = layers["face"], layers["jaw"]
    told = head().contours
    chin, corner = np.array(told.chin), told.lips_inner_upper[0]
    wide = float(np.ptp(told.lips_inner_upper[:, 0]))
    below, beside, cheek = np.array([[0, 0.2], [-0.22, 0.25], [-0.3, 0.6]]) * wide
    places = [chin + below, corner + beside, corner + cheek]
    for control in Control:
        for place in places:
            apart = _field(face, control, place) - _field(jaw, control, place)
            assert np.abs(apart).max() < 0.03 * wide, (control.name, place)


def _field(layer: Layer, control: Control, place: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    column, row = np.rint((place - [layer.box.x, layer.box.y]) / layer.grid_px).astype(int)
    total = np.zeros(2)
    for each, field in zip(layer.controls, layer.fields, strict=True):
        if each == control:
            total += field[row, column]
    return total


def test_a_front_lies_before_the_face_and_turns_with_it() -> None:
    art = head()
    image = np.zeros_like(art.head)
    rows = slice(100, 106)
    image[rows, 100:156] = (*_MARK, 255)
    rig = CpuPuppet(bake(replace(art, front=(Front(image, 0.5 * art.contours.width),)), "plain"))
    still, turned = _loud(rig, at_rest()), _loud(rig, controls(head_yaw=1))
    assert still[102, 128]
    assert np.nonzero(turned)[1].mean() - np.nonzero(still)[1].mean() > 4


def test_hair_behind_is_behind_and_turns_less() -> None:
    art = head()
    behind = np.zeros_like(art.head)
    behind[40:200, 40:216] = (60, 200, 60, 255)
    puppet = bake(replace(art, behind=behind), "plain")
    assert puppet.layers[0].name == "behind"
    yaw = RIGID.index(Control.HEAD_YAW)
    layers = {layer.name: layer for layer in puppet.layers}
    assert layers["behind"].rigid[yaw, :, :, 0].max() < 0.25 * layers["face"].rigid[yaw, :, :, 0].max()


def test_drawn_eyeballs_are_taken_as_they_are_and_go_on_under_the_lids() -> None:
    art = head()
    white = np.zeros_like(art.head)
    iris = white.copy()
    eye = art.contours.left
    cv2.fillPoly(white, [np.rint(np.concatenate([eye.upper, eye.lower[::-1]])).astype(np.int32)], (*_MARK, 255))
    middle = (round(eye.iris[0]), round(eye.iris[1]))
    cv2.circle(iris, middle, round(eye.iris_radius), (0, 200, 0, 255), -1)
    puppet = bake(replace(art, left_eye=EyeArt(white, iris)), "plain")
    rig = CpuPuppet(puppet)
    half = rig.width // 2
    assert _loud(rig, at_rest())[:, half:].sum() > 30
    assert not _loud(rig, at_rest())[:, :half].any()
    assert _loud(rig, controls(eye_wide=1)).sum() > 1.1 * _loud(rig, at_rest()).sum()
    assert not _loud(rig, controls(blink=1)).any()


def test_eyes_follow_the_gaze() -> None:
    art = head()
    rig = _marked(bake(art, "plain"), ("irises",), ("lid shadow",))
    radius = art.contours.left.iris_radius

    def where(**values: float) -> npt.NDArray[np.float64]:
        return np.asarray(np.argwhere(_loud(rig, controls(**values))).mean(axis=0))

    assert where(gaze_x=1)[1] - where(gaze_x=-1)[1] == pytest.approx(1.6 * radius, rel=0.35)
    assert where(gaze_y=1)[0] < where()[0] < where(gaze_y=-1)[0]


def test_the_persons_own_teeth_are_shown() -> None:
    own = np.zeros((20, 100, 3), np.uint8)
    own[:] = _MARK
    rig = _marked(bake(replace(head(), teeth=own), "plain"), (), ("lip shadow",))
    assert not _loud(rig, at_rest()).any()
    assert _loud(rig, controls(upper_lip_up=1, jaw_open=0.3)).sum() > 20


def test_a_whole_person_in_one_piece_will_do() -> None:
    art = head()
    puppet = bake(replace(art, body=None), "plain")
    assert "body" not in {layer.name for layer in puppet.layers}


def test_two_bakes_are_the_same_to_the_byte(puppet: Puppet) -> None:
    again = bake(head(), "plain")
    for one, other in zip(puppet.layers, again.layers, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.fields, other.fields)


def _shifted(told: Contours, x: float, y: float) -> Contours:
    """All of a face somewhere else."""
    by = np.array([x, y], np.float32)

    def moved(eye: Eye) -> Eye:
        iris = (eye.iris[0] + x, eye.iris[1] + y)
        return replace(eye, upper=eye.upper + by, lower=eye.lower + by, brow=eye.brow + by, iris=iris)

    return Contours(
        left=moved(told.left),
        right=moved(told.right),
        lips_outer_upper=told.lips_outer_upper + by,
        lips_inner_upper=told.lips_inner_upper + by,
        lips_inner_lower=told.lips_inner_lower + by,
        lips_outer_lower=told.lips_outer_lower + by,
        oval=told.oval + by,
        nose_tip=(told.nose_tip[0] + x, told.nose_tip[1] + y),
        chin=(told.chin[0] + x, told.chin[1] + y),
        surface=told.surface + np.array([x, y, 0], np.float32),
    )


@pytest.mark.parametrize("by", [(110.0, 0.0), (-110.0, 0.0), (0.0, 150.0), (0.0, -150.0), (900.0, 900.0)])
def test_a_face_half_out_of_the_picture_bakes_all_the_same(by: tuple[float, float]) -> None:
    art = head()
    rig = CpuPuppet(bake(replace(art, contours=_shifted(art.contours, *by)), "plain"))
    rig.draw(_random(1), rig.blank())


def test_eyes_that_are_hardly_open_and_brows_on_the_lids_bake_all_the_same() -> None:
    art = head()
    eye = art.contours.left
    slit = replace(eye, upper=eye.lower.copy(), brow=eye.brow + np.array([0, 40], np.float32))
    rig = CpuPuppet(bake(replace(art, contours=replace(art.contours, left=slit)), "plain"))
    rig.draw(controls(blink=1, brow_inner_up=1), rig.blank())
