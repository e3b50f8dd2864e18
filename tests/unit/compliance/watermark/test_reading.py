"""Any file as its channels: every kind that people send, and what strangers send instead."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from compliance.confined import surroundings
from compliance.watermark.blocks import RATE_HZ, Block, Ending, read_blocks
from compliance.watermark.reading import CODED, KINDS, read
from tests.unit.compliance.watermark.files import TONE_HZ, encode, tone, write_wav

LONGEST_S = 60.0


def heard(path: Path, longest_s: float = LONGEST_S) -> tuple[dict[tuple[int, int], NDArray[np.float32]], Ending]:
    pieces: dict[tuple[int, int], list[NDArray[np.float32]]] = defaultdict(list)
    with path.open("rb") as file:
        *blocks, ending = read(file, longest_s=longest_s)
    for block in blocks:
        assert isinstance(block, Block)
        pieces[block.track, block.channel].append(block.samples)
    assert isinstance(ending, Ending)
    return {key: np.concatenate(samples) for key, samples in pieces.items()}, ending


def level_of(sound: NDArray[np.float32], hz: float) -> float:
    """How loud a tone is, without the first and last tenth of a second."""
    inner = sound[RATE_HZ // 10 : -RATE_HZ // 10]
    times = np.arange(len(inner)) / RATE_HZ
    return float(2 * np.abs(np.mean(inner * np.exp(-2j * np.pi * hz * times))))


KINDS_SENT: dict[str, Callable[[Path], Path]] = {
    "wav": lambda path: write_wav(path, tone(2, 16_000)),
    "wav, 8 kHz": lambda path: write_wav(path, tone(2, 8_000), rate_hz=8_000),
    "wav, mu-law": lambda path: encode(path, tone(2, 8_000), codec="pcm_mulaw", form="wav", rate_hz=8_000),
    "wav, float": lambda path: encode(path, tone(2, 48_000), codec="pcm_f32le", form="wav", rate_hz=48_000),
    "mp3": lambda path: encode(path, tone(2, 44_100), codec="libmp3lame", form="mp3", rate_hz=44_100),
    "opus": lambda path: encode(path, tone(2, 48_000), codec="libopus", form="ogg", rate_hz=48_000),
    "ogg": lambda path: encode(path, tone(2, 44_100), codec="flac", form="ogg", rate_hz=44_100),
    "flac": lambda path: encode(path, tone(2, 22_050), codec="flac", form="flac", rate_hz=22_050),
    "m4a": lambda path: encode(path, tone(2, 44_100), codec="aac", form="ipod", rate_hz=44_100),
    "mp4": lambda path: encode(path, tone(2, 44_100), codec="aac", form="mp4", rate_hz=44_100),
    "aac": lambda path: encode(path, tone(2, 44_100), codec="aac", form="adts", rate_hz=44_100),
    "webm": lambda path: encode(path, tone(2, 48_000), codec="libopus", form="webm", rate_hz=48_000),
    "mkv": lambda path: encode(path, tone(2, 48_000), codec="flac", form="matroska", rate_hz=48_000),
    "aiff": lambda path: encode(path, tone(2, 44_100), codec="pcm_s16be", form="aiff", rate_hz=44_100),
    "amr": lambda path: encode(path, tone(2, 8_000), codec="libopencore_amrnb", form="amr", rate_hz=8_000),
}


@pytest.mark.parametrize("kind", KINDS_SENT)
def test_every_kind_of_file_is_heard(tmp_path: Path, kind: str) -> None:
    channels, ending = heard(KINDS_SENT[kind](tmp_path / "sound"))
    assert ending is Ending.WHOLE
    assert list(channels) == [(0, 0)]
    sound = channels[0, 0]
    assert len(sound) / RATE_HZ == pytest.approx(2.0, abs=0.15)
    assert level_of(sound, TONE_HZ) == pytest.approx(0.25, rel=0.25)


def test_the_channels_of_a_recording_stay_apart(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(2, 16_000, hz=500), tone(2, 16_000, hz=2_000))
    channels, _ = heard(path)
    assert level_of(channels[0, 0], 500) == pytest.approx(0.25, rel=0.05)
    assert level_of(channels[0, 0], 2_000) < 1e-3
    assert level_of(channels[0, 1], 2_000) == pytest.approx(0.25, rel=0.05)


def test_every_track_of_a_film_is_heard(tmp_path: Path) -> None:
    path = encode(
        tmp_path / "a.mkv", tone(2, 48_000, hz=500), tone(2, 48_000, hz=2_000), codec="flac", form="matroska",
        rate_hz=48_000,
    )  # fmt: skip
    channels, ending = heard(path)
    assert (list(channels), ending) == ([(0, 0), (1, 0)], Ending.WHOLE)
    assert level_of(channels[1, 0], 2_000) == pytest.approx(0.25, rel=0.05)


def test_what_is_above_the_band_does_not_come_down_into_it(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(2, 48_000, hz=7_000), rate_hz=48_000)
    channels, _ = heard(path)
    assert level_of(channels[0, 0], 1_000) < 1e-3


def test_more_channels_than_anybody_has_are_mixed(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", *(tone(1, 16_000) for _ in range(12)))
    channels, ending = heard(path)
    assert ending in (Ending.WHOLE, Ending.UNREADABLE)
    assert len(channels) <= 1


def test_a_cut_off_file_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", tone(4, 44_100), codec="libmp3lame", form="mp3", rate_hz=44_100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    channels, ending = heard(path)
    assert ending in (Ending.WHOLE, Ending.DAMAGED)
    assert 1.0 < len(channels[0, 0]) / RATE_HZ < 3.0


def test_a_file_with_noise_in_its_middle_is_damaged_and_heard(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", tone(8, 44_100), codec="aac", form="mp4", rate_hz=44_100)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2_000] = np.random.default_rng(1).bytes(2_000)
    path.write_bytes(data)
    channels, ending = heard(path)
    assert ending is Ending.DAMAGED
    assert len(channels[0, 0]) / RATE_HZ > 4.0


def test_a_wav_file_that_claims_four_gigabytes_is_as_long_as_it_is(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(2, 16_000))
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = struct.pack("<I", 0xFFFF_FFFF)
    path.write_bytes(data)
    channels, ending = heard(path)
    assert ending in (Ending.WHOLE, Ending.DAMAGED)
    assert len(channels[0, 0]) / RATE_HZ == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("form", ["flac", "ogg"])
def test_hours_in_a_few_bytes_end_at_the_limit(tmp_path: Path, form: str) -> None:
    silence = np.zeros(300 * 8_000, dtype=np.int16)
    path = encode(tmp_path / "a", silence, codec="flac", form=form, rate_hz=8_000)
    assert path.stat().st_size < 100_000
    assert heard(path, longest_s=10.0)[1] is Ending.LONG


REFERS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{other}\n#EXT-X-ENDLIST\n",
    "m3u8 to an address": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{other}'\n",
    "sdp": "v=0\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{other}</BaseURL></MPD>',
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{other}"/></svg>',
}


@pytest.mark.parametrize("kind", REFERS)
def test_a_list_never_leads_to_another_file(tmp_path: Path, kind: str) -> None:
    other = write_wav(tmp_path / "other.wav", tone(2, 16_000))
    path = tmp_path / "list"
    path.write_text(REFERS[kind].format(other=other))
    assert heard(path) == ({}, Ending.UNREADABLE)


RUBBISH = {
    "empty": b"",
    "text": b"This is not sound. " * 500,
    "zeros": bytes(100_000),
    "noise": np.random.default_rng(7).bytes(200_000),
    "a head alone": b"RIFF\xff\xff\xff\xffWAVE",
    "a zip": b"PK\x03\x04" + bytes(500),
    "an mp4 of nothing": b"\x00\x00\x00\x18ftypisom" + b"\xff" * 500,
    "a picture": b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIIB", 13, b"IHDR", 60_000, 60_000, 0x0806_0000, 0),
    "no rate": struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 44, b"WAVE", b"fmt ", 16, 1, 1, 0, 0, 2, 16, b"data", 8)
    + bytes(8),
}  # fmt: skip


@pytest.mark.parametrize("kind", RUBBISH)
def test_what_is_no_sound_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(RUBBISH[kind])
    channels, ending = heard(path)
    if channels:
        # Random bytes may hold what looks like a piece of MP3.
        assert kind == "noise"
    else:
        assert ending in (Ending.UNREADABLE, Ending.SILENT)


@pytest.mark.parametrize("kind", ["wav", "mp3", "opus", "flac", "m4a", "webm"])
def test_files_broken_anywhere_are_read_or_refused(tmp_path: Path, kind: str) -> None:
    whole = KINDS_SENT[kind](tmp_path / "whole").read_bytes()
    pick = np.random.default_rng(3)
    for turn in range(12):
        data = bytearray(whole)
        for at in pick.integers(0, len(data) if turn % 2 else min(400, len(data)), 20):
            data[at] = pick.integers(256)
        path = tmp_path / "broken"
        path.write_bytes(data)
        _, ending = heard(path)
        assert ending in set(Ending)


def test_a_video_without_sound_has_none(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode(None))
    assert heard(path) == ({}, Ending.SILENT)


def test_no_kind_that_names_other_files_is_read() -> None:
    assert not {"hls", "dash", "concat", "image2", "sdp", "rtsp", "lavfi", "imf", "webm_dash_manifest"} & set(
        KINDS
    )
    assert not {"mjpeg", "png", "h264", "hevc", "wavesynth"} & set(CODED)


def process(stdin: Path, *, cpu_s: int = 20, memory_bytes: int = 2 << 30) -> tuple[list[Block | Ending], int]:
    with stdin.open("rb") as file:
        done = subprocess.run(
            [
                sys.executable,
                "-P",
                "-s",
                "-m",
                "compliance.watermark.reading",
                "60",
                str(cpu_s),
                str(memory_bytes),
            ],
            stdin=file,
            capture_output=True,
            timeout=60,
            check=False,
            env=surroundings(os.pathsep.join(sys.path), os.environ),
        )
    return list(read_blocks(io.BytesIO(done.stdout))), done.returncode


def test_the_process_reads_what_the_function_reads(tmp_path: Path) -> None:
    path = KINDS_SENT["m4a"](tmp_path / "a.m4a")
    blocks, status = process(path)
    sound = np.concatenate([block.samples for block in blocks if isinstance(block, Block)])
    np.testing.assert_array_equal(sound, heard(path)[0][0, 0])
    assert (blocks[-1], status) == (Ending.WHOLE, 0)


def test_a_process_with_too_little_memory_says_so(tmp_path: Path) -> None:
    blocks, _ = process(KINDS_SENT["mp3"](tmp_path / "a.mp3"), memory_bytes=64 << 20)
    assert blocks[-1] is Ending.HEAVY
