"""Tools are done within limits, and whatever goes wrong is told to the model in a line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from agent.engines.base import Piece
from agent.tools.toolbox import Handle, Result, Toolbox
from agent.tools.using import WAIT, ToolUsing
from compliance.errors import ChannelError
from persona.prompt import Prompt, Turn
from persona.tool import Tool, ToolCall

ECHO = Tool(
    "echo",
    "say it again",
    {
        "type": "object",
        "properties": {"text": {"type": "string"}, "often": {"type": "integer"}},
        "required": ["text"],
    },
)


async def echo(given: Mapping[str, Any]) -> Result:
    return Result(given["text"])


async def stuck(given: Mapping[str, Any]) -> Result:
    await asyncio.Event().wait()
    return Result("never")


async def refuses(given: Mapping[str, Any]) -> Result:
    raise ChannelError("The line is down.")


async def broken(given: Mapping[str, Any]) -> Result:
    raise ZeroDivisionError


class Noted:
    def __init__(self, *handles: Handle) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []
        self.box = Toolbox(handles, lambda kind, detail: self.events.append((kind, detail)))

    async def use(self, name: str, arguments: str = '{"text": "hi"}') -> str:
        return (await self.box.use(ToolCall("1", name, arguments))).text


def handle(run: Any, *, limit_s: float = 5.0) -> Handle:
    return Handle(ECHO, run, limit_s)


async def test_a_tool_does_what_it_was_asked() -> None:
    noted = Noted(handle(echo))
    assert await noted.use("echo") == "hi"
    assert noted.events == [("tool_used", {"tool": "echo", "outcome": "done"})]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        ("{}", "'text' is missing"),
        ('{"text": 5}', "must be a string"),
        ('{"text": "a", "loud": true}', "there is no 'loud'"),
        ('{"text": "' + "a" * 5_000 + '"}', "more than 4000"),
        ("[" * 3_000, "no JSON"),
    ],
)
async def test_wrong_arguments_are_told_to_the_model_and_nothing_is_done(arguments: str, why: str) -> None:
    noted = Noted(handle(broken))
    assert why in await noted.use("echo", arguments)
    assert noted.events[0][1]["outcome"] == "refused"


async def test_a_tool_that_hangs_is_given_up() -> None:
    assert "too long" in await Noted(handle(stuck, limit_s=0.01)).use("echo")


async def test_a_tool_that_fails_says_why() -> None:
    assert "The line is down." in await Noted(handle(refuses)).use("echo")


async def test_a_defect_of_a_tool_does_not_end_the_answer() -> None:
    assert "did not work" in await Noted(handle(broken)).use("echo")


async def test_a_tool_there_is_not() -> None:
    noted = Noted(handle(echo))
    assert "no tool" in await noted.use("launch_rocket")
    assert noted.events[0][1] == {"tool": "unknown", "outcome": "unknown"}


class Scripted:
    """A brain that says one script after the other."""

    def __init__(self, *scripts: list[Piece]) -> None:
        self.scripts = list(scripts)
        self.asked: list[Prompt] = []

    @property
    def name(self) -> str:
        return "scripted"

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        self.asked.append(prompt)
        for piece in self.scripts.pop(0):
            yield piece


def call(name: str = "echo", arguments: str = '{"text": "Tuesday"}') -> Piece:
    return Piece("", call=ToolCall("c1", name, arguments))


PROMPT = Prompt("system", (Turn("caller", "When is he free?"),))


async def said(brain: ToolUsing) -> str:
    return "".join([piece.text async for piece in brain.answer(PROMPT)])


async def test_what_a_tool_found_is_what_the_next_words_are_made_from() -> None:
    scripted = Scripted([call()], [Piece("On Tuesday.")])
    assert await said(ToolUsing(scripted, Noted(handle(echo)).box)) == "On Tuesday."
    assert scripted.asked[0].tools == (ECHO,)
    (exchange,) = scripted.asked[1].exchanges
    assert exchange.results == ("Tuesday",)


async def test_a_model_that_only_ever_calls_is_asked_for_words_in_the_end() -> None:
    scripted = Scripted([call()], [call()], [Piece("Well.")])
    assert await said(ToolUsing(scripted, Noted(handle(echo)).box)) == "Well."
    assert scripted.asked[2].tools == ()


async def test_a_slow_tool_is_covered_by_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.tools.using.PATIENCE_S", 0.0)
    scripted = Scripted([call()], [Piece("Tuesday.")])
    assert await said(ToolUsing(scripted, Noted(handle(echo)).box)) == f"{WAIT['en']}Tuesday."


async def test_leaving_the_answer_cancels_its_tools() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def waits(given: Mapping[str, Any]) -> Result:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return Result("")

    brain = ToolUsing(Scripted([call()]), Noted(handle(waits)).box)
    answer = asyncio.create_task(said(brain), name="answer")
    await asyncio.wait_for(begun.wait(), 2)
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    await asyncio.wait_for(ended.wait(), 2)


async def test_a_tool_that_ends_the_call_says_its_last_words() -> None:
    async def leave(given: Mapping[str, Any]) -> Result:
        return Result("Goodbye.", goodbye=True)

    brain = ToolUsing(Scripted([call()]), Noted(handle(leave)).box)
    pieces = [piece async for piece in brain.answer(PROMPT)]
    assert "".join(piece.text for piece in pieces).strip() == "Goodbye."
    assert pieces[-1].goodbye


async def test_nobody_is_sent_away_while_another_tool_failed() -> None:
    async def leave(given: Mapping[str, Any]) -> Result:
        return Result("Goodbye.", goodbye=True)

    leaving = Handle(Tool("leave", "end the call", {"type": "object", "properties": {}}), leave)
    scripted = Scripted(
        [call(), call("leave", "{}")],
        [Piece("I could not store that, sorry.")],
    )
    brain = ToolUsing(scripted, Noted(handle(refuses), leaving).box)
    pieces = [piece async for piece in brain.answer(PROMPT)]
    assert "".join(piece.text for piece in pieces) == "I could not store that, sorry."
    assert not any(piece.goodbye for piece in pieces)
