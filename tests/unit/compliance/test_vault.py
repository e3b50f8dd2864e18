"""What goes into the vault comes out again, on SQLite and on PostgreSQL, and personal parts go in sealed."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, inspect

from compliance.entries import TurnEntry, WordEntry
from compliance.errors import RequestError, VaultError
from compliance.settings import StoreSettings
from compliance.store.schema import recordings
from compliance.store.transaction import Transaction
from compliance.vault import Vault
from tests.unit.compliance.store_helpers import files_in, heard, run_python

RECORDING = {
    "id": "r1",
    "call_id": "c3",
    "state": "ended",
    "started_ms": 0,
    "start_samples": 0,
    "clock_hz": 48_000,
    "rate_hz": 16_000,
    "frames": 0,
    "chunks": 0,
}


class Clock:
    """Unix time that moves when told."""

    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def vault(home: Path, store: StoreSettings) -> AsyncIterator[Vault]:
    async with Vault(home, store) as vault:
        yield vault


def everything_in(home: Path, store: StoreSettings) -> list[object]:
    """Every value of every row of every table of the database."""
    engine = create_engine(store.url or f"sqlite:///{home / 'twin.db'}")
    with engine.connect() as connection:
        values = [
            value
            for table in inspect(engine).get_table_names()
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
            for value in row
        ]
    engine.dispose()
    return values


async def test_a_call_is_read_back_with_everything_that_happened_in_it(home: Path, store: StoreSettings) -> None:
    clock = Clock()
    async with Vault(home, store, now=clock) as vault:
        vault.begin_call("CA1", channel="phone", subject="+49 (30) 123-45", detail={"to": "+4930999"})
        turn = TurnEntry(
            sequence=0,
            who="twin",
            text="Grüße aus Köln 🙂",
            start_samples=480,
            end_samples=96_000,
            rate_hz=24_000,
            epoch=3,
            cut=True,
            provenance="fact",
            words=(WordEntry("Grüße", 480, 9_000), WordEntry("aus", 9_000, 12_000)),
        )
        vault.event("CA1", "disclosure_played", position_samples=24_000, rate_hz=24_000)
        vault.turn_heard("CA1", turn)
        vault.event("CA1", "dtmf", position_samples=30_000, rate_hz=24_000, detail={"digit": "5"})
        message_id = vault.message("Please call back", call_id="CA1", subject="+493012345")
        clock.now_s += 60
        vault.end_call("CA1", "hangup")
        found = await vault.call("CA1")

    assert found is not None
    assert (found.call.subject, found.call.channel, found.call.state) == ("+493012345", "phone", "ended")
    assert found.call.detail == {"to": "+4930999"}
    assert found.call.end_reason == "hangup"
    assert found.call.ended_ms == found.call.started_ms + 60_000 == 1_700_000_060_000
    (stored,) = found.turns
    assert stored.at_ms == 1_700_000_000_000
    assert stored == TurnEntry(**{name: getattr(turn, name) for name in turn.__slots__} | {"at_ms": stored.at_ms})
    assert [(event.kind, event.position_samples) for event in found.events] == [
        ("disclosure_played", 24_000),
        ("dtmf", 30_000),
    ]
    assert found.events[1].detail == {"digit": "5"}
    assert [(message.id, message.text) for message in found.messages] == [(message_id, "Please call back")]


async def test_a_turn_grows_as_its_words_are_heard(vault: Vault) -> None:
    vault.begin_call("c", channel="web")
    words = ["the", "quick", "brown", "fox"]
    for count in range(1, len(words) + 1):
        vault.turn_heard("c", heard(0, " ".join(words[:count]), who="twin"))
    vault.turn_heard("c", heard(1, "stop"))
    found = await vault.call("c")
    assert found is not None
    assert [turn.text for turn in found.turns] == ["the quick brown fox", "stop"]
    assert [word.text for word in found.turns[0].words] == words


async def test_a_call_begun_or_ended_twice_stays_as_it_was(vault: Vault) -> None:
    vault.begin_call("c", channel="web", subject="a@example.org")
    vault.begin_call("c", channel="phone")
    vault.end_call("c", "hangup")
    vault.end_call("c", "watchdog")
    await vault.flush()
    (call,) = await vault.calls()
    assert (call.channel, call.subject, call.end_reason) == ("web", "a@example.org", "hangup")


async def test_calls_are_listed_newest_first_page_by_page_without_gaps(home: Path, store: StoreSettings) -> None:
    clock = Clock()
    async with Vault(home, store, now=clock) as vault:
        for number in range(10):
            vault.begin_call(f"c{number}", channel="web")
            clock.now_s += number % 2  # pairs begin in the same millisecond
        pages: list[str] = []
        before = None
        while page := await vault.calls(limit=3, before=before):
            pages += [call.id for call in page]
            before = page[-1].id
        assert sorted(pages) == [f"c{number}" for number in range(10)]
        assert pages[0] == "c9"
        with pytest.raises(VaultError, match="no call with that id"):
            await vault.calls(before="unknown")
        assert await vault.call("nobody") is None


async def test_calls_can_be_listed_by_what_they_are(home: Path, store: StoreSettings) -> None:
    clock = Clock()
    async with Vault(home, store, now=clock) as vault:
        begun_ms = []
        for number in range(6):
            begun_ms.append(int(clock.now_s * 1000))
            vault.begin_call(
                f"c{number}",
                channel="phone" if number % 2 else "web",
                subject="+49 30 1234567" if number in (1, 4) else None,
                language="de" if number < 3 else "",
                provider_ref=f"CA{number}",
            )
            clock.now_s += 60
        vault.end_call("c5", "hangup")
        await vault.run(lambda tx: bool(tx.connection.execute(insert(recordings), RECORDING)))

        async def ids(**wanted: Any) -> list[str]:
            return [call.id for call in await vault.calls(**wanted)]

        assert await ids(channel="phone") == ["c5", "c3", "c1"]
        assert await ids(state="ended") == ["c5"]
        assert await ids(since_ms=begun_ms[2], until_ms=begun_ms[4]) == ["c3", "c2"]
        assert await ids(subject="+49301234567") == ["c4", "c1"]
        assert await ids(subject="call:c0") == ["c0"]
        assert await ids(language="de", channel="web") == ["c2", "c0"]
        assert await ids(has_recording=True) == ["c3"]
        assert await ids(has_recording=False, limit=2, before="c4") == ["c2", "c1"]
        (call,) = await vault.calls(has_recording=True)
        assert (call.language, call.provider_ref, call.subject) == ("", "CA3", None)


async def test_a_call_of_nobody_known_is_found_and_forgotten_by_its_own_name(vault: Vault) -> None:
    vault.begin_call("c1", channel="web")
    vault.begin_call("c2", channel="web", subject="call:c1")  # nobody takes over another call by calling so
    vault.turn_heard("c1", heard(0, "whoever I am"))
    assert [call.subject for call in await vault.calls()] == [None, None]
    receipt = await vault.forget("call:c1")
    assert receipt.done
    assert receipt.deleted == {"turns": 1, "calls": 1, "subjects": 1}
    assert [call.id for call in await vault.calls()] == ["c2"]


async def test_what_was_said_can_go_while_the_call_stays(vault: Vault) -> None:
    vault.begin_call("c", channel="web")
    vault.turn_heard("c", heard(0, "please do not write this down"))
    vault.event("c", "dtmf")
    vault.turns_forgotten("c")
    vault.turn_heard("c", heard(1, "the weather is fine"))
    found = await vault.call("c")
    assert found is not None
    assert [turn.text for turn in found.turns] == ["the weather is fine"]
    assert [event.kind for event in found.events] == ["dtmf"]


async def test_messages_reach_the_owner_newest_first_also_without_a_call(vault: Vault) -> None:
    vault.message("first", subject="a@example.org")
    vault.message("second")
    found = await vault.messages()
    assert {(message.text, message.subject) for message in found} == {
        ("first", "a@example.org"),
        ("second", None),
    }


async def test_bytes_about_a_person_are_kept_by_kind_and_name(vault: Vault) -> None:
    await vault.put("A@Example.org", "summary", b"one")
    await vault.put("a@example.org", "summary", b"two")
    await vault.put("a@example.org", "summary", b"\x00\xff", name="2026")
    assert await vault.get(" a@example.org ", "summary") == b"two"
    assert await vault.get("a@example.org", "summary", name="2026") == b"\x00\xff"
    assert await vault.get("b@example.org", "summary") is None
    assert await vault.names("a@example.org", "summary") == ("", "2026")
    with pytest.raises(VaultError, match="methods of its own"):
        await vault.put("a@example.org", "call", b"")


async def test_no_column_in_the_clear_holds_who_called_or_what_was_said(home: Path, store: StoreSettings) -> None:
    async with Vault(home, store) as vault:
        vault.begin_call("c", channel="phone", subject="+4930123456", detail={"city": "Berlin"})
        vault.turn_heard("c", heard(0, "my hushed word"))
        vault.event("c", "dtmf", detail={"digit": "hushed"})
        vault.message("hushed message", call_id="c", subject="+4930123456")
        await vault.put("+4930123456", "summary", b"hushed")
    values = everything_in(home, store)
    assert sum(isinstance(value, bytes) for value in values) >= 6
    written = b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
    assert not [part for part in (b"hushed", b"30123456", b"Berlin") if part in written]


@pytest.mark.parametrize("word", ["Anna called", "+493012345", "", "x" * 65, "Köln"])
async def test_personal_text_cannot_slip_into_a_clear_column(vault: Vault, word: str) -> None:
    vault.begin_call("c", channel="web")
    for record in (
        lambda: vault.event("c", word),
        lambda: vault.end_call("c", word),
        lambda: vault.begin_call("d", channel=word),
    ):
        with pytest.raises(VaultError, match="plain words"):
            record()
    with pytest.raises(VaultError, match="JSON"):
        vault.event("c", "dtmf", detail={"digit": object()})


async def test_only_the_owner_of_the_account_can_read_the_files(home: Path) -> None:
    async with Vault(home) as vault:
        vault.begin_call("c", channel="web")
        await vault.flush()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files_in(home)}
    assert {"twin.db", "twin.db-wal", "keys.db", "keys.db-wal", "vault.secret", "master.key"} <= modes.keys()
    assert set(modes.values()) == {0o600}


async def test_a_token_is_spent_once_and_not_after_it_expired(home: Path, store: StoreSettings) -> None:
    clock = Clock()
    async with Vault(home, store, now=clock) as vault:
        assert await vault.spend_token("ab" * 32, clock() + 60)
        assert not await vault.spend_token("ab" * 32, clock() + 60)
        assert not await vault.spend_token("cd" * 32, clock() - 1)
        clock.now_s += 2 * 3600
        assert await vault.spend_token("ef" * 32, clock() + 60)
    left = [value for value in everything_in(home, store) if str(value) in ("ab" * 32, "ef" * 32)]
    assert left == ["ef" * 32]


_SPENDER = """
import asyncio, sys, time
from pathlib import Path
from compliance.settings import StoreSettings
from compliance.vault import Vault
async def main():
    async with Vault(Path(sys.argv[1]), StoreSettings(url=sys.argv[2])) as vault:
        print("ready", flush=True)
        sys.stdin.readline()
        for n in range(40):
            if await vault.spend_token(f"nonce{n}", time.time() + 60):
                print(n, flush=True)
