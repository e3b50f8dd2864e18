"""A room's process: the house on its thread, the room, and what becomes of the wish."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Self, cast

import pytest

from agent.fleet import process
from agent.fleet.indoors import Indoors
from agent.fleet.process import HOUSE, serve
from agent.house import House
from channels.livekit.signs import Signs
from compliance.errors import CallRefused, EngineFailed

LIMIT_S = 10.0
KEYS = {"LIVEKIT_URL": "ws://127.0.0.1:1", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 40}


class Home:
    """What a house is for those who only start and close it."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.thread = ""
        self.closed = 0
        self.environment = KEYS
        self.settings = SimpleNamespace(worker=SimpleNamespace(agent_name="twin"))
        self._failure = failure

    async def start(self) -> None:
        self.thread = threading.current_thread().name
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        self.closed += 1


def indoors(home: Home) -> Indoors:
    return Indoors(lambda: cast(House, home))


def test_a_house_lives_on_a_thread_of_its_own_until_it_is_closed() -> None:
    home = Home()
    inside = indoors(home)
    inside.start()
    assert home.thread == "house"
    inside.close()
    inside.close()
    assert home.closed == 1


def test_a_house_that_cannot_start_says_why_and_leaves_no_thread() -> None:
    with pytest.raises(EngineFailed, match="no voice"):
        indoors(Home(EngineFailed("no voice"))).start()
    assert "house" not in {thread.name for thread in threading.enumerate()}


class Session:
    """Ends with `reason`, fails with `error`, or lasts until it is asked to leave."""

    reason = ""
    error: Exception | None = None
    left = ""

    async def run(self) -> str:
        self.asked = asyncio.Event()
        if self.error is not None:
            raise self.error
        if not self.reason:
            await self.asked.wait()
        return self.reason or self.left

    def leave(self, reason: str) -> None:
        self.left = reason
        self.asked.set()


class Job:
    """What livekit-agents hands to a room's process."""

    def __init__(self, inside: Indoors) -> None:
        room = SimpleNamespace(name="standup")
        self.job = SimpleNamespace(id="AJ_1", room=room, metadata="", dispatch_id="AD_1")
        self.proc = SimpleNamespace(userdata={HOUSE: inside})
        self.over = asyncio.Event()
        self.stop: Any = None

    def add_shutdown_callback(self, callback: Any) -> None:
        self.stop = callback

    def shutdown(self, reason: str) -> None:
        self.over.set()


@pytest.fixture
def inside() -> Iterator[Indoors]:
    made = indoors(Home())
    made.start()
    yield made
    made.close()


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    made = Session()
    monkeypatch.setattr(process, "session", lambda *_: made)
    monkeypatch.setattr(process, "signs_of", lambda house: Signs("Ada (AI twin)", "", "Ada"))
    return made


@pytest.fixture
def taken_back(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    class Wishes:
        def __init__(self, *_: object) -> None: ...

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None: ...

        async def take_back(self, room: str, dispatch: str) -> None:
            found.append((room, dispatch))

    monkeypatch.setattr(process, "Wishes", Wishes)
    return found


async def run(inside: Indoors, *, stop: bool = False) -> None:
    """The job from its beginning to the end of its process."""
    job = Job(inside)
    await serve(job)
    if stop:
        await asyncio.sleep(0.05)
    else:
        async with asyncio.timeout(LIMIT_S):
            await job.over.wait()
    async with asyncio.timeout(LIMIT_S):
        await job.stop("over")


@pytest.mark.parametrize("reason", ["alone", "removed", "duplicate", "left_on_request", "nobody_came", "whatever"])
async def test_a_twin_that_left_for_good_takes_its_wish_back(
    reason: str, inside: Indoors, session: Session, taken_back: list[tuple[str, str]]
) -> None:
    session.reason = reason
    await run(inside)
    assert taken_back == [("standup", "AD_1")]


@pytest.mark.parametrize("reason", ["connection_lost", "vault_failed", "disclosure_unheard", "room_ended"])
async def test_a_meeting_that_may_go_on_keeps_its_wish(
    reason: str, inside: Indoors, session: Session, taken_back: list[tuple[str, str]]
) -> None:
    session.reason = reason
    await run(inside)
    assert taken_back == []


@pytest.mark.parametrize("error", [CallRefused("busy"), EngineFailed("away"), RuntimeError("a bug")])
async def test_a_room_that_could_not_be_served_keeps_its_wish(
    error: Exception, inside: Indoors, session: Session, taken_back: list[tuple[str, str]]
) -> None:
    session.error = error
    await run(inside)
    assert taken_back == []


async def test_what_a_failure_says_stays_out_of_the_log(
    inside: Indoors, session: Session, taken_back: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    session.error = RuntimeError("Anna said so")
    await run(inside)
    (record,) = [record for record in caplog.records if record.message == "a room was not served"]
    assert record.__dict__["code"] == "RuntimeError"
    assert "Anna" not in caplog.text


async def test_a_process_that_is_told_to_end_has_the_twin_leave_and_keeps_the_wish(
    inside: Indoors, session: Session, taken_back: list[tuple[str, str]]
) -> None:
    await run(inside, stop=True)
    assert session.left == "server_stopping"
    assert taken_back == []
