"""Telephone audio widened for a 16 kHz recogniser."""

from __future__ import annotations

import numpy as np

from agent.engines.speech.narrowband import OUT_HZ, Widened

TONE = (np.sin(2 * np.pi * 2500 * np.arange(8000) / 8000) * 8000).astype(np.int16)


def widen(pcm: bytes, chunk_bytes: int) -> np.ndarray:
    widened = Widened(8000)
    pieces = [widened.process(pcm[at : at + chunk_bytes]) for at in range(0, len(pcm), chunk_bytes)]
    return np.frombuffer(b"".join(pieces), np.int16)


def energy_above(samples: np.ndarray, hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples[2000:].astype(float))) ** 2
    return float(spectrum[np.fft.rfftfreq(len(samples) - 2000, 1 / OUT_HZ) > hz].sum())


def test_twice_the_samples_come_out_some_of_them_later() -> None:
    out = widen(TONE.tobytes(), 320)

    assert 0.9 * OUT_HZ < len(out) <= OUT_HZ


def test_the_empty_band_is_filled_when_there_is_sound_in_the_one_below() -> None:
    loud = energy_above(widen(TONE.tobytes(), 320), 4500)
    silent = energy_above(widen(bytes(16000), 320), 4500)

    assert loud > 100 * silent > 0


def test_the_pieces_it_comes_in_make_no_difference() -> None:
    small, large = widen(TONE.tobytes(), 320), widen(TONE.tobytes(), 1600)
    length = min(len(small), len(large))

    assert np.abs(small[:length].astype(int) - large[:length].astype(int)).max() <= 3


def test_loud_sound_is_limited_not_wrapped_around() -> None:
    square = np.where(np.arange(8000) // 40 % 2, 32767, -32768).astype(np.int16)
    out = widen(square.tobytes(), 320).astype(int)

    assert np.abs(np.diff(out[2000:])).max() < 65535
    assert out.max() == 32767
