"""On a real PostgreSQL server: several workers, lost connections, and forgetting that is proved on its files."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.engine import make_url

from compliance.entries import CallEntry
from compliance.errors import VaultError
from compliance.settings import StoreSettings
from compliance.store import postgres as server_files
from compliance.store import rows, schema
from compliance.store.database import Database
from compliance.store.transaction import Transaction
from compliance.vault import Vault
from tests.postgres import Server
from tests.unit.compliance.store_helpers import WAIT_S, eventually, heard, run_python

ANNA, BEN = "+493011111111", "ben@example.org"


def name_of(postgres: StoreSettings) -> str:
    return make_url(postgres.url).database or ""


async def fill(vault: Vault) -> None:
    for number in range(10):
        who, name = (ANNA, "anna") if number % 2 else (BEN, "ben")
        vault.begin_call(f"c{number}", channel="phone", subject=who)
        for turn in range(10):
            vault.turn_heard(f"c{number}", heard(turn, f"this is {name} speaking of purple elephants {turn}"))
        vault.message(f"message of {name} number {number}", call_id=f"c{number}")
    await vault.put(ANNA, "summary", b"summary about anna " * 10_000)
    await vault.flush()


def leave(server: Server, postgres: StoreSettings, said: str) -> None:
    """What an extension might leave: a table of its own, which the vault does not know."""
    server.run("CREATE TABLE cache (value text)", database=name_of(postgres))
    server.run(f"INSERT INTO cache VALUES ('{said}')", database=name_of(postgres))


@pytest.fixture(params=["here", "through the server"])
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the server's files are read: on the same machine, or as if it were another."""
    if request.param != "here":
        monkeypatch.setattr(server_files, "local_folder", lambda engine: None)
    return str(request.param)


def test_the_revisions_make_the_tables(home: Path, postgres: StoreSettings) -> None:
    database = Database(home, postgres)
    database.open()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    database.close()


@pytest.mark.usefixtures("reading")
async def test_nothing_of_a_forgotten_person_is_left_in_any_file_of_the_server(
    home: Path, postgres: StoreSettings, postgres_server: Server
) -> None:
    async with Vault(home, postgres) as vault:
        await fill(vault)
        receipt = await vault.forget(ANNA)
        assert receipt.done
        assert {finding.store for finding in receipt.stores} == {"server", "server-wal"}
        assert all(finding.needles > 20 and finding.scanned_bytes > 100_000 for finding in receipt.stores)
        assert {call.subject for call in await vault.calls()} == {BEN}
        assert len(await vault.messages()) == 5
    assert not [path for path in postgres_server.folder.rglob("*") if b"this is anna" in _read(path)]


