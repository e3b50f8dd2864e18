from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from avatar.ear import HOP_MS, Ear
from avatar.timeline import Phone

RATE = 16_000
Sound = npt.NDArray[np.float64]


def samples(length_ms: float) -> int:
    return round(length_ms * RATE / 1000)


def vowel(length_ms: float, *formants: tuple[float, float], dbfs: float = -15.0) -> Sound:
    """Harmonics of 120 Hz under peaks at (Hz, relative amplitude)."""
    t = np.arange(samples(length_ms)) / RATE
    sound = np.zeros(len(t))
    for harmonic_hz in np.arange(120, 7_000, 120):
        amplitude = sum(level * np.exp(-(((harmonic_hz - peak) / 120) ** 2)) for peak, level in formants)
        sound += (amplitude + 1e-4) * np.sin(2 * np.pi * harmonic_hz * t + harmonic_hz)
    whole: Sound = sound / np.sqrt((sound**2).mean()) * 10 ** (dbfs / 20)
    return whole


def ah(length_ms: float) -> Sound:
    return vowel(length_ms, (700, 1.0), (1_150, 0.9), (2_500, 0.1))


def ee(length_ms: float) -> Sound:
    return vowel(length_ms, (300, 1.0), (2_300, 0.45), (3_000, 0.2))


def oo(length_ms: float) -> Sound:
    return vowel(length_ms, (310, 1.0), (700, 0.15))


def hum(length_ms: float) -> Sound:
    return vowel(length_ms, (220, 1.0), (1_000, 0.35), dbfs=-27.0)


def silence(length_ms: float) -> Sound:
    return np.zeros(samples(length_ms))


def noise(length_ms: float, above_hz: float, dbfs: float = -28.0) -> Sound:
    """An octave of noise."""
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(size=samples(length_ms)))
    bins_hz = np.fft.rfftfreq(samples(length_ms), 1 / RATE)
    spectrum[(bins_hz < above_hz) | (bins_hz > 2 * above_hz)] = 0
    sound = np.fft.irfft(spectrum, samples(length_ms))
    whole: Sound = sound / np.sqrt((sound**2).mean()) * 10 ** (dbfs / 20)
    return whole


def heard(*sounds: Sound) -> list[Phone]:
    pcm = (np.concatenate(sounds) * 32_767).clip(-32_768, 32_767).astype(np.int16).tobytes()
    return Ear(RATE).hear(pcm, 0.0)


def label(phones: list[Phone], at_ms: float) -> str:
    return next((phone.ipa for phone in phones if phone.start_ms <= at_ms < phone.end_ms), "")


def test_vowels_are_told_apart_by_how_the_mouth_looks() -> None:
    assert label(heard(ah(200)), 100) in ("a", "ɔ")
    assert label(heard(ee(200)), 100) == "i"
    assert label(heard(oo(200)), 100) in ("u", "o")


def test_silence_has_no_phones() -> None:
    assert heard(silence(500)) == []
    phones = heard(ah(200), silence(300), ah(200))
    assert label(phones, 350) == ""
    assert label(phones, 600) == label(phones, 100) != ""


def test_a_short_silence_before_a_dull_burst_is_a_p() -> None:
    phones = heard(ah(200), silence(60), ah(200))
    assert label(phones, 230) == "p"


def test_a_short_silence_before_a_bright_burst_is_a_t() -> None:
    phones = heard(ah(200), silence(60), noise(20, 3_500, -20.0), ah(200))
    assert label(phones, 230) == "t"


def test_a_hum_with_a_nasal_formant_is_an_m() -> None:
    assert label(heard(ah(200), hum(90), ah(200)), 245) == "m"


@pytest.mark.parametrize(("above_hz", "ipa"), [(5_200, "s"), (2_200, "ʃ")])
def test_hisses(above_hz: float, ipa: str) -> None:
    assert label(heard(ah(200), noise(120, above_hz), ah(200)), 260) == ipa


def test_times_count_from_the_start_of_the_utterance() -> None:
    phones = Ear(RATE).hear((ah(200) * 32_767).astype(np.int16).tobytes(), 1_000.0)
    assert phones[0].start_ms == 1_000.0
    assert phones[-1].end_ms == pytest.approx(1_200.0, abs=HOP_MS)


@pytest.mark.parametrize("pcm", [b"", b"\x01", bytes(100), b"\xff\x7f" * 5_000, b"\xff\x7f\x00\x80" * 2_000])
def test_any_bytes_are_heard(pcm: bytes) -> None:
    for rate_hz in (8_000, 16_000, 22_050, 24_000, 48_000):
        assert all(phone.end_ms > phone.start_ms >= 0 for phone in Ear(rate_hz).hear(pcm, 0.0))