asyncio.run(main())
"""


async def test_a_token_is_spent_once_across_processes_that_race(home: Path, store: StoreSettings) -> None:
    racers = [run_python(_SPENDER, home, store.url) for _ in range(2)]
    for racer in racers:
        assert racer.stdout is not None
        assert (await asyncio.to_thread(racer.stdout.readline)).strip() == "ready"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    outputs = [(await asyncio.to_thread(racer.communicate, timeout=60))[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    assert sorted(int(n) for output in outputs for n in output.split()) == list(range(40))


async def test_a_closed_vault_says_so(home: Path) -> None:
    vault = Vault(home)
    assert vault.health() == "the store is not open"
    with pytest.raises(VaultError, match="not open"):
        vault.event("c", "hold")
    await vault.open()
    assert vault.health() is None
    await vault.close()
    await vault.close()
    with pytest.raises(VaultError, match=r"closed|not open"):
        await vault.calls()


async def test_records_of_a_call_that_is_not_stored_are_counted_not_kept(vault: Vault) -> None:
    vault.event("nobody", "hold")
    vault.turn_heard("nobody", heard(0, "hello"))
    await vault.flush()
    assert vault.counters().orphaned == 2
    assert vault.counters().written == 0
    assert vault.health() is None


async def test_an_error_of_ours_in_a_piece_of_work_comes_out_as_it_is(vault: Vault) -> None:
    def refuse(tx: Transaction) -> None:
        tx.connection.execute(insert(recordings), RECORDING | {"call_id": "c"})
        raise RequestError("not like this")

    vault.begin_call("c", channel="web")
    with pytest.raises(RequestError, match="not like this"):
        await vault.run(refuse)
    assert await vault.calls(has_recording=True) == ()
    with pytest.raises(VaultError, match="ZeroDivisionError"):
        await vault.run(lambda tx: 1 // 0)