def _read(path: Path) -> bytes:
    """A file of the running server's, which makes and deletes some all the time."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""


@pytest.mark.usefixtures("reading")
async def test_residue_outside_the_rows_is_found(
    home: Path, postgres: StoreSettings, postgres_server: Server
) -> None:
    async with Vault(home, postgres) as vault:
        await fill(vault)
        leave(postgres_server, postgres, "... this is anna speaking of purple elephants 3")
        receipt = await vault.forget(ANNA)
    assert not receipt.done
    assert {finding.store: finding.result for finding in receipt.stores}["server"] == "residue"


async def test_a_server_that_does_not_show_its_files_is_never_called_done(
    home: Path, postgres: StoreSettings, postgres_server: Server
) -> None:
    name = name_of(postgres)
    user = f"{name}_user"
    postgres_server.run(f"CREATE ROLE {user} LOGIN")
    postgres_server.run(f"GRANT ALL ON SCHEMA public TO {user}", database=name)
    async with Vault(home, StoreSettings(url=postgres_server.url(name, user=user))) as vault:
        await fill(vault)
        receipt = await vault.forget(ANNA)
        assert {call.subject for call in await vault.calls()} == {BEN}
    assert not receipt.done
    (finding,) = receipt.stores
    assert finding.result == "not_scanned"
    assert "the user may not do this" in finding.note


async def test_a_lost_connection_loses_nothing_and_heals(
    home: Path, postgres: StoreSettings, postgres_server: Server
) -> None:
    drop = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name_of(postgres)}'"
    async with Vault(home, postgres) as vault:
        vault.begin_call("c", channel="web")
        await vault.flush()
        postgres_server.run(drop)
        for number in range(50):
            vault.turn_heard("c", heard(number, f"turn {number}"))
        await eventually(lambda: vault.counters().queued == 0)
        found = await vault.call("c")
        assert found is not None
        assert [turn.sequence for turn in found.turns] == list(range(50))
        assert (vault.health(), vault.counters().failed) == (None, 0)


async def test_a_record_that_cannot_be_stored_takes_no_other_with_it(home: Path, postgres: StoreSettings) -> None:
    async with Vault(home, postgres) as vault:
        vault.begin_call("c", channel="web")
        vault.event("c", "hold", position_samples=1)
        vault.event("c", "hold", position_samples=2**80)
        vault.event("c", "resume", position_samples=3)
        with pytest.raises(VaultError, match="1 records could not be written"):
            await vault.flush()
        found = await vault.call("c")
        assert found is not None
        assert [entry.position_samples for entry in found.events] == [1, 3]


async def test_two_workers_that_are_told_the_same_at_once_both_go_on(home: Path, postgres: StoreSettings) -> None:
    async with Vault(home, postgres) as one, Vault(home, postgres) as other:
        await one.put(ANNA, "other", b"")  # the person is known to both

        def slowly(tx: Transaction) -> None:
            call = CallEntry("c", "phone", ANNA, tx.now_ms, None, None, "live")
            rows.begin_call(tx, "w", call, detail_json="{}")
            rows.put_item(tx, ANNA, "summary", "", b"first", at_ms=tx.now_ms)
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            deadline = time.monotonic() + WAIT_S
            while not tx.connection.execute(waiting).scalar() and time.monotonic() < deadline:
                time.sleep(0.01)

        first = asyncio.create_task(one.run(slowly), name="first")
        await eventually(lambda: one.counters().queued == 1)
        other.begin_call("c", channel="phone", subject=ANNA)
        await asyncio.gather(first, other.put(ANNA, "summary", b"second"))
        assert await other.get(ANNA, "summary") == b"second"
        assert len(await one.calls()) == 1
        assert (other.health(), other.counters().failed) == (None, 0)


_WRITER = """
import asyncio, sys
from pathlib import Path
from compliance.settings import StoreSettings
from compliance.vault import Vault
from tests.unit.compliance.store_helpers import heard
async def main():
    async with Vault(Path(sys.argv[1]), StoreSettings(url=sys.argv[2], keys_url=sys.argv[3])) as vault:
        name = sys.argv[4]
        for n in range(20):
            vault.begin_call(f"{name}-{n}", channel="phone", subject=f"+49301234{n:02}")
            vault.turn_heard(f"{name}-{n}", heard(0, f"{name} says {n}"))
        await vault.flush()
        assert vault.counters().failed == 0, vault.health()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
asyncio.run(main())
"""


async def test_workers_make_and_share_one_store_and_the_calls_of_a_killed_one_are_ended(
    home: Path, postgres: StoreSettings, postgres_server: Server
) -> None:
    keys = postgres_server.make_database(f"{name_of(postgres)}_keys")
    writers = [run_python(_WRITER, home, postgres.url, keys, name) for name in ("one", "two", "three")]
    for writer in writers:
        assert writer.stdout is not None
        assert (await asyncio.to_thread(writer.stdout.readline)).strip() == "ready"
    writers[0].send_signal(signal.SIGKILL)
    writers[0].communicate(timeout=30)
    async with Vault(home, postgres.model_copy(update={"keys_url": keys})) as vault:
        calls = await vault.calls(limit=100)
        assert len(calls) == 60
        assert {call.id.split("-")[0] for call in calls if call.state == "ended"} == {"one"}
        assert {call.end_reason for call in calls if call.state == "ended"} == {"interrupted"}
        found = await vault.call("two-7")
        assert found is not None
        assert (found.call.subject, found.turns[0].text) == ("+4930123407", "two says 7")
        assert len(await vault.calls(subject="+4930123407")) == 3
    for writer in writers[1:]:
        await asyncio.to_thread(writer.communicate, "stop\n", 30)
    assert [writer.returncode for writer in writers[1:]] == [0, 0]
    postgres_server.drop_database(f"{name_of(postgres)}_keys")


@pytest.mark.parametrize(
    ("change", "said"),
    [({"database": "missing"}, "there is no such database"), ({"port": 1}, "cannot be used")],
)
async def test_a_server_that_cannot_be_used_is_said_without_its_password(
    home: Path, postgres: StoreSettings, change: dict[str, object], said: str
) -> None:
    url = make_url(postgres.url).set(password="hunter2", **change)  # type: ignore[arg-type]
    vault = Vault(home, StoreSettings(url=url.render_as_string(hide_password=False)))
    with pytest.raises(VaultError, match=said) as caught:
        await vault.open()
    await vault.close()
    assert "hunter2" not in caught.value.message
