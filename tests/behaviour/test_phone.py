"""A person calls the twin on the telephone: the whole house, over the real media socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

from channels.outlet import State
from tests.behaviour.sound import contains, first_ms, level_dbfs
from tests.behaviour.twin import AUTH_TOKEN, Twin, answers, kinds, talk, twin, twin_that_hears, wav, words
from tests.doubles.twilio import PhoneCall, TwilioRestDouble
from tests.speech.make import TABLE


def phone(twin: Twin, **options: object) -> PhoneCall:
    return PhoneCall(twin.url, auth_token=AUTH_TOKEN, **options)  # type: ignore[arg-type]


async def test_the_disclosure_is_heard_first_and_in_full_though_the_caller_talks_over_it(home: Path) -> None:
    async with twin(home) as running, phone(running) as caller:
        await caller.say(wav("over_disclosure"))
        live = await running.live()
        await caller.until(lambda: live.call.outlet.state is State.OPEN, timeout_s=40)
        heard = caller.played_pcm()
        assert contains(heard, live.opening.disclosure.pcm)
        assert live.call.inlet.bytes_let_in == 0 or live.call.inlet.bytes_dropped > len(heard)
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    assert words(kept, "caller") == []
    assert words(kept, "twin")[0].split()[:5] == ["Hello,", "this", "is", "an", "AI,"]
    assert kinds(kept)[:2] == ["disclosure_started", "disclosure_played"]


async def test_a_question_is_answered_from_the_owners_facts(home: Path) -> None:
    async with twin_that_hears(home, TABLE["ask_price"].text) as (running, _), phone(running) as caller:
        await caller.until_silent(timeout_s=40)
        await caller.say(wav("ask_price"))
        await caller.until_sound()
        await caller.until_silent()
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    assert words(kept, "caller") == [TABLE["ask_price"].text]
    answer = talk(kept)[1]
    assert "consultation" in answer.text
    assert answer.provenance == "fact"
    assert not answer.cut


async def test_what_is_not_known_is_not_invented(home: Path) -> None:
    async with twin_that_hears(home, "What is the capital of Mongolia?") as (running, _), phone(running) as caller:
        await caller.until_silent(timeout_s=40)
        await caller.say(wav("unknown"))
        await caller.until_sound()
        await caller.until_silent()
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    answer = answers(kept)[0]
    assert "don't know" in answer
    assert "message" in answer


async def test_the_twin_interrupted_in_mid_sentence_stops_and_the_transcript_ends_at_the_heard_word(
    home: Path,
) -> None:
    says = ("Please tell me everything about your work and your office.", "Stop. I have another question.")
    async with twin_that_hears(home, *says) as (running, _), phone(running) as caller:
        await caller.until_silent(timeout_s=40)
        live = await running.live()
        await caller.say(wav("long_story"))
        await caller.until_sound()
        await asyncio.sleep(3.0)
        before = len(caller.played_pcm())
        await caller.say(wav("stop"))
        await caller.until(lambda: live.call.clock.epoch == 1)
        await caller.until(lambda: len(live.conversation.turns) >= 5)
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    cut = talk(kept)[1]
    assert cut.cut
    assert cut.words
    spoken_s = (cut.words[-1].end_samples - cut.words[0].start_samples) / 8000
    assert 2.0 < spoken_s < 5.5, "it said as much as was heard before and during the interruption"
    assert cut.text == " ".join(word.text for word in cut.words)
    assert before < len(caller.played_pcm())
    assert "hold" in kinds(kept)
    assert "yield" in kinds(kept)


async def test_a_mm_hmm_does_not_take_the_turn(home: Path) -> None:
    says = ("Please tell me everything about your work and your office.", "Mm-hmm.")
    async with twin_that_hears(home, *says) as (running, _), phone(running) as caller:
        await caller.until_silent(timeout_s=40)
        await caller.say(wav("long_story"))
        await caller.until_sound()
        await asyncio.sleep(2.0)
        await caller.say(first_ms(wav("mhm"), 350))
        await caller.until_silent(quiet_ms=1500)
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    answer = talk(kept)[1]
    assert kinds(kept).count("hold") >= 1
    assert kinds(kept).count("resume") == kinds(kept).count("hold")
    assert not answer.cut
    assert len(answer.words) >= 60


async def test_two_callers_at_once_never_hear_each_other(home: Path) -> None:
    async with (
        twin(home) as running,
        phone(running, caller="+15550101") as anna,
        phone(running, caller="+15550102") as ben,
    ):
        await asyncio.gather(anna.until_silent(timeout_s=40), ben.until_silent(timeout_s=40))
        await asyncio.gather(anna.say(wav("alpha")), ben.say(wav("tango")))
        await asyncio.gather(anna.until_sound(), ben.until_sound())
        await asyncio.gather(anna.until_silent(), ben.until_silent())
        await asyncio.gather(anna.hang_up(), ben.hang_up())
        await running.all_over()
        kept = {entry.call.subject: entry for entry in await running.kept()}
    annas, bens = (" ".join(words(kept[number], "caller")) for number in ("+15550101", "+15550102"))
    # The built-in recogniser is weak on the telephone, but it makes no word of one out of the other.
    assert heard_of("alpha", annas)
    assert heard_of("tango", bens)
    assert not heard_of("tango", annas)
    assert not heard_of("alpha", bens)


def heard_of(name: str, text: str) -> bool:
    """True when a key word of that line was recognised."""
    return any(keyword in text for keyword in TABLE[name].keywords)


async def test_keys_are_heard_as_a_turn(home: Path) -> None:
    async with twin(home) as running, phone(running) as caller:
        await caller.press("9")
        await caller.until_silent(timeout_s=40)
        await caller.press("42#")
        await caller.until_sound()
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    assert words(kept, "caller") == ["I pressed 4 2."], "what was pressed over the disclosure is not kept"


async def test_the_caller_says_goodbye_and_the_twin_hangs_up_after_its_last_word(home: Path) -> None:
    rest = TwilioRestDouble()
    async with (
        rest,
        twin_that_hears(home, "Thank you. Good bye.", more=f'[twilio]\napi_base_url = "{rest.url}"\n') as (
            running,
            _,
        ),
        phone(running, rest=rest) as caller,
    ):
        await caller.until_silent(timeout_s=40)
        await caller.say(wav("goodbye"))
        await asyncio.wait_for(caller.over.wait(), 20)
        await running.all_over()
        (kept,) = await running.kept()
    assert kept.call.end_reason == "goodbye"
    last = kept.turns[-1]
    assert last.who == "twin"
    assert not last.cut
    assert caller.said_by_twilio == []


async def test_a_message_is_taken_read_back_and_kept(home: Path) -> None:
    says = ("Please tell him that the meeting moves to Monday at nine.", "Yes.", "Anna Berg.", "Yes.", "Good bye.")
    async with twin_that_hears(home, *says) as (running, _), phone(running) as caller:
        await caller.until_silent(timeout_s=40)
        for name in ("take_message", "ask_name", "ask_name"):
            await caller.say(wav(name))
            await caller.until_sound()
            await caller.until_silent(quiet_ms=900)
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    (message,) = kept.messages
    assert "meeting moves to Monday at nine" in message.text
    assert message.subject == "+15550100"


async def test_every_byte_at_the_door_is_a_byte_on_the_wire(home: Path) -> None:
    async with twin(home) as running, phone(running) as caller:
        live = await running.live()
        await caller.until_silent(timeout_s=40)
        await caller.say(wav("ask_name"))
        await caller.until_sound()
        await caller.until_silent()
        await caller.hang_up()
        await running.all_over()
        call = live.call
        on_the_wire = caller.far_end.received * 2
        assert call.outlet.bytes_out == call.wire.bytes_sent
        assert 0 <= call.outlet.bytes_out - on_the_wire <= 8000 * 2 * 0.2, "no more than what was on its way"
        assert call.inlet.bytes_seen == call.inlet.bytes_let_in + call.inlet.bytes_dropped
    assert level_dbfs(caller.played_pcm()) < -10


async def test_at_capacity_the_caller_is_told_so(home: Path) -> None:
    more = "[limits]\nmax_calls = 1\n"
    async with twin(home, more) as running, phone(running) as first:
        await running.live()
        async with phone(running, caller="+15550103") as second:
            await asyncio.wait_for(second.over.wait(), 5)
            assert any("busy" in said for said in second.said_by_twilio)
        assert not first.over.is_set()
