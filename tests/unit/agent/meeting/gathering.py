"""A meeting with a real pipeline, doors and clock; the store is in RAM, brain and voice do what a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace
from typing import Any, Literal, cast

from agent.briefing import Acquainted, Briefing
from agent.conversation import HeardTurn
from agent.engines.lineup import Lineup
from agent.engines.voice.prepared import Prepared
from agent.face.lineup import Faces
from agent.meeting.addressee.said import Mode
from agent.meeting.assembly import convene
from agent.meeting.events import Uttered
from agent.meeting.minutes.secretary import Secretary
from agent.meeting.settings import MeetingSettings
from agent.mind import Mind
from agent.opening import Opening
from agent.proceedings import Office
from agent.screening import Screening
from agent.settings import Settings
from agent.tools.settings import ToolsSettings
from agent.turns.settings import TurnSettings
from channels.call import Call, Caller
from channels.room import Person
from channels.spoken import Word
from compliance import consent
from compliance.disclosure import disclosure
from compliance.jurisdiction import Flow
from compliance.vault import Vault
from persona import home
from persona.guard import Guard
from persona.knowledge import Knowledge
from persona.prompt import Company, Composer
from persona.settings import PersonaSettings
from persona.summary import Running
from tests.doubles.engines import ScriptedBrain, ScriptedVoice
from tests.doubles.mark import NoMark
from tests.doubles.meeting import RATE_HZ, Meeting, running
from tests.doubles.wire import EarWire, counting

PERSONA = home.demo()
GUARD = Guard(PERSONA)
COMPOSER = Composer(PERSONA)
KNOWLEDGE = Knowledge(PERSONA)
TODAY = date(2026, 11, 20)
TEXTS = disclosure("en", owner=PERSONA.profile.name)
ANNA, BOB, CARLA = Person("anna", "Anna Berg"), Person("bob", "Bob"), Person("carla", "Carla")
DORA = Person("dora", "Dora")


class Store:
    """Stands for the vault: what it was asked to keep."""

    def __init__(self) -> None:
        self.turns: dict[int, Any] = {}
        self.events: list[tuple[str, Mapping[str, Any], str]] = []
        self.participants: list[tuple[str, str]] = []
        self.messages: list[tuple[str, str | None]] = []

    def turn_heard(self, call_id: str, turn: Any) -> None:
        self.turns[turn.sequence] = turn

    def turns_forgotten(self, call_id: str) -> None:
        self.turns.clear()

    def participant(self, call_id: str, identity: str, name: str) -> None:
        self.participants.append((identity, name))

    def participant_left(self, call_id: str, identity: str) -> None:
        self.participants.append((identity, "left"))

    def event(self, call_id: str, kind: str, *, detail: Mapping[str, Any], speaker: str = "", **_: Any) -> None:
        self.events.append((kind, detail, speaker))

    def message(self, text: str, *, call_id: str, subject: str | None) -> None:
        self.messages.append((text, subject))

    def kinds(self, speaker: str = "") -> list[str]:
        return [kind for kind, _, who in self.events if who == speaker]


@dataclass
class Papers:
    """Stands for the compliance office, and for the secretary."""

    notes: list[tuple[str, str | None]] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    receipts: list[tuple[str | None, str]] = field(default_factory=list)

    deleted: list[str] = field(default_factory=list)
    """Calls whose recordings were to be deleted."""
    asked: list[str] = field(default_factory=list)
    """Questions to the owner whose sound may be kept."""
    ended: int = 0

    def asked_owner(self, turn: HeardTurn, uttered: Uttered) -> None:
        self.asked.append(uttered.text)

    async def end(self) -> None:
        self.ended += 1

    def office(self) -> Office:
        def note(kind: str, *, call_id: str | None = None, subject: str | None = None, detail: Any = None) -> None:
            self.notes.append((kind, subject))

        async def request(kind: str, call: Call) -> str:
            self.requests.append((kind, call.caller.subject))
            return "R-7K3M-2Q9D"

        async def delete(call_id: str) -> None:
            self.deleted.append(call_id)

        def receipt(call: Call, given: consent.Note) -> None:
            self.receipts.append((call.caller.subject, given.kind))

        return Office(note, cast(Any, None), delete, request, receipt, cast(Any, None))


class _Mind:
    """What a meeting knows, without an archive."""

    people = PERSONA.people

    def in_field(self, question: str) -> bool:
        return "open" in question or "workshop" in question

    def screening(self, call: Call, record: Any, *, human: str) -> Screening:
        return Screening(GUARD.of_call(call.language, human=human), record)

    def briefing(
        self, call: Call, with_: Acquainted, screening: Screening, company: Callable[[], Company | None]
    ) -> Briefing:
        return Briefing(
            COMPOSER,
            KNOWLEDGE,
            PersonaSettings(),
            language=call.language,
            remembering=with_,
            summariser=Running(budget_tokens=200),
            screening=screening,
            today=lambda: TODAY,
            company=company,
        )


class Gathering(Meeting):
    """One meeting, its brain and its store."""

    brain: ScriptedBrain
    voice: ScriptedVoice
    store: Store
    papers: Papers

    async def passes_quietly(self, milliseconds: float = 400) -> None:
        """Long enough for whatever would be said; nothing is."""
        before = self.said
        await self.passes(milliseconds)
        assert self.said == before, self.said[len(before) :]

    @property
    def saying(self) -> list[str]:
        """The twin's turns, one by one."""
        return [text for who, text in self.talk if who == "twin"]


@asynccontextmanager
async def gathering(
    *answers: Sequence[object],
    people: Sequence[Person] = (ANNA, BOB),
    mode: Mode = "on_request",
    transcription: Literal["notice", "ask", "off"] = "notice",
    opened: bool = True,
    word_ms: int = 100,
    **settings: Any,
) -> AsyncIterator[Gathering]:
    """A meeting in progress; unless `opened` is False, everybody has heard the disclosure."""
    rules = MeetingSettings.model_validate({"mode": mode, "gap_ms": 100, "disclose_within_s": 2, **settings})
    brain, voice = ScriptedBrain(*answers), ScriptedVoice(word_ms=word_ms)  # type: ignore[arg-type]
    store, papers, wire = Store(), Papers(), EarWire(RATE_HZ, lead_chunks=2)
    said = TEXTS.text
    prepared = Prepared(counting(9_600), RATE_HZ, (Word(said, 0, 200),))
    live = convene(
        "room",
        wire,
        Caller(),
        "weekly",
        settings=Settings(meeting=rules, tools=ToolsSettings(enabled=False), turns=TurnSettings(decide_ms=200)),
        profile=PERSONA.profile,
        lineup=cast(Lineup, SimpleNamespace(speech=(), brain=brain, grounded=brain)),
        vault=cast(Vault, store),
        opening=Opening(TEXTS, prepared, Prepared(counting(960), RATE_HZ, ()), {}),
        flow=Flow(transcription, "ask", ("unknown",), "1"),
        office=papers.office(),
        voice=voice,
        permit=None,
        mind=cast(Mind, _Mind()),
        faces=cast(Faces, SimpleNamespace(seen=lambda call_id: None, show=lambda call: None)),
        mark=NoMark(),
        secretary=lambda call_id, clock_hz: cast(Secretary, papers),
    )
    here = Gathering(live, wire, *people)
    here.brain, here.voice, here.store, here.papers = brain, voice, store, papers
    async with running(here, live.run()):
        if opened:
            await here.opens()
        yield here
