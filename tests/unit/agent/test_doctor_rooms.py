"""`twin doctor` about rooms, with and without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import doctor_rooms
from agent.engines.base import install
from agent.findings import Check, Patient
from agent.home import Home
from agent.settings import Settings
from tests.doubles.livekit_agents import AgentEndpoint

KEYS = {"LIVEKIT_URL": "ws://127.0.0.1:1", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 40}


async def found(tmp_path: Path, environment: dict[str, str]) -> dict[str, Check]:
    patient = Patient(Home(tmp_path), Settings(), environment)
    return {check.name: check for check in await doctor_rooms.examine(patient)}


async def test_who_has_no_server_is_told_what_to_set(tmp_path: Path) -> None:
    checks = await found(tmp_path, {})
    assert checks["rooms"].verdict == "ok"
    assert "LIVEKIT_API_SECRET" in checks["rooms"].mend


async def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    checks = await found(tmp_path, {"LIVEKIT_URL": "ws://127.0.0.1:1"})
    assert checks["rooms"].verdict == "fail"
    assert "LIVEKIT_API_KEY" in checks["rooms"].detail


async def test_a_server_that_is_away_is_told(tmp_path: Path) -> None:
    check = (await found(tmp_path, KEYS))["rooms"]
    assert check.verdict == "fail"
    assert "does not answer" in check.detail
    assert "s" * 40 not in str(check)


async def test_a_server_that_answers_is_asked_for_its_rooms(tmp_path: Path) -> None:
    async with AgentEndpoint() as endpoint:
        checks = await found(tmp_path, {**KEYS, "LIVEKIT_URL": endpoint.url})
    assert checks["rooms"].verdict == "ok"
    assert "0 rooms" in checks["rooms"].detail
    assert "up to 10 rooms" in checks["worker"].detail


@pytest.mark.parametrize(("missing", "extra"), [("livekit.rtc", "livekit"), ("livekit.agents", "worker")])
async def test_an_extra_that_is_missing_is_named(
    missing: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_rooms, "_installed", lambda module: module != missing)
    checks = await found(tmp_path, KEYS)
    assert any(check.mend == install(extra) for check in checks.values())
