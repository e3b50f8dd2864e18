"""Torch draws the same pictures as the CPU, for one face and for several at once."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar.controls import CONTROLS
from avatar.render.cpu import CpuPuppet
from tests.unit.avatar.puppets import checker_head
from tests.unit.avatar.render.drawn_by_torch import SKINS, lacking
from tests.voices import in_voices

SIZE = (256, 192)
FRAMES = 9


@pytest.fixture(scope="module")
def asked() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {
        "controls": rng.uniform(-1.1, 1.1, (FRAMES, CONTROLS)).astype(np.float32),
        "faces": rng.integers(0, len(SKINS), FRAMES),
        "size": np.array(SIZE),
    }


@pytest.fixture(scope="module")
def drawn(asked: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder: Path = tmp_path_factory.mktemp("torch")
    np.savez(folder / "asked.npz", allow_pickle=False, **asked)
    in_voices("tests.unit.avatar.render.drawn_by_torch", str(folder / "asked.npz"), str(folder / "drawn.npz"))
    return dict(np.load(folder / "drawn.npz"))


def _likeness(asked: dict[str, np.ndarray], frames: np.ndarray, rigs: list[CpuPuppet], faces: np.ndarray) -> float:
    """The PSNR of the frame that differs most from the CPU's."""
    worst = np.inf
    for told, face, frame in zip(asked["controls"], faces, frames, strict=False):
        picture = rigs[face].blank()
        rigs[face].draw(told, picture)
        worst = min(worst, cv2.PSNR(picture.i420, frame))
    return worst


def test_a_batch_of_one_face_is_drawn_as_the_cpu_draws_it(asked, drawn) -> None:  # type: ignore[no-untyped-def]
    rigs = [CpuPuppet(checker_head(*SIZE))]
    assert _likeness(asked, drawn["first"], rigs, np.zeros(FRAMES, int)) >= 40
    assert _likeness(asked, drawn["one"][None], rigs, np.zeros(1, int)) >= 40


def test_a_batch_of_several_faces_is_drawn_as_the_cpu_draws_each(asked, drawn) -> None:  # type: ignore[no-untyped-def]
    rigs = [CpuPuppet(checker_head(*SIZE, skin)) for skin in SKINS]
    assert _likeness(asked, drawn["many"], rigs, asked["faces"]) >= 40


def test_faces_need_not_have_the_same_layers(asked, drawn) -> None:  # type: ignore[no-untyped-def]
    faces = [lacking(checker_head(*SIZE)), checker_head(*SIZE, SKINS[1])]
    assert _likeness(asked, drawn["uneven"], [CpuPuppet(face) for face in faces], asked["faces"] % 2) >= 40
