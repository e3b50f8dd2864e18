"""Asking a file: two processes are started, bounded and ended, whatever the file is."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from compliance.errors import WatermarkError
from compliance.watermark import verifying
from compliance.watermark.embedder import Embedder
from compliance.watermark.keys import DayKey
from compliance.watermark.listening import Place
from compliance.watermark.verifying import OWNER, PUBLIC, Limits, MarkVerdict, listened, token_text, zeros
from tests.unit.compliance.watermark.files import encode, tone, voice, write_wav

DAY = date(2026, 11, 22)
TOKEN = 0x1234_5678
KEYS = [DayKey(DAY - timedelta(days=number), 1, bytes([number]) * 32) for number in range(30)]
"""The twin spoke with the third of them."""
PLACE = Place(1.0, 11.0, 1e-9, DAY, 1, 0x1234, None, 1.0, 1.0, "")


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


async def test_a_file_is_read_in_processes_that_are_gone_afterwards(tmp_path: Path) -> None:
    before, handles = children(), psutil.Process().num_fds()
    verdict = await listened(write_wav(tmp_path / "a.wav", tone(3, 16_000)), (), PUBLIC)
    assert verdict.heard_s == pytest.approx(3.0, abs=0.01)
    assert (verdict.found, verdict.p_value, verdict.problem, verdict.keys) == (False, 1.0, "", 0)
    assert children() == before
    assert psutil.Process().num_fds() == handles


def marked(seconds: float, rate_hz: int) -> NDArray[np.int16]:
    return Embedder(KEYS[2].key, TOKEN, rate_hz).process(voice(seconds, rate_hz), 0)


async def test_the_twin_is_known_in_a_recording_of_both_sides(tmp_path: Path) -> None:
    twin, caller = marked(30, 16_000), voice(30, 16_000, seed=9)
    path = encode(
        tmp_path / "call.mp3", np.stack([caller, twin]), codec="libmp3lame", form="mp3", options={"b": "64k"}
    )
    verdict = await listened(path, KEYS, PUBLIC)
    (place,) = verdict.places
    assert (place.where, place.day, place.generation) == ("right", DAY - timedelta(days=2), 1)
    assert (verdict.token, verdict.made_on) == ("20261120-12345678", DAY - timedelta(days=2))
    assert verdict.p_value < 1e-9
    assert place.start_s < 1.0
    assert place.end_s > 25.0


@pytest.mark.parametrize(
    ("codec", "form", "rate_hz"),
    [("pcm_mulaw", "wav", 8_000), ("libopus", "webm", 48_000), ("aac", "ipod", 48_000), ("flac", "flac", 24_000)],
)
async def test_the_twin_is_known_in_files_of_many_kinds(
    tmp_path: Path, codec: str, form: str, rate_hz: int
) -> None:
    path = encode(tmp_path / "a", marked(15, rate_hz), codec=codec, form=form, rate_hz=rate_hz)
    verdict = await listened(path, KEYS, PUBLIC)
    assert (verdict.found, verdict.made_on) == (True, DAY - timedelta(days=2))
    assert verdict.places[0].where == ""


async def test_the_twin_is_known_in_one_track_of_a_film_and_in_a_file_that_was_cut_off(tmp_path: Path) -> None:
    other = voice(15, 48_000, seed=5)
    film = encode(tmp_path / "a.mkv", other, marked(15, 48_000), codec="flac", form="matroska", rate_hz=48_000)
    assert [place.where for place in (await listened(film, KEYS, PUBLIC)).places] == ["track 2"]
    cut = encode(tmp_path / "a.mp3", marked(20, 48_000), codec="libmp3lame", form="mp3", rate_hz=48_000)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    assert (await listened(cut, KEYS, PUBLIC)).found


async def test_a_voice_without_the_mark_and_one_with_another_key_are_not_the_twins(tmp_path: Path) -> None:
    plain = await listened(write_wav(tmp_path / "a.wav", voice(15, 16_000)), KEYS, PUBLIC)
    assert (plain.found, plain.token, plain.keys) == (False, "", 30)
    assert plain.p_value > 1e-3
    others = write_wav(tmp_path / "b.wav", marked(15, 16_000))
    assert not (await listened(others, KEYS[3:], PUBLIC)).found


@pytest.mark.parametrize("data", [b"", b"nothing", b"#EXTM3U\nhttp://127.0.0.1:9/a.ts\n", bytes(5_000)])
async def test_what_is_no_sound_is_a_verdict_too(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    verdict = await listened(path, (), PUBLIC)
    assert verdict.problem == "this is not a sound or video file that can be read"
    assert not verdict.found


async def test_a_file_that_is_too_long_says_how_long_is_not(tmp_path: Path) -> None:
    path = encode(tmp_path / "a", np.zeros(30 * 8_000, dtype=np.int16), codec="flac", form="flac", rate_hz=8_000)
    verdict = await listened(path, (), replace(PUBLIC, longest_s=20))
    assert verdict.problem.startswith("it is longer than the 20 seconds that are listened to")
    assert PUBLIC.in_words == "10 minutes"
    assert OWNER.in_words == "2 hours"


async def test_an_answer_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "_LISTENER", "tests.unit.compliance.watermark.sleeper")
    before = children()
    verdict = await listened(write_wav(tmp_path / "a.wav", tone(1, 16_000)), (), Limits(60, 0.3, 2 << 30))
    assert "more time or memory than it may" in verdict.problem
    assert children() == before


async def test_whoever_stops_waiting_leaves_no_process_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "_LISTENER", "tests.unit.compliance.watermark.sleeper")
    before = children()
    path = write_wav(tmp_path / "a.wav", tone(1, 16_000))
    asking = asyncio.create_task(listened(path, (), PUBLIC), name="asking")
    while children() == before:  # noqa: ASYNC110  a process has no event for having begun
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait({asking})
    assert asking.cancelled()
    assert children() == before


async def test_too_little_memory_is_no_failure_of_ours(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(60, 48_000), rate_hz=48_000)
    verdict = await listened(path, (), replace(PUBLIC, memory_bytes=64 << 20))
    assert verdict.problem
    assert not verdict.found


async def test_a_process_that_says_nothing_sensible_is_a_failure_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "_LISTENER", "compliance.watermark.token")
    with pytest.raises(WatermarkError, match="Nothing can be listened to here"):
        await listened(write_wav(tmp_path / "a.wav", tone(1, 16_000)), (), PUBLIC)


@pytest.mark.parametrize("kind", ["nothing", "folder", "pipe", "device"])
async def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.wav"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    with pytest.raises(WatermarkError, match="cannot be read" if kind == "nothing" else "is not a file"):
        await listened(path, (), PUBLIC)


def test_a_verdict_without_a_place_found_nothing() -> None:
    verdict = MarkVerdict(heard_s=3.0, p_value=0.4, keys=30)
    assert (verdict.found, verdict.best, verdict.made_on, verdict.token, verdict.tokens) == (
        False,
        None,
        None,
        "",
        (),
    )


def test_tokens_are_told_once_and_whole_where_they_were_heard_whole() -> None:
    whole = replace(PLACE, p_value=1e-7, full=0x1234_5678)
    other = replace(PLACE, p_value=1e-8, short=0xABCD)
    nameless = replace(PLACE, p_value=1e-20, short=None, day=date(2026, 11, 23))
    verdict = MarkVerdict(heard_s=60.0, p_value=1e-20, places=(PLACE, whole, other, nameless), keys=3)
    assert verdict.tokens == ("20261122-12345678", "20261122-abcd")
    assert verdict.token == "20261122-12345678"
    assert verdict.made_on == date(2026, 11, 23), "of the surest place"
    assert [token_text(place) for place in (PLACE, nameless)] == ["20261122-1234", ""]


def test_a_chance_is_told_in_zeros_and_never_beyond_belief() -> None:
    assert [zeros(p) for p in (1.0, 0.5, 0.1, 1e-6, 3e-9, 1e-300, 0.0)] == [0, 0, 1, 6, 8, 12, 12]
