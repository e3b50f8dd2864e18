"""Whole turns through the real pipeline, from the caller's sound to the twin's."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from agent.engines.base import Piece
from agent.stages.ear import BACKLOG_CHUNKS, Ear
from agent.turns.settings import TurnSettings
from channels.call import Caption, Status
from compliance.errors import EngineFailed
from tests.doubles.engines import ScriptedSpeech, ScriptedVoice
from tests.unit.agent.stages.room import room

LONG = "One two three four five six seven eight nine ten eleven twelve."


async def test_a_question_is_heard_answered_and_written_down() -> None:
    async with room(["We are open ", "until six. Anything", " else?"]) as here:
        await here.asks("When are you open?")
        await here.hears_until(lambda: here.conversation.turns[-1].text.endswith("else?"))
        await here.hears(100)
        assert here.transcript == [
            ("twin", "Hello."),
            ("caller", "When are you open?"),
            ("twin", "We are open until six. Anything else?"),
        ]
        assert [turn.cut for turn in here.conversation.turns] == [False, False, False]
        assert here.conversation.turns[-1].provenance == "fact"
        assert [(t.who, t.text) for t in here.brain.prompts[0].turns] == here.transcript[:2]
        assert here.voice.sentences == ["We are open until six.", "Anything else?"]
        assert len(here.closed_turns) == 3


async def test_the_watchers_see_the_same() -> None:
    async with room(["We are open."]) as here:
        await here.asks("Hello?")
        await here.hears_until(lambda: here.events[-1] == Status("listening"))
        said = [event for event in here.events if isinstance(event, Caption)]
        assert said[-1].final
        assert " ".join(event.text for event in said if event.who == "twin") == "Hello.  We are open. "
        assert [event.text for event in said if event.who == "caller"][-1] == "Hello?"
        states = [event.state for event in here.events if isinstance(event, Status)]
        assert states[-3:] == ["thinking", "speaking", "listening"]


async def test_where_the_milliseconds_went() -> None:
    async with room(["We are open."]) as here:
        await here.asks("Hello?")
        await here.hears_until(lambda: here.timing.turns)
        times = here.timing.turns[0]
        assert times.wait_ms is not None
        assert times.wait_ms >= 200
        assert None not in (
            times.first_token_ms,
            times.first_sentence_ms,
            times.first_audio_ms,
            times.first_sound_ms,
        )


async def test_a_voice_at_another_rate_keeps_its_words() -> None:

    async with room([LONG], voice=ScriptedVoice(rate_hz=22_050)) as here:
        await here.asks("Count.")
        await here.hears_turn(LONG)
        turn = here.conversation.turns[-1]
        assert all(word.exact for word in turn.words)
        starts = [word.start for word in turn.words]
        assert [later - earlier for earlier, later in pairwise(starts)] == [1_600] * 11


async def test_turns_follow_each_other() -> None:
    async with room(["One."], ["Two."], ["Three."]) as here:
        for text, answer in (("First?", "One."), ("Second?", "Two."), ("Third?", "Three.")):
            await here.asks(text)
            await here.hears_turn(answer)
            await here.hears(100)
        assert [text for _, text in here.transcript] == [
            "Hello.",
            "First?",
            "One.",
            "Second?",
            "Two.",
            "Third?",
            "Three.",
        ]
        assert here.brain.closed == 3


class TestInterruption:
    """The caller takes the turn."""

    async def test_the_transcript_ends_at_the_heard_word(self) -> None:
        async with room([LONG], ["Yes?"], lead_chunks=3) as here:
            await here.asks("Count.")
            await here.hears_until(lambda: len(here.conversation.turns[-1].words) == 5)
            await here.caller_speaks()
            here.speech.hearing.recognises("no wait")
            await here.until(lambda: "yield" in here.actions)
            assert here.actions == ["hold", "yield"]
            turn = here.conversation.turns[2]
            assert (turn.who, turn.text, turn.cut) == ("twin", "One two three four five", True)
            await here.caller_falls_silent()
            await here.hears_turn("Yes?")
            cut = here.brain.prompts[1].turns[-2]
            assert (cut.text, cut.cut) == ("One two three four five", True)
            assert here.brain.prompts[1].turns[-1].text == "no wait"

    async def test_nothing_of_the_old_turn_sounds_any_more(self) -> None:
        async with room([LONG], lead_chunks=3) as here:
            await here.asks("Count.")
            await here.hears_until(lambda: len(here.conversation.turns[-1].words) == 5)
            await here.caller_speaks()
            here.speech.hearing.recognises("no wait")
            await here.until(lambda: "yield" in here.actions)
            await here.hears(100)
            before = len(here.wire.ear)
            await here.hears(1_000)
            assert not any(here.wire.ear[before:])

    async def test_brain_and_voice_are_stopped_at_the_source(self) -> None:
        never = asyncio.Event()
        async with room(["One two three. ", "Four five six. ", never, "Seven."]) as here:
            here.voice.waits["five"] = never
            await here.asks("Count.")
            await here.hears_turn("One two three. Four")
            assert (here.brain.closed, here.voice.closed) == (0, 1)
            await here.caller_speaks()
            here.speech.hearing.recognises("no wait")
            await here.until(lambda: "yield" in here.actions)
            await here.until(lambda: here.brain.closed == 1 and here.voice.closed == 2)

    async def test_a_cough_changes_nothing(self) -> None:
        async with room([LONG]) as here:
            await here.asks("Count.")
            await here.hears_until(lambda: len(here.conversation.turns[-1].words) == 5)
            await here.caller_speaks()
            await here.caller_falls_silent()
            await here.until(lambda: "resume" in here.actions)
            await here.hears_turn(LONG)
            assert here.actions == ["hold", "resume"]
            assert here.call.clock.epoch == 0
            assert len(here.brain.prompts) == 1

    async def test_a_word_of_listening_is_kept_and_not_answered(self) -> None:
        async with room([LONG], ["Next."]) as here:
            await here.asks("Count.")
            await here.hears_until(lambda: len(here.conversation.turns[-1].words) == 5)
            await here.caller_speaks()
            here.speech.hearing.recognises("yeah")
            await here.caller_falls_silent()
            await here.until(lambda: "resume" in here.actions)
            await here.hears_until(lambda: here.conversation.turns[2].text == LONG)
            await here.hears(100)
            assert here.transcript[2:] == [("twin", LONG), ("caller", "yeah")]
            assert here.conversation.turns[3].aside
            await here.until(lambda: here.speech.hearing.finishes == 2)
            await here.asks("And then?")
            assert [t.text for t in here.brain.prompts[1].turns] == ["Hello.", "Count.", LONG, "And then?"]

    async def test_a_turn_that_goes_on_before_the_answer_sounds_is_one(self) -> None:
        never = asyncio.Event()
        async with room([never], ["At six."]) as here:
            await here.asks("When do you")
            await here.caller_speaks()
            here.speech.hearing.recognises("close on Sunday?")
            await here.until(lambda: "yield" in here.actions)
            await here.caller_falls_silent()
            await here.until(lambda: len(here.brain.prompts) == 2)
            assert [t.text for t in here.brain.prompts[1].turns] == ["Hello.", "When do you close on Sunday?"]
            assert [t.text for t in here.conversation.turns] == ["Hello.", "When do you", "close on Sunday?"]

    async def test_what_the_caller_says_over_the_twin_is_stored_as_it_is_recognised(self) -> None:
        async with room([LONG]) as here:
            await here.asks("Count.")
            await here.hears_until(lambda: len(here.conversation.turns[-1].words) == 5)
            await here.caller_speaks()
            for text in ("no", "no wait", "no wait a minute"):
                here.speech.hearing.recognises(text)
                await here.understands(text)
            assert here.conversation.turns[-1].start > 0


class TestFaults:
    """Engines die; the conversation goes on or ends in words."""

    async def test_a_recogniser_that_dies_in_mid_turn_is_opened_again(self) -> None:
        async with room(["At six."]) as here:
            await here.caller_speaks()
            first = here.speech.hearing
            here.speech.understands = "When do you close?"
            first.dies()
            await here.until(lambda: len(here.speech.hearings) == 2)
            await here.caller_falls_silent()
            await here.until(lambda: here.brain.prompts)
            assert here.brain.prompts[0].turns[-1].text == "When do you close?"
            assert (
                bytes(here.speech.hearing.pcm).startswith(bytes(first.pcm[-1_000:]))
                or first.pcm in here.speech.hearing.pcm
            )
            assert first.closed
            assert here.fallbacks == []

    async def test_one_that_dies_again_is_replaced_and_the_turn_is_heard_from_its_beginning(self) -> None:

        cloud, own = ScriptedSpeech("cloud"), ScriptedSpeech("own", understands="When do you close?")
        async with room(["At six."], speech=[cloud, own]) as here:
            await here.caller_speaks()
            heard = bytes(cloud.hearing.pcm)
            cloud.hearing.recognises("when do")
            cloud.hearing.dies()
            await here.until(lambda: len(cloud.hearings) == 2)
            cloud.hearing.recognises("when do")
            cloud.hearing.dies()
            await here.until(lambda: own.hearings)
            await here.caller_falls_silent()
            await here.until(lambda: here.brain.prompts)
            assert here.fallbacks == [("cloud", "own")]
            assert bytes(own.hearing.pcm).startswith(heard)
            assert own.hearing.hints[0] == "onset"
            assert here.brain.prompts[0].turns[-1].text == "When do you close?"
            await here.hears_turn("At six.")

    async def test_one_that_ends_without_a_word_is_opened_again(self) -> None:
        async with room(["At six."]) as here:
            here.speech.hearing.stops()
            await here.until(lambda: len(here.speech.hearings) == 2)
            await here.asks("When do you close?")

    async def test_one_that_dies_over_the_final_words(self) -> None:
        async with room(["At six."], ["Bye."]) as here:
            await here.caller_speaks()
            first = here.speech.hearing
            first.recognises("when do you")
            first.may_finish.clear()
            await here.caller_falls_silent()
            await here.until(lambda: first.finishes)
            here.speech.understands = "When do you close?"
            first.dies()
            await here.until(lambda: len(here.speech.hearings) == 2)
            first.may_finish.set()  # its own error comes after the next one is open
            await here.until(lambda: here.brain.prompts)
            assert here.brain.prompts[0].turns[-1].text == "When do you close?"
            await here.hears_turn("At six.")
            await here.hears(100)
            await here.asks("Thanks.")

    async def test_none_left_is_said(self) -> None:

        async with room(speech=[ScriptedSpeech("cloud", refuses=9), ScriptedSpeech("own", refuses=9)]) as here:
            await here.until(lambda: here.given_up)
            assert here.given_up == ["no_speech_engine"]
            assert here.fallbacks == [("cloud", "own")]

    async def test_a_brain_that_fails_at_once(self) -> None:

        async with room([EngineFailed("server says 500")], ["At six."]) as here:
            await here.asks("When do you close?")
            await here.hears_until(lambda: here.conversation.turns[-1].text.endswith("message?"))
            assert "brain_failed" in here.actions
            assert here.conversation.turns[-1].provenance == "notice"
            await here.hears(100)
            await here.asks("When do you close?")
            await here.hears_turn("At six.")

    async def test_a_brain_that_fails_in_mid_answer(self) -> None:

        async with room(["We close at six. On Sun", EngineFailed("cut")]) as here:
            await here.asks("When do you close?")
            await here.hears_until(lambda: here.conversation.turns[-1].text.endswith("message?"))
            assert here.conversation.turns[-1].text.startswith("We close at six. ")
            assert here.conversation.turns[-1].provenance == "fact-notice"

    async def test_a_voice_that_fails_ends_the_call(self) -> None:

        voice = ScriptedVoice()
        voice.fails["six."] = EngineFailed("the voice's process is gone")
        async with room(["We close at six."], voice=voice) as here:
            await here.asks("When do you close?")
            await here.until(lambda: here.given_up)
            assert here.given_up == ["no_voice"]
            await here.hears(500)
            assert here.conversation.turns[-1].text == "We close at"

    async def test_a_brain_with_a_defect_does_not_silence_the_call(self) -> None:
        async with room([KeyError("choices")], ["At six."]) as here:
            await here.asks("When do you close?")
            await here.hears_until(lambda: here.conversation.turns[-1].text.endswith("message?"))

    async def test_a_recogniser_with_a_defect_is_replaced(self) -> None:

        cloud, own = ScriptedSpeech("cloud"), ScriptedSpeech("own")
        async with room(speech=[cloud, own]) as here:
            cloud.hearing.dies(AttributeError("no such field"))
            await here.until(lambda: len(cloud.hearings) == 2)
            cloud.hearing.dies(AttributeError("no such field"))
            await here.until(lambda: own.hearings)

    async def test_a_voice_with_a_defect_ends_the_call_in_words(self) -> None:

        voice = ScriptedVoice()
        voice.fails["six."] = ValueError("bad shape")
        async with room(["We close at six."], voice=voice) as here:
            await here.asks("When do you close?")
            await here.until(lambda: here.given_up)


async def test_final_words_that_are_late_are_replaced_by_the_partial_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.stages.listening.FINISH_LIMIT_S", 0.05)
    async with room(["At six."]) as here:
        here.speech.hearing.may_finish.clear()
        await here.asks("when do you close")
        await here.hears_turn("At six.")


async def test_a_cough_over_a_typed_turns_answer_does_not_lose_the_turn_that_was_spoken_before() -> None:
    async with room([LONG], ["At six."]) as here:
        await here.caller_says("When do you close?")
        here.speech.hearing.may_finish.clear()
        await here.until(lambda: here.speech.hearing.finishes)
        here.call.inlet.type("hello")
        await here.hears_turn("One two three")
        await here.caller_speaks()
        await here.caller_falls_silent()
        await here.until(lambda: len(here.actions) == 2)
        here.speech.hearing.may_finish.set()
        await here.until(lambda: len(here.brain.prompts) == 2)
        assert here.brain.prompts[1].turns[-1].text == "When do you close?"
        await here.hears_turn("At six.")


async def test_a_long_answer_waits_for_the_ear() -> None:
    sentence = " ".join(["word"] * 49) + " end. "
    async with room([sentence] * 200) as here:
        await here.asks("Tell me everything.")
        await here.until(lambda: not here.call.outlet.has_room or here.voice.made_ms > 100_000)
        await asyncio.sleep(0.05)
        assert here.voice.made_ms < 25_000
        assert here.brain.given < 80
        made = here.voice.made_ms
        await here.hears(10_000)
        assert 8_000 < here.voice.made_ms - made < 14_000


async def test_a_goodbye_hangs_up_when_it_was_heard() -> None:
    async with room([Piece("Good bye.", goodbye=True)]) as here:
        await here.asks("Bye.")
        await here.until(lambda: here.call.outlet.speaking)
        assert here.hung_up == []
        await here.hears_until(lambda: here.hung_up)
        assert here.hung_up == ["goodbye"]
        assert here.conversation.turns[-1].text == "Good bye."


async def test_keys_become_a_turn() -> None:
    async with room(["Thank you."]) as here:
        for key in "42#":
            here.call.inlet.press(key)
        await here.until(lambda: here.brain.prompts)
        assert here.brain.prompts[0].turns[-1].text == "I pressed 4 2."
        assert here.conversation.turns[-1].typed


async def test_typed_words_interrupt() -> None:
    async with room([LONG], ["Yes."]) as here:
        await here.asks("Count.")
        await here.hears_until(lambda: len(here.conversation.turns[-1].words) == 5)
        here.call.inlet.type("stop please")
        await here.until(lambda: len(here.brain.prompts) == 2)
        assert here.conversation.turns[2].cut
        assert here.conversation.turns[3].typed
        await here.hears_turn("Yes.")


async def test_a_stalled_pipeline_keeps_the_newest_sound() -> None:

    ear = Ear(16_000, TurnSettings())
    for _ in range(BACKLOG_CHUNKS + 7):
        ear.audio(bytes(640))
    assert ear.dropped_chunks == 7
