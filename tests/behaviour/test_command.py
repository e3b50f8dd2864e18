"""The whole command, from outside: a probe of the demo twin, and a served twin that is asked to stop in a call."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import httpx
import pytest

from agent.line import QUESTION, question
from channels.twilio.caller import PhoneCaller
from compliance.errors import CallRefused
from tests.unit.agent.command import Serving, serving, twin, variables

TOKEN = "0123456789abcdef"
NO_TWILIO = {"TWILIO_AUTH_TOKEN": TOKEN, "TWIN_TWILIO__API_BASE_URL": "http://127.0.0.1:9"}
PHONE = [
    "answered",
    "disclosure",
    "question recognised",
    "first sound",
    "interruption",
    "answer after it",
    "hang-up",
]
INSIDE = ["bytes at the door", "records"]


def test_the_probe_passes_every_stage_of_the_demo_twin(tmp_path: Path) -> None:
    result = twin(["probe", "--json"], tmp_path)
    value = json.loads(result.out)
    bad = [stage for stage in value["stages"] if stage["verdict"] != "passed"]
    assert bad == []
    assert value["passed"] is True
    assert result.code == 0
    names = {
        channel: [s["name"] for s in value["stages"] if s["channel"] == channel] for channel in ("phone", "web")
    }
    assert names["phone"] == PHONE + INSIDE
    assert set(names["phone"]) < set(names["web"])
    assert not list((tmp_path / "data").rglob("twin.db")), "a probe's calls are nobody's calls"


def test_the_probe_says_where_it_failed(tmp_path: Path) -> None:
    result = twin(["probe", "--json", "--url", "http://127.0.0.1:9"], tmp_path, TWILIO_AUTH_TOKEN=TOKEN)
    assert result.code == 1
    stages = {(stage["channel"], stage["name"]): stage["verdict"] for stage in json.loads(result.out)["stages"]}
    assert stages["phone", "answered"] == "failed"
    assert stages["phone", "first sound"] == "skipped"
    assert stages["web", "answered"] == "failed"
    assert "Traceback" not in result.err


async def test_a_call_goes_on_while_the_server_drains_and_nothing_said_is_logged(tmp_path: Path) -> None:
    with serving(tmp_path, TWIN_LIMITS__DRAIN_S="3", **NO_TWILIO) as served:
        heard_s = await _talk_and_stop(served)
        _, err = await asyncio.to_thread(served.process.communicate)
    assert heard_s > 1.0, "the call went on after the signal"
    assert served.process.returncode == 0
    assert "Traceback" not in err
    for word in ("office", "half past", QUESTION, "+15550100", TOKEN):
        assert word not in err
    listed = json.loads(twin(["calls", "list", "--json"], tmp_path).out)
    assert [call["end_reason"] for call in listed] == ["server_stopping"]
    shown = twin(["calls", "show", listed[0]["id"]], tmp_path)
    assert "office" in shown.out
    assert "disclosure_played" in shown.out


async def _talk_and_stop(served: Serving) -> float:
    """Ask the question, have it answered, send SIGTERM; how long the line went on after that."""
    clock = asyncio.get_running_loop().time
    async with PhoneCaller(served.address, TOKEN) as caller:
        await caller.until(lambda: len(caller.pcm()) > 2 * 8_000 * 12, limit_s=40)
        caller.say(question(8_000).pcm)
        await caller.until(lambda: len(caller.pcm()) > 2 * 8_000 * 17, limit_s=20)
        served.process.send_signal(signal.SIGTERM)
        began = clock()
        await asyncio.sleep(0.5)
        async with httpx.AsyncClient(base_url=served.address, trust_env=False) as client:
            assert (await client.get("/readyz")).text == "draining"
        with pytest.raises(CallRefused, match="restarted"):
            await PhoneCaller(served.address, TOKEN).dial()
        await asyncio.wait_for(caller.ended.wait(), 30)
        return caller.heard[-1].at - began


async def test_the_probe_of_a_twin_that_serves_already(tmp_path: Path) -> None:
    with serving(tmp_path, **NO_TWILIO) as served:
        probing = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agent.cli", "probe", "--json", "--url", served.address,
            env=variables(tmp_path, TWILIO_AUTH_TOKEN=TOKEN), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(probing.communicate(), 180)
        assert served.stop() == 0
    value = json.loads(out)
    assert [stage for stage in value["stages"] if stage["verdict"] != "passed"] == []
    assert probing.returncode == 0
