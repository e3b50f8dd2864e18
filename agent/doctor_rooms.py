"""`twin doctor`, fifth part: meetings in LiveKit rooms."""

from __future__ import annotations

import asyncio
import importlib.util

from agent.engines.base import install
from agent.findings import Check, Patient
from agent.fleet.access import WHERE, Access
from agent.fleet.wishes import Wishes
from compliance.errors import TwinError

LIMIT_S = 6.0
KEYS = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")


async def examine(patient: Patient) -> list[Check]:
    """Whether rooms can be joined and served; the server is asked for its list of rooms."""
    if not any(patient.environment.get(key) for key in KEYS):
        return [Check("rooms", "ok", "no LiveKit server is configured", f"set {', '.join(KEYS)} {WHERE}")]
    checks = []
    if not _installed("livekit.rtc"):
        return [Check("rooms", "fail", "the LiveKit SDK is not installed", install("livekit"))]
    checks.append(await _server(patient))
    if not _installed("livekit.agents"):
        checks.append(
            Check("worker", "warn", "`twin join` works; `twin worker` needs another extra", install("worker"))
        )
    else:
        settings = patient.settings.worker
        detail = f"{settings.agent_name}: up to {settings.max_rooms} rooms, {settings.idle} processes wait"
        checks.append(Check("worker", "ok", detail))
    return checks


async def _server(patient: Patient) -> Check:
    try:
        access = Access.of(patient.environment)
        async with asyncio.timeout(LIMIT_S), Wishes(access, patient.settings.worker.agent_name) as wishes:
            rooms = await wishes.rooms()
    except TwinError as error:
        return Check("rooms", "fail", error.message, "check LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET")
    except TimeoutError:
        return Check(
            "rooms", "fail", f"the LiveKit server did not answer within {LIMIT_S:g} s", "check LIVEKIT_URL"
        )
    return Check("rooms", "ok", f"the LiveKit server answers; {len(rooms)} rooms are open")


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
