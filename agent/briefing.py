"""The prompt of one call, turn by turn: what the owner wrote, what the caller told before, what was said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Protocol

from agent.screening import Screening
from persona.caller import Caller
from persona.documents import Passage
from persona.knowledge import Knowledge
from persona.prompt import Company, Composer, Entry, Prompt, Turn, window
from persona.settings import PersonaSettings
from persona.source import Memory
from persona.summary import Summariser

FOUND = 5


class Acquainted(Protocol):
    """Knows who is spoken to; `agent.remembering.Remembering` in a call, `agent.meeting.company.Company` in a
    meeting."""

    def caller(self) -> Caller:
        """What the twin may use about who asks."""
        ...

    def memories(self, said: str) -> tuple[Memory, ...]:
        """What they told earlier and may be used for an answer to `said`."""
        ...


class Briefing:
    """One call's."""

    def __init__(
        self,
        composer: Composer,
        knowledge: Knowledge,
        settings: PersonaSettings,
        *,
        language: str,
        remembering: Acquainted,
        summariser: Summariser,
        screening: Screening,
        today: Callable[[], date],
        company: Callable[[], Company | None] = lambda: None,
    ) -> None:
        """`company`: who else hears the answers, in a meeting."""
        self._composer = composer
        self._knowledge = knowledge
        self._settings = settings
        self._language = language
        self._remembering = remembering
        self._summariser = summariser
        self._screening = screening
        self._today = today
        self._company = company

    def __call__(self, turns: tuple[Turn, ...]) -> Prompt:
        """The prompt for the last of `turns`, all of the call. Takes some milliseconds."""
        seen = tuple(self._seen(turn) for turn in turns)
        said, caller, today = seen[-1].text if seen else "", self._remembering.caller(), self._today()
        found = self._knowledge.search(said, today=today, caller=caller, limit=FOUND)
        return self._composer.compose(
            seen,
            language=self._language,
            today=today,
            caller=caller,
            found=[entry for one in found if (entry := self._read(one.entry)) is not None],
            memories=self._remembering.memories(said),
            summary=self._summariser.summary(seen, window(seen, self._settings)),
            company=self._company(),
        )

    async def close(self) -> None:
        """The call is over."""
        await self._summariser.close()

    def _seen(self, turn: Turn) -> Turn:
        return replace(turn, text=self._screening.seen(turn.text)) if turn.who == "caller" else turn

    def _read(self, entry: Entry) -> Entry | None:
        """The owner's own files are trusted; what documents say was often written by others."""
        if not isinstance(entry, Passage):
            return entry
        text = self._screening.read(entry.text)
        return replace(entry, text=text) if text else None
