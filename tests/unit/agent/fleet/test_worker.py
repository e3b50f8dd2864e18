"""The real `AgentServer` and real processes, on an `/agent` endpoint without rooms behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from agent.fleet.access import Access
from agent.fleet.worker import WITHOUT, Fleet, without_rooms
from agent.home import Home
from agent.settings import Settings
from compliance.errors import SettingsError

pytest.importorskip("livekit.agents")

from tests.doubles.livekit_agents import AgentEndpoint, prewarm, serve

LEFT_IN_THE_ENVIRONMENT = (
    *("TWIN_HOME", "LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "SSL_CERT_FILE"),
    *WITHOUT,
)
LIMIT_S = 30.0


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker sets for its processes is gone afterwards."""
    for name in LEFT_IN_THE_ENVIRONMENT:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@asynccontextmanager
async def worker(endpoint: AgentEndpoint, home: Path, max_rooms: int = 2) -> AsyncIterator[Fleet]:
    settings = Settings.model_validate({"worker": {"idle": 1, "max_rooms": max_rooms, "port": 0}})
    access = Access(endpoint.url, "key", "s" * 40)
    fleet = Fleet(Home(home), settings, access, prewarm=prewarm, serve=serve, preload=())
    running = asyncio.create_task(fleet.run(), name="fleet")
    try:
        async with asyncio.timeout(LIMIT_S):
            assert await endpoint.registered.get() == "twin"
        yield fleet
    finally:
        await fleet.drain()
        for room in tuple(endpoint.jobs):
            await endpoint.terminate(room)
        async with asyncio.timeout(LIMIT_S):
            await running


async def test_a_worker_takes_rooms_up_to_its_limit_and_finishes_them_when_it_is_asked_to_stop(
    tmp_path: Path,
) -> None:
    async with AgentEndpoint() as endpoint, worker(endpoint, tmp_path) as fleet:
        first = await endpoint.offer("standup")
        second = await endpoint.offer("retro")
        assert first.available
        assert second.available
        assert first.participant_identity != second.participant_identity, "nobody enters a room by these"
        await endpoint.status_of(first.job_id, "JS_RUNNING")
        await endpoint.status_of(second.job_id, "JS_RUNNING")
        assert sorted(fleet.rooms) == ["retro", "standup"]

        third = await endpoint.offer("planning")
        assert not third.available
        assert not third.terminate, "another worker may take it"
        assert fleet.why_not() == "full"

        # A connection that breaks takes no room with it.
        await endpoint.drop()
        async with asyncio.timeout(LIMIT_S):
            await endpoint.registered.get()
        assert sorted(fleet.rooms) == ["retro", "standup"]

        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://127.0.0.1:{fleet.pages.port}"
            assert (await client.get(f"{url}/healthz")).text == "ok"
            assert (await client.get(f"{url}/readyz")).status_code == 503
            numbers = (await client.get(f"{url}/metrics")).text
        assert "\ntwin_rooms_live 2\n" in numbers
        assert "\ntwin_rooms_refused_total 1\n" in numbers
        assert "\ntwin_worker_load 1\n" in numbers

        await fleet.drain()
        await endpoint.terminate(first.job_id)
        await endpoint.status_of(first.job_id, "JS_SUCCESS")
        assert fleet.rooms == ("retro",), "it goes on to its end"


async def test_a_room_whose_process_dies_is_told_as_failed(tmp_path: Path) -> None:
    async with AgentEndpoint() as endpoint, worker(endpoint, tmp_path) as fleet:
        told = await endpoint.offer("standup", metadata="dies")
        await endpoint.status_of(told.job_id, "JS_FAILED")
        over = await endpoint.offer("retro", metadata="ends")
        await endpoint.status_of(over.job_id, "JS_SUCCESS")
        assert fleet.counters["taken"] == 2


def test_an_address_that_is_taken_is_told_before_anything_begins(tmp_path: Path) -> None:
    settings = Settings.model_validate({"worker": {"host": "203.0.113.7"}})
    with pytest.raises(SettingsError, match="no such address"):
        Fleet(Home(tmp_path), settings, Access("ws://127.0.0.1:1", "key", "s" * 40))


def test_lines_of_rooms_name_no_room() -> None:
    record = logging.makeLogRecord({"room": "Anna and Ben", "room_id": "RM_1", "pid": 7})
    assert without_rooms(record)
    assert "room" not in vars(record)
    assert vars(record)["pid"] == 7
