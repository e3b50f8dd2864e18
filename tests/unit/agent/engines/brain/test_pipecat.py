"""Language models through Pipecat's services: real services, on a local server of their protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from agent.engines.base import EngineConfig, importable
from agent.engines.brain.pipecat import PipecatBrain, create
from agent.engines.brain.services import SERVICES, Service, build
from compliance.errors import EngineError, EngineFailed, EngineMissing, EngineTimeout, SettingsError
from persona.prompt import Prompt, Turn
from persona.tool import Exchange, Tool, ToolCall
from tests.doubles.anthropic import Message, MessagesServer
from tests.doubles.openai_chat import Answer, ChatServer

PROMPT = Prompt(system="You are a twin.", turns=(Turn("caller", "When are you open?"),))
LOOK_UP = Tool("look_up", "look something up", {"type": "object", "properties": {"day": {"type": "string"}}})


def config(name: str, base_url: str = "", **changes: object) -> EngineConfig:
    values: dict[str, object] = {
        "name": name,
        "model": "tiny",
        "base_url": base_url,
        "secrets": dict.fromkeys(SERVICES[name].keys, "x"),
        "first_token_timeout_s": 5.0,
        "total_timeout_s": 5.0,
    }
    return EngineConfig(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with ChatServer(Answer("We open at nine.")) as running:
        yield running


async def brain_of(name: str, server: ChatServer, **changes: object) -> PipecatBrain:
    brain = create(config(name, server.base_url, **changes))
    await brain.start()
    return brain


async def said(brain: PipecatBrain, prompt: Prompt = PROMPT) -> str:
    return "".join([piece.text async for piece in brain.answer(prompt)])


@pytest.mark.parametrize("name", ["ollama", "groq", "mistral", "nvidia", "together", "deepseek"])
async def test_each_answers_by_its_name(name: str, server: ChatServer) -> None:
    brain = await brain_of(name, server)
    try:
        assert await said(brain) == "We open at nine."
        assert await said(brain) == "We open at nine."
    finally:
        await brain.close()
    assert [m["role"] for m in server.requests[0].body["messages"]][:1] == ["system"]


async def test_tools_are_offered_and_asked_for_but_not_done_by_pipecat(server: ChatServer) -> None:
    server.script(Answer("", calls=(("look_up", '{"day": "Tuesday"}'),)))
    brain = await brain_of("ollama", server)
    try:
        pieces = [piece async for piece in brain.answer(replace(PROMPT, tools=(LOOK_UP,)))]
    finally:
        await brain.close()
    assert [piece.call for piece in pieces if piece.call] == [
        ToolCall("call_0_look_up", "look_up", '{"day": "Tuesday"}')
    ]
    assert server.requests[0].body["tools"][0]["function"]["name"] == "look_up"
    assert len(server.requests) == 1


async def test_what_came_of_a_tool_is_told(server: ChatServer) -> None:
    call = ToolCall("c1", "look_up", "{}")
    brain = await brain_of("ollama", server)
    try:
        await said(brain, replace(PROMPT, exchanges=(Exchange((call,), ("Sunny.",)),)))
    finally:
        await brain.close()
    assert server.requests[0].body["messages"][-1]["content"] == "Sunny."


async def test_leaving_an_answer_stops_it_at_the_server_and_the_next_one_is_clean(server: ChatServer) -> None:
    server.script(Answer("one two three four five", token_ms=200))
    brain = await brain_of("ollama", server)
    try:
        stream = brain.answer(PROMPT)
        assert (await anext(stream)).text
        await stream.aclose()  # type: ignore[attr-defined]
        assert await said(brain) == "We open at nine."
        async with asyncio.timeout(5):
            while not server.disconnects:  # noqa: ASYNC110  the double only counts
                await asyncio.sleep(0.01)
    finally:
        await brain.close()


async def test_a_server_that_refuses_is_an_error_of_ours(server: ChatServer) -> None:
    server.script(Answer(status=401), Answer(status=401), Answer(status=401))
    brain = await brain_of("ollama", server)
    try:
        with pytest.raises(EngineError):
            await said(brain)
    finally:
        await brain.close()


async def test_a_model_that_says_nothing_is_late(server: ChatServer) -> None:
    server.script(Answer(fault="hang"))
    brain = await brain_of("ollama", server, first_token_timeout_s=0.2)
    try:
        with pytest.raises(EngineTimeout):
            await said(brain)
    finally:
        await brain.close()


async def test_a_model_that_ends_without_a_word_failed(server: ChatServer) -> None:
    server.script(Answer(""))
    brain = await brain_of("ollama", server)
    try:
        with pytest.raises(EngineFailed):
            await said(brain)
    finally:
        await brain.close()


async def test_four_calls_at_once_get_their_own_answers(server: ChatServer) -> None:
    brain = await brain_of("ollama", server)
    try:
        answers = await asyncio.gather(*(said(brain) for _ in range(4)))
    finally:
        await brain.close()
    assert set(answers) == {"We open at nine."}


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())
def test_each_is_made_or_says_what_is_missing(service: Service) -> None:
    base_url = "https://x.example.com" if service.url == "endpoint" else ""
    if all(map(importable, service.modules)):
        assert type(build(service, config(service.name, base_url))).__name__ == service.cls
    else:
        with pytest.raises(EngineMissing, match=rf"\[{service.extra}\]"):
            build(service, config(service.name, base_url))


def test_a_key_a_model_and_a_wrong_setting_are_named() -> None:
    with pytest.raises(EngineMissing, match="GROQ_API_KEY"):
        build(SERVICES["groq"], config("groq", secrets={}))
    with pytest.raises(SettingsError, match=r"\[brain\] model"):
        build(SERVICES["ollama"], config("ollama", model=""))
    with pytest.raises(SettingsError, match=r"'temperatur'.*temperature"):
        build(SERVICES["groq"], config("groq", options={"temperatur": "1"}))
    with pytest.raises(SettingsError, match="endpoint"):
        build(SERVICES["azure"], config("azure"))


def test_settings_reach_the_service_as_what_they_are() -> None:
    made = build(SERVICES["groq"], config("groq", options={"temperature": "0.5"}))
    assert (made._settings.model, made._settings.temperature) == ("tiny", 0.5)


@pytest.fixture
async def claude(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[PipecatBrain, MessagesServer]]:
    async with MessagesServer(Message("We open at nine.")) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.base_url)
        brain = create(config("anthropic"))
        await brain.start()
        yield brain, server
        await brain.close()


async def test_claude_answers_in_its_own_protocol(claude: tuple[PipecatBrain, MessagesServer]) -> None:
    brain, server = claude
    assert await said(brain) == "We open at nine."
    request = server.requests[0]
    assert "You are a twin." in json.dumps(request["system"])
    assert request["messages"][-1]["role"] == "user"


async def test_claude_asks_for_tools_and_is_told_what_came_of_them(
    claude: tuple[PipecatBrain, MessagesServer],
) -> None:
    brain, server = claude
    server.script(Message("One moment.", calls=(("look_up", '{"day": "Tuesday"}'),)))
    pieces = [piece async for piece in brain.answer(replace(PROMPT, tools=(LOOK_UP,)))]
    (call,) = [piece.call for piece in pieces if piece.call]
    assert (call.name, json.loads(call.arguments)) == ("look_up", {"day": "Tuesday"})
    assert server.requests[0]["tools"][0]["name"] == "look_up"
    await said(brain, replace(PROMPT, exchanges=(Exchange((call,), ("Sunny.",)),)))
    assert "Sunny." in json.dumps(server.requests[1]["messages"][-1])
