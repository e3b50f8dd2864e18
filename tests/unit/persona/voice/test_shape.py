"""A voice in numbers: made-up voices whose numbers are known, and the built-in ones where they are there."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
import wave
from pathlib import Path

import numpy as np
import pytest

from compliance.errors import PersonaError
from persona.voice.shape import BANDS_HZ, VoiceShape, measure

RATE_HZ = 16000


def sung(
    semitones: np.ndarray,
    base_hz: float,
    *,
    rate_hz: int = RATE_HZ,
    formants_hz: tuple[float, ...] = (500, 1500, 2500, 3500),
) -> np.ndarray:
    """A pulse train with this melody (one value per 10 ms), through resonances; four syllables a second."""
    pitch = np.repeat(base_hz * 2 ** (semitones / 12), rate_hz // 100)
    phase = np.cumsum(pitch / rate_hz)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    spectrum = np.fft.rfft(pulses)
    hertz = np.fft.rfftfreq(len(pulses), 1 / rate_hz)
    for formant in formants_hz:
        spectrum = spectrum * (1 / np.abs(1 - (hertz / formant) ** 2 + 1j * hertz * 80 / formant**2)) ** 0.5
    audio = np.fft.irfft(spectrum / (1 + hertz / 300), len(pulses))
    seconds = np.arange(len(audio)) / rate_hz
    syllables = 0.08 + 0.92 * np.clip(1.5 * np.sin(np.pi * 4 * seconds) ** 2, 0, 1)
    return np.asarray(audio * syllables / np.max(np.abs(audio)) * 0.5, np.float32)


def melody(seconds: float, spread: float) -> np.ndarray:
    """A slow wave whose 5th and 95th percentile lie `spread` semitones apart."""
    wave_ = np.sin(np.arange(round(100 * seconds)) * 2 * np.pi / 170)
    return np.asarray(wave_ * spread / 2 / np.sin(np.pi / 2 * 0.9))


@pytest.mark.parametrize("base_hz", [88.0, 120.0, 210.0, 320.0])
@pytest.mark.parametrize("spread", [3.0, 9.0])
def test_pitch_and_range_are_found_without_errors_of_an_octave(base_hz: float, spread: float) -> None:
    shape = measure(sung(melody(8, spread), base_hz), RATE_HZ)

    assert shape.pitch_hz == pytest.approx(base_hz, rel=0.02)
    assert shape.range_semitones == pytest.approx(spread, rel=0.12)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100])
def test_the_rate_of_the_recording_does_not_matter(rate_hz: int) -> None:
    shape = measure(sung(melody(6, 6), 140, rate_hz=rate_hz), rate_hz)

    assert shape.pitch_hz == pytest.approx(140, rel=0.02)
    assert shape.range_semitones == pytest.approx(6, rel=0.15)


def test_noise_and_digital_silence_have_no_pitch() -> None:
    voice = sung(melody(6, 4), 110)
    noise = np.random.default_rng(1).normal(0, 0.004, len(voice))
    gaps = np.concatenate([voice, np.zeros(RATE_HZ * 3, np.float32), voice]).astype(np.float32)

    assert measure((voice + noise).astype(np.float32), RATE_HZ).pitch_hz == pytest.approx(110, rel=0.02)
    assert measure(gaps + np.float32(0.001), RATE_HZ).range_semitones == pytest.approx(4, rel=0.15)


def test_pace_is_counted_over_speech_and_not_over_pauses() -> None:
    voice = sung(melody(6, 4), 130)
    paused = np.concatenate([voice, np.zeros(RATE_HZ * 4, np.float32), voice])

    for audio in (voice, paused):
        assert measure(audio, RATE_HZ).pace_hz == pytest.approx(4.0, rel=0.1)


def test_timbre_tells_a_bright_voice_from_a_dull_one_and_the_unknown() -> None:
    voice = sung(melody(4, 4), 130)
    dull = np.convolve(voice, np.ones(8) / 8, "same").astype(np.float32)
    bright_db, dull_db = measure(voice, RATE_HZ).timbre_db, measure(dull, RATE_HZ).timbre_db

    assert len(bright_db) == len(BANDS_HZ) - 1
    top, low = bright_db[-1], dull_db[-1]
    assert top is not None
    assert low is not None
    assert top > low + 5
    assert measure(voice[::2], RATE_HZ // 2).timbre_db[-1] is None


def test_a_shorter_tract_has_higher_formants() -> None:
    long = measure(sung(melody(4, 4), 120), RATE_HZ).tract_cm
    short = measure(sung(melody(4, 4), 120, formants_hz=(600, 1800, 3000, 4200)), RATE_HZ).tract_cm

    assert long is not None
    assert short is not None
    assert short / long == pytest.approx(500 / 600, rel=0.05)


@pytest.mark.parametrize("audio", [np.zeros(0, np.float32), np.zeros(160000, np.int16), np.ones(80, np.float32)])
def test_what_is_not_there_is_unknown(audio: np.ndarray) -> None:
    shape = measure(audio, RATE_HZ)

    assert (shape.pitch_hz, shape.range_semitones, shape.pace_hz, shape.tract_cm) == (None,) * 4
    assert set(shape.timbre_db) == {None}


def test_what_is_no_voice_is_refused() -> None:
    with pytest.raises(ValueError, match="mono"):
        measure(np.zeros((2, 100), np.float32), RATE_HZ)
    with pytest.raises(ValueError, match="8 kHz"):
        measure(np.zeros(100, np.float32), 4000)


def test_a_shape_is_kept_as_toml() -> None:
    shape = measure(sung(melody(4, 4), 120)[::2], RATE_HZ // 2)
    kept = VoiceShape.from_table(tomllib.loads(shape.as_toml())["shape"])

    assert kept.pitch_hz == pytest.approx(shape.pitch_hz, rel=1e-3)
    assert [level is None for level in kept.timbre_db] == [level is None for level in shape.timbre_db]
    for broken in ({}, {"timbre_db": [1.0]}, {"timbre_db": "x"}):
        with pytest.raises(PersonaError, match="enroll"):
            VoiceShape.from_table(dict(broken))


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_flite_speaks_as_fast_as_its_text_has_syllables(tmp_path: Path) -> None:
    text = (
        "The long journey home took a year. She saw a cat in the neighbor's house. A pink shell was found on the "
        "sandy beach. The grass and bushes were wet with dew. When you hear the bell, come quickly."
    )
    syllables = 8 + 9 + 9 + 8 + 8
    for voice, low_hz, high_hz in (("kal16", 75, 100), ("slt", 150, 185)):
        path = tmp_path / f"{voice}.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path), "rb") as file:
            audio, rate_hz = np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()
        shape = measure(audio, rate_hz)

        assert shape.pitch_hz is not None
        assert low_hz < shape.pitch_hz < high_hz
        assert shape.pace_hz == pytest.approx(syllables / shape.speech_s, rel=0.15)
