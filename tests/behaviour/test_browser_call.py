"""A person calls the twin with a browser: the whole house, over real WebRTC."""

from __future__ import annotations

import asyncio
import signal
import time
import wave
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.run import LiveCall
from agent.settings import load as load_settings
from channels.web.peer import HEARD_RATE_HZ, WebCaller
from channels.web.track import TrackWire
from compliance.entries import Conversation as Kept
from compliance.vault import Vault
from tests.behaviour.sound import contains, first_ms, level_dbfs, place, recording, share_heard, similarity
from tests.behaviour.twin import AUTH_TOKEN, answers, kinds, talk, twin, twin_process, twin_that_hears, wav, words
from tests.doubles.browser import Heard, browser_caller
from tests.doubles.twilio import PhoneCall
from tests.speech.make import load

DISCLOSURE = (
    "Hello, this is an AI, the digital twin of Martin Alder. Our words are written down, no sound is kept."
)
EVERYTHING = "Please tell me everything about your work and your office."
PRICE = "How much does a consultation cost?"
SAME = 0.9
"""Likeness of a sound to itself after watermark and Opus: 0.944 was measured; another sentence is below 0.3."""
HEARD = 0.85
"""Share of a sentence that is found again after watermark, Opus and a browser's jitter buffer: 0.98 to 1 was
measured, and at most 0.05 of another sentence."""
OTHER = 0.2
ASKS_AT_S = 12.0
"""When a microphone's file asks: the disclosure takes 8 s, and begins 1 to 2 s after the microphone was opened."""
WAV_HEADER_BYTES = 44
TWO_SECONDS = 2 * 16_000 * 2
"""Of a caller's sound: who talks over the announcement is done well before it ends, also where a browser's
microphone was slow to begin."""


async def test_the_disclosure_is_heard_first_and_in_full_though_the_caller_talks_over_it(
    home: Path, tmp_path: Path
) -> None:
    talks = recording(tmp_path / "talks.wav", (0.2, load("stop")), (2.4, load("over_disclosure")[:TWO_SECONDS]))
    async with twin(home) as running, browser_caller(talks) as browser:
        page = await browser.open(running.url)
        await page.start()
        live = await running.live()
        await page.until_state("disclosing")
        await page.until_state("listening")
        heard = await page.until_heard(live.opening.disclosure.duration_ms + 500)
        await page.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    assert share_heard(heard.samples.tobytes(), live.opening.disclosure.pcm, heard.rate_hz) > HEARD
    assert live.call.inlet.bytes_dropped >= 0.9 * live.opening.disclosure.duration_ms * 32, "what was said over it"
    assert _said(kept)[0] == ("twin", DISCLOSURE)
    assert words(kept, "caller") == []
    assert kinds(kept)[:2] == ["disclosure_started", "disclosure_played"]
    assert kept.call.end_reason == "caller_left"
    assert page.complaints == []


async def test_the_first_sound_of_a_call_is_the_first_sample_of_the_disclosure(home: Path) -> None:
    async with twin(home) as running:
        started = time.monotonic()
        async with WebCaller(running.url) as caller:
            connected = time.monotonic()
            first = asyncio.Event()
            caller.on_heard = lambda heard: first.set() if level_dbfs(heard.pcm) > -60 else None
            await asyncio.wait_for(first.wait(), 10)
            sounded = time.monotonic()
            caller.say(load("over_disclosure"))
            live = await running.live()
            await _listening(caller)
            await _heard_out(caller)
            caller.hang_up()
            await asyncio.wait_for(caller.ended.wait(), 10)
        await running.all_over()
        (kept,) = await running.kept()
    print(
        f"\nconnected: {1000 * (connected - started):.0f} ms, first sound: {1000 * (sounded - connected):.0f} ms"
    )
    heard = caller.pcm()
    assert contains(heard, live.opening.disclosure.pcm, at_least=SAME)
    assert place(heard, live.opening.disclosure.pcm) <= 48 * 20, "less than a chunk: the codec's own delay"
    assert _said(kept)[0] == ("twin", DISCLOSURE)
    assert _door(live) == (live.call.outlet.bytes_out,) * 3
    assert 0 <= live.call.outlet.bytes_out - len(heard) <= 48_000, "no more than what was on its way"


def office_hours() -> bytes:
    """The probe's own question, which the built-in recogniser understands: "When is the office open?"."""
    with wave.open(str(files("agent").joinpath("probe.wav"))) as file:
        pcm: bytes = file.readframes(file.getnframes())
        return pcm


