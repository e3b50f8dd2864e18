"""Who calls, and what is remembered of them: looked up while it rings, used when it is safe, kept with consent."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, Protocol

from channels.call import Call
from compliance.errors import TwinError
from persona.caller import Caller
from persona.identity import Identity, Start, Step
from persona.introduced import question
from persona.memory import acquaintance as acquaintances
from persona.memory.acquaintance import Acquaintance, Shelf
from persona.memory.settings import MemorySettings
from persona.people import People
from persona.recall import Recall
from persona.source import Memory

logger = logging.getLogger(__name__)

FOUND = 5
"""Memories that are shown for a question; what fits of them the prompt decides."""
LATEST = 3
"""And the newest ones, so that a caller is met where the last call ended."""
END_LIMIT_S = 2.0

Level = Literal["off", "ask", "given"]


class Library(Protocol):
    """`persona.memory.library.Library`."""

    async def recall(self, subject: str) -> Recall:
        """What is remembered of a person, ready to answer from RAM; empty when it fails or takes too long."""
        ...


class Writer(Protocol):
    """`persona.memory.writer.Writer`."""

    def due(self, call_id: str, subject: str | None, *, person: str = "") -> None:
        """What the caller says in this call may be remembered."""
        ...

    def withdraw(self, call_id: str) -> None:
        """Nothing of this call may be remembered."""
        ...

    def ended(self) -> None:
        """A call is over."""
        ...


class Remembering:
    """One call's. Everything but `remember` and `end` returns at once."""

    def __init__(
        self,
        call: Call,
        people: People,
        settings: MemorySettings,
        *,
        library: Library,
        writer: Writer,
        vault: Shelf,
        record: Callable[[str, dict[str, object]], None],
        on_level: Callable[[Level], None],
        named: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        """`on_level` is told whether the caller is to be asked if they may be remembered; `named` is the
        name that the meeting gives them; `now` is Unix time."""
        self._call = call
        self._people = people
        self._settings = settings
        self._library = library
        self._writer = writer
        self._vault = vault
        self._record = record
        self._on_level = on_level
        self._now = now
        self._named = named
        self._acquaintance = Acquaintance()
        self._recall: Recall | None = None
        self._identity = self._identified(Acquaintance())
        self._asked = False
        """The caller was asked who they are, and has not answered yet."""
        self._due = False
        self._task: asyncio.Task[None] | None = None

    @property
    def subject(self) -> str:
        """Whom it is about; empty: nobody who could be known again."""
        return self._call.caller.subject or ""

    @property
    def expects_answer(self) -> bool:
        """True while they were asked who they are: a single word may answer it."""
        return self._asked

    def start(self) -> None:
        """Look them up, while the disclosure plays. A call that knows nobody is no worse for it."""
        if not self.subject or not self._settings.enabled:
            return
        if self._settings.ask != "never":
            self._on_level("ask")
        self._task = asyncio.create_task(self._look_up(), name=f"recall {self._call.id}")

    def question(self) -> str:
        """What to ask first, in the call's language, where the number says too little; else nothing."""
        key = self._identity.opening_question()
        if key is None:
            return ""
        self._asked = True
        return question(key, self._call.language)

    def heard(self, text: str) -> str:
        """A whole turn of the caller; what to ask back, or nothing."""
        step = self._identity.heard(text, asked=self._asked)
        self._asked = bool(step.ask)
        if step.changed:
            self._tell(step)
        return question(step.ask, self._call.language) if step.ask else ""

    def caller(self) -> Caller:
        """Who calls, for prompts and messages: no name that they, or the meeting, did not give."""
        caller = self._identity.caller()
        return caller if caller.name or not self._named else replace(caller, name=self._named)

    def memories(self, said: str) -> tuple[Memory, ...]:
        """What may be used of what they told earlier, for an answer to `said`; takes a millisecond or two."""
        if self._recall is None or not self._identity.unlocked:
            return ()
        found = (*self._recall.find(said, limit=FOUND), *self._recall.latest(LATEST))
        return self._identity.usable(tuple(dict.fromkeys(found)))

    async def remember(self, keep: bool) -> None:
        """They said whether this call may be remembered. Raises `VaultError`."""
        if not self.subject:
            return
        self._due = keep
        if not keep:
            self._writer.withdraw(self._call.id)
            return
        self._writer.due(self._call.id, self.subject, person=self._identity.speaker)
        if self._acquaintance.consented_ms is None:
            # Now, and not at the end: a process that is killed meanwhile must not ask again what was answered.
            self._acquaintance = replace(self._acquaintance, consented_ms=int(self._now() * 1000))
            await acquaintances.write(self._vault, self.subject, self._acquaintance)

    async def end(self) -> None:
        """The call is over: what may be remembered is on its way, within a limit."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=END_LIMIT_S)
        if self._due and not self._identity.may_remember:
            # Somebody else had agreed, in an earlier call from this number.
            self._due = False
            self._writer.withdraw(self._call.id)
        if not self._due:
            return
        speaker = self._identity.speaker
        met = self._acquaintance.heard(speaker, int(self._now() * 1000))
        try:
            async with asyncio.timeout(END_LIMIT_S):
                self._writer.due(self._call.id, self.subject, person=speaker)
                await acquaintances.write(self._vault, self.subject, met)
        except (TwinError, TimeoutError) as error:
            logger.error(
                "having met a caller was not kept", extra={"call": self._call.id, "error": type(error).__name__}
            )

    async def _look_up(self) -> None:
        try:
            async with asyncio.timeout(self._settings.load_s):
                self._acquaintance = await acquaintances.read(self._vault, self.subject)
        except (TwinError, TimeoutError) as error:
            logger.warning(
                "a caller could not be looked up", extra={"call": self._call.id, "error": type(error).__name__}
            )
            return
        self._identity = self._identified(self._acquaintance)
        if self._acquaintance.consented_ms is None:
            return
        if self._settings.ask != "never":
            self._on_level("given")
        self._recall = await self._library.recall(self.subject)
        self._record("recalled", {"memories": len(self._recall), "state": self._identity.state.value})

    def _identified(self, met: Acquaintance) -> Identity:
        start = Start(
            self.subject,
            people=self._people.find(self.subject) if self.subject else (),
            remembered=met.names,
            last_heard_ms=met.last_heard_ms,
            now_ms=int(self._now() * 1000),
            attested=self._call.caller.attested,
            fresh_days=self._settings.fresh_days,
        )
        return Identity(start, language=self._call.language)

    def _tell(self, step: Step) -> None:
        self._record("identified", {"state": step.state.value})
        if self._due:
            self._writer.due(self._call.id, self.subject, person=self._identity.speaker)
