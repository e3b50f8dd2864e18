"""The brain without a model: `persona.grounded` behind the interface of a brain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.engines.base import Card, EngineConfig, Piece
from compliance.errors import EngineFailed
from persona import home
from persona.caller import STRANGER, Caller
from persona.grounded import Answerer
from persona.home import Persona
from persona.knowledge import Knowledge
from persona.prompt import Entry, Prompt

CARD = Card(
    kind="brain",
    name="grounded",
    about="no model: answers from the owner's own facts and words, takes messages, says what it does not know",
    factory="agent.engines.brain.grounded:create",
)


def create(config: EngineConfig) -> Grounded:
    """The engine for a `[brain]` section. `start` reads the twin's home in the option `home`, or the demo twin;
    `bind` gives it a persona that is read already."""
    return Grounded(home=Path(config.options["home"]) if config.options.get("home") else None)


class Grounded:
    """Holds nothing of a conversation: where it stands is read from the prompt's turns."""

    def __init__(
        self,
        persona: Persona | None = None,
        *,
        home: Path | None = None,
        today: Callable[[], date] | None = None,
    ) -> None:
        """`today` is the date in the owner's time zone when it is not given."""
        self._persona = persona
        self._home = home
        self._today = today
        self._answerer: Answerer | None = None

    @property
    def name(self) -> str:
        return "grounded"

    def bind(self, persona: Persona, knowledge: Knowledge | None = None) -> None:
        """Answer from this persona, from the next answer on; call it before `start`, or again when the owner's
        files have changed. Indexes it, about 150 microseconds per entry, where `knowledge` has not done so."""
        self._answerer = Answerer(persona, knowledge)
        self._persona = persona

    async def start(self) -> None:
        """Read and index the persona. Raises `PersonaError` when the home cannot be read."""
        if self._answerer is None:
            self.bind(await asyncio.to_thread(self._read) if self._persona is None else self._persona)

    async def close(self) -> None:
        self._answerer = None

    def search(self, question: str, *, caller: Caller = STRANGER) -> tuple[Entry, ...]:
        """What `persona.prompt.compose` takes as `found`, for a persona too large for one prompt."""
        answerer, today = self._ready()
        return answerer.search(question, today=today, caller=caller)

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Sentence by sentence; takes a millisecond or two and waits for nothing."""
        for piece in self._pieces(prompt, stand_in=False):
            yield piece

    async def stand_in(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Like `answer`, in place of a model that could not: what is not known here it calls out of reach."""
        for piece in self._pieces(prompt, stand_in=True):
            yield piece

    def _pieces(self, prompt: Prompt, *, stand_in: bool) -> list[Piece]:
        answerer, today = self._ready()
        reply = answerer.reply(
            prompt.turns, today=today, caller=prompt.caller, memories=prompt.memories, stand_in=stand_in
        )
        pieces = [Piece(f"{said.text} ", said.provenance) for said in reply.said]
        return [*pieces, Piece("", "notice", goodbye=True)] if reply.goodbye else pieces

    def _ready(self) -> tuple[Answerer, date]:
        if self._answerer is None or self._persona is None:
            raise EngineFailed("the grounded brain was not started")
        if self._today:
            return self._answerer, self._today()
        return self._answerer, datetime.now(ZoneInfo(self._persona.profile.time_zone)).date()

    def _read(self) -> Persona:
        return home.load(self._home) if self._home else home.demo()
