from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date

import pytest

from agent.engines.base import EngineConfig, Piece
from agent.engines.brain.fallback import BRIDGE, TAKING_A_MESSAGE, Breaker, Fallback
from agent.engines.brain.grounded import Grounded
from agent.engines.brain.openai import OpenAIBrain
from compliance.errors import EngineFailed, EngineMissing
from persona import home
from persona.prompt import Prompt, Turn
from tests.doubles.openai_chat import Answer, ChatServer

ASKED = Prompt("", (Turn("caller", "Where is your office?"),))
UNKNOWN = Prompt("", (Turn("caller", "What is the capital of Mongolia?"),))


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with ChatServer(Answer("The model speaks.")) as running:
        yield running


@pytest.fixture
async def pair(server: ChatServer) -> AsyncIterator[Fallback]:
    first = OpenAIBrain(
        EngineConfig(
            "openai", model="tiny", base_url=server.base_url, first_token_timeout_s=0.2, total_timeout_s=5
        )
    )
    made = Fallback(first, Grounded(home.demo(), today=lambda: date(2026, 5, 5)))
    await made.start()
    yield made
    await made.close()


async def heard(brain: Fallback, prompt: Prompt) -> list[Piece]:
    return [piece async for piece in brain.answer(prompt)]


def text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces).strip()


async def test_the_first_speaks_while_it_works(pair: Fallback) -> None:
    assert text(await heard(pair, UNKNOWN)) == "The model speaks."


@pytest.mark.parametrize(
    "broken",
    [
        Answer(status=500),
        Answer(status=401),
        Answer(status=429),
        Answer(fault="hang"),
        Answer(first_token_ms=60_000),
        Answer(""),
    ],
    ids=["500", "401", "429", "hang", "late", "empty"],
)
async def test_the_second_takes_over_before_a_word_and_offers_to_take_a_message(
    server: ChatServer, pair: Fallback, broken: Answer
) -> None:
    server.script(broken)
    pieces = await heard(pair, UNKNOWN)
    assert text(pieces) == "I can't look that up just now, but I can take a message."
    assert {piece.provenance for piece in pieces} == {"notice"}


async def test_what_the_second_knows_it_says_and_offers_to_take_a_message_for_the_rest(
    server: ChatServer, pair: Fallback
) -> None:
    server.script(Answer(status=500))
    pieces = await heard(pair, ASKED)
    assert [piece.provenance for piece in pieces] == ["fact", "notice"]
    assert "Lantern Lane" in pieces[0].text
    assert "take a message" in pieces[1].text


@pytest.mark.parametrize("fault", ["cut_mid", "hang_mid", "error_mid"])
async def test_a_sentence_that_breaks_off_is_bridged_and_the_second_goes_on(
    server: ChatServer, pair: Fallback, fault: str
) -> None:
    server.script(Answer("The office is in a big", fault=fault))  # type: ignore[arg-type]
    pieces = await heard(pair, ASKED)
    assert text(pieces).startswith("The office is" + BRIDGE + "The office is at fourteen Lantern Lane")
    assert [piece.provenance for piece in pieces] == ["model"] * 3 + ["notice", "fact", "notice"]


async def test_after_repeated_failures_the_first_is_left_alone_for_a_while(server: ChatServer) -> None:
    now = 100.0
    first = OpenAIBrain(EngineConfig("openai", model="tiny", base_url=server.base_url))
    pair = Fallback(first, Grounded(home.demo()), breaker=Breaker(failures=2, rest_s=30), clock=lambda: now)
    await pair.start()
    server.script(Answer(status=500), Answer(status=500))
    for _ in range(5):
        assert "message" in text(await heard(pair, UNKNOWN))
    assert len(server.requests) == 2
    now += 31
    assert text(await heard(pair, UNKNOWN)) == "The model speaks."
    assert text(await heard(pair, UNKNOWN)) == "The model speaks."
    await pair.close()


