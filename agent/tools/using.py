"""A brain with hands: it asks for tools in mid-answer, gets what came of them, and goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from agent.engines.base import Brain, Piece
from agent.tools.toolbox import Result, Toolbox
from persona.prompt import Prompt
from persona.tool import Exchange, ToolCall

ROUNDS = 3
"""How often an answer may ask for tools; after that it has to be words."""
CALLS = 4
"""How many tools at once."""
PATIENCE_S = 0.8
"""A tool that takes longer is covered by a word."""
WAIT = {
    "en": "One moment, please. ",
    "de": "Einen Moment, bitte. ",
    "fr": "Un instant, s'il vous plaît. ",
    "es": "Un momento, por favor. ",
    "it": "Un momento, per favore. ",
    "pt": "Um momento, por favor. ",
    "ja": "少々お待ちください。",
    "zh": "请稍等。",
}


class ToolUsing:
    """A `Brain` for one call. Cancelling the answer cancels its tools."""

    def __init__(self, brain: Brain, toolbox: Toolbox) -> None:
        self._brain = brain
        self._toolbox = toolbox

    @property
    def name(self) -> str:
        return self._brain.name

    async def start(self) -> None:
        """The brain is started by whoever shares it."""

    async def close(self) -> None:
        """The brain is closed by whoever shares it."""

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Stream the answer; see `Brain.answer`."""
        for left in reversed(range(ROUNDS)):
            # In the last round there are none to ask for: a model that only ever calls would leave silence.
            asked = replace(prompt, tools=self._toolbox.tools if left else ())
            calls: list[ToolCall] = []
            spoke = False
            async with aclosing(self._brain.answer(asked)) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    if piece.call is not None:
                        calls.append(piece.call)
                    else:
                        spoke = spoke or bool(piece.text.strip())
                        yield piece
            if not calls:
                return
            using = asyncio.ensure_future(self._use(calls[:CALLS]))
            try:
                _, late = await asyncio.wait([using], timeout=PATIENCE_S)
                if late and not spoke:
                    yield Piece(WAIT.get(prompt.language.split("-")[0], WAIT["en"]), "notice")
                results = await using
            finally:
                using.cancel()
            # Nobody is sent away believing that a message was stored which was not.
            if any(result.goodbye for result in results) and not any(result.failed for result in results):
                if not spoke:
                    yield Piece("".join(f"{result.text} " for result in results if result.goodbye), "notice")
                yield Piece("", "notice", goodbye=True)
                return
            exchange = Exchange(tuple(calls[:CALLS]), tuple(result.text for result in results))
            prompt = replace(prompt, exchanges=(*prompt.exchanges, exchange))

    async def _use(self, calls: list[ToolCall]) -> list[Result]:
        return list(await asyncio.gather(*(self._toolbox.use(call) for call in calls)))
