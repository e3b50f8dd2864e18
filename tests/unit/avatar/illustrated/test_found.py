"""A program that looks for faces finds ours, where we say that it is, and sees its mouth and eyes."""

from __future__ import annotations

import numpy as np
import pytest

from avatar.illustrated.draw import draw
from avatar.illustrated.flat import flat
from avatar.illustrated.look import Look
from avatar.portrait import measure
from tests.faces import landmarker

LOOKS = (
    Look(),
    Look(skin="ebony", hair="afro", hair_colour="black", features="soft", eyes="dark"),
    Look(skin="deep", hair="bald", beard="full", features="strong", background="bookshelf"),
    Look(skin="fair", hair="fringe", hair_colour="auburn", features="soft", glasses="square"),
)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.skin} {look.hair}")
def test_the_face_is_found_with_its_mouth_shut_and_its_eyes_open(look: Look) -> None:
    art = draw(look, 384, 384)
    (found,) = landmarker().find(flat(art))
    assert measure.mouth_gap(found) < 0.02
    assert min(measure.eye_openness(found)) > 0.12
    drawn, seen = art.contours, found.contours
    for here, there in ((drawn.left.iris, seen.left.iris), (drawn.right.iris, seen.right.iris)):
        assert np.hypot(here[0] - there[0], here[1] - there[1]) < 0.06 * drawn.width
    assert np.abs(drawn.lips_inner_upper - seen.lips_inner_upper).max() < 0.1 * drawn.width
