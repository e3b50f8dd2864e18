from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar.head.kernels import Kernels, compiled
from avatar.head.rig import HeadRig
from avatar.picture import Picture
from tests.unit.avatar.head.conftest import drawn


@pytest.fixture(scope="session")
def kernels(kernels_folder: Path | None) -> Kernels:
    return compiled(kernels_folder)


def test_they_are_compiled_once(kernels: Kernels, kernels_folder: Path | None) -> None:
    assert compiled(kernels_folder) is kernels


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert compiled(tmp_path / "file" / "cache").posed is not None


def test_triangles_side_by_side_leave_no_sample_out_and_overlap_nothing_visible(
    rig: HeadRig, kernels: Kernels
) -> None:
    """A fan of slivers around a point covers a square whole."""
    mesh, scratch = rig._mesh, rig._frame().scratch
    angle = np.sort(np.random.default_rng(5).uniform(0, 2 * np.pi, 300))
    ring = np.stack([60 + 57 * np.cos(angle), 60 - 57 * np.sin(angle), np.full(300, 0.2)], axis=1)
    scratch.screen[:301] = np.concatenate([[[60.3, 59.9, 0.2]], ring])
    number = np.arange(300)
    fan = mesh.triangles.copy()
    fan[:300] = np.stack([0 * number, number + 1, (number + 1) % 300 + 1], axis=1)
    scratch.depth.fill(0)
    kernels.covered(mesh._replace(triangles=fan), 0, 300, False, scratch)
    rows, columns = np.mgrid[0:120, 0:120] + 0.5
    distance = np.hypot(columns - 60, rows - 60)
    assert (scratch.depth[:120, :120][distance < 56] > 0).all()
    assert not (scratch.depth[:120, :120][distance > 58] > 0).any()


def test_what_is_nearer_is_seen_and_backs_are_not(rig: HeadRig, kernels: Kernels) -> None:
    mesh, scratch = rig._mesh, rig._frame().scratch
    corners = [[0.0, 0.0], [0.0, 40.0], [40.0, 0.0]]
    scratch.screen[:6, :2] = corners * 2
    scratch.screen[:6, 2] = [0.2, 0.2, 0.2, 0.3, 0.3, 0.3]
    triangles = mesh.triangles.copy()
    triangles[:3] = [[3, 4, 5], [0, 1, 2], [3, 5, 4]]
    mesh = mesh._replace(triangles=triangles, double=np.zeros_like(mesh.double))
    scratch.depth.fill(0)
    kernels.covered(mesh, 0, 2, False, scratch)
    assert scratch.ids[5, 5] == 0
    scratch.depth.fill(0)
    kernels.covered(mesh, 1, 3, False, scratch)
    assert scratch.ids[5, 5] == 1


def test_colours_are_those_of_limited_range_video(kernels: Kernels) -> None:
    rgb = np.repeat(np.repeat(np.random.default_rng(6).integers(0, 256, (16, 16, 3), np.uint8), 2, 0), 2, 1)
    picture = Picture(32, 32)
    kernels.to_i420(rgb, picture.y, picture.u, picture.v)
    wanted = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    assert np.abs(picture.i420.astype(int) - wanted.astype(int)).max() <= 1


def test_edges_are_smooth(rig: HeadRig) -> None:
    """Along the shoulder there are tones between cloth and wall."""
    black = drawn(rig).y[int(0.86 * rig.height)].astype(int)
    steps = np.abs(np.diff(black))
    assert steps.max() < 60