async def test_a_spoken_question_is_answered_from_the_owners_facts(home: Path, tmp_path: Path) -> None:
    asks = recording(tmp_path / "asks.wav", (ASKS_AT_S, office_hours()))
    recognised = twin_that_hears(home, "When is the office open?")
    async with recognised as (running, _), browser_caller(asks) as browser:
        voice = await running.overhear()
        page = await browser.open(running.url)
        await page.start()
        live = await running.live()
        await page.until_state("listening")
        await page.until_caption("twin", "half past five")
        await page.until_state("listening")
        shown, heard = await page.captions(), await page.heard()
        await page.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    question, answer = talk(kept)
    assert "open" in question.text
    assert answer.provenance == "fact"
    assert not answer.cut
    assert shown == _said(kept)
    assert share_heard(heard.samples.tobytes(), voice.pcm(heard.rate_hz), heard.rate_hz) > HEARD
    assert _door(live) == (live.call.outlet.bytes_out,) * 3


async def test_a_typed_question_is_answered_and_one_typed_over_the_answer_interrupts_it(home: Path) -> None:
    async with twin(home) as running, browser_caller("none") as browser:
        page = await browser.open(running.url)
        await page.start(typing=True)
        await page.type("Where is your office?")
        await page.until_caption("twin", "fourteen Lantern")
        await page.type(PRICE)
        await page.until_caption("twin", "ninety pounds")
        await page.until_state("listening")
        shown = await page.captions()
        await page.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    assert [turn.cut for turn in talk(kept)] == [False, True, False, False]
    assert words(kept, "caller") == ["Where is your office?", PRICE]
    address, price = answers(kept)
    assert address.startswith("The office is at fourteen Lantern")
    assert "bakery" not in address
    assert "ninety pounds" in price
    assert shown == _said(kept)
    assert page.complaints == []