async def test_an_interruption_stops_the_first_at_its_source(server: ChatServer, pair: Fallback) -> None:
    server.script(Answer("word " * 1000, token_ms=10))
    async with contextlib.aclosing(pair.answer(ASKED)) as pieces:  # type: ignore[type-var]
        await anext(pieces)
    await server.until_streaming(0)
    assert text(await heard(pair, UNKNOWN)) == "The model speaks."


async def test_a_server_that_is_away_does_not_keep_the_twin_from_starting(server: ChatServer) -> None:
    await server.stop()
    pair = Fallback(
        OpenAIBrain(EngineConfig("openai", model="tiny", base_url=server.base_url)), Grounded(home.demo())
    )
    await pair.start()
    assert "Lantern Lane" in text(await heard(pair, ASKED))
    await server.start()
    assert text(await heard(pair, ASKED)) == "The model speaks."
    await pair.close()


async def test_a_refused_key_at_the_start_is_said_at_once(server: ChatServer) -> None:
    server.models_status = 401
    pair = Fallback(
        OpenAIBrain(EngineConfig("openai", model="tiny", base_url=server.base_url)), Grounded(home.demo())
    )
    with pytest.raises(EngineMissing):
        await pair.start()
    await pair.close()


class Scripted:
    """A brain with one answer, which may be an error or nothing for ever."""

    def __init__(self, *pieces: str, error: Exception | None = None, hangs: bool = False) -> None:
        self.pieces = pieces
        self.error = error
        self.hangs = hangs

    @property
    def name(self) -> str:
        return "scripted"

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        for piece in self.pieces:
            yield Piece(piece)
        if self.hangs:
            await asyncio.Event().wait()
        if self.error:
            raise self.error


async def test_a_second_that_cannot_say_that_it_stands_in_is_announced() -> None:
    pair = Fallback(Scripted(error=EngineFailed("gone")), Scripted("Hello."))
    assert text(await heard(pair, ASKED)) == TAKING_A_MESSAGE + "Hello."


async def test_a_first_that_ignores_its_own_limits_is_left_after_the_patience() -> None:
    for first in (Scripted(hangs=True), Scripted("Well", hangs=True)):
        pair = Fallback(first, Scripted("Hello."), patience_s=0.05)
        assert text(await heard(pair, ASKED)).endswith("Hello.")


async def test_a_bug_in_the_first_does_not_leave_the_caller_in_silence() -> None:
    pair = Fallback(Scripted(error=ZeroDivisionError()), Scripted("Hello."))
    assert text(await heard(pair, ASKED)).endswith("Hello.")


async def test_when_both_fail_the_shell_is_told() -> None:
    pair = Fallback(Scripted(error=EngineFailed("gone")), Scripted(error=EngineFailed("gone too")))
    with pytest.raises(EngineFailed, match="gone too"):
        await heard(pair, ASKED)


def test_the_breaker_opens_rests_and_lets_one_try() -> None:
    breaker = Breaker(failures=2, rest_s=10)
    assert breaker.allow(0)
    breaker.failed(0)
    assert breaker.allow(1)
    breaker.failed(1)
    assert not breaker.allow(10.9)
    assert breaker.allow(11)
    assert not breaker.allow(11), "one tries at a time"
    breaker.failed(12)
    assert not breaker.allow(21)
    assert breaker.allow(22)
    breaker.succeeded()
    assert breaker.allow(22)
    assert breaker.allow(22)


def test_a_try_that_was_interrupted_is_free_for_the_next() -> None:
    breaker = Breaker(failures=1, rest_s=10)
    breaker.failed(0)
    assert breaker.allow(10)
    breaker.abandoned()
    assert breaker.allow(10)


def test_a_success_forgets_earlier_failures() -> None:
    breaker = Breaker(failures=2, rest_s=10)
    breaker.failed(0)
    breaker.succeeded()
    breaker.failed(1)
    assert breaker.allow(1)


def test_a_breaker_that_could_not_work_is_refused() -> None:
    with pytest.raises(ValueError, match="failures"):
        Breaker(failures=0)
