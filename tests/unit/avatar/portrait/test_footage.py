from __future__ import annotations

from fractions import Fraction
from itertools import repeat
from pathlib import Path

import av
import numpy as np
import pytest

from avatar.errors import UnfitPicture
from avatar.portrait.footage import MOST_S, RATE_HZ, _paced, frames
from tests.unit.avatar.portrait.films import filmed
from tests.unit.avatar.portrait.people import COLLINS, Rgb


def shade(value: int) -> Rgb:
    return np.full((96, 128, 3), value, np.uint8)


@pytest.mark.parametrize("rate_hz", [10, 25, 30, 60])
def test_a_clip_of_any_rate_has_25_pictures_a_second(rate_hz: int) -> None:
    clip = filmed([shade(20 + 200 * n // rate_hz) for n in range(rate_hz)], rate_hz)
    seen = [int(rgb.mean()) for rgb in frames(clip)]
    assert len(seen) == pytest.approx(RATE_HZ, abs=2)
    assert seen == sorted(seen)
    assert abs(seen[12] - (20 + 200 * 12 / 25)) < 14


def test_a_long_clip_is_not_looked_at_to_its_end() -> None:
    clip = filmed([shade(n % 200) for n in range(120)], 5)
    assert (MOST_S - 1) * RATE_HZ < len(list(frames(clip))) <= MOST_S * RATE_HZ


def test_large_pictures_become_smaller_and_two_passes_are_alike() -> None:
    clip = filmed([np.full((1080, 1920, 3), value, np.uint8) for value in (20, 200)])
    one, two = list(frames(clip)), list(frames(clip))
    assert one[0].shape == (720, 1280, 3)
    assert all(np.array_equal(first, second) for first, second in zip(one, two, strict=True))


@pytest.mark.parametrize("data", [b"", b"no clip", filmed([shade(9)] * 30)[:900]], ids=["empty", "text", "cut"])
def test_what_is_no_clip_is_refused(data: bytes) -> None:
    with pytest.raises(UnfitPicture, match="hand in an MP4 file"):
        list(frames(data))


def test_broken_clips_are_read_or_refused_but_never_more() -> None:
    whole = filmed([shade(n * 7) for n in range(30)])
    rng = np.random.default_rng(6)
    for _ in range(30):
        data = bytearray(whole)
        for _ in range(int(rng.integers(1, 40))):
            data[int(rng.integers(0, len(data)))] = int(rng.integers(0, 256))
        try:
            shown = sum(1 for _ in frames(bytes(data)))
        except UnfitPicture:
            continue
        assert shown <= MOST_S * RATE_HZ + RATE_HZ


def test_a_photo_is_no_clip() -> None:
    with pytest.raises(UnfitPicture, match="hand in an MP4"):
        list(frames(COLLINS.read_bytes()))


def test_a_clip_whose_time_stands_still_comes_to_an_end() -> None:
    still, timeless = (av.VideoFrame.from_ndarray(shade(90), format="rgb24") for _ in range(2))
    still.pts, still.time_base = 0, Fraction(1, 25)
    assert len(list(_paced(repeat(still)))) == 1
    assert not list(_paced(repeat(timeless)))


@pytest.mark.parametrize("size", [(16, 400), (640, 98), (64, 64)])
def test_strips_and_stamps_are_refused(size: tuple[int, int]) -> None:
    clip = filmed([np.full((*size, 3), 90, np.uint8)] * 3)
    with pytest.raises(UnfitPicture, match="head and shoulders"):
        list(frames(clip))


def test_a_list_of_other_files_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(filmed([shade(90)] * 80))
    for playlist in (
        f"ffconcat version 1.0\nfile {other}\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:3,\n{other.as_uri()}\n#EXT-X-ENDLIST\n",
    ):
        with pytest.raises(UnfitPicture, match="cannot be read"):
            list(frames(playlist.encode()))
