from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from avatar.errors import UnfitPicture
from avatar.portrait.clip import ClipRig, at, clip
from avatar.portrait.landmarks import FoundFace
from avatar.portrait.measure import CLOSED, mouth_gap
from avatar.sheet import controls, rgb
from tests.faces import faces_cache, landmarker
from tests.unit.avatar.portrait.films import filmed, moved
from tests.unit.avatar.portrait.people import Rgb, collins

SIDE = 384
PICTURES = 78


@cache
def rig() -> ClipRig:
    film = filmed([moved(n / 25) for n in range(PICTURES)])
    return clip(film, SIDE, SIDE, faces_cache())


def shown(t_ms: float, **values: float) -> npt.NDArray[np.uint8]:
    picture = rig().blank()
    rig().draw_at(controls(**values), picture, t_ms)
    return rgb(picture)


def seen(t_ms: float, **values: float) -> FoundFace:
    faces = landmarker().find(shown(t_ms, **values))
    assert len(faces) == 1
    return faces[0]


def test_a_clip_becomes_a_face_that_moves_by_itself() -> None:
    assert (rig().name, rig().width, rig().height) == ("clip", SIDE, SIDE)
    assert rig().seconds == pytest.approx(PICTURES / 25, abs=0.1)
    tips = np.array([seen(t_ms).contours.nose_tip for t_ms in (0, 900, 1800, 2700)])
    assert np.ptp(tips, axis=0).max() > 4


def test_its_mouth_does_what_it_is_told_wherever_the_face_is() -> None:
    for t_ms in (0.0, 1000.0, 2400.0):
        assert mouth_gap(seen(t_ms)) < CLOSED, "closed, though the film shows a smile with teeth"
        assert mouth_gap(seen(t_ms, jaw_open=0.5)) > 4 * CLOSED


def test_all_but_the_lower_face_is_the_film() -> None:
    still, speaking = shown(1400).astype(np.int16), shown(1400, jaw_open=0.6, blink=1.0, head_yaw=1.0)
    changed = np.abs(speaking - still).max(-1) > 8
    contours = seen(1400).contours
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert rows.min() > contours.nose_tip[1] - 4
    assert contours.oval[:, 0].min() < columns.min()
    assert columns.max() < contours.oval[:, 0].max()


def test_the_puppets_part_sits_on_the_face_without_trembling() -> None:
    off = []
    for n in range(20, 40):
        contours = seen(n * 40, lips_press=1.0).contours
        unit = contours.width
        off.append((contours.lips_inner_upper[5] - np.array(contours.nose_tip)) / unit)
    assert np.std(np.diff(off, axis=0), axis=0).max() < 0.012


def test_what_is_drawn_depends_on_nothing_drawn_before() -> None:
    picture = rig().blank()
    rig().draw_at(controls(jaw_open=1.0), picture, 2000)
    rig().draw_at(controls(), picture, 400)
    assert np.array_equal(rgb(picture), shown(400))
    rig().draw(controls(), picture)
    assert np.array_equal(rgb(picture), shown(0))


def test_the_film_goes_there_and_back_without_a_jump() -> None:
    places = [at(n * 1000 / 30, 90) for n in range(2000)]
    assert (min(places), max(places)) == (0, 89)
    assert max(abs(b - a) for a, b in pairwise(places)) <= 2
    assert at(0, 90) == 0
    assert at(1e9, 90) == at(1e9 + 2 * 89 * 40, 90)
    assert at(123.0, 1) == 0


def gone(pictures: list[Rgb]) -> list[Rgb]:
    return [*pictures[:30], *([np.full_like(pictures[0], 120)] * 50)]


def test_a_clip_without_enough_of_a_face_is_refused() -> None:
    with pytest.raises(UnfitPicture, match=r"for only 1\.\d seconds"):
        clip(filmed(gone([collins()] * 30)), SIDE, SIDE, faces_cache())
    with pytest.raises(UnfitPicture, match="no face"):
        clip(filmed([np.full_like(collins(), 120)] * 80), SIDE, SIDE, faces_cache())
