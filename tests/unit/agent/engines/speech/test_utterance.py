"""Where speech without a pause is cut."""

from __future__ import annotations

import numpy as np
import pytest

from agent.engines.speech.utterance import CUT_AFTER_S, MAX_UTTERANCE_S, QUIET_S, Utterance

RATE_HZ = 8000


def noise(seconds: float, level: float) -> np.ndarray:
    return (np.random.default_rng(3).standard_normal(round(seconds * RATE_HZ)) * level).astype(np.int16)


def first_cut(samples: np.ndarray, *, chunk: int = 160) -> float:
    """The second at which it is cut first; nan when it is not."""
    utterance = Utterance(RATE_HZ)
    utterance.begin()
    for at in range(0, samples.size, chunk):
        if utterance.take(samples[at : at + chunk].tobytes()):
            return (at + chunk) / RATE_HZ
    return float("nan")


def test_a_pause_between_words_is_where_it_is_cut() -> None:
    speech = noise(19, 3000)
    speech[5 * RATE_HZ : 6 * RATE_HZ] //= 20  # too early to be worth a cut
    speech[14 * RATE_HZ : 15 * RATE_HZ] //= 20

    assert first_cut(speech) == pytest.approx(14 + QUIET_S)


def test_the_closure_of_a_plosive_is_no_pause() -> None:
    speech = noise(15, 3000)
    speech[14 * RATE_HZ : 14 * RATE_HZ + RATE_HZ // 25] //= 20

    assert np.isnan(first_cut(speech))


@pytest.mark.parametrize("level", [1, 300, 12000])
def test_a_line_without_any_pause_is_cut_at_the_latest_moment(level: int) -> None:
    assert first_cut(noise(30, level)) == MAX_UTTERANCE_S


def test_digital_silence_is_cut_as_soon_as_it_may_be() -> None:
    assert first_cut(noise(30, 0)) == CUT_AFTER_S


def test_after_a_cut_the_counting_begins_anew() -> None:
    utterance = Utterance(RATE_HZ)
    second = noise(1, 3000).tobytes()
    cuts = []
    for at in range(70):
        if utterance.take(second):
            cuts.append(at + 1)
            utterance.begin()

    assert cuts == [20, 40, 60]


def test_chunks_of_any_size_are_taken_also_empty_ones() -> None:
    assert not Utterance(RATE_HZ).take(b"")
    assert first_cut(noise(21, 3000), chunk=1999) == pytest.approx(20, abs=0.25)
