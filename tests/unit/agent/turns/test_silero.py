"""The probability of speech, on the recorded callers of the tests."""

from __future__ import annotations

import wave
from importlib import resources
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.turns.silero import WINDOW_MS, Silero, load
from agent.turns.voice_activity import Change, VoiceActivity
from channels.twilio import mulaw
from tests.speech.make import FOLDER, TABLE

TOLERANCE_MS = 250
"""Onset and offset are reported within so much of where the sound begins and ends, their own delays aside."""
ONSET_MS = 96
OFFSET_MS = 192
Samples = NDArray[np.int16]


def caller(name: str, rate_hz: int) -> Samples:
    """A recorded caller, silence before and after; at 8,000 Hz as the telephone has it."""
    with wave.open(str(FOLDER / f"{name}.wav"), "rb") as file:
        assert file.getframerate() == 16_000
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    whole = np.concatenate([np.zeros(8_000, np.int16), samples, np.zeros(16_000, np.int16)])
    if rate_hz == 16_000:
        return whole
    from agent.engines.voice.resample import resampled

    narrow = resampled(whole.tobytes(), 16_000, 8_000)
    return np.frombuffer(mulaw.decode(mulaw.encode(narrow)), np.int16)


def noise(rate_hz: int, seconds: float, dbfs: float) -> Samples:
    samples = np.random.default_rng(1).normal(size=int(rate_hz * seconds)) * 32_768 * 10 ** (dbfs / 20)
    return samples.astype(np.int16)


def changes(samples: Samples, rate_hz: int) -> list[tuple[int, Change]]:
    """Fed as the inlet feeds: 20 ms at a time."""
    silero = Silero(rate_hz)
    activity = VoiceActivity(window_ms=WINDOW_MS, onset_ms=ONSET_MS, offset_ms=OFFSET_MS, threshold=0.5)
    chunk = rate_hz // 50
    found = []
    windows = 0
    for start in range(0, len(samples), chunk):
        for probability in silero.probabilities(samples[start : start + chunk].tobytes()):
            windows += 1
            if (change := activity.on(probability)) is not None:
                found.append((windows * WINDOW_MS, change))
    return found


def sound_ms(samples: Samples, rate_hz: int) -> tuple[float, float]:
    """Where the sound begins and ends, by its loudness alone."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 500)
    return loud[0] * 1000 / rate_hz, loud[-1] * 1000 / rate_hz


@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_recorded_caller_has_an_onset_and_an_offset(name: str, rate_hz: int) -> None:
    samples = caller(name, rate_hz)
    begins_ms, ends_ms = sound_ms(samples, rate_hz)
    found = changes(samples, rate_hz)
    assert [change for _, change in found] == [Change.ONSET, Change.OFFSET] * (len(found) // 2)
    assert found, "nobody spoke"
    assert -WINDOW_MS <= found[0][0] - ONSET_MS - begins_ms < TOLERANCE_MS
    assert abs(found[-1][0] - OFFSET_MS - ends_ms) < TOLERANCE_MS
    # Between sentences a speaker may pause; a pause shorter than the offset is none.
    assert all(later - earlier >= ONSET_MS for (earlier, _), (later, _) in pairwise(found))


@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
@pytest.mark.parametrize("dbfs", [-200, -70, -60, -50, -40])
def test_silence_and_quiet_noise_are_nobody(rate_hz: int, dbfs: float) -> None:
    assert changes(noise(rate_hz, 10, dbfs), rate_hz) == []


@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_a_caller_after_a_minute_of_noise_is_still_found(rate_hz: int) -> None:
    before = noise(rate_hz, 60, -50)
    found = changes(np.concatenate([before, caller("ask_price", rate_hz)]), rate_hz)
    assert found[0][1] is Change.ONSET
    assert 60_000 < found[0][0] < 61_000


@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_the_shared_session_says_what_pipecats_model_says(rate_hz: int) -> None:
    from pipecat.audio.vad.silero import SileroOnnxModel

    size = rate_hz * WINDOW_MS // 1000
    # With a little noise no window is so quiet that the model is not asked; 60 windows are too few for a reset.
    samples = caller("ask_price", rate_hz)[rate_hz // 2 :][: size * 60]
    samples = samples + noise(rate_hz, 2, -45)[: len(samples)]
    with resources.as_file(resources.files("pipecat.audio.vad.data").joinpath("silero_vad.onnx")) as path:
        theirs = SileroOnnxModel(str(path))
    ours = list(Silero(rate_hz).probabilities(samples.tobytes()))
    windows = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float32) / 32_768
    assert ours == pytest.approx([float(theirs(window, rate_hz)[0][0]) for window in windows], abs=1e-5)
    assert max(ours) > 0.9
    assert min(ours) < 0.1


def test_two_callers_do_not_disturb_each_other() -> None:
    one, other = caller("ask_price", 16_000).tobytes(), caller("ask_hours", 16_000).tobytes()
    alone = list(Silero(16_000).probabilities(one))
    first, second = Silero(16_000), Silero(16_000)
    together: list[float] = []
    for start in range(0, len(one), 640):
        together += first.probabilities(one[start : start + 640])
        list(second.probabilities(other[start : start + 640]))
    assert together == alone


def test_however_the_sound_is_cut_it_is_the_same() -> None:
    pcm = caller("mhm", 8_000).tobytes()
    whole = list(Silero(8_000).probabilities(pcm))
    cut = Silero(8_000)
    pieces = [p for start in range(0, len(pcm), 74) for p in cut.probabilities(pcm[start : start + 74])]
    assert pieces == whole
    assert len(whole) == len(pcm) // 512


def test_other_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="8000 or 16000"):
        Silero(48_000)


def test_the_model_loads_before_the_first_call() -> None:
    load()
