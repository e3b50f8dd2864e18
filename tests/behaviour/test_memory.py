"""A second call from the same person: what the twin knows of the first: with consent, without, and erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from compliance.disclosure import disclosure
from tests.behaviour.test_faults import engines, phone
from tests.behaviour.test_honesty import found_in
from tests.behaviour.twin import Twin, answers, kinds, twin, wav, words
from tests.doubles.deepgram import Deepgram, Listener, Script
from tests.doubles.openai_chat import Answer, ChatServer
from tests.doubles.twilio import TwilioRestDouble

TEXTS = disclosure("en", owner="Martin Alder")
NUMBER = "+15550100"
FIRST = ("Hello, this is Anna Schmidt.", "I work at Northwind Bakery.", "Thank you very much. Goodbye.")
AGAIN = "Do you remember where I work?"
CANARY = "Northwind"


@asynccontextmanager
async def here(home: Path, *calls: tuple[str, ...]) -> AsyncIterator[tuple[Twin, ChatServer]]:
    """A twin with a language model; what is heard in each call, utterance by utterance."""

    def says(listener: Listener, utterance: int) -> str:
        call = calls[min(deepgram.listeners.index(listener), len(calls) - 1)]
        return call[min(utterance, len(call) - 1)]

    async with (
        Deepgram(Script(says=says)) as deepgram,
        ChatServer(Answer("All right.")) as chat,
        TwilioRestDouble() as rest,
        twin(home, f'{engines(deepgram, chat)}[twilio]\napi_base_url = "{rest.url}"\n') as running,
    ):
        yield running, chat


async def call(running: Twin, utterances: int, *, until_goodbye: bool = False) -> None:
    """Say so many things, hear each answered, and leave; or wait until the twin does."""
    async with phone(running.url) as caller:
        await caller.until_silent(timeout_s=40)
        for said in range(1, utterances + 1):
            await caller.say(wav("mhm"))
            await caller.until_sound(timeout_s=20)
            if until_goodbye and said == utterances:
                await asyncio.wait_for(caller.over.wait(), 40)
                break
            await caller.until_silent(timeout_s=40)
        else:
            await caller.hang_up()
    await running.all_over()


async def remembered(running: Twin, *, wanted: int) -> tuple[str, ...]:
    """What is remembered of the caller, once so much of it is."""
    async with asyncio.timeout(30):
        while True:
            memories = await running.house.archive.library.load(NUMBER)
            if len(memories) >= wanted:
                return tuple(memory.text for memory in memories)
            await asyncio.sleep(0.05)


def shown(chat: ChatServer) -> str:
    """All that the model was shown last."""
    return str(chat.requests[-1].body["messages"])


async def test_with_consent_the_second_call_knows_the_first_and_after_erasure_nobody_does(home: Path) -> None:
    async with here(home, (*FIRST, "Yes, please."), (AGAIN,), (AGAIN,)) as (running, chat):
        await call(running, 4, until_goodbye=True)
        (first,) = await running.kept()
        said = " ".join(answers(first))
        assert TEXTS.ask_memory in said
        assert TEXTS.memory_on in said
        assert CANARY in " ".join(await remembered(running, wanted=1))
        assert found_in(home, CANARY) == [], "nothing of it stands in a file in the clear"

        await call(running, 1)
        assert CANARY in shown(chat)
        second, _ = await running.kept()
        assert "recalled" in kinds(second)

        receipt = await running.house.archive.eraser.erase(NUMBER)
        assert receipt.done, [one for one in receipt.stores if one.note]
        assert await running.house.archive.library.load(NUMBER) == ()
        await call(running, 1)
        assert CANARY not in shown(chat)
        (third,) = await running.kept()
        assert "recalled" not in kinds(third)
    assert found_in(home, CANARY) == []


async def test_without_consent_the_second_call_knows_nothing(home: Path) -> None:
    async with here(home, (*FIRST, "No, thank you."), (AGAIN,)) as (running, chat):
        await call(running, 4, until_goodbye=True)
        (first,) = await running.kept()
        assert TEXTS.memory_off in " ".join(answers(first))
        await call(running, 1)
        assert CANARY not in shown(chat)
        assert await running.house.archive.library.load(NUMBER) == ()
    assert words(first, "caller")[-1] == "No, thank you."


async def test_who_hangs_up_without_an_answer_was_not_asked_and_is_not_remembered(home: Path) -> None:
    async with here(home, FIRST[:2], (AGAIN,)) as (running, chat):
        await call(running, 2)
        await call(running, 1)
        assert CANARY not in shown(chat)
