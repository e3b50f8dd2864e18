from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from agent.engines.base import EngineConfig
from agent.engines.brain.openai import OpenAIBrain, create
from compliance.errors import EngineFailed, EngineMissing, EngineTimeout, SettingsError
from persona.prompt import Prompt, Turn
from persona.tool import Exchange, Tool, ToolCall
from tests.doubles.openai_chat import Answer, ChatServer

PROMPT = Prompt(
    system="You are a twin.",
    turns=(Turn("caller", "Hello"), Turn("twin", "Good", cut=True), Turn("caller", "When are you open?")),
    notes="The caller is known.",
)


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with ChatServer(Answer("We open at nine, every day.")) as running:
        yield running


@pytest.fixture
async def brain(server: ChatServer) -> AsyncIterator[OpenAIBrain]:
    made = create(config(server.base_url))
    yield made
    await made.close()


def config(base_url: str, **changes: object) -> EngineConfig:
    values: dict[str, object] = {
        "name": "openai",
        "model": "tiny",
        "base_url": base_url,
        "secrets": {"OPENAI_API_KEY": "key"},
        "first_token_timeout_s": 0.3,
        "total_timeout_s": 5.0,
    }
    return EngineConfig(**{**values, **changes})  # type: ignore[arg-type]


async def said(brain: OpenAIBrain) -> str:
    return "".join([piece.text async for piece in brain.answer(PROMPT)])


async def hear(brain: OpenAIBrain, heard: list[str]) -> None:
    async for piece in brain.answer(PROMPT):
        heard.append(piece.text)


async def test_the_answer_streams_word_by_word(server: ChatServer, brain: OpenAIBrain) -> None:
    pieces = [piece async for piece in brain.answer(PROMPT)]
    assert "".join(piece.text for piece in pieces) == "We open at nine, every day."
    assert len(pieces) == 6
    assert {piece.provenance for piece in pieces} == {"model"}


async def test_the_request_has_the_stable_part_first_and_the_notes_before_the_last_words(
    server: ChatServer, brain: OpenAIBrain
) -> None:
    await said(brain)
    request = server.requests[0]
    assert request.headers["authorization"] == "Bearer key"
    assert request.body["model"] == "tiny"
    assert request.body["stream"] is True
    assert [message["role"] for message in request.body["messages"]] == [
        "system",
        "user",
        "assistant",
        "system",
        "user",
    ]
    assert request.body["messages"][0]["content"] == "You are a twin."
    assert request.body["messages"][2]["content"] == "Good [interrupted]"
    assert request.body["messages"][4]["content"] == "When are you open?"


async def test_one_connection_serves_start_and_all_turns(server: ChatServer, brain: OpenAIBrain) -> None:
    await brain.start()
    for _ in range(3):
        await said(brain)
    assert server.connections == 1


async def test_a_kept_connection_that_the_server_has_closed_is_replaced(
    server: ChatServer, brain: OpenAIBrain
) -> None:
    await said(brain)
    await server.stop()
    await server.start()
    assert await said(brain) == "We open at nine, every day."


async def test_options_reach_the_server_with_their_types(server: ChatServer) -> None:
    brain = create(config(server.base_url, options={"temperature": "0.4", "reasoning_effort": "low"}))
    await said(brain)
    assert server.requests[0].body["temperature"] == 0.4
    assert server.requests[0].body["reasoning_effort"] == "low"
    await brain.close()


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_named(server: ChatServer, brain: OpenAIBrain, status: int) -> None:
    server.script(Answer(status=status))
    with pytest.raises(EngineMissing, match="OPENAI_API_KEY"):
        await said(brain)
    server.models_status = status
    with pytest.raises(EngineMissing, match="OPENAI_API_KEY"):
        await brain.start()


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_an_error_status_is_a_failure(server: ChatServer, brain: OpenAIBrain, status: int) -> None:
    server.script(Answer(status=status))
    with pytest.raises(EngineFailed):
        await said(brain)
    assert await said(brain)


async def test_a_server_that_is_not_there_is_a_failure(server: ChatServer, brain: OpenAIBrain) -> None:
    await server.stop()
    with pytest.raises(EngineFailed):
        await said(brain)
    with pytest.raises(EngineFailed):
        await brain.start()


async def test_a_connection_that_is_reset_twice_is_a_failure(server: ChatServer, brain: OpenAIBrain) -> None:
    server.script(Answer(fault="reset"), Answer(fault="reset"))
    with pytest.raises(EngineFailed):
        await said(brain)
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", ["cut_mid", "error_mid"])
async def test_a_stream_that_breaks_gives_its_words_and_then_fails(server: ChatServer, fault: str) -> None:
    brain = create(config(server.base_url))
    server.script(Answer("one two three four five", fault=fault))  # type: ignore[arg-type]
    heard: list[str] = []
    with pytest.raises(EngineFailed):
        await hear(brain, heard)
    assert heard == ["one", " two", " three"]
    await brain.close()


async def test_silence_before_the_headers_is_a_timeout(server: ChatServer, brain: OpenAIBrain) -> None:
    server.script(Answer(fault="hang"))
    with pytest.raises(EngineTimeout):
        await said(brain)


