from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from avatar.ahead import Label
from avatar.ahead_echo import Echo

RATE = 16_000
STEP = RATE // 50
Samples = npt.NDArray[np.int16]


def speech(seed: int, seconds: float) -> Samples:
    """A voice's harmonics with the loudness of speech: syllables that come and go, pauses now and then."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(RATE * seconds)) / RATE
    jitter = rng.normal(0, 6, len(times) // 160 + 2)
    pitch = 120 + np.interp(times, np.arange(len(jitter)) / 100, jitter) + 40 * np.sin(times * rng.uniform(1, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(number * phase + rng.uniform(0, 6)) / number for number in range(1, 12))
    voice = voice + 0.3 * rng.standard_normal(len(times))
    knots = np.arange(0, seconds + 0.1, 0.08)
    heights = rng.uniform(0.0, 1.0, len(knots)) ** 1.5
    for pause in rng.integers(3, len(knots) - 3, max(1, int(seconds / 2))):
        heights[pause : pause + 3] = 0
    loud = np.interp(times, knots, heights)
    return (loud * 6_000 * voice).clip(-32_000, 32_000).astype(np.int16)


def distorted(samples: Samples, seed: int) -> Samples:
    """What a codec and another volume make of it."""
    rng = np.random.default_rng(seed)
    soft = np.convolve(samples.astype(np.float64), np.ones(3) / 3, "same") * 0.7
    return (soft + rng.standard_normal(len(soft)) * 20).astype(np.int16)


def play(echo: Echo, samples: Samples) -> Iterator[tuple[int, Label | None]]:
    """What it hears 20 ms by 20 ms: how many samples so far, and the label then."""
    for at in range(0, len(samples) - STEP + 1, STEP):
        echo.played(samples[at : at + STEP].tobytes())
        yield at + STEP, echo.label


def errors_ms(labels: list[tuple[int, Label | None]], utterance: int, shift: int) -> list[float]:
    return [
        (label.offset - (at - shift)) * 1000 / RATE
        for at, label in labels
        if label is not None and label.utterance == utterance
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("delay_ms", [100, 437, 1_260])
def test_what_comes_back_late_is_labelled_by_what_it_is(seed: int, delay_ms: int) -> None:
    echo, said = Echo(RATE), speech(seed, 5.0)
    echo.sent(4, 0, said.tobytes())
    delay = RATE * delay_ms // 1000
    back = distorted(np.concatenate([np.zeros(delay, np.int16), said, np.zeros(RATE, np.int16)]), seed)
    labels = list(play(echo, back))
    errors = errors_ms(labels, 4, delay)
    assert len(errors) > 200
    assert abs(np.mean(errors)) < 5
    assert np.percentile(np.abs(errors), 99) <= 20
    assert labels[1][1] == Label(0)
    assert labels[-1][1] == Label(0)


def test_speech_that_is_sent_little_by_little_and_starves_is_found_again() -> None:
    said = speech(3, 6.0)
    echo = Echo(RATE)
    labels: list[tuple[int, Label | None]] = []
    # A second at a time, and 700 ms of silence whenever it had nothing more.
    for begin in range(0, 6 * RATE, RATE):
        echo.sent(1, begin, said[begin : begin + RATE].tobytes())
        part = distorted(said[begin : begin + RATE], begin)
        for at, label in play(echo, np.concatenate([part, np.zeros(RATE * 7 // 10, np.int16)])):
            if label is not None and label.utterance == 1 and at <= RATE:
                labels.append((at + begin, label))
    errors = errors_ms(labels, 1, 0)
    assert len(errors) > 200
    assert np.percentile(np.abs(errors), 90) <= 25


def test_a_pause_in_speech_is_no_want_of_it_though_the_count_is_late() -> None:
    """The beginning was swallowed, and the sound is changed, so that nothing but the count tells."""
    swallowed, begin, end = RATE // 25, RATE, RATE + RATE // 2
    voice = np.random.default_rng(5).normal(0, 3_000, 5 * RATE // 2)
    voice[begin:end] = 0
    echo = Echo(RATE)
    echo.sent(1, 0, voice.astype(np.int16).tobytes())
    other = np.where(voice == 0, 0, np.random.default_rng(6).normal(0, 3_000, len(voice))).astype(np.int16)
    labels = list(play(echo, other[swallowed:]))
    errors = errors_ms(labels, 1, -swallowed)
    assert len(errors) > 110
    assert np.abs(errors).max() <= 60


def test_utterances_follow_each_other() -> None:
    echo = Echo(RATE)
    first, second = speech(1, 2.0), speech(2, 2.0)
    echo.sent(1, 0, first.tobytes())
    echo.sent(2, 0, second[:RATE].tobytes())
    echo.sent(2, RATE, second[RATE:].tobytes())
    labels = list(play(echo, distorted(np.concatenate([first, second]), 5)))
    assert np.abs(errors_ms(labels, 1, 0)).max() < 25
    assert np.abs(errors_ms(labels, 2, 2 * RATE)).max() < 25
    assert len(errors_ms(labels, 2, 0)) > 85


@pytest.mark.parametrize("seed", range(8))
def test_what_plays_on_after_an_interruption_is_never_taken_for_the_new_speech(seed: int) -> None:
    echo, old, new = Echo(RATE), speech(seed, 4.0), speech(seed + 100, 4.0)
    echo.sent(1, 0, old.tobytes())
    list(play(echo, distorted(old[: 2 * RATE], seed)))
    echo.cleared(1)
    echo.sent(2, 0, new.tobytes())
    late = list(play(echo, distorted(old[2 * RATE : 3 * RATE], seed)))
    wrong = [label for _, label in late if label is not None and label.utterance is not None]
    assert not wrong
    gap = np.zeros(RATE // 4, np.int16)
    labels = list(play(echo, np.concatenate([gap, distorted(new, seed), np.zeros(RATE, np.int16)])))
    errors = errors_ms(labels, 2, len(gap))
    assert len(errors) > 150
    assert np.percentile(np.abs(errors), 99) <= 20
    assert labels[-1][1] == Label(1)


def test_sound_that_was_never_sent_is_found_out() -> None:
    echo, said = Echo(RATE), speech(9, 3.0)
    echo.sent(1, 0, np.concatenate([said, speech(10, 3.0)]).tobytes())
    list(play(echo, said))
    labels = [label for _, label in play(echo, speech(11, 3.0))]
    assert labels[50:] == [None] * len(labels[50:])


def test_a_renderer_that_changes_the_sound_is_followed_by_counting() -> None:
    echo, said = Echo(RATE), speech(2, 3.0)
    echo.sent(1, 0, said.tobytes())
    loud = np.convolve(np.abs(said.astype(np.float64)), np.ones(160) / 160, "same")
    other = (loud * 2 * np.sin(np.arange(len(said)) * 2 * np.pi * 210 / RATE)).astype(np.int16)
    gap = np.zeros(RATE // 2, np.int16)
    labels = list(play(echo, np.concatenate([gap, other, gap])))
    assert np.percentile(np.abs(errors_ms(labels, 1, len(gap))), 90) < 100
    echo.cleared(1)
    echo.sent(2, 0, said.tobytes())
    labels = list(play(echo, np.concatenate([gap, other, gap])))
    assert len(errors_ms(labels, 2, len(gap))) > 120


def test_the_rate_is_checked() -> None:
    with pytest.raises(ValueError, match="multiple of 4000"):
        Echo(22_050)


def test_a_long_call_keeps_little() -> None:
    echo, said = Echo(RATE), speech(2, 10.0)
    for utterance in range(40):
        echo.sent(utterance, 0, said.tobytes())
    assert len(echo._sent) <= 120_000
    assert len(echo._marks) <= 5
