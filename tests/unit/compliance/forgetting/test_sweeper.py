"""The sweeper on a real store whose clock is turned, on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from compliance.errors import KeyGone, VaultError
from compliance.forgetting import sweeper as sweeping
from compliance.forgetting.sweeper import Sweeper, keep_sweeping
from compliance.holds import hold, release
from compliance.records import Recordings
from compliance.retention import DAY_MS
from compliance.settings import RetentionSettings, StoreSettings
from compliance.store.schema import (
    calls,
    consents,
    evidence,
    messages,
    metadata,
    requests,
    sessions,
    subjects,
    turns,
)
from compliance.store.transaction import Transaction
from compliance.vault import Vault
from compliance.watermark.keys import DayKey
from compliance.watermark.register import Marks
from tests.unit.compliance.store_helpers import files_in, heard

SETTINGS = RetentionSettings(audio_days=30, transcript_days=90, message_days=365, evidence_days=2_190)
ANNA = "+493012345678"


@dataclass
class Clock:
    """Unix time that a test turns."""

    seconds: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def turn(self, days: float) -> None:
        self.seconds += days * DAY_MS / 1000


@dataclass
class Notes:
    """What was noted."""

    kinds: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __call__(self, kind: str, *, detail: Mapping[str, Any]) -> None:
        self.kinds.append((kind, detail))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def vault(home: Path, store: StoreSettings, clock: Clock) -> AsyncIterator[Vault]:
    async with Vault(home, store, now=clock) as vault:
        yield vault


async def a_call(vault: Vault, call_id: str = "CA1", subject: str | None = ANNA) -> None:
    """A call that left words, an event, a message, a consent and evidence."""
    vault.begin_call(
        call_id, channel="phone", subject=subject, detail={"city": "Bonn"}, provider_ref=f"P{call_id}"
    )
    vault.turn_heard(call_id, heard(0, "please call me back"))
    vault.event(call_id, "hangup")
    vault.message("Anna wants a call", call_id=call_id, subject=subject)
    vault.end_call(call_id, "hangup")

    def proof(tx: Transaction) -> None:
        owner = tx.connection.execute(select(calls.c.subject_id).where(calls.c.id == call_id)).scalar()
        sealed = tx.seal(b"{}", key_id=call_id, place="evidence.sealed_detail")
        leaf = {"leaf": f"leaf-{call_id}", "kind": "consent_given", "at_ms": tx.now_ms, "call_id": call_id,
                "subject_id": owner, "sealed_detail": sealed}  # fmt: skip
        tx.connection.execute(insert(evidence), leaf)
        receipt = tx.seal(b"{}", key_id=call_id, place="consents.sealed_receipt")
        answer = {"id": f"consent-{call_id}", "call_id": call_id, "subject_id": owner, "purpose": "recording",
                  "status": "granted", "method": "voice", "language": "en", "policy": "1", "at_ms": tx.now_ms,
                  "expires_ms": None, "sealed_receipt": receipt}  # fmt: skip
        tx.connection.execute(insert(consents), answer)

    await vault.run(proof)


async def rows(vault: Vault) -> dict[str, int]:
    """How many rows each table has, those that have some."""

    def work(tx: Transaction) -> dict[str, int]:
        tables = [table for table in metadata.sorted_tables if table.name != "marks"]
        counted = {t.name: tx.connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}
        return {name: count for name, count in counted.items() if count}

    return await vault.run(work)


async def test_a_call_goes_in_steps_each_on_its_date(vault: Vault, clock: Clock) -> None:
    await a_call(vault)
    sweeper = Sweeper(vault, SETTINGS)
    all_of_it = {"subjects": 1, "calls": 1, "turns": 1, "events": 1, "messages": 1, "consents": 1, "evidence": 1}
    assert await rows(vault) == all_of_it

    clock.turn(89)
    assert (await sweeper.sweep()).gone == ()
    assert await rows(vault) == all_of_it

    clock.turn(1)
    assert (await sweeper.sweep()).counts == {"words": 1}
    assert await rows(vault) == {"subjects": 1, "calls": 1, "messages": 1, "consents": 1, "evidence": 1}
    (entry,) = await vault.calls()
    assert (entry.channel, entry.provider_ref, dict(entry.detail)) == ("phone", "", {})

    clock.turn(275)
    assert (await sweeper.sweep()).counts == {"message": 1, "name": 1}
    assert (await vault.calls())[0].subject is None

    clock.turn(2_190 - 365)
    assert (await sweeper.sweep()).counts == {"consent": 1, "evidence": 1, "call": 1, "subject": 1}
    assert await rows(vault) == {}


async def test_what_the_watermark_of_a_call_says_goes_with_the_last_of_it(vault: Vault, clock: Clock) -> None:
    await a_call(vault)
    marks = Marks(vault)
    token = await marks.for_call("CA1", DayKey(date(2026, 11, 22), 1, bytes(32)), limit_s=10)
    sweeper = Sweeper(vault, SETTINGS)
    for days in (90, 275):
        clock.turn(days)
        await sweeper.sweep()
        assert await marks.of("CA1") == token
    clock.turn(2_190)
    assert (await sweeper.sweep()).counts["call"] == 1
    assert await marks.tokens(token.day, token.short) == []


async def test_the_keys_of_what_is_wholly_gone_are_destroyed(vault: Vault, clock: Clock) -> None:
    await a_call(vault)
    sealer = vault.sealer("CA1")
    sealed = sealer.seal(b"in an old backup", place="turns.sealed_text")
    clock.turn(3_000)
    await Sweeper(vault, SETTINGS).sweep()
    with pytest.raises(KeyGone):
        sealer.open(sealed, place="turns.sealed_text")


async def test_a_dry_run_says_the_same_and_deletes_nothing(vault: Vault, clock: Clock) -> None:
    await a_call(vault)
    await a_call(vault, "CA2", None)
    clock.turn(3_000)
    before = await rows(vault)
    planned = await Sweeper(vault, SETTINGS).sweep(dry_run=True)
    assert await rows(vault) == before
    assert planned.gone == ()
    done = await Sweeper(vault, SETTINGS).sweep()
    # A name need not be deleted of somebody who goes altogether.
    assert {(e.kind, e.id) for e in planned.due} - {(e.kind, e.id) for e in done.gone} <= {
        (e.kind, e.id) for e in planned.due if e.kind == "name"
    }
    assert {(e.kind, e.id) for e in done.gone} <= {(e.kind, e.id) for e in planned.due}
    assert await rows(vault) == {}


async def test_a_hold_stops_it_and_its_release_lets_it_go_on(vault: Vault, clock: Clock) -> None:
    await a_call(vault)
    await hold(vault, "CA1", "a dispute about the roof")
    before = await rows(vault)
    clock.turn(3_000)
    assert (await Sweeper(vault, SETTINGS).sweep()).gone == ()
    assert await rows(vault) == before
    await release(vault, "CA1")
    await Sweeper(vault, SETTINGS).sweep()
    assert await rows(vault) == {}


async def test_a_live_call_stays_however_long(vault: Vault, clock: Clock) -> None:
    vault.begin_call("CA1", channel="web", subject=ANNA)
    vault.turn_heard("CA1", heard(0, "a very long call"))
    clock.turn(5_000)
    assert (await Sweeper(vault, RetentionSettings(transcript_days=0)).sweep()).gone == ()


async def test_somebody_who_calls_again_has_a_name_again(vault: Vault, clock: Clock) -> None:
    await a_call(vault)
    clock.turn(400)
    await Sweeper(vault, SETTINGS).sweep()
    assert (await vault.calls())[0].subject is None
    vault.begin_call("CA2", channel="phone", subject=ANNA)
    assert {call.subject for call in await vault.calls()} == {ANNA}
    assert {call.id for call in await vault.calls(subject=ANNA)} == {"CA1", "CA2"}


async def test_a_callers_newer_calls_keep_their_words(vault: Vault, clock: Clock) -> None:
    await a_call(vault)
    clock.turn(60)
    await a_call(vault, "CA2")
    clock.turn(40)
    assert (await Sweeper(vault, SETTINGS).sweep()).counts == {"words": 1}
    conversation = await vault.call("CA2")
    assert conversation is not None
    assert [turn.text for turn in conversation.turns] == ["please call me back"]
    assert conversation.call.subject == ANNA


async def test_recordings_go_with_their_bytes(vault: Vault, clock: Clock, home: Path) -> None:
    async with Recordings(vault, home / "recordings") as recordings:
        vault.begin_call("CA1", channel="phone", subject=ANNA)
        recording = recordings.start("CA1", clock_hz=8_000, caller_hz=8_000, position=0)
        recording.caller(bytes(320), 0)
        recording.stop()
        await recording.settled()
        vault.end_call("CA1", "hangup")
        sweeper = Sweeper(vault, SETTINGS, delete_recording=recordings.delete)
        clock.turn(29)
        assert (await sweeper.sweep()).gone == ()
        clock.turn(2)
        assert (await sweeper.sweep()).counts == {"recording": 1}
        assert await recordings.of("CA1") == ()
        assert list((home / "recordings").glob("*.rec")) == []


class _Provider:
    """A provider that keeps copies of calls, and may be out of reach."""

    name = "provider"

    def __init__(self) -> None:
        self.kept = {"PCA1", "PCA2"}
        self.reachable = True

    async def erase(self, references: Sequence[str], subjects: Sequence[str]) -> int:
        if not self.reachable:
            raise VaultError("out of reach")
        self.kept -= set(references)
        return len(references)

    async def left(self, references: Sequence[str], subjects: Sequence[str]) -> int:
        return len(self.kept & set(references))


async def test_a_providers_copies_go_first_and_are_tried_again(vault: Vault, clock: Clock) -> None:
    await a_call(vault)
    provider = _Provider()
    sweeper = Sweeper(vault, SETTINGS, copies=(provider,))
    clock.turn(100)
    provider.reachable = False
    assert (await sweeper.sweep()).gone == ()
    provider.reachable = True
    assert (await sweeper.sweep()).counts == {"words": 1}
    assert provider.kept == {"PCA2"}


async def test_requests_sessions_and_tokens_go_too(vault: Vault, clock: Clock) -> None:
    def make(tx: Transaction) -> None:
        row = {"id": "R-1", "kind": "erase", "state": "done", "channel": "web", "law": "GDPR", "lookup": "0" * 64,
               "created_ms": tx.now_ms, "due_ms": tx.now_ms, "closed_ms": tx.now_ms,
               "sealed_detail": tx.seal(b"delete me", key_id="R-1", place="requests.sealed_detail")}  # fmt: skip
        tx.connection.execute(insert(requests), row)
        tx.connection.execute(insert(requests), {**row, "id": "R-2", "state": "open", "closed_ms": None})

    await vault.run(make)
    await vault.spend_token("n1", clock() + 60)
    clock.turn(91)
    assert (await Sweeper(vault, SETTINGS).sweep()).counts == {"request_words": 1, "token": 1}
    clock.turn(2_190)
    assert (await Sweeper(vault, SETTINGS).sweep()).counts == {"request": 1}
    assert await rows(vault) == {"requests": 1}
    assert sessions.name not in await rows(vault)


async def test_the_owners_consent_to_the_clone_outlives_every_period(vault: Vault, clock: Clock) -> None:
    await vault.put("owner", "voice_clone", b"a voice")

    def agree(tx: Transaction) -> None:
        owner = tx.connection.execute(select(subjects.c.id)).scalar_one()
        row = {"id": "c1", "call_id": None, "subject_id": owner, "purpose": "voice_clone", "status": "granted",
               "method": "voice", "language": "en", "policy": "1", "at_ms": tx.now_ms, "expires_ms": None,
               "sealed_receipt": tx.seal(b"{}", key_id=owner, place="consents.sealed_receipt")}  # fmt: skip
        tx.connection.execute(insert(consents), row)

    await vault.run(agree)
    clock.turn(5_000)
    assert (await Sweeper(vault, SETTINGS).sweep()).gone == ()


async def test_a_sweep_is_noted_and_search_is_told(vault: Vault, clock: Clock) -> None:
    await a_call(vault)
    told: list[str] = []
    notes = Notes()
    clock.turn(100)
    await Sweeper(vault, SETTINGS, forget_search=told.extend, note=notes).sweep()
    assert told == ["CA1"]
    assert notes.kinds == [("swept", {"counts": {"words": 1}, "failed": 0})]
    await Sweeper(vault, SETTINGS, note=notes).sweep()
    assert len(notes.kinds) == 1


async def test_many_go_in_batches(vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 7)
    for i in range(23):
        vault.begin_call(f"CA{i}", channel="web", subject=f"guest-{i % 3}")
        vault.turn_heard(f"CA{i}", heard(0, "hello"))
        vault.end_call(f"CA{i}", "hangup")
        if i % 5 == 0:
            await hold(vault, f"CA{i}", "kept")
    clock.turn(100)
    swept = await Sweeper(vault, SETTINGS).sweep()
    assert swept.counts == {"words": 18, "call": 18}
    assert (await rows(vault))["calls"] == 5


async def test_swept_words_are_in_no_file(home: Path, clock: Clock) -> None:
    async with Vault(home, now=clock) as vault:
        await a_call(vault)
        await vault.flush()

        def sealed(tx: Transaction) -> bytes:
            return bytes(tx.connection.execute(select(turns.c.sealed_text)).scalar_one())

        words = await vault.run(sealed)
        clock.turn(100)
        await Sweeper(vault, SETTINGS).sweep()
        assert not any(words in path.read_bytes() for path in files_in(home))
    with sqlite3.connect(home / "twin.db") as connection:
        assert connection.execute(f"SELECT count(*) FROM {messages.name}").fetchone() == (1,)
    connection.close()


async def test_it_sweeps_until_it_is_cancelled(vault: Vault, clock: Clock) -> None:
    await a_call(vault)
    clock.turn(100)
    swept = asyncio.Event()

    def note(kind: str, *, detail: Mapping[str, Any]) -> None:
        swept.set()

    task = asyncio.create_task(keep_sweeping(Sweeper(vault, SETTINGS, note=note), SETTINGS), name="sweep")
    async with asyncio.timeout(30):
        await swept.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
