from __future__ import annotations

import struct

import numpy as np
import pytest

from avatar.errors import UnfitModel
from avatar.head.accessors import Accessors
from avatar.head.container import Container
from avatar.head.textures import KEPT_SIDE_PX, texture
from avatar.head.tree import Entry
from tests.unit.avatar.head.skins import encoded


def read(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    views = {"bufferViews": [{"buffer": 0, "byteLength": len(data)}]}
    accessors = Accessors(Container(Entry(views, "model"), (memoryview(data),)))
    return texture(Entry({"bufferView": 0}, "image"), accessors)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_pictures_come_as_red_green_blue_and_alpha(kind: str) -> None:
    picture = np.full((16, 24, 3), (200, 100, 50), np.uint8)
    found = read(encoded(picture, kind))
    assert found.shape == (16, 24, 4)
    assert np.abs(found[8, 8].astype(int) - (200, 100, 50, 255)).max() < 8


def test_alpha_is_kept() -> None:
    picture = np.full((4, 4, 4), (10, 20, 30, 40), np.uint8)
    assert read(encoded(picture, "png"))[0, 0].tolist() == [10, 20, 30, 40]


def test_a_large_one_is_made_smaller() -> None:
    assert read(encoded(np.zeros((8, 2 * KEPT_SIDE_PX, 3), np.uint8), "png")).shape == (4, KEPT_SIDE_PX, 4)


def test_a_bomb_is_refused_by_its_header() -> None:
    data = bytearray(encoded(np.zeros((8, 8, 3), np.uint8), "png"))
    struct.pack_into(">II", data, 16, 30_000, 30_000)
    with pytest.raises(UnfitModel, match="30000x30000"):
        read(bytes(data))


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(40), b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + bytes(30)])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UnfitModel):
        read(data)


def test_a_broken_picture_is_refused() -> None:
    data = encoded(np.random.default_rng(1).integers(0, 255, (32, 32, 3), np.uint8), "png")
    with pytest.raises(UnfitModel, match="broken"):
        read(data[:24] + bytes(len(data) - 24))
