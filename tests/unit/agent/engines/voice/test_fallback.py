"""A voice that dies is finished by the other one."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from agent.engines.voice import fallback
from agent.engines.voice.fallback import Breaker, Fallback
from compliance.errors import EngineFailed, EngineMissing, EngineTimeout
from tests.unit.agent.engines.voice.gather import keeps_the_contract, spoken
from tests.unit.agent.engines.voice.scripted import Scripted

TEXT = "one two, three four."


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback, "PATIENCE_S", 0.05)


async def test_a_healthy_first_voice_speaks_alone() -> None:
    first, second = Scripted(), Scripted("second")
    sentence = await spoken(Fallback(first, second), TEXT)

    keeps_the_contract(sentence, TEXT)
    assert second.asked == []


@pytest.mark.parametrize("error", [EngineFailed("dead"), EngineTimeout("late"), RuntimeError("surprise")])
async def test_the_second_says_all_when_the_first_said_nothing(error: Exception) -> None:
    first, second = Scripted(fails_after=0, error=error), Scripted("second", rate_hz=22050)
    sentence = await spoken(Fallback(first, second), TEXT, "de")

    keeps_the_contract(sentence, TEXT)
    assert second.asked == [(TEXT, "de")]
    assert sentence.rate_hz == 22050


async def test_the_second_goes_on_in_mid_sentence_at_the_same_rate() -> None:
    first = Scripted(fails_after=2, error=EngineFailed("dead"))
    second = Scripted("second", rate_hz=24000, value=b"\xff\x7f")
    sentence = await spoken(Fallback(first, second), TEXT)

    keeps_the_contract(sentence, TEXT)
    assert second.asked == [("three four.", "en")]
    assert sentence.rate_hz == 16000
    assert sentence.words[2].start_ms == 400
    assert sentence.ms == pytest.approx(800)
    assert sentence.rms(0, 390) < 10 < sentence.rms(410, 790)
    assert [p.start_ms for p in sentence.phonemes] == [0, 200, 400, 600]


@pytest.mark.usefixtures("impatient")
async def test_a_first_voice_that_hangs_is_left() -> None:
    first, second = Scripted(hangs_after=0), Scripted("second")

    keeps_the_contract(await spoken(Fallback(first, second), TEXT), TEXT)
    assert first.open == 0


@pytest.mark.usefixtures("impatient")
async def test_audio_that_still_plays_is_time_to_wait() -> None:
    first, second = Scripted(hangs_after=1, word_ms=100), Scripted("second")

    keeps_the_contract(await spoken(Fallback(first, second), TEXT), TEXT)
    assert second.asked == [("two, three four.", "en")]


async def test_it_stops_trying_a_dead_voice_and_tries_again_later() -> None:
    first = Scripted(fails_after=0, error=EngineFailed("dead"))
    voice = Fallback(first, Scripted("second"), breaker=Breaker(failures_to_open=2, rest_s=0.0))
    for _ in range(2):
        await spoken(voice, TEXT)
    first.fails_after = None
    keeps_the_contract(await spoken(voice, TEXT), TEXT)
    assert len(first.asked) == 3

    first.fails_after = 0
    shut = Fallback(first, Scripted("second"), breaker=Breaker(failures_to_open=2))
    for _ in range(5):
        await spoken(shut, TEXT)
    assert len(first.asked) == 5


async def test_a_missing_language_is_no_sign_of_a_broken_voice() -> None:
    first = Scripted(fails_after=0, error=EngineMissing("no such language"))
    voice = Fallback(first, Scripted("second"), breaker=Breaker(failures_to_open=1))
    for _ in range(3):
        await spoken(voice, TEXT)

    assert len(first.asked) == 3


async def test_when_both_die_the_error_is_the_second_ones() -> None:
    first = Scripted(fails_after=0, error=EngineFailed("first"))
    second = Scripted(fails_after=0, error=EngineFailed("second"))
    with pytest.raises(EngineFailed, match="second"):
        await spoken(Fallback(first, second), TEXT)


async def test_leaving_closes_whichever_speaks() -> None:
    first, second = Scripted(fails_after=1, error=EngineFailed("dead")), Scripted("second")
    for chunks_read in (1, 2):
        async with aclosing(Fallback(first, second).speak(TEXT, language="en")) as chunks:
            for _ in range(chunks_read):
                await anext(chunks)
        assert (first.open, second.open) == (0, 0)


async def test_both_are_started_and_closed_and_a_first_that_is_down_is_left_for_later() -> None:
    first, second = Scripted(start_error=EngineFailed("down")), Scripted("second")
    voice = Fallback(first, second)
    await voice.start()
    assert second.running == 1
    await voice.close()
    assert second.running == 0

    first.start_error = EngineMissing("no key")
    with pytest.raises(EngineMissing):
        await voice.start()


def test_the_breaker_rests_longer_each_time_and_lets_one_try() -> None:
    breaker = Breaker(failures_to_open=2, rest_s=10, longest_rest_s=35)
    breaker.failed(0)
    assert breaker.allows(0)
    breaker.failed(1)

    assert not breaker.allows(10.9)
    assert breaker.allows(11)
    assert not breaker.allows(11.1)
    breaker.failed(12)
    assert not breaker.allows(31.9)
    assert breaker.allows(32)
    breaker.failed(33)
    assert breaker.allows(68)
    breaker.succeeded()
    assert breaker.allows(68)
    assert breaker.allows(68)
