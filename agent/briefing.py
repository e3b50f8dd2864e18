"""The prompt of one call, turn by turn: what the owner wrote, what the caller told before, what was said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from agent.remembering import Remembering
from agent.screening import Screening
from persona.documents import Passage
from persona.knowledge import Knowledge
from persona.prompt import Composer, Entry, Prompt, Turn, window
from persona.settings import PersonaSettings
from persona.summary import Summariser

FOUND = 5


class Briefing:
    """One call's."""

    def __init__(
        self,
        composer: Composer,
        knowledge: Knowledge,
        settings: PersonaSettings,
        *,
        language: str,
        remembering: Remembering,
        summariser: Summariser,
        screening: Screening,
        today: Callable[[], date],
    ) -> None:
        self._composer = composer
        self._knowledge = knowledge
        self._settings = settings
        self._language = language
        self._remembering = remembering
        self._summariser = summariser
        self._screening = screening
        self._today = today

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
