"""Something breaks in the middle of a call: the caller hears something sensible, and nothing is lost or hangs."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from compliance.vault import Vault
from tests.behaviour.twin import AUTH_TOKEN, answers, kinds, twin, twin_process, wav, words
from tests.doubles.deepgram import Deepgram, Script
from tests.doubles.openai_chat import Answer, ChatServer
from tests.doubles.twilio import PhoneCall
from tests.speech.make import TABLE

QUESTION = "How much does a consultation cost?"


def phone(url: str, *, posts_status: bool = True) -> PhoneCall:
    return PhoneCall(url, auth_token=AUTH_TOKEN, posts_status=posts_status)


def engines(deepgram: Deepgram, chat: ChatServer | None = None) -> str:
    settings = f'[speech]\nengine = "deepgram"\nbase_url = "{deepgram.url}"\n'
    if chat is not None:
        settings += f'[brain]\nengine = "openai"\nmodel = "stub"\nbase_url = "{chat.base_url}"\n'
    return settings


async def ask(caller: PhoneCall, name: str = "ask_price") -> float:
    """Ask, and return how many seconds after the caller's last word the answer began to sound."""
    loop = asyncio.get_running_loop()
    await caller.say(wav(name))
    asked = loop.time()
    await caller.until_sound(timeout_s=15)
    return loop.time() - asked


@pytest.mark.parametrize(
    "trouble",
    [Answer(status=500), Answer(fault="hang"), Answer(fault="hang_mid"), Answer(fault="cut_mid")],
    ids=["500", "hangs", "hangs in mid-stream", "cut in mid-stream"],
)
async def test_when_the_model_fails_the_owners_facts_answer(home: Path, trouble: Answer) -> None:
    async with (
        Deepgram(Script(says=(QUESTION,))) as deepgram,
        ChatServer(trouble) as chat,
        twin(home, engines(deepgram, chat)) as running,
        phone(running.url) as caller,
    ):
        await caller.until_silent(timeout_s=40)
        await ask(caller)
        await caller.until_silent(quiet_ms=2500)
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
        assert chat.requests
    answer = answers(kept)[0]
    assert "message" in answer or "euro" in answer.lower() or "pound" in answer.lower()


async def test_when_the_model_is_not_there_at_all_the_call_is_answered(home: Path) -> None:
    async with Deepgram(Script(says=(QUESTION,))) as deepgram:
        settings = (
            engines(deepgram) + '[brain]\nengine = "openai"\nmodel = "x"\nbase_url = "http://127.0.0.1:9/v1"\n'
        )
        async with twin(home, settings) as running, phone(running.url) as caller:
            await caller.until_silent(timeout_s=40)
            await ask(caller)
            await caller.until_silent()
            await caller.hang_up()
            await running.all_over()
            (kept,) = await running.kept()
    assert len(answers(kept)) == 1


async def test_when_the_recogniser_dies_another_hears_the_turn_from_its_beginning(home: Path) -> None:
    script = Script(says=(QUESTION,), dies_after_ms=1)
    async with (
        Deepgram(script) as deepgram,
        twin(home, engines(deepgram)) as running,
        phone(running.url) as caller,
    ):
        await caller.until_silent(timeout_s=40)
        await ask(caller)
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    assert "fallback" in kinds(kept)
    assert any(keyword in words(kept, "caller")[0] for keyword in TABLE["ask_price"].keywords)


async def test_when_the_voice_is_killed_in_mid_sentence_the_rest_of_the_answer_is_still_said(home: Path) -> None:
    says = ("Please tell me everything about your work and your office.",)
    async with (
        Deepgram(Script(says=says)) as deepgram,
        twin(home, engines(deepgram)) as running,
        phone(running.url) as caller,
    ):
        await caller.until_silent(timeout_s=40)
        await caller.say(wav("long_story"))
        await caller.until_sound()
        os.kill(espeak_pid(), signal.SIGKILL)
        await asyncio.sleep(1.0)
        await caller.until_silent(quiet_ms=2500)
        assert not caller.over.is_set() or caller.said_by_twilio == []
        await caller.hang_up()
        await running.all_over()
        (kept,) = await running.kept()
    assert answers(kept)[0]


def espeak_pid() -> int:
    """The process of the built-in voice, found as the system sees it."""
    me = psutil.Process()
    return next(
        child.pid for child in me.children() if any("espeak_child" in argument for argument in child.cmdline())
    )


async def test_after_kill_9_the_words_heard_until_then_are_there(home: Path) -> None:
    async with twin_process(home, '[speech]\nengine = "pocketsphinx"\n') as (url, process):
        caller = phone(url, posts_status=False)
        await caller.ring()
        await caller.connect()
        await caller.until_sound()
        await asyncio.sleep(3.0)
        process.kill()
        await process.wait()
        heard_s = len(caller.played_pcm()) / 16_000
        await caller.hang_up()
    async with Vault(home) as vault:
        (call,) = await vault.calls()
        kept = await vault.call(call.id)
    assert kept is not None
    assert call.end_reason == "interrupted"
    (disclosure,) = kept.turns
    assert disclosure.words
    assert heard_s - disclosure.words[-1].end_samples / 8000 < 1.0


async def test_a_stop_in_mid_call_ends_the_call_and_the_process(home: Path) -> None:
    more = '[speech]\nengine = "pocketsphinx"\n[limits]\ndrain_s = 1\n'
    async with twin_process(home, more) as (url, process), phone(url, posts_status=False) as caller:
        await caller.until_sound()
        process.terminate()
        code = await asyncio.wait_for(process.wait(), 40)
        assert code == 0
        await asyncio.wait_for(caller.over.wait(), 5)
    async with Vault(home) as vault:
        (call,) = await vault.calls()
    assert call.state == "ended"
    assert call.end_reason == "server_stopping"
