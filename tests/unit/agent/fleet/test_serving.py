"""One room on a house, whoever hosts it."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest

from agent.fleet import in_process
from agent.fleet.in_process import ASKED, InProcess, Invitation, job_of
from agent.fleet.job import RoomJob
from agent.fleet.serving import LEAVE_S, ended, mode_of, signs_of
from agent.fleet.worker import END_S
from agent.house import House
from agent.meeting.minutes.model import ModelMinutes
from agent.settings import Settings, SpeechSection
from channels.livekit.session import ENDING_LIMIT_S
from channels.livekit.signs import Signs
from compliance.errors import SettingsError
from persona.home import demo

KEYS = {"LIVEKIT_URL": "ws://127.0.0.1:1", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 40}
JOB = RoomJob("ws://127.0.0.1:1", "ticket", "standup")
SIGNS = Signs("Ada (AI twin)", "", "Ada")


def house(home: Path, environment: dict[str, str] | None = None) -> House:
    """Not started: nothing is opened."""
    settings = Settings(speech=SpeechSection(engine="pocketsphinx"))
    return House(settings, demo(), KEYS if environment is None else environment, home=home)


@pytest.mark.parametrize(
    ("metadata", "mode"),
    [
        ("", None),
        ('{"mode": "silent"}', "silent"),
        ('{"mode": "active", "of": "somebody else"}', "active"),
        ('{"mode": ""}', None),
        ("a note to ourselves", None),
        ('{"broken', None),
        ("[1, 2]", None),
    ],
)
def test_a_mode_is_read_out_of_what_the_dispatcher_said(metadata: str, mode: str | None) -> None:
    assert mode_of(metadata) == mode


def test_a_mode_that_there_is_not_is_refused() -> None:
    with pytest.raises(SettingsError, match="silent, on_request, active"):
        mode_of('{"mode": "loud"}')


def test_a_name_goes_before_what_the_twin_is_and_never_instead_of_it(tmp_path: Path) -> None:
    plain = signs_of(house(tmp_path)).name
    assert "AI" in plain
    assert signs_of(house(tmp_path), "Helper").name == f"Helper ({plain})"


def test_a_name_that_says_that_it_is_a_person_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is a person"):
        signs_of(house(tmp_path), "I am a real human")


def test_a_ticket_is_made_where_none_is_given(tmp_path: Path) -> None:
    pytest.importorskip("livekit.api")
    job = job_of(Invitation(room="standup", mode="silent"), house(tmp_path), SIGNS)
    assert (job.url, job.room, job.metadata) == ("ws://127.0.0.1:1", "standup", '{"mode": "silent"}')
    assert job.token.count(".") == 2


def test_a_ticket_that_is_given_needs_no_keys(tmp_path: Path) -> None:
    there = house(tmp_path, {"LIVEKIT_E2EE_KEY": "shared"})
    job = job_of(Invitation(url="https://rooms.example.org", token="given"), there, SIGNS)
    assert job == RoomJob("wss://rooms.example.org", "given", "", "", "shared")


@pytest.mark.parametrize("invitation", [Invitation(), Invitation(token="given")])
def test_what_is_missing_of_an_invitation_is_named(invitation: Invitation, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--room|--url"):
        job_of(invitation, house(tmp_path, {}), SIGNS)


class Session:
    """A session that lasts until it is asked to leave, if it listens."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.asked = asyncio.Event()
        self.reason = ""
        self.cancelled = False
        self._deaf = deaf

    async def run(self) -> str:
        try:
            await self.asked.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return self.reason

    def leave(self, reason: str) -> None:
        self.reason = reason
        if not self._deaf:
            self.asked.set()


async def test_a_session_that_is_asked_leaves() -> None:
    session = Session()
    running = asyncio.create_task(session.run(), name="room")
    await ended(running, session, "server_stopping")
    assert running.result() == "server_stopping"


async def test_one_that_does_not_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.fleet.serving.LEAVE_S", 0.01)
    session = Session(deaf=True)
    running = asyncio.create_task(session.run(), name="room")
    await asyncio.sleep(0)
    await ended(running, session, "server_stopping")
    assert session.cancelled


def test_leaving_may_take_as_long_as_a_model_writes_the_digest() -> None:
    digest_s = inspect.signature(ModelMinutes).parameters["timeout_s"].default
    assert digest_s < ENDING_LIMIT_S
    assert digest_s < LEAVE_S < END_S


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    made = Session()

    def session(*_: Any) -> Session:
        return made

    monkeypatch.setattr(in_process, "session", session)
    return made


async def test_one_room_is_served_until_its_end(session: Session, tmp_path: Path) -> None:
    host = InProcess(house(tmp_path), JOB, SIGNS)
    running = asyncio.create_task(host.run(), name="one room")
    await asyncio.sleep(0)
    assert list(host.rooms) == ["standup"]
    session.leave("room_ended")
    await running
    assert host.reason == "room_ended"
    assert list(host.rooms) == []


async def test_who_stops_it_has_the_twin_leave(session: Session, tmp_path: Path) -> None:
    host = InProcess(house(tmp_path), JOB, SIGNS)
    running = asyncio.create_task(host.run(), name="one room")
    await asyncio.sleep(0)
    await host.drain()
    await running
    assert host.reason == ASKED


async def test_cancelling_it_leaves_the_room(session: Session, tmp_path: Path) -> None:
    host = InProcess(house(tmp_path), JOB, SIGNS)
    running = asyncio.create_task(host.run(), name="one room")
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert session.reason == "cancelled"


async def test_draining_before_there_is_a_room_does_nothing(tmp_path: Path) -> None:
    await InProcess(house(tmp_path), JOB, SIGNS).drain()
