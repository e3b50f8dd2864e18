"""The virtual camera's own process, with a camera that needs no kernel module."""

import asyncio
import zlib
from pathlib import Path

import pytest

from agent.camera_device import VirtualCamera
from channels.camera.settings import CameraSettings
from compliance.errors import EngineError, EngineFailed, EngineMissing
from tests.doubles.camera_backend import CRASH, shots
from tests.need import need_module

need_module("pyvirtualcam")
FILM = "tests.doubles.camera_backend:Film"
WIDTH, HEIGHT = 64, 48


def picture(luma: int) -> bytes:
    return bytes([luma]) * (WIDTH * HEIGHT) + bytes([128]) * (WIDTH * HEIGHT // 2)


def camera(device: str, backend: str = FILM) -> VirtualCamera:
    return VirtualCamera(CameraSettings(backend=backend, device=device), WIDTH, HEIGHT, 25)


async def test_each_picture_arrives_byte_for_byte_and_in_order(tmp_path: Path) -> None:
    opened = camera(str(tmp_path / "film"))
    await opened.open()
    try:
        assert opened.name == str(tmp_path / "film")
        for luma in range(20, 220, 10):
            await opened.show(WIDTH, HEIGHT, picture(luma))
        seen = shots(tmp_path / "film")
    finally:
        await opened.close()
    assert [shot.crc for shot in seen] == [zlib.crc32(picture(luma)) for luma in range(20, 220, 10)]
    assert {(shot.width, shot.height) for shot in seen} == {(WIDTH, HEIGHT)}


async def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    opened = camera(str(tmp_path / "film"))
    await opened.open()
    try:
        with pytest.raises(EngineFailed, match="64x48"):
            await opened.show(WIDTH, HEIGHT + 2, bytes(WIDTH * (HEIGHT + 2) * 3 // 2))
    finally:
        await opened.close()


async def test_a_camera_that_crashes_is_there_again(tmp_path: Path) -> None:
    opened = camera(str(tmp_path / CRASH))
    await opened.open()
    try:
        for _ in range(2):
            await opened.show(WIDTH, HEIGHT, picture(50))
        with pytest.raises(EngineError):
            await opened.show(WIDTH, HEIGHT, picture(50))
        async with asyncio.timeout(20):
            while True:
                try:
                    await opened.show(WIDTH, HEIGHT, picture(90))
                    break
                except EngineError:
                    continue
    finally:
        await opened.close()
    assert shots(tmp_path / CRASH)[-1].luma == 90


async def test_without_a_device_one_line_says_how_to_get_one() -> None:
    with pytest.raises(EngineFailed, match=r"v4l2loopback|OBS"):
        await camera("").open()


@pytest.mark.parametrize("backend", ["unitycapture" if __import__("sys").platform != "win32" else "v4l2loopback"])
async def test_a_camera_of_another_system_is_missing(backend: str) -> None:
    with pytest.raises(EngineMissing, match=backend):
        await camera("", backend).open()


async def test_a_backend_that_is_not_there_is_missing() -> None:
    with pytest.raises(EngineMissing, match="nowhere"):
        await camera("", "tests.nowhere:Camera").open()
