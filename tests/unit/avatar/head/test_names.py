from __future__ import annotations

import pytest

from avatar.controls import RIGID, Control
from avatar.head.names import ARKIT, RECIPES, canonical, expression


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("jawOpen", "jawOpen"),
        ("JawOpen", "jawOpen"),
        ("jaw_open", "jawOpen"),
        ("Wolf3D_Head.eyeBlinkLeft", "eyeBlinkLeft"),
        ("blendShape1.mouthSmile_L", "mouthSmileLeft"),
        ("mouthUpperUp_R", "mouthUpperUpRight"),
        ("BROW_INNER_UP", "browInnerUp"),
        ("viseme_aa", "viseme:aa"),
        ("Viseme_PP", "viseme:pp"),
        ("vrc.v_ou", "viseme:u"),
        ("v_ih", "viseme:i"),
        ("Fcl_MTH_A", "vrm:a"),
        ("eyesClosed", "eyeBlink"),
        ("Breast_Size", None),
        ("", None),
        ("eyeBlinkLeftCorrective", None),
    ],
)
def test_names_are_known_however_they_are_written(name: str, known: str | None) -> None:
    assert canonical(name) == known


@pytest.mark.parametrize(
    ("name", "known"),
    [("A", "vrm:a"), ("aa", "vrm:a"), ("Joy", "vrm:happy"), ("blinkLeft", "vrm:blink_l"),
     ("Blink_R", "vrm:blink_r"),
     ("jawOpen", "jawOpen"), ("Dance", None)],
)  # fmt: skip
def test_expressions_are_known_in_both_versions(name: str, known: str | None) -> None:
    assert expression(name) == known


def test_every_arkit_name_is_itself() -> None:
    assert [canonical(name) for name in ARKIT] == list(ARKIT)
    assert len(ARKIT) == 52


def test_every_part_of_the_face_has_a_recipe() -> None:
    assert set(RECIPES) == set(Control) - set(RIGID) - {Control.GAZE_X, Control.GAZE_Y}
