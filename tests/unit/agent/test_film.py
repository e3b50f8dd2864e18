"""A written film, read again by a decoder."""

from __future__ import annotations

import stat
from pathlib import Path

import av
import numpy as np
import pytest

from agent.film import Film
from avatar.picture import Picture

RATE_HZ = 24_000
FPS = 25


@pytest.fixture
def file(tmp_path: Path) -> Path:
    film = Film(tmp_path / "film.mp4", width=128, height=96, fps=FPS, rate_hz=RATE_HZ, title="AI twin of Ada")
    picture = Picture(128, 96)
    flash, silent = np.full(480, 12_000, np.int16), np.zeros(480, np.int16)
    flash[::2] *= -1
    for chunk in range(100):  # 2 s, with a flash and a click at one second
        while film.due * RATE_HZ < film.samples + 480:
            picture.y[:] = 235 if film.due == 1 else 16
            film.show(picture)
        film.sound((flash if chunk == 50 else silent).tobytes())
    film.close()
    film.close()
    return tmp_path / "film.mp4"


def test_pictures_and_sound_come_out_on_one_clock(file: Path) -> None:
    with av.open(str(file)) as container:
        flashes = [f.time for f in container.decode(video=0) if f.to_ndarray()[:96].mean() > 128]
    with av.open(str(file)) as container:
        frames = list(container.decode(audio=0))
    sound = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    start_s = frames[0].time or 0.0
    click_s = start_s + np.flatnonzero(np.abs(sound) > 0.15)[0] / RATE_HZ
    assert flashes == [1.0]
    assert click_s == pytest.approx(1.0, abs=0.005)


def test_every_picture_is_in_it(file: Path) -> None:
    with av.open(str(file)) as container:
        times = [frame.time for frame in container.decode(video=0)]
        assert times == pytest.approx([n / FPS for n in range(50)])
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 128, 96)
        assert container.metadata["title"] == "AI twin of Ada"


def test_players_can_begin_before_all_of_it_is_there(file: Path) -> None:
    data = file.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_only_its_owner_can_read_it(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
