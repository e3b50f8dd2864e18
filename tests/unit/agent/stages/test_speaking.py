"""Sentences become speech, and a caller learns of it when another voice has to say them."""

from __future__ import annotations

from typing import cast

from agent.engines.voice.fallback import Fallback
from compliance.errors import EngineFailed
from tests.doubles.engines import ScriptedVoice
from tests.unit.agent.stages.room import room


def falls(*words: str) -> tuple[Fallback, ScriptedVoice]:
    """A voice that breaks over these words, with one that takes over; and the one that does."""
    cloud, own = ScriptedVoice(name="cloud"), ScriptedVoice(name="own")
    cloud.fails = {word: EngineFailed("gone") for word in words}
    return Fallback(cloud, own), own


async def test_a_fallen_voice_is_told_once_in_each_call() -> None:
    voice, own = falls("six.", "Sundays.")
    for _ in range(2):
        async with room(["We close at six."], ["Never on Sundays."], voice=cast(ScriptedVoice, voice)) as here:
            await here.asks("When do you close?")
            await here.hears_turn("We close at six.")
            assert here.fallbacks == [("cloud", "own")]
            await here.hears(100)
            await here.asks("And when are you open?")
            await here.hears_turn("Never on Sundays.")
            assert here.fallbacks == [("cloud", "own")]
            assert here.given_up == []
    assert own.sentences[:2] == ["six.", "Sundays."]


async def test_a_call_of_which_no_sentence_fell_is_told_nothing() -> None:
    voice, own = falls("six.")
    async with room(["We close at five."], voice=cast(ScriptedVoice, voice)) as here:
        await here.asks("When do you close?")
        await here.hears_turn("We close at five.")
        assert here.fallbacks == []
    assert own.sentences == []


async def test_after_an_interruption_it_is_not_told_again() -> None:
    voice, _ = falls("two")
    async with room(
        ["One two three four five six seven eight."], ["One two."], voice=cast(ScriptedVoice, voice)
    ) as (here):
        await here.asks("Count.")
        await here.hears_until(lambda: len(here.conversation.turns[-1].words) == 5)
        here.call.inlet.type("stop please")
        await here.hears_turn("One two.")
        assert here.fallbacks == [("cloud", "own")]


async def test_a_voice_that_takes_over_from_itself_is_nobody_elses() -> None:
    own = ScriptedVoice(name="own")
    own.fails = {"six.": EngineFailed("gone")}
    async with room(["We close at six."], voice=cast(ScriptedVoice, Fallback(own, own))) as here:
        await here.asks("When do you close?")
        await here.until(lambda: here.given_up)
        assert here.fallbacks == []
