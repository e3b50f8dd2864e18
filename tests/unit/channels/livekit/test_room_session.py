"""The real SDK against a room server of ours: what the session sends, takes in and leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("livekit.rtc")

from channels.call import Refusal
from channels.livekit.connection import RoomUnreachable
from channels.livekit.session import RoomSession
from channels.livekit.settings import LiveKitSettings
from compliance.errors import CallRefused
from tests.doubles.livekit_room import PROMPT, SIGNS, Meeting, MeetingHost, Ticket, until
from tests.doubles.livekit_room_server import TRACK, RoomServer, room_server

# The protocol's own word for a token that nobody checks here: a header, claims and no signature.
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ0d2luIn0."


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


async def test_a_server_that_refuses_the_token_is_named() -> None:
    async with room_server() as server:
        server.refuse = 401
        with pytest.raises(RoomUnreachable, match="token"):
            await session(server, MeetingHost()).run()


async def test_a_cancelled_session_leaves_the_room() -> None:
    async with room_server() as server:
        twin = session(server, MeetingHost())
        task = asyncio.create_task(twin.run(), name="meeting")
        await until(lambda: twin.call is not None)
        task.cancel()
        await asyncio.wait({task}, timeout=6)
        assert task.cancelled()
        await until(server.left.is_set)
