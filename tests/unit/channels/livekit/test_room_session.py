"""The real SDK against a room server of ours: what the session sends, takes in and leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("livekit.rtc")

from channels.call import Call, Refusal
from channels.livekit.connection import RoomUnreachable
from channels.livekit.session import RoomSession
from channels.livekit.settings import LiveKitSettings
from compliance.errors import CallRefused
from tests.doubles.livekit_room import PROMPT, SIGNS, Meeting, MeetingHost, Ticket, until
from tests.doubles.livekit_room_server import TRACK, RoomServer, room_server

# The protocol's own word for a token that nobody checks here: a header, claims and no signature.
UNNAMED = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ0d2luIn0."
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ0d2luIiwibmFtZSI6IkFkYSBFeGFtcGxlIChBSSB0d2luKSJ9."
"""With the twin's name."""


def session(server: RoomServer, host: MeetingHost, settings: LiveKitSettings = PROMPT) -> RoomSession:
    return RoomSession(host, settings, Ticket(server.url, TOKEN, "room"), SIGNS)


@asynccontextmanager
async def entered(server: RoomServer, settings: LiveKitSettings = PROMPT) -> AsyncIterator[Meeting]:
    host = MeetingHost(disclosure_ms=300)
    twin = session(server, host, settings)
    running = Meeting(host, twin, asyncio.create_task(twin.run(), name="meeting"))
    try:
        yield running
    finally:
        await running.end()


async def test_the_session_says_who_it_is_and_hears_the_person() -> None:
    async with room_server() as server, entered(server) as twin:
        await twin.disclosed()
        await until(lambda: twin.host.attendance.listeners["person"].level > 1000)
        assert twin.host.attendance.people["person"].name == "Anna Example"
        await until(lambda: ("lk.chat", SIGNS.chat) in server.texts)
        await until(lambda: "ai.twin.disclosed_at" in server.attributes)
        assert server.name == SIGNS.name
        assert server.subscribed == [TRACK]
        assert server.attributes["ai.twin"] == "true"
        assert [(track.disable_dtx, track.source) for track in server.added] == [(True, 2)]
        assert max(server.levels) > 1000
    assert server.left.is_set()


async def test_nobody_is_heard_before_the_disclosure_was() -> None:
    async with room_server() as server, entered(server) as twin:
        await until(lambda: bool(twin.host.conversations) and "person" in twin.host.attendance.doors)
        door = twin.host.attendance.doors["person"]
        await until(lambda: door.bytes_dropped > 0)
        await twin.disclosed()
        assert twin.host.attendance.listeners["person"].pcm.count(0) == 0 or door.bytes_dropped > 0


async def test_the_room_ends_and_so_does_the_call() -> None:
    async with room_server() as server, entered(server) as twin:
        await twin.disclosed()
        await server.leave()
        assert await asyncio.wait_for(twin.task, 6) == "room_ended"
        assert twin.host.conversation.reason == "room_ended"


async def test_a_call_that_is_refused_is_written_and_not_begun() -> None:
    async with room_server() as server:
        host = MeetingHost()
        host.refuse_with = Refusal("capacity", "All lines are busy.")
        with pytest.raises(CallRefused):
            await session(server, host).run()
        assert host.conversations == []
        await until(lambda: ("lk.chat", "All lines are busy.") in server.texts)


async def test_a_call_that_cannot_be_prepared_is_ended_by_its_host() -> None:
    def broken(call: Call) -> None:
        raise RuntimeError("no face")

    async with room_server() as server:
        host = MeetingHost()
        host.show = broken
        with pytest.raises(RuntimeError, match="no face"):
            await session(server, host).run()
        assert host.conversation.reason == "line_failed"
        assert host.live == 0


async def test_a_server_that_refuses_the_token_is_named() -> None:
    async with room_server() as server:
        server.refuse = 401
        with pytest.raises(RoomUnreachable, match="token"):
            await session(server, MeetingHost()).run()


async def test_a_token_that_would_hide_what_the_twin_is_does_not_enter() -> None:
    async with room_server() as server:
        host = MeetingHost()
        with pytest.raises(RoomUnreachable, match="needs canUpdateOwnMetadata"):
            await RoomSession(host, PROMPT, Ticket(server.url, UNNAMED, "room"), SIGNS).run()
        assert server.joins == 0
        assert host.conversations == []


async def test_a_cancelled_session_leaves_the_room() -> None:
    async with room_server() as server:
        twin = session(server, MeetingHost())
        task = asyncio.create_task(twin.run(), name="meeting")
        await until(lambda: twin.call is not None)
        task.cancel()
        await asyncio.wait({task}, timeout=6)
        assert task.cancelled()
        await until(server.left.is_set)


class Digesting(MeetingHost):
    """A host that has something to write when its wire is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.out_of_room = asyncio.Event()
        self.go_on = asyncio.Event()
        self.digested = False

    async def carry(self, call: Call) -> None:
        await super().carry(call)
        self.out_of_room.set()
        await self.go_on.wait()
        self.digested = True


async def test_a_cancelled_session_leaves_at_once_and_lets_the_host_end_its_call() -> None:
    async with room_server() as server:
        host = Digesting()
        task = asyncio.create_task(session(server, host).run(), name="meeting")
        await until(lambda: host.live == 1)
        task.cancel()
        await until(server.left.is_set)
        await host.out_of_room.wait()
        assert not task.done()
        host.go_on.set()
        await asyncio.wait({task}, timeout=6)
        assert task.cancelled()
        assert host.digested


async def test_a_host_that_does_not_end_its_call_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.livekit.session.ENDING_LIMIT_S", 0.1)
    async with room_server() as server:
        host = Digesting()
        twin = session(server, host)
        task = asyncio.create_task(twin.run(), name="meeting")
        await until(lambda: host.live == 1)
        twin.leave("server_stopping")
        assert await asyncio.wait_for(task, 6) == "server_stopping"
        assert not host.digested
