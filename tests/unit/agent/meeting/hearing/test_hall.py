"""Everybody in a meeting is heard."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
import pytest

from agent.meeting.events import Began, Fell, Guessed, Uttered
from agent.meeting.hearing.guest import STALLED_MS
from tests.doubles.engines import ScriptedSpeech
from tests.doubles.knowing_speech import KnowingSpeech
from tests.speech.make import TABLE
from tests.unit.agent.meeting.hearing.people import CLOCK_HZ, NAMES, RATE_HZ, STEP_MS, knowing, people, voice

PRICE, HOURS, ALPHA = (TABLE[name].text for name in ("ask_price", "ask_hours", "alpha"))


def loud(pcm: bytes) -> bytes:
    """Without the silence before and after it."""
    where = np.flatnonzero(np.abs(np.frombuffer(pcm, np.int16).astype(int)) > 500)
    return pcm[2 * where[0] : 2 * where[-1]]


async def test_a_person_speaks_and_is_heard() -> None:
    async with people(knowing()) as here:
        await here.hear(1_200, anna=(1_000, voice("ask_price")))
        await here.until(lambda: here.uttered)
        assert here.uttered == [("anna", PRICE)]
        assert here.course("anna") == ["Began", "Fell", "Uttered"]
        assert any(isinstance(event, Guessed) and event.text == PRICE for event in here.events)


async def test_where_it_was_is_told_on_the_outlets_clock() -> None:
    sound = np.abs(np.frombuffer(voice("ask_price"), np.int16).astype(int)) > 500
    first, last = (1_000 + 1_000 * int(at) / RATE_HZ for at in np.flatnonzero(sound)[[0, -1]])
    async with people(knowing()) as here:
        await here.hear(1_200, anna=(1_000, voice("ask_price")))
        await here.until(lambda: here.uttered)
        began, fell, uttered = (
            next(event for event in here.events if isinstance(event, kind)) for kind in (Began, Fell, Uttered)
        )
        assert isinstance(uttered, Uttered)
        assert isinstance(began, Began)
        assert isinstance(fell, Fell)
        assert (began.at, fell.at) == (uttered.start, uttered.end)
        # Sound arrives after it was spoken, a step later here.
        assert uttered.start / CLOCK_HZ * 1_000 == pytest.approx(first, abs=150)
        assert uttered.end / CLOCK_HZ * 1_000 == pytest.approx(last, abs=150)


async def test_its_sound_comes_with_it() -> None:
    said = voice("ask_price")
    async with people(knowing()) as here:
        await here.hear(1_200, anna=(1_000, said))
        await here.until(lambda: here.uttered)
        event = here.events[-1]
        assert isinstance(event, Uttered)
        assert said[3_200:-3_200] in event.pcm


async def test_however_the_sound_is_cut_the_same_is_heard() -> None:
    courses = []
    for size in (320, 1_920, 3_200):
        async with people(knowing()) as here:
            whole = bytes(RATE_HZ) + voice("ask_price") + bytes(2 * RATE_HZ)
            for start in range(0, len(whole), size):
                here.clock.left(len(whole[start : start + size]) // 2 * 3)
                here.doors["anna"].audio(whole[start : start + size])
                await asyncio.sleep(0)
            await here.until(lambda here=here: here.uttered)  # type: ignore[misc]
            event = here.events[-1]
            assert isinstance(event, Uttered)
            courses.append((event.text, round(event.start / CLOCK_HZ, 1), round(event.end / CLOCK_HZ, 1)))
    assert len(set(courses)) == 1


async def test_two_people_at_once_are_two() -> None:
    async with people(knowing(), here=("anna", "bert")) as here:
        await here.hear(1_200, anna=voice("ask_price"), bert=(400, voice("alpha")))
        await here.until(lambda: len(here.uttered) == 2)
        assert sorted(here.uttered) == [("anna", PRICE), ("bert", ALPHA)]
        first, second = (event for event in here.events if isinstance(event, Uttered))
        assert max(first.start, second.start) < min(first.end, second.end)


async def test_somebody_goes_on_after_a_breath() -> None:
    said = loud(voice("ask_price")) + bytes(RATE_HZ // 2) + loud(voice("ask_hours"))
    async with people(knowing()) as here:
        await here.hear(1_200, anna=said)
        await here.until(lambda: here.uttered)
        assert here.uttered == [("anna", f"{HOURS} {PRICE}")]
        assert here.course("anna") == ["Began", "Fell", "Began", "Fell", "Uttered"]


async def test_who_is_silent_costs_no_recogniser() -> None:
    engine = knowing()
    async with people(engine, here=("anna", "bert", "carl")) as here:
        await here.hear(1_200, anna=voice("ask_price"))
        await here.until(lambda: here.uttered)
        assert len(engine.hearings) == 1


async def test_a_recogniser_stays_with_a_person_for_a_while() -> None:
    engine = knowing()
    async with people(engine, warm_s=5) as here:
        for count in (1, 2):
            await here.hear(1_200, anna=voice("ask_price"))
            await here.until(lambda count=count: len(here.uttered) == count)  # type: ignore[misc]
        assert len(engine.hearings) == 1
        await here.hear(5_200)
        await here.until(lambda: engine.open_now == 0)
        await here.hear(1_200, anna=voice("ask_price"))
        await here.until(lambda: len(here.uttered) == 3)
        assert len(engine.hearings) == 2


async def test_a_noise_without_words_is_unheard() -> None:
    async with people(knowing()) as here:
        await here.hear(1_200, anna=voice("mhm"))
        await here.until(lambda: here.unheard)
        assert here.unheard == [("anna", False)]
        assert here.uttered == []


# many at once


async def test_a_fourth_speaker_waits_and_is_heard_from_their_first_word() -> None:
    engine = knowing()
    said = dict(zip(("anna", "bert", "carl", "dora"), ("ask_price", "ask_hours", "alpha", "tango"), strict=True))
    async with people(engine, here=tuple(said), recognisers=3, patience_s=30) as here:
        engine.may_finish.clear()
        await here.hear(1_200, **{who: (100 * i, voice(name)) for i, (who, name) in enumerate(said.items())})
        assert engine.open_now == 3
        assert here.uttered == []
        engine.may_finish.set()
        await here.until(lambda: len(here.uttered) == 4)
        assert sorted(here.uttered) == sorted((who, TABLE[name].text) for who, name in said.items())
        assert engine.most_open == 3
        assert here.uttered[-1][0] == "dora"


async def test_who_waited_too_long_is_told_to_be_unheard() -> None:
    engine = knowing()
    async with people(engine, here=("anna", "bert"), recognisers=1, patience_s=2) as here:
        engine.may_finish.clear()
        await here.hear(1_200, anna=voice("ask_price"), bert=(300, voice("alpha")))
        assert here.unheard == []
        await here.hear(2_500)
        assert here.unheard == [("bert", True)]
        assert here.hall.crowded == 1
        engine.may_finish.set()
        await here.until(lambda: here.uttered)
        await here.hear(1_200, bert=voice("ask_hours"))
        await here.until(lambda: len(here.uttered) == 2)
        assert here.uttered == [("anna", PRICE), ("bert", HOURS)]


async def test_nobody_is_heard_twice_while_another_waits() -> None:
    engine = knowing()
    async with people(engine, here=("anna", "bert"), recognisers=1, patience_s=30) as here:
        engine.may_finish.clear()
        await here.hear(1_200, anna=voice("ask_price"), bert=(1_000, voice("alpha")))
        await here.hear(1_200, anna=voice("ask_hours"))
        engine.may_finish.set()
        await here.until(lambda: len(here.uttered) == 3)
        assert here.uttered == [("anna", PRICE), ("bert", ALPHA), ("anna", HOURS)]


async def test_of_a_talker_whom_nobody_can_follow_the_newest_is_kept() -> None:
    engine = knowing()
    async with people(engine, here=("anna",), recognisers=1, patience_s=30) as here:
        engine.may_finish.clear()
        for name in ("ask_price", "alpha", "tango", "ask_hours"):
            await here.hear(1_000, anna=voice(name))
        assert here.unheard == [("anna", True)]
        engine.may_finish.set()
        await here.until(lambda: len(here.uttered) == 3)
        assert [text for _, text in here.uttered] == [PRICE, TABLE["tango"].text, HOURS]


# coming and going


async def test_who_leaves_in_the_middle_is_heard_to_there() -> None:
    engine = knowing()
    async with people(engine) as here:
        await here.hear(0, anna=voice("ask_price")[: -RATE_HZ // 2])
        here.hall.leave("anna")
        await here.until(lambda: here.uttered)
        assert here.uttered == [("anna", PRICE)]
        await here.until(lambda: engine.open_now == 0)


async def test_who_comes_back_has_a_new_door_and_while_they_are_here_the_same() -> None:
    async with people(knowing()) as here:
        assert here.hall.enter("anna") is here.doors["anna"]
        here.hall.leave("anna")
        assert here.hall.enter("anna") is not here.doors["anna"]


async def test_the_sound_of_who_has_left_is_not_heard() -> None:
    async with people(knowing()) as here:
        here.hall.leave("anna")
        await here.hear(1_200, anna=voice("ask_price"))
        assert here.events == []


async def test_who_is_muted_in_the_middle_is_heard_to_there() -> None:
    async with people(knowing()) as here:
        await here.hear(0, anna=voice("ask_price")[: -RATE_HZ // 2])
        here.hall.muted("anna", True)
        assert here.course("anna") == ["Began", "Fell"]
        await here.until(lambda: here.uttered)
        assert here.uttered == [("anna", PRICE)]
        await here.hear(1_200, anna=voice("ask_hours"))
        assert len(here.uttered) == 1
        here.hall.muted("anna", False)
        await here.hear(1_200, anna=voice("ask_hours"))
        await here.until(lambda: len(here.uttered) == 2)


async def test_who_left_muted_and_comes_back_is_heard() -> None:
    engine = knowing()
    async with people(engine) as here:
        engine.may_finish.clear()
        await here.hear(0, anna=voice("ask_price"))
        here.hall.muted("anna", True)
        here.hall.leave("anna")
        here.enter("anna")
        engine.may_finish.set()
        await here.hear(1_200, anna=voice("ask_hours"))
        await here.until(lambda: len(here.uttered) == 2)
        assert [text for _, text in here.uttered] == [PRICE, HOURS]


async def test_a_line_that_breaks_in_the_middle_ends_the_utterance() -> None:
    async with people(knowing()) as here:
        await here.hear(0, anna=voice("ask_price"))
        for _ in range(STALLED_MS // STEP_MS + 2):
            await here.step({}, others=False)
        await here.until(lambda: here.uttered)
        assert here.course("anna") == ["Began", "Fell", "Uttered"]


async def test_what_a_stalled_loop_cannot_hear_is_dropped_and_counted() -> None:
    async with people(knowing()) as here:
        for _ in range(50):
            here.doors["anna"].audio(bytes(RATE_HZ // 5))
        await here.settle()
        assert here.hall.dropped_bytes == 30 * RATE_HZ // 5


async def test_what_is_typed_or_dialled_is_an_utterance_of_its_own() -> None:
    async with people(knowing(), here=("anna", "bert")) as here:
        here.clock.left(480)
        here.doors["anna"].text("What about Monday?")
        for key in "12#":
            here.doors["bert"].digit(key)
        assert [(event.who, event.text, event.typed) for event in here.events if isinstance(event, Uttered)] == [
            ("anna", "What about Monday?", True),
            ("bert", "I pressed 1 2.", True),
        ]


async def test_after_its_end_nothing_is_told() -> None:
    engine = knowing()
    async with people(engine) as here:
        await here.hear(0, anna=voice("ask_price"))
        await here.hall.close()
        told = len(here.events)
        here.doors["anna"].text("Hello?")
        await here.settle()
        assert len(here.events) == told
        assert engine.open_now == 0


# engines that fail


async def test_an_engine_that_dies_in_the_middle_is_replaced_and_the_utterance_is_whole() -> None:
    first, second = knowing(), knowing()
    first.name, second.name = "first", "second"
    said = voice("ask_price")
    async with people(first, second) as here:
        await here.hear(0, anna=said[: len(said) // 2])
        first.dead = True
        await here.hear(1_200, anna=said[len(said) // 2 :])
        await here.until(lambda: here.uttered)
        assert here.uttered == [("anna", PRICE)]
        assert here.fallbacks == [("first", "second")]
        here.enter("bert")
        await here.hear(1_200, bert=voice("alpha"))
        await here.until(lambda: len(here.uttered) == 2)
        assert here.fallbacks == [("first", "second")]
        assert here.deaf == 0


async def test_an_engine_at_its_capacity_still_serves_the_others() -> None:
    first, second = knowing(capacity=1), knowing()
    first.name, second.name = "first", "second"
    async with people(first, second, here=("anna", "bert")) as here:
        for count in (1, 2):
            await here.hear(1_200, anna=voice("ask_price"), bert=(200, voice("alpha")))
            await here.until(lambda count=count: len(here.uttered) == 2 * count)  # type: ignore[misc]
        assert here.fallbacks == []
        assert (first.most_open, second.most_open) == (1, 1)


async def test_when_no_engine_is_left_it_says_so_once() -> None:
    engine = knowing()
    engine.dead = True
    async with people(engine) as here:
        await here.hear(1_200, anna=voice("ask_price"))
        await here.until(lambda: here.unheard)
        assert here.deaf == 1
        assert here.unheard == [("anna", True)]


async def test_who_cannot_be_recognised_while_others_are_does_not_make_it_deaf() -> None:
    engine = knowing(capacity=1)
    async with people(engine, here=("anna", "bert")) as here:
        await here.hear(1_200, anna=voice("ask_price"), bert=(300, voice("alpha")))
        await here.until(lambda: here.uttered and here.unheard)
        assert here.uttered == [("anna", PRICE)]
        assert here.unheard == [("bert", True)]
        assert here.deaf == 0
        here.hall.leave("anna")
        await here.hear(1_200, bert=voice("alpha"))
        await here.until(lambda: len(here.uttered) == 2)


async def test_a_recogniser_late_with_its_words_gives_those_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.meeting.hearing.scribe.FINISH_LIMIT_S", 0.05)
    monkeypatch.setattr("agent.meeting.hearing.scribe.LATE_FACTOR", 0.0)
    engine = knowing()
    async with people(engine) as here:
        engine.may_finish.clear()
        await here.hear(1_200, anna=voice("ask_price"))
        await here.until(lambda: here.uttered)
        assert here.uttered == [("anna", PRICE)]


async def test_a_defect_of_an_engine_costs_these_words_and_no_others() -> None:
    class Broken(KnowingSpeech):
        def __init__(self) -> None:
            super().__init__(lambda pcm: (1 / 0 and "") or "", guesses=False)

    engine = Broken()
    async with people(engine) as here:
        await here.hear(1_200, anna=voice("ask_price"))
        await here.until(lambda: here.unheard)
        engine.knows = knowing().knows
        await here.hear(1_200, anna=voice("ask_price"))
        await here.until(lambda: here.uttered)
        assert here.uttered[-1][0] == "anna"


async def test_hints_reach_the_recogniser() -> None:
    engine = ScriptedSpeech(understands="Hello there.")
    async with people(engine) as here:
        await here.hear(1_200, anna=voice("ask_price"))
        await here.until(lambda: here.uttered)
        assert engine.hearing.hints[0] == "onset"
        assert engine.hearing.hints[-1] == "offset"


@pytest.mark.parametrize("name", NAMES)
async def test_every_recording_is_one_persons_and_whole(name: str) -> None:
    async with people(knowing()) as here:
        await here.hear(1_200, anna=(300, voice(name)))
        await here.until(lambda: here.uttered)
        assert " ".join(text for _, text in here.uttered) == TABLE[name].text
        course = here.course("anna")
        assert course[0] == "Began"
        assert course.count("Began") == course.count("Fell")
        assert all(after != before for before, after in pairwise(course))
