"""Bad folders, files and URLs, a full disk, a locked store, bad records: one clear line, and nothing lost."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, event

from compliance.errors import VaultError
from compliance.settings import StoreSettings
from compliance.vault import Vault
from tests.unit.compliance.store_helpers import eventually, heard


async def refused(home: Path, url: str = "") -> str:
    """The one line with which a vault refuses to open."""
    vault = Vault(home, StoreSettings(url=url))
    with pytest.raises(VaultError) as caught:
        await vault.open()
    assert "\n" not in caught.value.message
    assert vault.health() is not None
    await vault.close()
    return caught.value.message


async def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "cannot be written" in await refused(tmp_path / "file" / "home")


async def test_a_database_that_is_a_folder_is_refused(home: Path) -> None:
    (home / "twin.db").mkdir(parents=True)
    assert "cannot be written" in await refused(home)


async def test_a_file_that_is_not_a_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    notes = b"these are the owner's notes" * 100
    (tmp_path / "twin.db").write_bytes(notes)
    assert "is not a database" in await refused(tmp_path)
    assert (tmp_path / "twin.db").read_bytes() == notes


async def test_a_damaged_database_is_refused(home: Path) -> None:
    async with Vault(home) as vault:
        vault.begin_call("c", channel="web")
    damaged = bytearray((home / "twin.db").read_bytes())
    damaged[100:4096] = b"\xff" * 3996
    (home / "twin.db").write_bytes(damaged)
    assert "damaged" in await refused(home)


async def test_a_database_from_a_newer_version_is_refused(home: Path) -> None:
    async with Vault(home):
        pass
    with sqlite3.connect(home / "twin.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    assert await refused(home) == (
        "The store was made by a newer version of the twin (revision 9999); update the twin."
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("oracle9://someone:hunter2@host/twin", "not installed"),
        ("://", "not a database URL"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite+aiosqlite:////x/twin.db", "synchronous driver"),
        ("postgresql+psycopg://someone:hunter2@127.0.0.1:1/twin", "store"),
    ],
)
async def test_a_wrong_url_is_refused_without_showing_its_password(home: Path, url: str, said: str) -> None:
    message = await refused(home, url)
    assert said in message
    assert "hunter2" not in message


def test_a_url_must_look_like_one() -> None:
    with pytest.raises(ValidationError, match="must be a database URL"):
        StoreSettings(url="twin.db")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(b"short"), "is damaged"),
        (lambda path: path.write_bytes(b"x" * 32), "does not belong"),
    ],
)
async def test_a_lost_or_changed_secret_is_noticed_and_not_replaced(home: Path, damage: Any, said: str) -> None:
    async with Vault(home) as vault:
        await vault.put("a@example.org", "summary", b"kept")
    secret = (home / "vault.secret").read_bytes()
    damage(home / "vault.secret")
    assert said in await refused(home)
    (home / "vault.secret").write_bytes(secret)
    async with Vault(home) as vault:
        assert await vault.get("a@example.org", "summary") == b"kept"


@pytest.fixture
def connections() -> Iterator[list[sqlite3.Connection]]:
    """The connections to the database that the vault opens."""
    opened: list[sqlite3.Connection] = []

    def connected(connection: sqlite3.Connection, _record: object) -> None:
        (main,) = [row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main"]
        if main.endswith("twin.db"):
            opened.append(connection)

    event.listen(Engine, "connect", connected)
    yield opened
    event.remove(Engine, "connect", connected)


async def test_a_full_disk_loses_nothing_and_heals(home: Path, connections: list[sqlite3.Connection]) -> None:
    async with Vault(home) as vault:
        vault.begin_call("c", channel="web")
        vault.turn_heard("c", heard(0, "before the disk was full"))
        await vault.flush()
        (connection,) = connections
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the size it has now
        for number in range(1, 101):
            vault.turn_heard("c", heard(number, "while it is full " * 50))
        with pytest.raises(VaultError, match="the disk is full"):
            await vault.flush()
        assert "the disk is full" in (vault.health() or "")
        assert vault.counters().failed == 0

        with sqlite3.connect(f"file:{home / 'twin.db'}?mode=ro", uri=True) as reader:
            assert reader.execute("SELECT count(*) FROM turns").fetchone()[0] >= 1
        reader.close()

        connection.execute("PRAGMA max_page_count = 1000000")
        await eventually(lambda: vault.health() is None)
        await vault.flush()
        found = await vault.call("c")
        assert found is not None
        assert [turn.sequence for turn in found.turns] == list(range(101))


async def test_a_disk_that_stays_full_is_said_on_close_within_the_limit(
    home: Path, connections: list[sqlite3.Connection]
) -> None:
    vault = Vault(home, StoreSettings(drain_s=0.5))
    await vault.open()
    vault.begin_call("c", channel="web")
    await vault.flush()
    connections[0].execute("PRAGMA max_page_count = 1")
    for number in range(5):
        vault.turn_heard("c", heard(number, "while it is full " * 5_000))
    with pytest.raises(VaultError, match=r"\d records could not be written before the store was closed"):
        await vault.close()
    async with Vault(home) as vault:
        (call,) = await vault.calls()
        assert call.end_reason == "interrupted"


async def test_a_full_queue_is_told_to_the_caller_and_the_rest_is_kept(home: Path) -> None:
    async with Vault(home, StoreSettings(queue_records=10, busy_timeout_ms=100)) as vault:
        vault.begin_call("c", channel="web")
        await vault.flush()
        other = sqlite3.connect(home / "twin.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for number in range(10):
            vault.event("c", "hold", position_samples=number)
        with pytest.raises(VaultError, match="cannot keep up: 10 records"):
            vault.event("c", "hold", position_samples=10)
        await eventually(lambda: "another process" in (vault.health() or ""))
        with pytest.raises(VaultError, match="another process"):
            await vault.calls()
        other.execute("ROLLBACK")
        other.close()
        await eventually(lambda: vault.health() is None)
        vault.event("c", "hold", position_samples=11)
        found = await vault.call("c")
        assert found is not None
        assert [entry.position_samples for entry in found.events] == [*range(10), 11]
        assert vault.counters().refused == 1


async def test_a_key_store_that_is_locked_loses_nothing_and_heals(home: Path) -> None:
    async with Vault(home, StoreSettings(busy_timeout_ms=100)) as vault:
        vault.begin_call("before", channel="web")
        await vault.flush()
        other = sqlite3.connect(home / "keys.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        vault.begin_call("after", channel="web")
        vault.turn_heard("after", heard(0, "while the keys were locked"))
        await eventually(lambda: "another process" in (vault.health() or ""))
        with pytest.raises(VaultError, match="another process"):
            await vault.destroy_keys(["before"])
        other.execute("ROLLBACK")
        other.close()
        await eventually(lambda: vault.counters().queued == 0)
        found = await vault.call("after")
        assert found is not None
        assert found.turns[0].text == "while the keys were locked"
        assert await vault.call("before") is not None


async def test_no_wait_is_longer_than_its_limit(home: Path) -> None:
    async with Vault(home) as vault:
        vault.begin_call("c", channel="web")
    async with Vault(home, StoreSettings(wait_s=1.0, busy_timeout_ms=4_000)) as vault:
        other = sqlite3.connect(home / "twin.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        vault.event("c", "hold")
        with pytest.raises(VaultError, match=r"did not answer within 1 s"):
            await vault.flush()
        other.execute("ROLLBACK")
        other.close()
        await eventually(lambda: vault.counters().queued == 0)
        found = await vault.call("c")
        assert found is not None
        assert [entry.kind for entry in found.events] == ["hold"]


async def test_a_reader_that_is_cancelled_disturbs_nobody(vault: Vault) -> None:
    vault.begin_call("c", channel="web")
    readers = [asyncio.create_task(vault.calls(), name=f"reader-{n}") for n in range(20)]
    await asyncio.sleep(0)
    for reader in readers[::2]:
        reader.cancel()
    results = await asyncio.gather(*readers, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results[::2])
    assert all(isinstance(result, tuple) and len(result) == 1 for result in results[1::2])
    await vault.flush()
    assert vault.health() is None


async def test_a_record_that_cannot_be_stored_takes_no_other_with_it(vault: Vault) -> None:
    vault.begin_call("c", channel="web")
    vault.event("c", "hold", position_samples=1)
    vault.event("c", "hold", position_samples=2**80)
    vault.event("c", "resume", position_samples=3)
    with pytest.raises(VaultError, match="1 records could not be written"):
        await vault.flush()
    assert "could not write a record" in (vault.health() or "")
    await vault.flush()
    found = await vault.call("c")
    assert found is not None
    assert [entry.position_samples for entry in found.events] == [1, 3]
    assert vault.counters().failed == 1


async def test_text_that_utf8_cannot_hold_is_stored_all_the_same(vault: Vault) -> None:
    vault.begin_call("c", channel="web", detail={"name": "\ud800"})
    vault.turn_heard("c", heard(0, "half \ud800 and nul \x00"))
    found = await vault.call("c")
    assert found is not None
    assert found.turns[0].text == "half ? and nul \x00"
    assert found.call.detail == {"name": "?"}
