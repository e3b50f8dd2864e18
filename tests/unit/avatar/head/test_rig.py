from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from avatar.controls import CONTROLS, Control, at_rest
from avatar.errors import UnfitModel
from avatar.head.rig import HeadRig, load
from avatar.picture import Picture
from avatar.rig import Rig
from tests.unit.avatar.head.conftest import SIDE, changed, drawn
from tests.unit.avatar.head.damage import damaged
from tests.unit.avatar.head.files import head, packed, small, unpacked

UPPER, LOWER = slice(0, int(0.42 * SIDE)), slice(int(0.42 * SIDE), SIDE)
MOUTH = (slice(int(0.50 * SIDE), int(0.60 * SIDE)), slice(int(0.44 * SIDE), int(0.56 * SIDE)))


def test_it_is_a_rig_of_the_wanted_size(rig: HeadRig) -> None:
    as_rig: Rig = rig
    assert (as_rig.name, as_rig.width, as_rig.height) == ("head", SIDE, SIDE)


def test_a_frame_depends_on_its_controls_alone(rig: HeadRig) -> None:
    picture = rig.blank()
    rig.draw(np.random.default_rng(1).uniform(-1, 1, CONTROLS).astype(np.float32), picture)
    rig.draw(at_rest(), picture)
    assert np.array_equal(picture.i420, drawn(rig).i420)


def test_values_outside_their_range_count_as_the_nearest_within(rig: HeadRig) -> None:
    assert np.array_equal(drawn(rig, JAW_OPEN=7.0, GAZE_X=-3.0).i420, drawn(rig, JAW_OPEN=1.0, GAZE_X=-1.0).i420)
    assert np.array_equal(drawn(rig, JAW_OPEN=float("nan")).i420, drawn(rig).i420)


@pytest.mark.parametrize("control", [c for c in Control if c not in (Control.TONGUE_UP, Control.TONGUE_OUT)])
def test_every_control_is_seen(rig: HeadRig, control: Control) -> None:
    assert np.abs(drawn(rig, **{control.name: 1.0}).y.astype(int) - drawn(rig).y.astype(int)).max() > 5


@pytest.mark.parametrize("control", ["JAW_OPEN", "LIPS_PUCKER", "SMILE_LEFT", "LOWER_LIP_DOWN"])
def test_the_mouth_leaves_the_brows_alone(rig: HeadRig, control: str) -> None:
    seen = changed(drawn(rig, **{control: 1.0}), drawn(rig))
    assert seen[LOWER].any()
    assert not seen[: int(0.36 * SIDE)].any()


