"""`twin calls`: what a person and a script see of what the vault keeps."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from agent import calls
from agent.home import Home
from compliance.entries import TurnEntry, WordEntry
from compliance.errors import VaultError
from compliance.vault import Vault
from tests.unit.compliance.meetings import ANNA, ANNA_SAID, BEN, CLEO, ROOM, hold

CALL = "20261122120000-0123456789abcdef"


@pytest.fixture
async def home(tmp_path: Path) -> Home:
    """A home with one call, in which the twin was interrupted."""
    async with Vault(tmp_path) as vault:
        vault.begin_call(CALL, channel="phone", subject="+493012345")
        vault.event(CALL, "disclosure_played", position_samples=8_000, rate_hz=8_000, detail={"end": 8_000})
        vault.turn_heard(CALL, TurnEntry(0, "caller", "When are you [bold]open[/bold]?", 12_000, 20_000, 8_000))
        words = (
            WordEntry("Hello.", 23_000, 24_000, 4, "notice"),
            WordEntry("We", 24_000, 25_000, 5, "fact"),
            WordEntry("open", 25_000, 26_000, 5, "fact"),
        )
        turn = TurnEntry(1, "twin", "Hello. We open", 23_000, 26_000, 8_000, cut=True, words=words)
        vault.turn_heard(CALL, turn)
        vault.message("Please call me back.", call_id=CALL, subject="+493012345")
        vault.end_call(CALL, "caller_left")
    return Home(tmp_path)


def printed(width: int = 200) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=width, highlight=False), out


async def test_the_list_names_each_call(home: Home) -> None:
    console, out = printed()
    calls.print_list(console, await calls.listed(home, 10))
    assert CALL in out.getvalue()
    assert "phone" in out.getvalue()
    assert "+493012345" in out.getvalue()
    assert "caller_left" in out.getvalue()


async def test_a_call_is_shown_as_heard_with_times_and_cuts(home: Home) -> None:
    console, out = printed()
    calls.print_call(console, await calls.shown(home, CALL))
    lines = out.getvalue()
    assert lines.index("disclosure_played") < lines.index("When are you") < lines.index("We open")
    assert "1.5 s" in lines
    assert "Hello. [notice] We open [fact] [cut at 3.2 s]" in lines
    assert "Please call me back." in lines


async def test_what_a_caller_said_is_never_taken_for_markup(home: Home) -> None:
    console, out = printed()
    calls.print_call(console, await calls.shown(home, CALL))
    assert "[bold]open[/bold]" in out.getvalue()


async def test_export_writes_everything_for_its_user_alone(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "call.json"
    conversation = await calls.shown(home, CALL)
    calls.export(conversation, file, force=False)
    value = json.loads(file.read_text())
    assert value["call"]["id"] == CALL
    assert value["turns"][1]["words"][2] == {
        "text": "open",
        "start_samples": 25_000,
        "end_samples": 26_000,
        "sentence": 5,
        "provenance": "fact",
    }
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(VaultError, match="--force"):
        calls.export(conversation, file, force=False)
    file.chmod(0o644)
    calls.export(conversation, file, force=True)
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_call_that_is_not_there_is_an_error(home: Home) -> None:
    with pytest.raises(VaultError, match="twin calls list"):
        await calls.shown(home, "20261122120000-ffffffffffffffff")


def test_the_list_is_also_json(tmp_path: Path) -> None:
    found = asyncio.run(calls.listed(Home(tmp_path), 10))
    assert json.loads(calls.as_json(found)) == []


async def test_a_meeting_is_shown_with_names_what_overlaps_and_what_it_came_down_to(tmp_path: Path) -> None:
    async with Vault(tmp_path) as vault:
        hold(vault)
    home = Home(tmp_path)
    console, out = printed()
    calls.print_list(console, await calls.listed(home, 10))
    calls.print_call(console, await calls.shown(home, ROOM))
    text = out.getvalue()
    for told in ("Anna Lindqvist", "[while others spoke]", "Questions for you", f"- Anna: {ANNA_SAID}", "Cleo"):
        assert told in text
    shown = json.loads(calls.as_json(await calls.shown(home, ROOM)))
    assert [turn["speaker"] for turn in shown["turns"]] == ["", ANNA, BEN, ANNA, CLEO]
    assert len(shown["participants"]) == 3
