from __future__ import annotations

import numpy as np
import pytest

from agent.face.feed import Feed
from agent.face.mailbox import Speech

TONE = (10_000 * np.sin(np.arange(24_000) * 2 * np.pi * 200 / 24_000)).astype(np.int16)


def pieces(utterance: int = 1, step: int = 960, *, begin: int = 0, epoch: int = 0) -> list[Speech]:
    starts = range(begin, len(TONE), step)
    return [Speech(utterance, at, TONE[at : at + step].tobytes(), epoch, at + step >= len(TONE)) for at in starts]


def contiguous(given: list[Speech], begin: int = 0) -> int:
    """Checks that pieces follow each other; returns where they end."""
    for speech in given:
        assert speech.offset == begin
        begin += len(speech.pcm) // 2
    return begin


@pytest.mark.parametrize("to_hz", [16_000, 24_000, 48_000])
@pytest.mark.parametrize("step", [960, 333])
def test_nothing_is_lost_or_made_up_at_another_rate(to_hz: int, step: int) -> None:
    feed = Feed(24_000, to_hz)
    given = [speech for piece in pieces(step=step) for speech in feed.give(piece)]
    assert contiguous(given) == to_hz
    assert [speech.last for speech in given] == [False] * (len(given) - 1) + [True]
    sound = np.frombuffer(b"".join(speech.pcm for speech in given), np.int16)
    wanted = 10_000 * np.sin(np.arange(to_hz) * 2 * np.pi * 200 / to_hz)
    assert np.abs(sound - wanted)[100:-100].max() < 100


def test_an_offset_comes_back_as_the_clock_counts() -> None:
    assert Feed(24_000, 16_000).offset(1_600) == 2_400


def test_speech_that_begins_in_the_middle_keeps_its_place() -> None:
    feed = Feed(24_000, 16_000)
    given = [speech for piece in pieces(begin=12_000) for speech in feed.give(piece)]
    assert contiguous(given, 8_000) == 16_000


def test_the_next_utterance_gets_out_what_was_held_back_of_the_one_before() -> None:
    feed = Feed(24_000, 16_000)
    first = [speech for piece in pieces()[:-1] for speech in feed.give(piece)]
    second = feed.give(pieces(2)[0])
    assert contiguous([*first, *(speech for speech in second if speech.utterance == 1)]) == 15_360
    assert next(speech.offset for speech in second if speech.utterance == 2) == 0


def test_what_is_held_back_at_an_interruption_is_thrown_away() -> None:
    feed = Feed(24_000, 16_000)
    feed.give(pieces()[0])
    feed.clear()
    assert {speech.epoch for speech in feed.give(pieces(1, epoch=1)[0])} <= {1}
