"""One voice in two microphones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agent.meeting.events import Uttered
from agent.meeting.hearing.copies import Taken, is_copy, may_become_copy
from agent.meeting.hearing.sound import loudness_dbfs
from tests.speech.make import TABLE
from tests.unit.agent.meeting.hearing.people import CLOCK_HZ, RATE_HZ, knowing, people, piece
from tests.unit.agent.meeting.hearing.rooms import Sound, far, in_room, pcm, speech

LONG = "please tell him that the meeting moves to Monday at nine"


def taken(who: str, sound: Sound, text: str, *, at_ms: int = 0) -> Taken:
    data = pcm(sound)
    start = at_ms * CLOCK_HZ // 1000
    end = start + len(sound) * CLOCK_HZ // RATE_HZ
    return Taken(who, start, end, text, loudness_dbfs(data, RATE_HZ), data, RATE_HZ, start)


def pair(text: str, heard: str | None = None, *, at_ms: int = 0, of: str = "take_message") -> tuple[Taken, Taken]:
    """Anna speaks; Bert's microphone stands in the same room."""
    anna = taken("anna", in_room(speech("take_message"), seed=1), text)
    bert = taken("bert", far(in_room(speech(of), seed=2)), text if heard is None else heard, at_ms=at_ms)
    return anna, bert


def copies(one: Taken, other: Taken) -> tuple[bool, bool]:
    return is_copy(one, other, CLOCK_HZ), is_copy(other, one, CLOCK_HZ)


def test_of_the_same_words_in_two_microphones_the_fainter_is_the_copy() -> None:
    assert copies(*pair(LONG)) == (False, True)


def test_words_misheard_from_far_away_are_a_copy_still() -> None:
    assert copies(*pair(LONG, "tell them the meeting moves to monday and nine")) == (False, True)
    assert copies(*pair(LONG, "the meeting mood some day nine")) == (False, True)


def test_the_lines_may_differ_by_almost_a_second() -> None:
    assert copies(*pair(LONG, at_ms=900)) == (False, True)
    assert copies(*pair(LONG, at_ms=-900)) == (False, True)
    assert copies(*pair(LONG, at_ms=2_500)) == (False, False)


def test_other_words_are_another_persons() -> None:
    assert copies(*pair(LONG, "what is the capital of Mongolia", of="unknown")) == (False, False)


def test_two_who_say_yes_at_once_are_two() -> None:
    assert copies(*pair("Yes.", of="unknown")) == (False, False)
    assert copies(*pair("Good morning everybody.", of="unknown")) == (False, False)


def test_one_yes_in_two_microphones_is_one() -> None:
    assert copies(*pair("Yes.")) == (False, True)


def test_equally_loud_ones_are_never_copies_of_each_other() -> None:
    anna, _ = pair(LONG)
    assert sorted(copies(anna, replace(anna, who="bert"))) == [False, True]
    assert copies(anna, anna) == (False, False)


def test_what_is_still_being_said_is_waited_for_when_it_sounds_the_same() -> None:
    anna, bert = pair("", "tell them")
    assert may_become_copy(bert, anna, CLOCK_HZ)
    assert not may_become_copy(anna, bert, CLOCK_HZ)
    other = pair("", "capital", of="unknown")[1]
    assert not may_become_copy(other, anna, CLOCK_HZ)


# in the hall


def _heard_from_afar(name: str) -> tuple[bytes, bytes]:
    return pcm(in_room(speech(name), seed=1)), pcm(far(in_room(speech(name), seed=2), delay_ms=40))


async def test_a_sentence_that_two_microphones_caught_is_told_once() -> None:
    near, distant = _heard_from_afar("take_message")
    text = TABLE["take_message"].text
    engine = knowing()
    engine.knows = lambda sound: text if piece(near) in sound or piece(distant) in sound else ""
    async with people(engine, here=("anna", "bert")) as here:
        await here.hear(1_500, anna=(500, near), bert=(600, distant))
        await here.until(lambda: here.uttered and here.unheard)
        assert here.uttered == [("anna", text)]
        assert here.unheard == [("bert", False)]


async def test_the_copys_words_wait_for_those_of_the_louder() -> None:
    near, distant = _heard_from_afar("take_message")
    text = TABLE["take_message"].text
    engine = knowing()
    engine.knows = lambda sound: text if piece(near) in sound or piece(distant) in sound else ""
    async with people(engine, here=("anna", "bert")) as here:
        # Anna goes on speaking after the sentence, so that Bert's copy of it has ended first.
        await here.hear(0, anna=near + bytes(RATE_HZ) + near, bert=distant)
        await here.hear(1_500)
        await here.until(lambda: here.uttered and here.unheard)
        assert {who for who, _ in here.uttered} == {"anna"}


async def test_two_who_interrupt_each_other_are_both_told() -> None:
    engine = knowing()
    async with people(engine, here=("anna", "bert")) as here:
        quiet = np.frombuffer(pcm(speech("unknown") * 0.2), np.int16).tobytes()
        engine.knows = lambda sound: TABLE["unknown"].text if piece(quiet) in sound else TABLE["take_message"].text
        await here.hear(1_500, anna=pcm(speech("take_message")), bert=(300, quiet))
        await here.until(lambda: len(here.uttered) == 2)
        assert {event.who for event in here.events if isinstance(event, Uttered)} == {"anna", "bert"}