async def test_headers_alone_do_not_count_as_a_first_token(server: ChatServer, brain: OpenAIBrain) -> None:
    server.script(Answer(first_token_ms=60_000))
    with pytest.raises(EngineTimeout):
        await said(brain)
    await server.until_streaming(0)
    assert server.disconnects == 1


async def test_silence_in_mid_stream_is_a_timeout(server: ChatServer, brain: OpenAIBrain) -> None:
    server.script(Answer("one two three four", fault="hang_mid"))
    heard: list[str] = []
    with pytest.raises(EngineTimeout):
        await hear(brain, heard)
    assert heard == ["one", " two", " three"]


async def test_an_answer_without_end_runs_into_the_total_limit(server: ChatServer) -> None:
    brain = create(config(server.base_url, total_timeout_s=0.3))
    server.script(Answer("word " * 10_000, token_ms=5))
    with pytest.raises(EngineTimeout):
        await said(brain)
    await brain.close()


async def test_a_slow_reader_does_not_spend_the_limit(server: ChatServer) -> None:
    brain = create(config(server.base_url, first_token_timeout_s=0.2, total_timeout_s=0.2))
    count = 0
    async for _ in brain.answer(PROMPT):
        count += 1
        await asyncio.sleep(0.05)
    assert count == 6
    await brain.close()


async def test_an_answer_without_a_word_is_a_failure(server: ChatServer, brain: OpenAIBrain) -> None:
    server.script(Answer(""))
    with pytest.raises(EngineFailed, match="without a word"):
        await said(brain)


async def test_a_reader_that_stops_closes_the_stream_at_its_source(server: ChatServer, brain: OpenAIBrain) -> None:
    server.script(Answer("word " * 1000, token_ms=10))
    async with contextlib.aclosing(brain.answer(PROMPT)) as pieces:  # type: ignore[type-var]
        assert (await anext(pieces)).text == "word"
    await server.until_streaming(0)
    assert server.disconnects == 1


async def test_cancelling_the_task_closes_the_stream_at_its_source(server: ChatServer, brain: OpenAIBrain) -> None:
    server.script(Answer(first_token_ms=60_000))
    task = asyncio.create_task(said(brain), name="answer")
    await server.until_streaming(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.until_streaming(0)


async def test_close_is_safe_twice_and_before_start(server: ChatServer) -> None:
    brain = create(config(server.base_url))
    await brain.close()
    await brain.start()
    await brain.close()
    await brain.close()


def test_a_key_is_needed_everywhere_but_on_the_own_machine() -> None:
    create(config("http://127.0.0.1:9/v1", secrets={}))
    create(config("http://localhost:9/v1", secrets={}))
    for base_url in ("", "http://models.example/v1", "http://127.0.0.1.models.example/v1"):
        with pytest.raises(EngineMissing, match="OPENAI_API_KEY"):
            create(config(base_url, secrets={}))


def test_settings_that_cannot_work_are_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="base_url"):
        create(config("127.0.0.1:9"))
    with pytest.raises(SettingsError, match="model"):
        create(config("http://127.0.0.1:9/v1", model=""))
    with pytest.raises(SettingsError, match="temprature"):
        create(config("http://127.0.0.1:9/v1", options={"temprature": "1"}))


async def test_nothing_that_was_said_is_logged(
    server: ChatServer, brain: OpenAIBrain, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script(Answer("a secret word", fault="cut_mid"))
    with pytest.raises(EngineFailed) as failure:
        await said(brain)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("agent")]
    assert "secret" not in " ".join(ours) + failure.value.message
    assert "When are you open" not in " ".join(record.getMessage() for record in caplog.records)


WEATHER = Tool("look_up", "look something up", {"type": "object", "properties": {"day": {"type": "string"}}})


async def test_tools_are_offered_and_what_the_model_asks_for_comes_whole(
    server: ChatServer, brain: OpenAIBrain
) -> None:
    server.script(Answer("Let me see.", calls=(("look_up", '{"day": "Tuesday"}'), ("hang_up", "{}"))))
    pieces = [piece async for piece in brain.answer(replace(PROMPT, tools=(WEATHER,)))]
    assert [piece.call for piece in pieces if piece.call] == [
        ToolCall("call_0_look_up", "look_up", '{"day": "Tuesday"}'),
        ToolCall("call_1_hang_up", "hang_up", "{}"),
    ]
    assert server.requests[0].body["tools"][0]["function"]["name"] == "look_up"


async def test_what_came_of_a_tool_follows_the_callers_words(server: ChatServer, brain: OpenAIBrain) -> None:
    call = ToolCall("c1", "look_up", "{}")
    prompt = replace(PROMPT, exchanges=(Exchange((call,), ("Sunny.",)),))
    assert [piece async for piece in brain.answer(prompt)]
    *_, question, asked, result = server.requests[0].body["messages"]
    assert question["content"] == "When are you open?"
    assert asked["tool_calls"][0]["id"] == result["tool_call_id"] == "c1"
    assert result["content"] == "Sunny."


async def test_no_tools_no_word_of_them(server: ChatServer, brain: OpenAIBrain) -> None:
    await said(brain)
    assert "tools" not in server.requests[0].body
