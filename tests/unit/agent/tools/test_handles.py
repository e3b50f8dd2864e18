"""The tools of a call, used as a model uses them: through the toolbox, with JSON."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from agent.screening import Screening
from agent.tools.diary import Diary
from agent.tools.handles import MESSAGE_CHARS, Hands
from agent.tools.owner import Bell
from agent.tools.toolbox import Handle, Toolbox
from channels.call import Call
from compliance.errors import ChannelError, VaultError
from persona import home
from persona.caller import STRANGER, Caller
from persona.guard import Guard
from persona.tool import ToolCall

PERSONA = home.demo()
TODAY = date(2026, 11, 22)
ANNA = Caller(name="Anna", number="+493012345")
CALENDAR = b"""BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r
DTSTAMP:20261101T000000Z\r\nSUMMARY:Dentist\r\nDTSTART:20261123T100000Z\r\nDTEND:20261123T120000Z\r
END:VEVENT\r\nEND:VCALENDAR\r\n"""


@dataclass
class Line:
    """What `Hands` need of a call."""

    id: str = "20261122120000-0000000000000001"
    language: str = "en"


@dataclass
class Here:
    """One call's hands, and everything they did."""

    caller: Caller = STRANGER
    language: str = "en"
    limit_s: float = 5.0
    messages: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    broken: bool = False

    @property
    def hands(self) -> Hands:
        call = cast(Call, Line(language=self.language))
        return Hands(call, PERSONA.profile, lambda: self.caller, limit_s=self.limit_s)

    def store(self, text: str) -> None:
        if self.broken:
            raise VaultError("The vault's queue is full.")
        self.messages.append(text)

    @property
    def bell(self) -> Bell:
        return Bell(text=self.text, url="", secret="")

    async def text(self, said: str) -> None:
        if self.broken:
            raise ChannelError("no credit")
        self.texts.append(said)

    def note(self, kind: str, detail: dict[str, object]) -> None:
        self.events.append((kind, detail))

    async def use(self, handle: Handle, **arguments: Any) -> tuple[str, bool]:
        screening = Screening(Guard(PERSONA).of_call(self.language), self.note)
        box = Toolbox([handle], self.note, screened=screening.told)
        result = await box.use(ToolCall("1", handle.tool.name, json.dumps(arguments)))
        return result.text, result.goodbye


async def test_a_message_is_stored_with_who_it_is_from() -> None:
    place = Here(ANNA)
    told, goodbye = await place.use(place.hands.message(place.store), text="She wants to visit on Monday.")
    assert place.messages == ["She wants to visit on Monday. (from Anna +493012345)"]
    assert "stored" in told
    assert not goodbye


async def test_what_the_caller_gave_goes_before_what_is_known() -> None:
    place = Here(ANNA)
    handle = place.hands.message(place.store)
    await place.use(handle, text="Call back.", name="Tom Weber", number="030 999")
    assert place.messages == ["Call back. (from Tom Weber 030 999)"]
    await Here.use(place, handle, text="Call back.", name="", number="")
    assert place.messages[1].endswith("(from Anna +493012345)")


async def test_a_message_from_nobody_known_stands_alone_and_a_long_one_is_cut() -> None:
    place = Here()
    await place.use(place.hands.message(place.store), text="x" * 3_000)
    assert place.messages == ["x" * MESSAGE_CHARS]


async def test_a_message_that_cannot_be_kept_is_not_promised() -> None:
    place = Here(broken=True)
    told, _ = await place.use(place.hands.message(place.store), text="Call back.")
    assert told.startswith("That did not work")
    assert place.events == [("tool_used", {"tool": "take_message", "outcome": "vault"})]


async def test_the_owner_is_told_who_and_why() -> None:
    place = Here(ANNA)
    told, _ = await place.use(place.hands.owner(place.bell), reason="the roof is leaking", urgent=True)
    assert place.texts == ["Urgent: Anna is calling your twin: the roof is leaking"]
    assert PERSONA.profile.short in told


async def test_without_a_name_the_owner_is_told_the_number() -> None:
    place = Here(Caller(number="+493012345"))
    await place.use(place.hands.owner(place.bell), reason="a question")
    assert place.texts == ["+493012345 is calling your twin: a question"]


