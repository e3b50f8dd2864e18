"""What is said in fixed words, whatever the brain would say."""

from __future__ import annotations

from agent.engines.voice.prepared import Prepared
from agent.stages.honesty import Line, Reaction
from channels.spoken import Word
from tests.doubles.wire import counting
from tests.unit.agent.stages.room import HUMAN, RATE_HZ, room


async def test_a_turn_that_is_answered_in_fixed_words_never_reaches_the_brain() -> None:
    async with room(["I am the brain."]) as here:
        here.reactions["Are you a human?"] = Reaction((Line(HUMAN),))
        await here.caller_says("Are you a human?")
        await here.hears_turn(HUMAN)
        assert here.brain.prompts == []
        assert here.conversation.turns[-1].provenance == "notice"


async def test_prepared_words_sound_without_the_voice() -> None:
    prepared = Prepared(counting(3_200), RATE_HZ, (Word("Fine.", 0, 200),))
    async with room(["I am the brain."]) as here:
        here.reactions["No."] = Reaction((Line("Fine.", prepared),))
        await here.caller_says("No.")
        await here.hears_turn("Fine.")
        await here.hears(100)
        assert here.voice.sentences == []
        assert not here.conversation.turns[-1].cut


async def test_a_turn_may_be_answered_by_both() -> None:
    async with room(["We are open."]) as here:
        here.reactions["When are you open?"] = Reaction((Line("No sound is kept."),), answered=False)
        await here.asks("When are you open?")
        await here.hears_turn("No sound is kept. We are open.")
        assert len(here.brain.prompts) == 1


async def test_lines_that_nobody_asked_for_are_said_too() -> None:
    async with room(["We are open."]) as here:
        here.honesty.say([Line("You are talking to an AI."), Line("How can I help?")])
        await here.hears_turn("You are talking to an AI. How can I help?")
        await here.asks("When are you open?")
        await here.hears_turn("We are open.")


async def test_a_brain_that_claims_to_be_a_person_is_corrected_before_it_sounds() -> None:
    async with room(["Of course. I am a real human being, not a machine. We are open."]) as here:
        await here.asks("Come on, tell me.")
        await here.hears_until(lambda: here.conversation.turns[-1].text.endswith("open."))
        assert here.conversation.turns[-1].text == f"Of course. {HUMAN} We are open."
        assert "claimed_human" in here.actions
