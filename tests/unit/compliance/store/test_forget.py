"""Forgetting is proved on the bytes of the files, by the receipt and by our own reading of them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from compliance.errors import VaultError
from compliance.settings import StoreSettings
from compliance.vault import Vault
from tests.unit.compliance.store_helpers import files_in, heard

ANNA, BEN = "+493011111111", "ben@example.org"


def bytes_of(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in files_in(home))


def leave(home: Path, text: bytes) -> None:
    """What an extension might leave: a table of its own, which the vault does not know."""
    with sqlite3.connect(home / "twin.db") as other:
        other.execute("CREATE TABLE cache (value BLOB)")
        other.execute("INSERT INTO cache VALUES (?)", (text,))
    other.close()


async def fill(vault: Vault) -> None:
    for number in range(40):
        who, name = (ANNA, "anna") if number % 2 else (BEN, "ben")
        vault.begin_call(f"c{number}", channel="phone", subject=who, detail={"city": f"city of {name}"})
        for turn in range(10):
            vault.turn_heard(f"c{number}", heard(turn, f"this is {name} speaking of purple elephants {turn}"))
        vault.event(f"c{number}", "dtmf", detail={"digits": f"pin of {name}"})
        vault.message(f"message of {name} number {number}", call_id=f"c{number}", subject=who)
        vault.end_call(f"c{number}", "hangup")
    await vault.put(ANNA, "summary", b"summary about anna " * 1000)
    await vault.put(BEN, "summary", b"summary about ben")
    await vault.flush()


async def test_nothing_of_a_forgotten_person_is_left_in_any_file(home: Path) -> None:
    async with Vault(home) as vault:
        await fill(vault)
        found = await vault.call("c1")
        assert found is not None
        assert found.turns[0].text.startswith("this is anna")
        receipt = await vault.forget("+49 30 1111 1111")
        for needle in (ANNA.encode(), b"this is anna", b"pin of anna", b"summary about anna", b"of anna"):
            assert needle not in bytes_of(home)

        assert receipt.done
        assert {finding.store for finding in receipt.stores} == {"database", "database-wal", "database-shm"}
        assert all(finding.found == 0 and finding.needles > 50 for finding in receipt.stores)
        assert receipt.stores[0].scanned_bytes == (home / "twin.db").stat().st_size
        assert receipt.deleted == {
            "messages": 20, "turns": 200, "events": 20, "calls": 20, "items": 1, "subjects": 1,
        }  # fmt: skip
        assert ANNA not in receipt.to_json()
        assert json.loads(receipt.to_json())["done"] is True

        calls = await vault.calls(limit=100)
        assert len(calls) == 20
        assert {call.subject for call in calls} == {BEN}
        found = await vault.call("c0")
        assert found is not None
        assert len(found.turns) == 10
        assert await vault.get(BEN, "summary") == b"summary about ben"


async def test_words_that_others_said_too_are_not_counted_as_residue(home: Path, vault: Vault) -> None:
    for number, who in enumerate((ANNA, BEN)):
        vault.begin_call(f"c{number}", channel="phone", subject=who)
        vault.turn_heard(f"c{number}", heard(0, "good morning to you"))
    await vault.flush()
    leave(home, b"good morning to you")
    receipt = await vault.forget(ANNA)
    assert receipt.done
    assert receipt.stores[0].shared > 0
    found = await vault.call("c1")
    assert found is not None
    assert found.turns[0].text == "good morning to you"


async def test_residue_outside_the_rows_is_found_and_the_receipt_is_not_done(home: Path) -> None:
    async with Vault(home) as vault:
        await fill(vault)
        leave(home, b"... this is anna speaking of purple elephants 3")
        receipt = await vault.forget(ANNA)
        assert not receipt.done
        assert {finding.store: finding.result for finding in receipt.stores}["database"] == "residue"
        assert receipt.stores[0].found > 0


async def test_a_log_that_another_process_holds_is_never_called_done(home: Path) -> None:
    async with Vault(home) as vault:
        await fill(vault)
    async with Vault(home, StoreSettings(wait_s=2.0, busy_timeout_ms=100)) as vault:
        reader = sqlite3.connect(home / "twin.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM calls").fetchone()
        receipt = await vault.forget(ANNA)
        assert not receipt.done
        assert any(finding.result in ("not_purged", "residue") for finding in receipt.stores)
        assert any("another process" in finding.note for finding in receipt.stores)
        reader.close()


async def test_one_kind_can_be_forgotten_alone(vault: Vault) -> None:
    await fill(vault)
    await vault.put(ANNA, "facts", b"anna likes purple")
    receipt = await vault.forget(ANNA, "summary")
    assert receipt.done
    assert receipt.deleted == {"items": 1}
    assert await vault.get(ANNA, "summary") is None
    assert await vault.get(ANNA, "facts") == b"anna likes purple"
    assert (await vault.forget(ANNA, "call")).deleted["calls"] == 20
    assert await vault.get(ANNA, "facts") == b"anna likes purple"


async def test_a_stranger_leaves_a_receipt_that_says_nothing_was_there(vault: Vault) -> None:
    await fill(vault)
    receipt = await vault.forget("nobody@example.org")
    assert receipt.done
    assert receipt.deleted == {}
    with pytest.raises(VaultError, match="phone number"):
        await vault.forget("  ")


async def test_who_is_forgotten_during_a_call_stays_forgotten(vault: Vault) -> None:
    vault.begin_call("c", channel="phone", subject=ANNA)
    vault.turn_heard("c", heard(0, "please delete what you know about me"))
    assert (await vault.forget(ANNA)).done
    vault.turn_heard("c", heard(1, "thank you"))
    vault.event("c", "hangup")
    vault.message("call me", call_id="c")
    vault.end_call("c", "hangup")
    await vault.flush()
    assert await vault.call("c") is None
    assert await vault.messages() == ()
    assert vault.counters().orphaned == 4
    assert vault.health() is None