async def test_an_owner_who_was_not_reached_is_not_said_to_be() -> None:
    place = Here(ANNA, broken=True)
    told, _ = await place.use(place.hands.owner(place.bell), reason="the roof is leaking")
    assert "could not be reached" in told


def diary(tmp_path: Path) -> Diary:
    (tmp_path / "mine.ics").write_bytes(CALENDAR)
    return Diary(
        "mine.ics",
        tmp_path,
        zone="UTC",
        hours="09:00-17:00",
        days=60,
        clock=lambda zone: datetime(2026, 11, 22, 12, tzinfo=zone),
    )


async def test_the_calendar_is_told_for_a_week_from_today_unless_days_are_named(tmp_path: Path) -> None:
    place = Here()
    handle = place.hands.calendar(diary(tmp_path), lambda: TODAY)
    told, _ = await place.use(handle)
    assert "Monday 2026-11-23 09:00 to 10:00" in told
    assert "2026-11-27" in told
    assert "2026-11-30" not in told
    named, _ = await place.use(handle, first="2026-11-30", last="2026-12-01")
    assert "2026-11-30" in named
    assert "2026-11-27" not in named
    assert [event[0] for event in place.events] == ["tool_used"] * 2, "the guard has nothing against it"


@pytest.mark.parametrize("first", ["2026-11-24T09:00", "2026-11-24T09:00:00Z", "2026-11-24"])
async def test_a_day_with_a_time_is_that_day(tmp_path: Path, first: str) -> None:
    place = Here()
    told, _ = await place.use(place.hands.calendar(diary(tmp_path), lambda: TODAY), first=first)
    assert "2026-11-23" not in told
    assert "2026-11-24" in told


@pytest.mark.parametrize("first", ["tomorrow", "31.05.2026", "", "0000-00-00"])
async def test_a_day_that_cannot_be_read_is_today(tmp_path: Path, first: str) -> None:
    place = Here()
    told, _ = await place.use(place.hands.calendar(diary(tmp_path), lambda: TODAY), first=first)
    assert "Monday 2026-11-23" in told


async def test_the_last_day_of_all_time_is_no_defect(tmp_path: Path) -> None:
    place = Here()
    told, _ = await place.use(place.hands.calendar(diary(tmp_path), lambda: TODAY), first="9999-12-31")
    assert "for 60 days" in told
    assert place.events[-1][1]["outcome"] == "done"


async def test_a_caller_is_put_through_and_the_owner_knows_who_comes() -> None:
    place = Here(ANNA)
    rung: list[bool] = []

    def to() -> bool:
        rung.append(True)
        return True

    told, goodbye = await place.use(place.hands.transfer(to, place.bell), reason="the contract")
    assert (goodbye, rung) == (True, [True])
    assert told == f"I'm putting you through to {PERSONA.profile.short} now."
    assert place.texts == ["Urgent: Anna is calling your twin: put through: the contract"]


async def test_a_line_that_cannot_be_put_through_stays() -> None:
    place = Here(ANNA)
    told, goodbye = await place.use(place.hands.transfer(lambda: False, place.bell), reason="the contract")
    assert not goodbye
    assert "cannot be put through" in told
    assert place.texts == []


async def test_putting_through_does_not_depend_on_telling_the_owner() -> None:
    """The telephone rings anyway: a text that did not go out is no reason to say otherwise."""
    told_nobody = Here(ANNA, broken=True)
    _, goodbye = await told_nobody.use(
        told_nobody.hands.transfer(lambda: True, told_nobody.bell), reason="the contract"
    )
    assert goodbye
    no_bell = Here(ANNA)
    _, goodbye = await no_bell.use(no_bell.hands.transfer(lambda: True, None), reason="the contract")
    assert goodbye


async def test_telling_the_owner_slowly_holds_nobody_up() -> None:
    async def hangs(said: str) -> None:
        await asyncio.Event().wait()

    place = Here(ANNA, limit_s=0.2)
    bell = Bell(text=hangs, url="", secret="")
    _, goodbye = await place.use(place.hands.transfer(lambda: True, bell), reason="the contract")
    assert goodbye


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Goodbye."), ("de-AT", "Auf Wiederhören."), ("nl", "Goodbye.")]
)
async def test_the_last_words_are_in_the_language_of_the_call(language: str, said: str) -> None:
    place = Here(language=language)
    assert await place.use(place.hands.hang_up()) == (said, True)
