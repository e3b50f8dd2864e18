from __future__ import annotations

from avatar.controls import Control
from avatar.head.report import describe
from tests.unit.avatar.head.files import head, small


def test_a_full_head_has_all_that_a_face_needs() -> None:
    report = describe(head())
    assert report.missing == ()
    assert report.has_body
    assert report.found[Control.JAW_OPEN] == "jawOpen"
    assert report.lines[0].startswith("glTF with ")


def test_what_is_composed_is_said() -> None:
    report = describe(head("vrm1"))
    assert report.kind == "VRM 1"
    assert Control.SMILE_LEFT in report.composed
    assert "lower left" in report.found[Control.SMILE_LEFT]
    assert Control.LIP_TUCK in report.missing


def test_bones_take_the_place_of_shapes() -> None:
    report = describe(head(bones=True))
    assert report.found[Control.JAW_OPEN] == "jaw bone"
    assert report.found[Control.GAZE_X] == "eyes that turn"
    assert report.bones == ("neck", "head", "jaw", "eye left", "eye right")


def test_what_is_missing_is_named() -> None:
    report = describe(small())
    assert Control.BLINK_RIGHT in report.missing
    assert not report.has_body
    assert any("blink_right" in line for line in report.lines)
