"""A store of the first version, which encrypted nothing, is encrypted when it is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import compliance
from compliance.errors import VaultError
from compliance.store.database import Database
from compliance.store.reseal import reseal
from compliance.vault import Vault
from tests.unit.compliance.store_helpers import files_in

CALLS = 30
WORDS = b'[["hushed",0,4000],["words",4800,8800]]'


@pytest.fixture
def old(home: Path) -> Path:
    """A home as the first version left it."""
    home.mkdir()
    engine = create_engine(f"sqlite:///{home / 'twin.db'}")
    config = Config()
    config.set_main_option("script_location", str(Path(compliance.__file__).parent / "store" / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with sqlite3.connect(home / "twin.db") as database:
        anna = b"\x00hushed@example.org"
        # Its lookup is not the keyed hash: this test has no secret of that store.
        database.execute("INSERT INTO subjects VALUES ('s1', 'lookup', ?, 1)", (anna,))
        for number in range(CALLS):
            call, who = f"c{number}", "s1" if number % 2 else None
            values = (call, "web", who, "w", "ended", number, number, "hangup", b'\x00{"city":"hushed"}')
            database.execute(f"INSERT INTO calls VALUES ({','.join('?' * 9)})", values)
            turn = (call, 0, "caller", 0, 8800, 24000, 0, 0, "", 1, b"\x00hushed words", b"\x00" + WORDS)
            database.execute(f"INSERT INTO turns VALUES ({','.join('?' * 12)})", turn)
            event = (number, call, "dtmf", 1, None, None, b'\x00{"digits":"hushed"}')
            database.execute(f"INSERT INTO events VALUES ({','.join('?' * 7)})", event)
        database.execute("INSERT INTO messages VALUES ('m1', 'c1', 's1', 1, ?)", (b"\x00hushed message",))
        database.execute("INSERT INTO messages VALUES ('m2', NULL, NULL, 1, ?)", (b"\x00hushed note",))
        database.execute("INSERT INTO items VALUES (1, 's1', 'summary', '', 1, ?)", (b"\x00hushed item",))
    database.close()
    return home


async def check(home: Path) -> None:
    async with Vault(home) as vault:
        calls = await vault.calls(limit=100)
        assert [call.subject for call in calls] == ["hushed@example.org", None] * (CALLS // 2)
        found = await vault.call("c1")
        assert found is not None
        assert (found.turns[0].text, found.call.detail) == ("hushed words", {"city": "hushed"})
        assert [word.text for word in found.turns[0].words] == ["hushed", "words"]
        assert found.events[0].detail == {"digits": "hushed"}
        assert {message.text for message in await vault.messages()} == {"hushed message", "hushed note"}
        assert not [path for path in files_in(home) if b"hushed" in path.read_bytes()]
        assert (await vault.forget("call:c0")).deleted["calls"] == 1


async def test_every_value_is_encrypted_and_none_is_left_in_the_files(old: Path) -> None:
    assert b"hushed words" in (old / "twin.db").read_bytes()
    await check(old)
    async with Vault(old) as vault:
        assert len(await vault.calls(limit=100)) == CALLS - 1


async def test_an_upgrade_that_was_killed_before_the_files_were_rewritten_rewrites_them(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Database, "purge", lambda self, *, limit_s: "killed")
    vault = Vault(old)
    with pytest.raises(VaultError, match="still in its files: killed"):
        await vault.open()
    await vault.close()
    monkeypatch.undo()
    await check(old)


@pytest.mark.parametrize("transactions", [1, 2, 4, 7])
async def test_an_upgrade_that_was_interrupted_goes_on_where_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch, transactions: int
) -> None:
    monkeypatch.setattr("compliance.store.reseal._ROWS", 10)
    done = 0

    def interrupted(begin: object) -> int:
        def counted() -> object:
            nonlocal done
            done += 1
            if done > transactions:
                raise VaultError("interrupted")
            return begin()  # type: ignore[operator]

        return reseal(counted)  # type: ignore[arg-type]

    monkeypatch.setattr("compliance.store.binding.reseal", interrupted)
    vault = Vault(old)
    with pytest.raises(VaultError, match="interrupted"):
        await vault.open()
    await vault.close()
    monkeypatch.setattr("compliance.store.binding.reseal", reseal)
    await check(old)


async def test_a_value_in_the_clear_that_somebody_plants_later_is_refused(old: Path) -> None:
    async with Vault(old):
        pass
    with sqlite3.connect(old / "twin.db") as database:
        database.execute("UPDATE turns SET sealed_text = ? WHERE call_id = 'c1'", (b"\x00planted",))
    database.close()
    async with Vault(old) as vault:
        with pytest.raises(VaultError, match="another version"):
            await vault.call("c1")