def test_left_is_the_twins_own(rig: HeadRig) -> None:
    seen = changed(drawn(rig, BLINK_LEFT=1.0), drawn(rig))
    assert seen[:, SIDE // 2 :].any()
    assert not seen[:, : SIDE // 2].any()


def test_an_open_mouth_is_dark_inside_and_a_shut_one_is_not(rig: HeadRig) -> None:
    assert drawn(rig, JAW_OPEN=0.8).y[MOUTH].min() < 45
    assert drawn(rig).y[MOUTH].min() > 60


def test_the_head_turns_to_where_it_is_told(rig: HeadRig) -> None:
    def middle(picture: Picture) -> float:
        """The column of the lips, which are the reddest of all."""
        red = np.maximum(picture.v.astype(float) - np.percentile(picture.v, 99), 0)
        return float((red * np.arange(SIDE // 2)).sum() / red.sum())

    still = middle(drawn(rig))
    assert middle(drawn(rig, HEAD_YAW=1.0)) > still + 1
    assert middle(drawn(rig, HEAD_YAW=-1.0)) < still - 1
    assert middle(drawn(rig, HEAD_X=1.0)) > still + 2


def test_nothing_but_the_person_moves(rig: HeadRig) -> None:
    random = np.random.default_rng(3)
    blank = rig.blank()
    corner = (slice(0, SIDE // 10), slice(0, SIDE // 5))
    for _ in range(20):
        picture = rig.blank()
        rig.draw(random.uniform(-1, 1, CONTROLS).astype(np.float32), picture)
        assert np.array_equal(picture.y[corner], blank.y[corner])


def test_random_faces_have_no_holes(rig: HeadRig) -> None:
    """Where there is a person at rest and the head does not move, there is one whatever the face does."""
    random = np.random.default_rng(4)
    blank, still = rig.blank(), drawn(rig)
    person = np.abs(still.v.astype(int) - blank.v.astype(int)) > 12
    for _ in range(30):
        values = random.uniform(0, 1, CONTROLS).astype(np.float32)
        values[Control.HEAD_YAW :] = 0
        picture = rig.blank()
        rig.draw(values, picture)
        same = (picture.v == blank.v) & (picture.u == blank.u) & person
        # The chin goes down with the jaw and the cheeks come in a little: that is at the border only.
        assert same.sum() <= 0.002 * person.sum()


def test_threads_share_it(rig: HeadRig) -> None:
    wanted = {share: drawn(rig, JAW_OPEN=share).i420 for share in (0.2, 0.5, 0.9)}
    wrong: list[float] = []

    def work(share: float) -> None:
        for _ in range(5):
            if not np.array_equal(drawn(rig, JAW_OPEN=share).i420, wanted[share]):
                wrong.append(share)

    threads = [threading.Thread(target=work, args=(share,)) for share in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("naming", ["oculus", "vrm0", "vrm1"])
def test_every_naming_speaks_blinks_and_looks(naming: str, kernels_folder: Path | None) -> None:
    rig = load(head(naming), width=128, height=128, cache=kernels_folder)
    for control in ("JAW_OPEN", "LIPS_PUCKER", "SMILE_LEFT", "BLINK_RIGHT", "GAZE_X", "BROW_INNER_UP"):
        assert changed(drawn(rig, **{control: 1.0}), drawn(rig)).any(), control


def test_bones_do_what_no_blend_shape_does(kernels_folder: Path | None) -> None:
    rig = load(head(bones=True), width=128, height=128, cache=kernels_folder)
    for control in ("JAW_OPEN", "GAZE_X", "HEAD_YAW"):
        assert changed(drawn(rig, **{control: 1.0}), drawn(rig)).any(), control


@pytest.mark.parametrize(("width", "height"), [(640, 360), (180, 320), (64, 64)])
def test_head_and_shoulders_are_framed_in_any_shape(width: int, height: int, kernels_folder: Path | None) -> None:
    rig = load(head(), width=width, height=height, background=(0, 0, 0), cache=kernels_folder)
    seen = drawn(rig).y > 20
    rows = np.flatnonzero(seen.any(axis=1))
    assert 0.02 * height < rows[0] < 0.30 * height
    assert rows[-1] == height - 1
    columns = np.flatnonzero(seen[: height // 2].any(axis=0))
    assert abs((columns[0] + columns[-1]) / 2 - width / 2) < 0.06 * width


def test_a_background_can_be_a_picture_or_a_colour(kernels_folder: Path | None) -> None:
    picture = np.random.default_rng(2).integers(0, 255, (64, 64, 3), np.uint8)
    rig = load(small(), width=64, height=64, background=picture, cache=kernels_folder)
    red, green, blue = (int(n) for n in picture[0, 0])
    assert abs(int(drawn(rig).y[0, 0]) - (16 + (66 * red + 129 * green + 25 * blue) / 256)) < 2
    with pytest.raises(ValueError, match="background"):
        load(small(), width=64, height=64, background=picture[:32], cache=kernels_folder)


def test_a_damaged_file_is_refused_or_gives_a_face_but_never_breaks(kernels_folder: Path | None) -> None:
    faces, refusals = 0, list[str]()
    for seed in range(400):
        try:
            rig = load(damaged(small(), np.random.default_rng(seed)), width=64, height=64, cache=kernels_folder)
        except UnfitModel as refusal:
            refusals.append(str(refusal))
            continue
        drawn(rig, JAW_OPEN=0.5, HEAD_YAW=1.0)
        faces += 1
    assert faces > 10
    assert all(refusal and "\n" not in refusal for refusal in refusals)


def test_too_many_triangles_are_refused_with_their_number(
    kernels_folder: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avatar.head.mesh.MOST_SEEN", 500)
    with pytest.raises(UnfitModel, match="600 triangles"):
        load(small(), width=64, height=64, cache=kernels_folder)


def test_a_model_that_cannot_open_its_mouth_is_refused(kernels_folder: Path | None) -> None:
    document, binary = unpacked(small())
    document["meshes"][0]["extras"]["targetNames"] = ["one", "two"]
    with pytest.raises(UnfitModel, match="mouth"):
        load(packed(document, binary), width=64, height=64, cache=kernels_folder)


def test_the_eyes_look_to_where_they_are_told(rig: HeadRig) -> None:
    def pupil(picture: Picture) -> tuple[float, float]:
        eye = picture.y[int(0.35 * SIDE) : int(0.41 * SIDE), int(0.535 * SIDE) : int(0.615 * SIDE)].astype(float)
        # The lashes are as dark, but do not move.
        dark = np.maximum(90 - eye, 0)
        rows, columns = np.mgrid[0 : eye.shape[0], 0 : eye.shape[1]]
        return float((dark * columns).sum() / dark.sum()), float((dark * rows).sum() / dark.sum())

    assert pupil(drawn(rig, GAZE_X=0.5))[0] > pupil(drawn(rig, GAZE_X=-0.5))[0] + 1
    assert pupil(drawn(rig, GAZE_Y=-0.5))[1] > pupil(drawn(rig, GAZE_Y=0.5))[1]
