"""A key is made once, kept apart and wrapped, and a destroyed one is gone for every process and for ever."""

from __future__ import annotations

import re
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url

from compliance.errors import KeyGone, VaultError
from compliance.settings import StoreSettings
from compliance.store.keys import CACHED_S, Keys
from compliance.vault import Vault
from tests.postgres import Server
from tests.unit.compliance.store_helpers import copy_files, files_in, heard, run_python

ELSEWHERE = make_url("sqlite:////nowhere/twin.db")
NONCE = bytes(12)


class Steady:
    """A steady clock that moves when told."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, home: Path) -> StoreSettings:
    """A key store of its own, in a file and on a server."""
    home.mkdir()
    if request.param == "sqlite":
        return StoreSettings()
    postgres: StoreSettings = request.getfixturevalue("postgres")
    return StoreSettings(keys_url=postgres.url)


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture
def keys(home: Path, settings: StoreSettings, steady: Steady) -> Iterator[Keys]:
    yield from opened(home, settings, steady)


@pytest.fixture
def others(home: Path, settings: StoreSettings, steady: Steady, keys: Keys) -> Iterator[Keys]:
    """The same key store as another process sees it."""
    yield from opened(home, settings, steady, bound=keys.id)


def opened(home: Path, settings: StoreSettings, steady: Steady, bound: str | None = None) -> Iterator[Keys]:
    keys = Keys(home, settings, monotonic=steady)
    keys.open(bound=bound, apart_from=ELSEWHERE)
    yield keys
    keys.close()


def same(one: AESGCM, other: AESGCM) -> bool:
    return other.decrypt(NONCE, one.encrypt(NONCE, b"said", None), None) == b"said"


def test_a_key_is_made_once_for_all_processes(keys: Keys, others: Keys) -> None:
    made = keys.sealing("call-1")
    assert same(made, keys.opening("call-1"))
    assert same(made, others.sealing("call-1"))
    assert keys.missing(["call-1", "call-2"]) == {"call-2"}
    assert made.encrypt(NONCE, b"said", None) != keys.sealing("call-2").encrypt(NONCE, b"said", None)


def test_a_destroyed_key_is_gone_here_at_once_and_elsewhere_within_five_seconds(
    keys: Keys, others: Keys, steady: Steady
) -> None:
    keys.make(["anna", "ben"])
    assert same(others.opening("anna"), keys.opening("anna"))
    not_purged = keys.destroy(["anna"])
    assert not_purged == "" if keys.file else "in its log" in not_purged
    with pytest.raises(KeyGone):
        keys.opening("anna")
    with pytest.raises(KeyGone):
        keys.sealing("anna")
    steady.now_s += CACHED_S - 0.1
    assert others.opening("anna")
    steady.now_s += 0.1
    with pytest.raises(KeyGone):
        others.opening("anna")
    assert others.is_gone("anna")
    assert not others.is_gone("ben")
    assert same(keys.opening("ben"), others.opening("ben"))


def test_a_destroyed_key_never_comes_back_even_when_it_never_was(keys: Keys, others: Keys) -> None:
    keys.destroy(["nobody", "nobody"])
    keys.destroy(["nobody"])
    for store in (keys, others):
        with pytest.raises(KeyGone):
            store.make(["nobody", "somebody"])
    assert others.missing(["somebody"]) == {"somebody"}


def test_a_call_in_progress_asks_the_key_store_once_in_five_seconds(keys: Keys, steady: Steady) -> None:
    keys.make(["call-1"])
    asked: list[str] = []

    def executed(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", executed)
    try:
        for _ in range(1_100):
            steady.now_s += 0.01
            keys.sealing("call-1")
    finally:
        event.remove(Engine, "before_cursor_execute", executed)
    assert len([statement for statement in asked if "FROM keys" in statement]) == 2


def test_many_keys_are_read_at_once_less_those_that_are_gone(keys: Keys, others: Keys) -> None:
    names = [f"key-{number}" for number in range(1_200)]
    keys.make(names)
    keys.destroy(["key-7"])
    others.load([*names, "nobody"])
    assert same(keys.opening("key-1199"), others.opening("key-1199"))
    with pytest.raises(KeyGone):
        others.opening("key-7")
    assert others.missing(["nobody", "key-7"]) == {"nobody"}


def test_the_bytes_of_a_destroyed_key_are_in_no_file(home: Path) -> None:
    home.mkdir()
    keys = Keys(home, StoreSettings())
    keys.open(bound=None, apart_from=ELSEWHERE)
    keys.make([f"key-{number}" for number in range(300)])
    with sqlite3.connect(home / "keys.db") as database:
        wrapped = dict(database.execute("SELECT key_id, wrapped FROM keys").fetchall())
    database.close()
    written = b"".join(path.read_bytes() for path in files_in(home))
    assert all(value in written for value in wrapped.values())

    gone = [f"key-{number}" for number in range(0, 300, 3)]
    assert keys.destroy(gone) == ""
    written = b"".join(path.read_bytes() for path in files_in(home))
    assert [name for name, value in wrapped.items() if value not in written] == sorted(
        gone, key=list(wrapped).index
    )
    keys.close()


def test_a_key_store_in_use_says_that_its_files_could_not_be_purged(home: Path) -> None:
    home.mkdir()
    keys = Keys(home, StoreSettings(wait_s=0.2, busy_timeout_ms=100))
    keys.open(bound=None, apart_from=ELSEWHERE)
    keys.make(["anna"])
    reader = sqlite3.connect(home / "keys.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM keys").fetchone()
    assert "another process" in keys.destroy(["anna"])
    reader.close()
    with pytest.raises(KeyGone):
        keys.opening("anna")
    assert keys.destroy(["anna"]) == ""
    keys.close()


async def refused(home: Path, settings: StoreSettings | None = None) -> str:
    """The one line with which a vault refuses to open."""
    vault = Vault(home, settings)
    with pytest.raises(VaultError) as caught:
        await vault.open()
    await vault.close()
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("file", "damage", "said"),
    [
        ("keys.db", lambda path: path.unlink(), "not in .*keys.db; restore them"),
        ("keys.db", lambda path: path.write_bytes(b"x" * 8192), "is not a database"),
        ("master.key", lambda path: path.unlink(), "master.key is missing, and without it nothing"),
        ("master.key", lambda path: path.write_bytes(b"short"), "is damaged"),
        ("master.key", lambda path: path.write_bytes(b"x" * 32), "is not the one this store was made with"),
    ],
)
async def test_lost_or_wrong_keys_are_said_in_one_line_and_nothing_is_made_anew(
    home: Path, file: str, damage: Any, said: str
) -> None:
    async with Vault(home) as vault:
        await vault.put("a@example.org", "summary", b"kept")
    before = (home / file).read_bytes()
    damage(home / file)
    left = {path.name: path.read_bytes() for path in files_in(home)}
    message = await refused(home)
    assert re.search(said, message), message
    assert {path.name: path.read_bytes() for path in files_in(home)}.get(file) == left.get(file)
    (home / file).write_bytes(before)
    async with Vault(home) as vault:
        assert await vault.get("a@example.org", "summary") == b"kept"


async def test_the_key_store_of_another_twin_is_refused(home: Path, tmp_path: Path) -> None:
    for folder in (home, tmp_path / "other"):
        async with Vault(folder):
            pass
    (home / "keys.db").write_bytes((tmp_path / "other" / "keys.db").read_bytes())
    assert "restore them" in await refused(home)


async def test_a_key_store_older_than_the_store_is_noticed_at_the_start(home: Path, tmp_path: Path) -> None:
    async with Vault(home) as vault:
        vault.begin_call("before", channel="web")
    copy_files(home, tmp_path / "backup")
    async with Vault(home) as vault:
        vault.begin_call("after", channel="web")
    (home / "keys.db").write_bytes((tmp_path / "backup" / "keys.db").read_bytes())
    assert "older than the store (1 of the newest calls" in await refused(home)


async def test_keys_and_data_may_not_be_in_one_database(
    home: Path, postgres: StoreSettings, postgres_server: Server
) -> None:
    one = StoreSettings(url=postgres.url, keys_url=postgres.url.replace("postgres@", "postgres:secret@"))
    assert "another database" in await refused(home, one)
    file = f"sqlite:///{home / 'twin.db'}"
    assert "another database" in await refused(home, StoreSettings(keys_url=file))


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from compliance.vault import Vault
async def main():
    async with Vault(Path(sys.argv[1])) as vault:
        def work(tx):
            tx.seal(b"never stored", key_id="c1", place="turns.sealed_text")
            os.kill(os.getpid(), signal.SIGKILL)
        await vault.run(work)
asyncio.run(main())
"""


