from __future__ import annotations

from contextlib import suppress

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from avatar.ahead_fit import MAX_SIDE_PX, Kind, fitted
from avatar.errors import UnfitPicture
from avatar.picture import Picture


def spot(width: int, height: int, x: float, y: float) -> npt.NDArray[np.uint8]:
    """A dark picture with a bright spot at these parts of its width and height."""
    rgb = np.full((height, width, 3), 40, np.uint8)
    cv2.circle(rgb, (round(width * x), round(height * y)), min(width, height) // 10, (255, 255, 255), -1)
    return rgb


def brightest(picture: Picture) -> tuple[float, float]:
    y, x = np.nonzero(picture.y > 200)
    return float(x.mean() / picture.width), float(y.mean() / picture.height)


def test_a_picture_of_the_same_size_is_taken_as_it_is() -> None:
    picture = Picture(64, 48)
    picture.i420[...] = np.random.default_rng(1).integers(16, 235, picture.i420.shape, np.uint8)
    same = fitted("i420", picture.i420.tobytes(), (64, 48), (64, 48))
    assert np.array_equal(same.i420, picture.i420)


@pytest.mark.parametrize("source", [(128, 128), (1280, 720), (320, 240), (200, 400)])
@pytest.mark.parametrize("size", [(128, 128), (320, 180), (90, 160)])
def test_the_middle_stays_the_middle_across(source: tuple[int, int], size: tuple[int, int]) -> None:
    picture = fitted("rgb", spot(*source, 0.5, 0.45).tobytes(), source, size)
    x, y = brightest(picture)
    assert x == pytest.approx(0.5, abs=0.02)
    assert 0.3 < y < 0.6
    assert (picture.width, picture.height) == size


def test_what_is_wide_fills_a_square() -> None:
    picture = fitted("rgb", spot(1280, 720, 0.5, 0.5).tobytes(), (1280, 720), (128, 128))
    assert picture.y.min() > 40


def test_what_would_lose_more_than_half_is_shown_between_bars() -> None:
    picture = fitted("rgb", spot(90, 320, 0.5, 0.5).tobytes(), (90, 320), (320, 180))
    assert picture.y[:, :40].max() == 16
    assert picture.y[90, 160] > 200


def test_proportions_are_kept() -> None:
    rgb = np.zeros((360, 640, 3), np.uint8)
    cv2.circle(rgb, (320, 180), 100, (255, 255, 255), -1)
    picture = fitted("rgb", rgb.tobytes(), (640, 360), (256, 256))
    bright = picture.y > 128
    assert np.ptp(np.nonzero(bright.any(0))[0]) == pytest.approx(np.ptp(np.nonzero(bright.any(1))[0]), abs=2)


@pytest.mark.parametrize("kind", ["i420", "rgb", "rgba", "jpeg"])
def test_every_kind_gives_the_same_colours(kind: Kind) -> None:
    rgb = np.full((96, 96, 3), (200, 120, 60), np.uint8)
    data = {
        "i420": lambda: cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420),
        "rgb": lambda: rgb,
        "rgba": lambda: np.dstack([rgb, np.full((96, 96), 9, np.uint8)]),
        "jpeg": lambda: cv2.imencode(".jpg", rgb[:, :, ::-1])[1],
    }[kind]()
    picture = fitted(kind, data.tobytes(), (96, 96), (64, 64))
    wanted = cv2.cvtColor(np.full((2, 2, 3), (200, 120, 60), np.uint8), cv2.COLOR_RGB2YUV_I420)
    for plane, want in zip(
        (picture.y, picture.u, picture.v), (wanted[0, 0], wanted[2, 0], wanted[2, 1]), strict=True
    ):
        assert abs(int(plane[20, 20]) - int(want)) <= 3


def bomb() -> bytes:
    """A small JPEG whose header says that it is 60,000 pixels wide and high."""
    data = bytearray(cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = (60_000).to_bytes(2) * 2
    return bytes(data)


@pytest.mark.parametrize(
    ("kind", "data", "source"),
    [
        ("rgb", b"short", (64, 64)),
        ("i420", bytes(64 * 64), (64, 64)),
        ("i420", bytes(33 * 33 * 3 // 2), (33, 33)),
        ("rgb", b"", (MAX_SIDE_PX + 1, 64)),
        ("rgb", b"", (0, 0)),
        ("rgb", b"", (-4, -4)),
        ("jpeg", b"", (0, 0)),
        ("jpeg", b"\xff\xd8\xff", (0, 0)),
        ("jpeg", b"no picture at all", (0, 0)),
        ("jpeg", b"\xff\xd8" + b"\xff\xe0\x00\x00" * 50, (0, 0)),
        ("jpeg", bomb(), (0, 0)),
    ],
)
def test_what_is_no_picture_is_refused(kind: Kind, data: bytes, source: tuple[int, int]) -> None:
    with pytest.raises(UnfitPicture):
        fitted(kind, data, source, (64, 64))


def test_damaged_jpegs_are_refused_or_read() -> None:
    rng = np.random.default_rng(5)
    whole = cv2.imencode(".jpg", spot(64, 64, 0.5, 0.5))[1].tobytes()
    for _ in range(300):
        data = bytearray(whole[: int(rng.integers(1, len(whole) + 1))])
        for _ in range(3):
            data[int(rng.integers(0, len(data)))] = int(rng.integers(0, 256))
        with suppress(UnfitPicture):
            assert fitted("jpeg", bytes(data), (0, 0), (32, 32)).width == 32
