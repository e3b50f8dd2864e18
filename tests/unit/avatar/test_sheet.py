"""Sheets of faces."""

from __future__ import annotations

import numpy as np
import pytest

from avatar.controls import Control, within_limits
from avatar.picture import Box
from avatar.render.cpu import CpuPuppet
from avatar.sheet import controls, poses, rgb, sheet
from tests.unit.avatar.puppets import checker_head


def test_controls_are_named_with_or_without_a_side() -> None:
    told = controls(jaw_open=0.4, smile=0.5, blink_left=1)
    assert told[Control.JAW_OPEN] == np.float32(0.4)
    assert told[Control.SMILE_LEFT] == told[Control.SMILE_RIGHT] == 0.5
    assert (told[Control.BLINK_LEFT], told[Control.BLINK_RIGHT]) == (1, 0)
    with pytest.raises(ValueError, match="'grin'"):
        controls(grin=1)


def test_a_sheet_has_a_picture_for_each_cell_and_a_caption_below() -> None:
    rig = CpuPuppet(checker_head(128, 128))
    page = sheet(rig, [[("rest", controls()), ("open", controls(jaw_open=1))], [("turned", controls(head_yaw=1))]])
    assert page.shape == (2 * (128 + 18), 2 * 128, 3)
    picture = rig.blank()
    rig.draw(controls(jaw_open=1), picture)
    assert np.array_equal(page[:128, 128:], rgb(picture))
    assert page[128:146, :128].min() < 100


def test_a_sheet_may_show_a_part_enlarged() -> None:
    rig = CpuPuppet(checker_head(128, 128))
    page = sheet(rig, [[("mouth", controls())]], crop=Box(32, 64, 64, 32), scale=2)
    assert page.shape[1] == 128
    assert page.shape[0] == 64 + 18


def test_an_empty_sheet_is_a_sheet() -> None:
    assert sheet(CpuPuppet(checker_head(64, 64)), []).ndim == 3


def test_the_standard_sheet_shows_many_faces_all_within_limits() -> None:
    rows = poses()
    told = [each for row in rows for _, each in row]
    assert len({each.tobytes() for each in told}) == len(told) == 24
    assert len({len(row) for row in rows}) == 1
    assert all(np.array_equal(each, within_limits(each.copy())) for each in told)
    names = {name for row in rows for name, _ in row}
    assert {"rest", "p b m", "f v", "blink", "turn left", "smile"} <= names