async def test_a_process_killed_between_key_and_row_leaves_a_key_that_is_used_later(home: Path) -> None:
    killed = run_python(_KILLED, home)
    killed.communicate(timeout=30)
    assert killed.returncode == -signal.SIGKILL
    async with Vault(home) as vault:
        assert await vault.run(lambda tx: tx.keys.missing(["c1"])) == set()
        vault.begin_call("c1", channel="web")
        vault.turn_heard("c1", heard(0, "stored this time"))
        found = await vault.call("c1")
        assert found is not None
        assert found.turns[0].text == "stored this time"


async def test_whose_keys_are_destroyed_is_not_shown_and_nothing_more_is_kept(home: Path) -> None:
    async with Vault(home) as vault:
        for number in range(4):
            who = "anna@example.org" if number % 2 else "ben@example.org"
            vault.begin_call(f"c{number}", channel="web", subject=who)
            vault.message(f"from {who}", call_id=f"c{number}", subject=who)
        await vault.put("anna@example.org", "summary", b"anna")
        await vault.flush()
        subject = await vault.run(lambda tx: find(tx.connection, tx.lookup.of("anna@example.org")))
        assert await vault.destroy_keys(["c1", "c3", subject]) == ""

        assert [call.id for call in await vault.calls(limit=2)] == ["c2", "c0"]
        assert {message.text for message in await vault.messages()} == {"from ben@example.org"}
        assert await vault.call("c1") is None
        assert await vault.get("anna@example.org", "summary") is None
        assert await vault.names("anna@example.org", "summary") == ()
        vault.turn_heard("c1", heard(0, "are you still there"))
        vault.record(lambda tx: bool(tx.seal(b"x", key_id="c3", place="evidence.sealed_detail")))
        await vault.flush()
        assert (vault.counters().orphaned, vault.health()) == (2, None)

        # They call again while the erasure goes on: that is a new call, and it stays.
        vault.begin_call("c4", channel="web", subject="anna@example.org")
        await vault.put("anna@example.org", "summary", b"anew")
        assert [call.subject for call in await vault.calls(limit=1)] == ["anna@example.org"]
        assert await vault.get("anna@example.org", "summary") == b"anew"


def find(connection: Any, lookup: str) -> str:
    return str(connection.exec_driver_sql("SELECT id FROM subjects WHERE lookup = ?", (lookup,)).scalar())
