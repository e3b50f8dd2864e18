"""What is heard of every cell: nothing in silence, the same at any loudness, and from near sound only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from compliance.errors import WatermarkError
from compliance.watermark import ear
from compliance.watermark.ear import (
    FRAMES_PER_SLOT,
    HOP,
    RATE_HZ,
    WINDOW,
    frames_of,
    listen,
    spectra,
    tell,
)
from compliance.watermark.layout import BANDS, slot_samples
from tests.speech.make import load

CHUNK_S = 12
"""Sound is listened to in stretches of this length; what is loud is judged within one."""
AROUND = 40
"""Frames, more than the network and its windows see to either side."""

Sound = NDArray[np.float32]


def speech(*names: str) -> Sound:
    """At 8 kHz, roughly: every second sample is enough to have something like a voice."""
    pcm = np.frombuffer(b"".join(load(name) for name in names), np.int16)
    return (pcm / 32768).astype(np.float32)[::2]


def noise(seconds: float, seed: int = 1) -> Sound:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the network is read from, anew, in this test."""
    path = tmp_path / "ear.npz"
    path.write_bytes(ear.WEIGHTS.read_bytes())
    monkeypatch.setattr(ear, "WEIGHTS", path)
    ear._net.cache_clear()
    yield path
    ear._net.cache_clear()


def test_a_slot_is_a_whole_number_of_frames() -> None:
    assert slot_samples(RATE_HZ) == FRAMES_PER_SLOT * HOP


@pytest.mark.parametrize(
    ("samples", "frames"),
    [(0, 0), (1, 0), (WINDOW - 1, 0), (WINDOW, 1), (WINDOW + HOP - 1, 1), (WINDOW + HOP, 2)],
)
def test_a_frame_is_there_when_all_of_it_is(samples: int, frames: int) -> None:
    assert frames_of(np.zeros(samples, np.float32)) == frames
    evidence = listen(noise(1)[:samples])
    assert evidence.shape == (frames, BANDS)
    assert evidence.dtype == np.float32


@pytest.mark.parametrize(("first", "last"), [(0, 5), (3, 90), (200, 247), (246, 247), (0, 247)])
def test_the_spectra_of_a_stretch_are_those_of_its_samples(first: int, last: int) -> None:
    sound = noise(2)
    assert frames_of(sound) == 248
    found = spectra(sound, first, last)
    coarse = found.coarse[found.first : found.first + found.frames]
    window = np.hanning(WINDOW + 2)[1:-1]
    for number, power in zip(range(first, last), coarse, strict=True):
        piece = sound[number * HOP : number * HOP + WINDOW] * window
        expected = np.square(np.abs(np.fft.rfft(piece, 2 * (len(power) - 1))))
        np.testing.assert_allclose(power, expected, rtol=1e-3, atol=1e-5)
    assert len(found.fine) == len(found.coarse)


