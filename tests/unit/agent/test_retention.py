"""`twin retention sweep`, on a home with its ledger, keys and recordings."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from agent import retention
from agent.home import Home
from compliance.evidence import open_evidence
from compliance.forgetting.sweeper import Swept
from compliance.retention import KINDS
from compliance.settings import StoreSettings
from compliance.vault import Vault
from persona.home import write_example
from tests.unit.compliance.store_helpers import heard


@pytest.fixture
async def home(tmp_path: Path) -> Home:
    """A home with a call of a hundred days ago and one of today."""
    folder = tmp_path / "home"
    write_example(folder)
    async with Vault(folder, now=lambda: time.time() - 100 * 86_400) as vault:
        await call(vault, "old")
    async with Vault(folder) as vault:
        await call(vault, "new")
    return Home(folder)


async def call(vault: Vault, call_id: str) -> None:
    vault.begin_call(call_id, channel="web", subject="guest-1")
    vault.turn_heard(call_id, heard(0, "hello there"))
    vault.end_call(call_id, "hangup")
    await vault.flush()


async def turns_of(home: Home) -> dict[str, int]:
    async with Vault(home.path) as vault:
        found = {entry.id: await vault.call(entry.id) for entry in await vault.calls()}
    return {call_id: len(each.turns) for call_id, each in found.items() if each is not None}


def printed(swept: Swept, *, dry_run: bool, as_json: bool = False) -> tuple[int, str]:
    out = io.StringIO()
    console = Console(file=out, width=200, highlight=False)
    return retention.report(swept, dry_run=dry_run, as_json=as_json, console=console), out.getvalue()


async def test_a_dry_run_says_what_would_go_and_a_sweep_deletes_it(home: Home) -> None:
    planned = await retention.sweep(home, dry_run=True)
    code, text = printed(planned, dry_run=True)
    assert code == 0
    assert "These would go" in text
    assert "older than 90 days" in text
    assert await turns_of(home) == {"old": 1, "new": 1}

    code, text = printed(await retention.sweep(home, dry_run=False), dry_run=False)
    assert code == 0
    assert "These are gone" in text
    assert await turns_of(home) == {"new": 1}
    assert printed(await retention.sweep(home, dry_run=True), dry_run=True) == (0, "Nothing is past its date.\n")


async def test_the_sweep_is_in_the_evidence(home: Home) -> None:
    await retention.sweep(home, dry_run=False)
    async with Vault(home.path) as vault, open_evidence(home.path, vault, StoreSettings()) as evidence:
        (entry,) = await evidence.recent(kind="swept")
    assert entry.state == "proved"
    assert entry.detail == {"counts": {"words": 1, "call": 1}, "failed": 0}


async def test_for_scripts_it_is_json_and_a_failure_is_told(home: Home) -> None:
    code, text = printed(await retention.sweep(home, dry_run=True), dry_run=True, as_json=True)
    shown = json.loads(text)
    assert code == 0
    assert shown["dry_run"] is True
    assert {entry["id"] for entry in shown["due"]} == {"old"}
    failed = Swept((), (), ("recording: the disk is full",))
    assert printed(failed, dry_run=False) == (
        1,
        "Nothing was deleted.\nnot deleted: recording: the disk is full\n",
    )
    assert printed(failed, dry_run=False, as_json=True)[0] == 1


def test_every_kind_has_a_name() -> None:
    assert set(retention.NAMES) == set(KINDS)
