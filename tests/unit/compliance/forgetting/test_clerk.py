from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from compliance.errors import RequestError
from compliance.jurisdiction import law_of
from compliance.requests import State
from tests.behaviour.console import CALLER, TALK, Office, keep_call, opened_office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened_office(tmp_path / "home") as office:
        await keep_call(office, recorded=False)
        await keep_call(office, "CA101", subject="+14155550100", recorded=False, talk=(TALK[0],))
        yield office


async def until(office: Office, number: str, state: State) -> None:
    async with asyncio.timeout(60):
        while (await office.requests.get(number)).state != state:  # noqa: ASYNC110  rows tell nobody
            await asyncio.sleep(0.05)


async def test_an_approved_erasure_is_carried_out_once(office: Office) -> None:
    request = await office.requests.open("erasure", "web", law=law_of([]), subject=CALLER)
    with pytest.raises(RequestError):
        await office.clerk.carry_out(request.number)
    await office.requests.approve(request.number, by="ada", reason="I know her")
    await asyncio.gather(office.clerk.carry_out(request.number), office.clerk.carry_out(request.number))
    await until(office, request.number, "done")

    assert await office.vault.call("CA100") is None
    assert await office.vault.call("CA101") is not None
    assert (await office.requests.get(request.number)).receipt


async def test_what_was_approved_before_a_restart_is_begun_after_it(office: Office) -> None:
    request = await office.requests.open("erasure", "phone", law=law_of([]), call_id="CA101")
    await office.requests.approve(request.number, by="ada", reason="it was said in the call")
    await office.clerk.resume()
    await until(office, request.number, "done")


async def test_a_copy_is_made_when_it_is_fetched_and_nothing_of_it_stays(office: Office) -> None:
    request = await office.requests.open("access", "web", law=law_of([]), subject=CALLER)
    await office.requests.approve(request.number, by="ada", reason="I know her")
    await office.clerk.carry_out(request.number)
    await until(office, request.number, "done")
    with zipfile.ZipFile(io.BytesIO(await office.clerk.package(request.number))) as package:
        assert b"The broken lamp is urgent" in package.read("data.json")

    erasure = await office.requests.open("erasure", "web", law=law_of([]), subject=CALLER)
    with pytest.raises(RequestError, match="no package"):
        await office.clerk.package(erasure.number)