def test_around_a_stretch_there_is_as_much_as_the_network_sees() -> None:
    with np.load(ear.WEIGHTS) as stored:
        reach = sum(stored[name].shape[2] // 2 for name in stored.files if name.startswith("w"))
    found = spectra(noise(10), 300, 800)
    assert found.first >= reach
    assert len(found.coarse) - found.first - found.frames >= reach


@pytest.mark.parametrize("seconds", [0.03, 0.1, 1.0, 11.9, 12.1, 25.0, 37.0])
def test_silence_tells_nothing(seconds: float) -> None:
    assert not listen(np.zeros(round(seconds * RATE_HZ), np.float32)).any()


@pytest.mark.parametrize("silence_s", [1, 5, 30])
def test_silence_beside_speech_tells_nothing_either(silence_s: int) -> None:
    voice, silence = speech("ask_hours"), np.zeros(silence_s * RATE_HZ, np.float32)
    evidence = listen(np.concatenate((silence, voice, silence)))
    begin, end = len(silence) // HOP, (len(silence) + len(voice)) // HOP
    assert evidence[begin:end].any()
    assert not evidence[: begin - AROUND].any()
    assert not evidence[end + AROUND :].any()


@pytest.mark.parametrize("gain", [0.05, 0.5, 3.0, -1.0, -0.3])
def test_loudness_and_polarity_do_not_matter(gain: float) -> None:
    sound = speech("take_message", "ask_price") + 0.01 * noise(6)[: len(speech("take_message", "ask_price"))]
    before, after = listen(sound), listen(np.float32(gain) * sound)
    np.testing.assert_allclose(after, before, atol=0.01 * float(np.abs(before).max()))


def test_what_is_told_of_a_stretch_does_not_depend_on_how_much_follows_it() -> None:
    sound = noise(40)
    frames = CHUNK_S * RATE_HZ // HOP
    whole = listen(sound)
    for more in (AROUND, 500, 2 * frames):
        part = listen(sound[: (frames + more) * HOP + WINDOW])
        np.testing.assert_allclose(part[:frames], whole[:frames], atol=1e-4)


def test_a_long_sound_is_told_stretch_by_stretch() -> None:
    sound = noise(30)
    frames = CHUNK_S * RATE_HZ // HOP
    whole = listen(sound)
    for first in range(0, frames_of(sound), frames):
        last = min(first + frames, frames_of(sound))
        np.testing.assert_allclose(tell(spectra(sound, first, last)), whole[first:last], atol=1e-4)


def test_a_sound_in_one_place_tells_nothing_about_places_far_away() -> None:
    """Within a stretch the mean over time is shared, but not from stretch to stretch."""
    sound = noise(36)
    other = sound.copy()
    other[-4 * RATE_HZ :] *= 0.1
    frames = 2 * CHUNK_S * RATE_HZ // HOP
    np.testing.assert_array_equal(listen(other)[: frames - AROUND], listen(sound)[: frames - AROUND])


@pytest.mark.parametrize("pitch", [0.95, 1.0, 1.05])
def test_at_another_pitch_as_much_is_told(pitch: float) -> None:
    evidence = tell(spectra(speech("ask_hours"), 10, 100), pitch)
    assert evidence.shape == (90, BANDS)
    assert np.isfinite(evidence).all()
    assert evidence.any()


@pytest.mark.parametrize(
    "sound",
    [
        np.ones(30_000, np.float32),
        np.full(30_000, 1e6, np.float32),
        np.where(np.arange(30_000) // 8 % 2, 1, -1).astype(np.float32),
        np.eye(1, 30_000, 15_000, dtype=np.float32)[0],
        np.full(30_000, 1e-30, np.float32),
        1e-7 * noise(4),
    ],
    ids=["constant", "enormous", "square", "click", "tiny", "faint"],
)
def test_strange_sounds_give_numbers_too(sound: Sound) -> None:
    assert np.isfinite(listen(sound)).all()


def test_the_same_sound_is_told_the_same() -> None:
    np.testing.assert_array_equal(listen(noise(3)), listen(noise(3)))


def test_the_network_that_is_installed_is_read(weights: Path) -> None:
    before = listen(noise(1))
    assert before.any()
    ear._net.cache_clear()
    np.testing.assert_array_equal(listen(noise(1)), before)


@pytest.mark.parametrize("kept", [0, 1, 10, 100, 0.5, 0.9, -1])
def test_a_network_of_which_a_part_is_missing_is_refused(weights: Path, kept: float) -> None:
    data = weights.read_bytes()
    weights.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    refused()


@pytest.mark.parametrize("data", [b"not a network", b"PK\x03\x04 nor this", b"\x93NUMPY\x01\x00", bytes(1000)])
def test_a_file_that_is_no_network_is_refused(weights: Path, data: bytes) -> None:
    weights.write_bytes(data)
    refused()


def test_a_network_with_bits_that_fell_over_is_refused(weights: Path) -> None:
    data = bytearray(weights.read_bytes())
    for at in range(len(data) // 4, len(data) // 2, 97):
        data[at] ^= 0x55
    weights.write_bytes(bytes(data))
    refused()


def test_a_network_without_one_of_its_layers_is_refused(weights: Path) -> None:
    with np.load(weights) as stored:
        layers = {name: stored[name] for name in stored.files if name != "b0"}
    np.savez(weights, **layers)
    refused()


def test_a_missing_network_is_refused(weights: Path) -> None:
    weights.unlink()
    refused()


def refused() -> None:
    """In one line that names the file and says what to do, and again when it is asked for again."""
    for _ in range(2):
        with pytest.raises(
            WatermarkError, match=r"^ear.npz is missing or damaged; install the program again"
        ) as caught:
            listen(noise(0.2))
        assert "\n" not in str(caught.value)
