"""Dispatches over HTTP, as LiveKit's server answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from livekit.protocol import agent_dispatch, models, room

from agent.fleet.access import Access
from agent.fleet.keeping import ATTEMPT, Wish
from agent.fleet.wishes import Wishes, wish
from compliance.errors import EngineFailed

SECOND = 1_000_000_000


def dispatch(number: int = 1, name: str = "twin", jobs: int = 1) -> Any:
    made = agent_dispatch.AgentDispatch(id=f"AD_{number}", agent_name=name, room="standup", metadata="{}")
    made.state.created_at = 100 * SECOND
    for n in range(jobs):
        job = made.state.jobs.add(id=f"AJ_{number}{n}")
        job.state.worker_id = f"AW_{n}"
        job.state.started_at = (110 + n) * SECOND
    return made


class Server:
    """The two services that are asked, over what a test says there is."""

    def __init__(self) -> None:
        self.rooms = ["standup"]
        self.dispatches = [dispatch()]
        self.made: list[Any] = []
        self.deleted: list[str] = []
        self.broken: set[str] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/twirp/{service}/{method}", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def answer(self, request: web.Request) -> web.Response:
        method, body = request.match_info["method"], await request.read()
        if method in self.broken:
            return web.json_response({"code": "deadline_exceeded", "msg": "no answer"}, status=408)
        told: Any
        match method:
            case "ListRooms":
                names = room.ListRoomsRequest.FromString(body).names
                rooms = [models.Room(name=name) for name in self.rooms if not names or name in names]
                told = room.ListRoomsResponse(rooms=rooms)
            case "ListDispatch":
                told = agent_dispatch.ListAgentDispatchResponse(agent_dispatches=self.dispatches)
            case "CreateDispatch":
                self.made.append(agent_dispatch.CreateAgentDispatchRequest.FromString(body))
                told = agent_dispatch.AgentDispatch(id="AD_new")
            case _:
                which = agent_dispatch.DeleteAgentDispatchRequest.FromString(body).dispatch_id
                if which == "AD_gone":
                    return web.json_response({"code": "not_found", "msg": "gone"}, status=404)
                self.deleted.append(which)
                told = agent_dispatch.AgentDispatch(id=which)
        return web.Response(body=told.SerializeToString(), content_type="application/protobuf")


@asynccontextmanager
async def asked(server: Server) -> AsyncIterator[Wishes]:
    async with server.running() as url, Wishes(Access(url, "key", "s" * 40), "twin") as wishes:
        yield wishes


def test_a_dispatch_tells_who_took_it_and_since_when() -> None:
    assert wish(dispatch(jobs=2), 131 * SECOND) == Wish(
        "AD_1", "standup", ("AW_0", "AW_1"), ("AJ_10", "AJ_11"), age_s=31, served_s=20, metadata="{}"
    )
    assert wish(dispatch(jobs=0), 131 * SECOND).workers == ()


async def test_the_wishes_of_all_rooms_are_read_and_others_twins_are_not() -> None:
    server = Server()
    server.dispatches = [dispatch(1), dispatch(2, "twin-of-ben")]
    async with asked(server) as wishes:
        assert [wish.id for wish in await wishes.all()] == ["AD_1"]
        assert [wish.id for wish in await wishes.of("standup")] == ["AD_1"]


async def test_a_room_that_is_over_has_none() -> None:
    server = Server()
    async with asked(server) as wishes:
        assert await wishes.of("yesterday") == []
        server.broken.add("ListDispatch")
        assert await wishes.all() == []


async def test_a_server_that_does_not_answer_is_told() -> None:
    async with Wishes(Access("ws://127.0.0.1:1", "key", "s" * 40), "twin") as wishes:
        with pytest.raises(EngineFailed, match="does not answer"):
            await wishes.all()


async def test_a_wish_is_made_anew_before_the_old_one_goes() -> None:
    server = Server()
    async with asked(server) as wishes:
        await wishes.renew(Wish("AD_1", "standup", metadata="{}", attributes={"of": "ada"}), 2)
    (made,) = server.made
    assert (made.agent_name, made.room, made.metadata) == ("twin", "standup", "{}")
    assert dict(made.attributes) == {"of": "ada", ATTEMPT: "2"}
    assert server.deleted == ["AD_1"]


async def test_an_old_one_stays_when_the_new_one_cannot_be_made() -> None:
    server = Server()
    server.broken.add("CreateDispatch")
    async with asked(server) as wishes:
        with pytest.raises(EngineFailed, match="deadline_exceeded"):
            await wishes.renew(Wish("AD_1", "standup"), 1)
    assert server.deleted == []


async def test_taking_back_what_is_gone_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.fleet.wishes.PAUSE_S", 0.0)
    server = Server()
    async with asked(server) as wishes:
        await wishes.take_back("standup", "AD_1")
        await wishes.take_back("standup", "AD_gone")
        await wishes.take_back("yesterday", "AD_2")
        server.broken.add("ListRooms")
        await wishes.take_back("standup", "AD_3")
    assert server.deleted == ["AD_1"]
