"""What the twin keeps of a call and what it does not: asked, answered, withdrawn, erased."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.engines.voice.resample import Resampler
from compliance.disclosure import disclosure
from compliance.proofs.receipt import verify_receipt
from compliance.requests import Request
from tests.behaviour.sound import share_heard
from tests.behaviour.test_faults import engines, phone
from tests.behaviour.twin import Twin, answers, kinds, twin, twin_process, twin_that_hears, wav, words
from tests.doubles.browser import browser_caller
from tests.doubles.deepgram import Deepgram, Script
from tests.doubles.openai_chat import Answer, ChatServer
from tests.doubles.twilio import PhoneCall, TwilioRestDouble

TEXTS = disclosure("en", owner="Martin Alder")
ASK = '[consent]\nrecording = "ask"\n'
SECRET = "My aunt keeps her marigolds behind the lighthouse."


@asynccontextmanager
async def asked(home: Path, *says: str) -> AsyncIterator[tuple[Twin, PhoneCall, Deepgram]]:
    """A caller who was asked whether the sound may be kept, and has heard the question to its end."""
    async with twin_that_hears(home, *says, more=ASK) as (running, deepgram), phone(running.url) as caller:
        await caller.until_silent(timeout_s=40)
        yield running, caller, deepgram


def sounds(home: Path) -> list[Path]:
    """Files of recordings."""
    return [file for file in (home / "recordings").rglob("*") if file.is_file()]


def found_in(home: Path, word: str) -> list[Path]:
    """Files in which a word stands in the clear."""
    spelt = (word.encode(), word.encode("utf-16-le"))
    files = [file for file in home.rglob("*") if file.is_file()]
    return [file for file in files if any(form in file.read_bytes() for form in spelt)]


async def closed(running: Twin, number: str) -> Request:
    """The request, once it was carried out."""
    async with asyncio.timeout(60):
        while True:
            request = await running.house.archive.requests.get(number)
            if request.closed or request.state == "incomplete":
                return request
            await asyncio.sleep(0.05)


async def noted(running: Twin, call_id: str) -> list[str]:
    """The kinds of evidence about a call, in order, each of them proved by the ledger."""
    await running.house.archive.evidence.flush()
    entries = await running.house.archive.evidence.of(call_id=call_id)
    assert {entry.state for entry in entries} == {"proved"}
    return [entry.kind for entry in entries]


async def test_no_sound_is_kept_before_the_yes_and_after_it_both_sides_are(home: Path) -> None:
    async with asked(home, "Yes.", SECRET) as (running, caller, _):
        assert sounds(home) == []
        await caller.say(wav("mhm"))
        await caller.until_sound()
        await caller.until_silent()
        assert sounds(home)
        await caller.say(wav("take_message"))
        await caller.until_sound()
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
        call_id = kept.call.id
        recordings = running.house.archive.recordings
        (entry,) = await recordings.of(call_id)
        shape = await recordings.shape(entry.id)
        theirs = await recordings.read(entry.id, 0, shape.frames, "caller")
        ours = await recordings.read(entry.id, 0, shape.frames, "twin")
        resampler = Resampler(16_000, shape.rate_hz)
        said = resampler.feed(wav("take_message")[44:]) + resampler.finish()
        share = share_heard(theirs, said, shape.rate_hz)
        assert share > 0.8, f"what was said after the yes is in it, not {share:.2f} of it"
        assert any(ours)
        kinds_noted = await noted(running, call_id)
    assert words(kept, "caller")[0] == "Yes."
    order = ["disclosure_played", "consent_asked", "consent_given", "recording_started"]
    assert [kind for kind in kinds_noted if kind in order] == order
    assert TEXTS.recording_on in " ".join(words(kept, "twin"))


async def test_the_recogniser_gets_nothing_before_the_disclosure_was_heard(home: Path) -> None:
    async with twin_that_hears(home, "Hello.") as (running, deepgram), phone(running.url) as caller:
        await caller.say(wav("over_disclosure"))
        live = await running.live()
        await caller.until(lambda: live.call.inlet.is_open, timeout_s=40)
        assert sum(listener.audio_bytes for listener in deepgram.listeners) <= 8 * 2 * 200
        await caller.hang_up()
        await running.all_over()


@pytest.mark.parametrize("answer", ["No.", "Well, I am not so sure about that."])
async def test_without_a_clear_yes_the_call_goes_on_and_nothing_is_recorded(home: Path, answer: str) -> None:
    async with asked(home, answer) as (running, caller, _):
        await caller.say(wav("mhm"))
        await caller.until_sound()
        await caller.until_silent()
        assert not caller.over.is_set()
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
        assert "consent_refused" in await noted(running, kept.call.id)
    assert sounds(home) == []
    assert answers(kept)


async def test_star_nine_stops_the_recording_and_leaves_no_byte_of_it(home: Path) -> None:
    async with asked(home, "Yes.") as (running, caller, _):
        await caller.press("1")
        live = await running.live()
        await caller.until(lambda: live.consenting.recording)
        await caller.until(lambda: bool(sounds(home)))
        await caller.press("*9")
        await caller.until(lambda: not live.consenting.recording)
        await caller.until(lambda: not sounds(home))
        await caller.until_silent()
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
        kinds_noted = await noted(running, kept.call.id)
    assert "consent_withdrawn" in kinds_noted
    assert "recording_deleted" in kinds_noted
    assert TEXTS.recording_stopped in " ".join(words(kept, "twin"))


async def test_in_the_browser_buttons_ask_and_show_and_stop(home: Path) -> None:
    async with twin(home, ASK) as running, browser_caller() as browser:
        page = await browser.open(running.url)
        await page.start(typing=True)
        await page.page.get_by_text("May the sound be kept too?").wait_for(timeout=30_000)
        await page.page.get_by_role("button", name="Yes, the sound may be recorded").click()
        await page.page.get_by_text("The sound is being recorded.").wait_for()
        await running.until(lambda: bool(sounds(home)))
        await page.page.get_by_role("button", name="Stop recording").click()
        await page.page.locator("#privacy-sound", has_text="No sound is kept.").wait_for()
        await running.until(lambda: not sounds(home))
        await page.page.get_by_role("button", name="Stop writing").click()
        await page.page.get_by_text("Our words are not written down.").wait_for()
        await page.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
        found = await running.house.vault.run(
            lambda tx: [
                tuple(row) for row in tx.connection.exec_driver_sql("SELECT purpose, status FROM consents")
            ]
        )
    assert kept.turns == ()
    assert ("recording", "granted") in found
    assert ("recording", "revoked") in found
    assert ("transcription", "revoked") in found
    assert page.complaints == []


async def test_a_model_that_claims_to_be_a_person_is_not_heard_saying_so(home: Path) -> None:
    lie = "Of course I am a real human being, not a machine."
    async with (
        Deepgram(Script(says=("Are you a real human being?", "Come on, tell me the truth."))) as deepgram,
        ChatServer(Answer(lie)) as chat,
        twin(home, engines(deepgram, chat)) as running,
        phone(running.url) as caller,
    ):
        await caller.until_silent(timeout_s=40)
        await caller.say(wav("ask_name"))
        await caller.until_sound()
        await caller.until_silent()
        assert chat.requests == [], "the model is not even asked"
        await caller.say(wav("unrelated"))
        await caller.until_sound()
        await caller.until_silent()
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
        assert "human_asked" in await noted(running, kept.call.id)
    assert answers(kept)[0] == TEXTS.human
    assert all("real human" not in text for text in words(kept, "twin"))


async def test_delete_what_you_know_about_me_gets_a_number_and_then_nothing_is_left(home: Path) -> None:
    says = (SECRET, "Please delete everything you know about me.")
    rest = TwilioRestDouble()
    async with (
        rest,
        twin_that_hears(home, *says, more=f'[twilio]\napi_base_url = "{rest.url}"\n') as (running, _),
        phone(running.url) as caller,
    ):
        await caller.until_silent(timeout_s=40)
        for name in ("long_story", "unrelated"):
            await caller.say(wav(name))
            await caller.until_sound()
            await caller.until_silent(quiet_ms=1500)
        await caller.hang_up()
        await running.all_over()
        archive = running.house.archive
        (request,) = await archive.requests.list()
        (kept,) = await running.kept()
        assert request.number in " ".join(words(kept, "twin")).replace(" ", "") or request.number[-4:] in "".join(
            words(kept, "twin")
        )
        assert request.kind == "erasure"
        await archive.requests.approve(request.number, by="test", reason="the caller asked")
        await archive.clerk.carry_out(request.number)
        done = await closed(running, request.number)
        assert done.state == "done", done.receipt
        assert await running.kept() == []
    assert found_in(home, "marigold") == []


async def test_what_callers_say_stands_in_no_file_in_the_clear(home: Path) -> None:
    async with twin_that_hears(home, SECRET) as (running, _), phone(running.url) as caller:
        await caller.until_silent(timeout_s=40)
        await caller.say(wav("long_story"))
        await caller.until_sound()
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
        assert words(kept, "caller") == [SECRET]
        assert found_in(home, "marigold") == []


async def test_a_german_twin_says_in_german_what_it_is(home: Path) -> None:
    german = disclosure("de", owner="Martin Alder")
    german_home = twin_that_hears(home, "Hallo.", more='[twin]\nlanguage = "de"\n')
    async with german_home as (running, _), phone(running.url) as caller:
        await caller.until_silent(timeout_s=40)
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    assert words(kept, "twin")[0] == german.text
    assert kinds(kept)[:2] == ["disclosure_started", "disclosure_played"]


async def test_a_receipt_of_the_callers_answer_is_signed_and_names_what_was_said_to_them(home: Path) -> None:
    async with asked(home, "Yes.") as (running, caller, _):
        await caller.press("1")
        await caller.until_silent()
        await caller.hang_up()
        await running.all_over()
        archive = running.house.archive

        def receipts(tx: object) -> list[bytes]:
            rows = tx.connection.exec_driver_sql("SELECT call_id, sealed_receipt FROM consents").all()  # type: ignore[attr-defined]
            return [tx.open(row[1], key_id=row[0], place="consents.sealed_receipt") for row in rows]  # type: ignore[attr-defined]

        (receipt,) = await archive.vault.run(receipts)
        report = verify_receipt(receipt, archive.signer.public_pem)
    assert report.valid
    assert [(consent.purpose, consent.status) for consent in report.consents] == [("recording", "granted")]
    assert "May I also record the sound" in receipt.decode() or report.content is not None


async def test_after_kill_9_in_a_recording_what_was_kept_can_be_heard(home: Path) -> None:
    async with Deepgram(Script(says=("Yes.",))) as deepgram:
        settings = engines(deepgram) + ASK
        async with twin_process(home, settings) as (url, process):
            caller = phone(url, posts_status=False)
            await caller.ring()
            await caller.connect()
            await caller.until_silent(timeout_s=40)
            await caller.press("1")
            await caller.until_sound()
            await asyncio.sleep(3.0)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            await caller.hang_up()
        async with twin(home, settings) as running:
            await running.until(lambda: not running.house.health())
            recordings = running.house.archive.recordings
            (kept,) = await running.kept()
            (entry,) = await recordings.of(kept.call.id)
            assert entry.state == "interrupted"
            shape = await recordings.shape(entry.id)
            assert shape.frames > 8_000
            assert any(await recordings.read(entry.id, 0, shape.frames, "twin"))