async def test_interrupted_in_mid_sentence_the_browser_falls_silent_and_every_record_ends_at_the_heard_word(
    home: Path, tmp_path: Path
) -> None:
    talks = recording(tmp_path / "talks.wav", (ASKS_AT_S, load("long_story")), (19.0, load("stop")))
    async with twin_that_hears(home, EVERYTHING, PRICE) as (running, _), browser_caller(talks) as browser:
        page = await browser.open(running.url)
        await page.start()
        await page.until_state("listening")
        await page.until_caption("twin", "Martin Alder is")
        await page.until_caption("twin", "ninety pounds")
        await page.until_state("listening")
        shown, heard = await page.captions(), await page.heard()
        await page.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    assert [turn.cut for turn in talk(kept)] == [False, True, False, False]
    assert 3 <= len(talk(kept)[1].words) <= 30
    assert shown == _said(kept)
    begin_ms, _ = _sounding_ms(heard)
    held_ms = begin_ms + _position(kept, "hold") / 48
    answered_ms = begin_ms + talk(kept)[3].start_samples / 48
    around = heard.loudness()[int(held_ms - 300) // 20 : int(answered_ms + 1_000) // 20]
    quiet_ms = 20 * _longest_run(around < 100)
    assert quiet_ms > 0.8 * (answered_ms - held_ms), "silent from the hold until the answer to the interruption"


async def test_a_mm_hmm_holds_the_twin_and_it_goes_on_from_the_very_sample(home: Path) -> None:
    async with twin_that_hears(home, PRICE, "Mm-hmm.") as (running, _):
        voice = await running.overhear()
        async with WebCaller(running.url) as caller:
            live = await running.live()
            await _listening(caller)
            caller.say(load("ask_price"))
            await _answering(caller, words=6)
            caller.say(first_ms(wav("mhm"), 350)[WAV_HEADER_BYTES:])
            await caller.until(lambda: ("caller", "Mm-hmm.", True) in _captions(caller.messages))
            await _listening(caller)
            await _heard_out(caller)
            caller.hang_up()
            await asyncio.wait_for(caller.ended.wait(), 10)
        await running.all_over()
        (kept,) = await running.kept()
    assert (talk(kept)[2].who, talk(kept)[2].text) == ("caller", "Mm-hmm.")
    assert talk(kept)[1].text.endswith("build with him.")
    assert not talk(kept)[1].cut
    assert [kind for kind in kinds(kept) if kind in ("hold", "resume", "yield")][-2:] == ["hold", "resume"]

    heard, answer = caller.pcm(), voice.pcm(HEARD_RATE_HZ)
    behind = place(heard, live.opening.disclosure.pcm)
    hold, resume = (_position(kept, kind) + behind for kind in ("hold", "resume"))
    assert level_dbfs(heard[(hold + 2_400) * 2 : (resume - 480) * 2]) < -60, "nothing sounds on hold"
    joined = heard[: hold * 2] + heard[resume * 2 :]
    second = HEARD_RATE_HZ * 2
    assert contains(joined, answer, at_least=SAME), "the hold cut out, it is the whole answer in one piece"
    between = place(joined, answer[-second:]) - place(joined, answer[:second])
    assert abs(between - len(answer[:-second]) // 2) <= 2, "nothing is missing, nothing was said twice"


@pytest.mark.alone
async def test_two_browsers_at_once_never_hear_each_other(home: Path, tmp_path: Path) -> None:
    price = recording(tmp_path / "price.wav", (ASKS_AT_S, load("ask_price")))
    address = recording(tmp_path / "address.wav", (ASKS_AT_S, load("ask_address")))
    says = ("How much does a consultation cost?", "Please give me the address.")
    recognised = twin_that_hears(home, says=lambda listener, utterance: says[listener.number])
    async with recognised as (running, _), browser_caller(price) as anna, browser_caller(address) as ben:
        voice = await running.overhear()
        pages = [await browser.open(running.url) for browser in (anna, ben)]
        for page in pages:
            await page.start()
        for page, answer in zip(pages, ("ninety pounds", "Lantern Lane"), strict=True):
            await page.until_state("listening")
            await page.until_caption("twin", answer)
        for page in pages:
            await page.until_state("listening")
        shown = [await page.captions() for page in pages]
        heard = [await page.heard() for page in pages]
        for page in pages:
            await page.hang_up()
        await running.all_over()
        ben_kept, anna_kept = await running.kept()
    assert shown == [_said(anna_kept), _said(ben_kept)]
    said = [answers(kept)[0] for kept in (anna_kept, ben_kept)]
    assert "consultation" in words(anna_kept, "caller")[0]
    assert "address" in words(ben_kept, "caller")[0]
    assert said[0] != said[1]
    for mine, ear in enumerate(heard):
        own, other = (voice.pcm(ear.rate_hz, within=said[number]) for number in (mine, 1 - mine))
        assert share_heard(ear.samples.tobytes(), own, ear.rate_hz) > HEARD
        assert share_heard(ear.samples.tobytes(), other, ear.rate_hz) < OTHER


async def test_a_browser_and_a_telephone_at_once_never_hear_each_other(home: Path) -> None:
    says = {"16000": "How much does a consultation cost?", "8000": "Please give me the address."}
    recognised = twin_that_hears(home, says=lambda listener, utterance: says[listener.query["sample_rate"]])
    async with recognised as (running, _):
        voice = await running.overhear()
        async with WebCaller(running.url) as web, PhoneCall(running.url, auth_token=AUTH_TOKEN) as phone:
            await asyncio.gather(_listening(web), phone.until_silent(timeout_s=40))
            web.say(load("ask_price"))
            await asyncio.gather(_answering(web), phone.say(wav("ask_address")))
            await phone.until_sound()
            await asyncio.gather(_listening(web), phone.until_silent())
            await _heard_out(web)
            web.hang_up()
            await asyncio.wait_for(web.ended.wait(), 10)
        await running.all_over()
        kept = {entry.call.channel: entry for entry in await running.kept()}
    by_web, by_phone = answers(kept["web"])[0], answers(kept["phone"])[0]
    assert "consultation" in words(kept["web"], "caller")[0]
    assert "address" in words(kept["phone"], "caller")[0]
    assert by_web != by_phone
    assert similarity(web.pcm(), voice.pcm(48_000, within=by_web)) > SAME
    assert similarity(web.pcm(), voice.pcm(48_000, within=by_phone)) < 0.3
    assert similarity(phone.played_pcm(), voice.pcm(8_000, within=by_web)) < 0.3
    heard_of_anna = [text for who, text, final in _captions(web.messages) if who == "caller" and final]
    assert heard_of_anna == words(kept["web"], "caller")


async def test_the_person_says_goodbye_and_the_twin_hangs_up_after_its_last_word(home: Path) -> None:
    async with twin(home) as running, browser_caller("none") as browser:
        voice = await running.overhear()
        page = await browser.open(running.url)
        await page.start(typing=True)
        await page.type("Good bye.")
        await page.page.wait_for_selector("body[data-phase=ended]", timeout=30_000)
        shown, heard = await page.captions(), await page.heard()
        await running.all_over()
        (kept,) = await running.kept()
    assert kept.call.end_reason == "goodbye"
    assert shown == _said(kept)
    assert not kept.turns[-1].cut
    assert share_heard(heard.samples.tobytes(), voice.pcm(heard.rate_hz), heard.rate_hz) > HEARD
    assert page.complaints == []


async def test_a_page_that_is_closed_or_reloaded_ends_its_call_and_the_next_one_begins_anew(home: Path) -> None:
    async with twin(home) as running, browser_caller() as browser:
        page = await browser.open(running.url)
        await page.start()
        await page.until_caption("twin", "this is an AI")
        await page.page.reload()
        await running.all_over()
        await page.start()
        await page.until_caption("twin", "Hello, this is an AI")
        await page.page.close()
        await running.all_over()
        second, first = await running.kept()
    for kept in (first, second):
        assert kept.call.end_reason == "caller_left"
        assert kinds(kept) == ["disclosure_started"]
        assert DISCLOSURE.startswith(kept.turns[0].text)
        assert kept.turns[0].cut


async def test_a_server_that_stops_says_so_and_keeps_what_was_heard(home: Path) -> None:
    async with browser_caller() as browser, twin_process(home, "[limits]\ndrain_s = 0.5\n") as (url, process):
        page = await browser.open(url)
        await page.start()
        await page.until_caption("twin", "this is an AI")
        process.send_signal(signal.SIGTERM)
        await page.until_ended()
        shown = await page.captions()
        assert await asyncio.wait_for(process.wait(), 20) == 0
    kept = await _kept_on_disk(home)
    assert kept.call.state == "ended"
    assert kept.call.end_reason == "server_stopping"
    (disclosure,) = kept.turns
    assert disclosure.cut
    assert shown[0][1].startswith("Hello, this is an AI")
    assert disclosure.text.startswith(shown[0][1]), "a word may still have sounded while the page hung up"


async def test_at_capacity_the_next_person_is_told_in_words(home: Path) -> None:
    async with twin(home, "[limits]\nmax_calls = 1\n") as running, browser_caller() as browser:
        first, second = [await browser.open(running.url) for _ in range(2)]
        await first.start()
        await running.live()
        await second.press("Start talking")
        title, text = await second.problem()
        assert title == "The twin cannot take your call right now"
        assert "All lines to this twin are busy." in text
        await first.hang_up()
        await running.all_over()
        await second.press("Try again")
        await second.page.wait_for_selector("body[data-phase=in-call]")
        await second.hang_up()
        await running.all_over()


async def _kept_on_disk(home: Path) -> Kept:
    """The one call that a house which is closed by now has left."""
    vault = Vault(home, load_settings(home).store)
    await vault.open()
    try:
        (entry,) = await vault.calls()
        kept = await vault.call(entry.id)
    finally:
        await vault.close()
    assert kept is not None
    return kept


def _said(kept: Kept) -> list[tuple[str, str]]:
    return [(turn.who, turn.text) for turn in kept.turns]


def _position(kept: Kept, kind: str) -> int:
    """Where on the outlet's clock the last event of that kind happened."""
    at = next(event.position_samples for event in reversed(kept.events) if event.kind == kind)
    assert at is not None
    return at


def _door(live: LiveCall) -> tuple[int, int, int]:
    """Bytes that left the outlet, that the wire was sent, and that were given to the encoder."""
    wire = live.call.wire
    assert isinstance(wire, TrackWire)
    return live.call.outlet.bytes_out, wire.bytes_sent, wire.bytes_framed


def _sounding_ms(heard: Heard) -> tuple[float, float]:
    """From when to when there is sound, in milliseconds since the first sample."""
    loud = np.flatnonzero(heard.loudness() > 100)
    return float(loud[0] * 20), float(loud[-1] * 20 + 20)


def _longest_run(true: NDArray[np.bool_]) -> int:
    """How many are true in a row, at most."""
    edges = np.flatnonzero(~np.concatenate(([False], true, [False])))
    return int(np.diff(edges).max()) - 1


def _captions(messages: list[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    return [(said["who"], said["text"], said["final"]) for said in messages if said["type"] == "caption"]


async def _listening(caller: WebCaller) -> None:
    """Wait until the twin listens."""

    def listens() -> bool:
        states = [message["state"] for message in caller.messages if message["type"] == "status"]
        return states[-1:] == ["listening"]

    await caller.until(listens, 40)


async def _heard_out(caller: WebCaller) -> None:
    """Wait until what has left the door by now has passed the ear's jitter buffer."""
    end = caller.heard[-1].position + HEARD_RATE_HZ // 2
    await caller.until(lambda: caller.heard[-1].position >= end)


async def _answering(caller: WebCaller, *, words: int = 1) -> None:
    """Wait until so many words of the twin were heard from now on."""
    begin = len(caller.messages)

    def answers() -> bool:
        return (
            sum(len(text.split()) for who, text, _ in _captions(caller.messages[begin:]) if who == "twin") >= words
        )

    await caller.until(answers, 30)
