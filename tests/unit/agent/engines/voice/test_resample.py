"""Resampling: not a sample lost, whatever the pieces."""

from __future__ import annotations

import random

import numpy as np
import pytest

from agent.engines.voice.resample import Resampler, resampled


def sine(rate_hz: int, ms: int, hz: float = 440.0) -> bytes:
    n = rate_hz * ms // 1000
    return (10000 * np.sin(2 * np.pi * hz * np.arange(n) / rate_hz)).astype(np.int16).tobytes()


@pytest.mark.parametrize("from_hz", [8000, 16000, 22050, 24000, 44100])
@pytest.mark.parametrize("to_hz", [8000, 16000, 24000, 48000])
def test_the_count_of_samples_is_exact_however_it_is_cut(from_hz: int, to_hz: int) -> None:
    chance = random.Random(from_hz + to_hz)
    pcm = sine(from_hz, 1234)
    resampler = Resampler(from_hz, to_hz)
    out, at = b"", 0
    while at < len(pcm):
        step = chance.randrange(1, 3000)
        out += resampler.feed(pcm[at : at + step])
        at += step
    out += resampler.finish()

    assert len(out) // 2 == round(len(pcm) // 2 * to_hz / from_hz)
    samples = np.frombuffer(out, np.int16).astype(float)[200:-200]
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(10000 / np.sqrt(2), rel=0.03)


def test_equal_rates_pass_through() -> None:
    pcm = sine(16000, 100)

    assert resampled(pcm, 16000, 16000) == pcm


def test_nothing_stays_nothing() -> None:
    assert resampled(b"", 22050, 8000) == b""


def test_a_stream_that_ended_takes_no_more() -> None:
    resampler = Resampler(22050, 8000)
    resampler.feed(sine(22050, 100))
    resampler.finish()

    assert resampler.finish() == b""
    with pytest.raises(ValueError, match="ended"):
        resampler.feed(b"ab")
