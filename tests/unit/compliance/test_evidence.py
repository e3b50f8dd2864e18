"""What was noted is proved by the ledger, gone with the person's key, and never missing unnoticed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from compliance.errors import LedgerError, VaultError
from compliance.evidence import Evidence, EvidenceEntry, open_evidence
from compliance.ledger import Ledger
from compliance.proofs.audit import verify_home
from compliance.proofs.opening import Opening
from compliance.proofs.signing import PublicKey, Signer
from compliance.settings import StoreSettings
from compliance.store.schema import evidence as table
from compliance.store.schema import subjects
from compliance.vault import Vault
from tests.unit.compliance.store_helpers import run_python

ANNA = "+4930123456"


@pytest.fixture
async def evidence(home: Path, vault: Vault) -> AsyncIterator[Evidence]:
    async with open_evidence(home, vault, StoreSettings()) as opened:
        yield opened


def verify(home: Path) -> bool:
    return verify_home(home, StoreSettings()).ok


def bytes_in(folder: Path, pattern: str) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob(pattern))


async def test_what_is_noted_is_read_back_with_its_proof(home: Path, vault: Vault, evidence: Evidence) -> None:
    vault.begin_call("CA1", channel="phone", subject=ANNA)
    evidence.note("disclosure_played", call_id="CA1", detail={"position_samples": 24_000, "language": "de"})
    evidence.note("consent_given", call_id="CA1", detail={"purpose": "recording", "said": "ja, gerne", "s": 1.5})
    leaf = await evidence.noted("viewed", call_id="CA1", detail={"operator": "owner"})
    entries = await evidence.of("CA1")
    assert [entry.kind for entry in entries] == ["disclosure_played", "consent_given", "viewed"]
    assert [entry.state for entry in entries] == ["proved"] * 3
    assert entries[1].detail == {"purpose": "recording", "said": "ja, gerne", "s": 1.5}
    assert (entries[2].leaf, entries[2].seq, entries[2].at_ms) == (leaf.hash, leaf.seq, leaf.at_ms)
    assert await evidence.of(subject=ANNA) == entries
    proof = await evidence.proof(entries[1].leaf)
    entry = proof.check(PublicKey.read(home))
    assert entry is not None
    assert entry.kind == "consent_given"
    assert await asyncio.to_thread(verify, home)


async def test_evidence_is_kept_on_every_store(home: Path, store: StoreSettings) -> None:
    async with Vault(home, store) as vault, open_evidence(home, vault, store) as evidence:
        vault.begin_call("CA1", channel="phone", subject=ANNA)
        evidence.note("consent_given", call_id="CA1", detail={"said": "ja, gerne"})
        await evidence.noted("viewed", subject=ANNA)
        for entries in (
            await evidence.of(subject=ANNA),
            (await evidence.recent(kind="viewed")),
            await evidence.recent(),
        ):
            assert {entry.state for entry in entries} == {"proved"}
        assert len(await evidence.of(subject=ANNA)) == 2
        assert (await vault.forget(ANNA)).deleted["calls"] == 1
        assert await evidence.of("CA1") == ()
    assert verify(home)


async def test_nothing_of_a_person_is_in_the_ledger(home: Path, vault: Vault, evidence: Evidence) -> None:
    vault.begin_call("CA-secret-1", channel="phone", subject=ANNA)
    await evidence.noted("consent_given", call_id="CA-secret-1", detail={"said": "ja gerne doch"})
    ledger = bytes_in(home / "ledger", "*")
    assert b"consent_given" in ledger
    for needle in (b"CA-secret-1", b"4930123456", b"gerne"):
        assert needle not in ledger
    assert b"gerne" not in bytes_in(home, "twin.db*")


async def test_the_same_thing_twice_looks_different_in_the_ledger(home: Path, evidence: Evidence) -> None:
    for _ in range(2):
        await evidence.noted("signed_in", detail={"operator": "owner"})
    lines = (home / "ledger" / "entries.jsonl").read_bytes().splitlines()
    commitments = {line.split(b'"commitment":"')[1][:64] for line in lines if b"signed_in" in line}
    assert len(commitments) == 2


async def test_evidence_about_a_person_is_found_by_their_name(vault: Vault, evidence: Evidence) -> None:
    await vault.put(ANNA, "fact", b"likes tea")
    vault.begin_call("CA1", channel="phone", subject=ANNA)
    vault.begin_call("CA2", channel="phone", subject="+4930999999")
    evidence.note("accessed", subject="+49 30 123456", detail={"by": "owner"})
    evidence.note("viewed", call_id="CA1")
    evidence.note("viewed", call_id="CA2")
    found = await evidence.of(subject=ANNA)
    assert [(entry.kind, entry.call_id) for entry in found] == [("accessed", None), ("viewed", "CA1")]
    assert [entry.call_id for entry in await evidence.of("CA2")] == ["CA2"]
    with pytest.raises(ValueError, match="call or a person"):
        await evidence.of()


async def test_a_stranger_is_not_made_known_and_keeps_no_detail(vault: Vault, evidence: Evidence) -> None:
    leaf = await evidence.noted("erased", subject="+4940555555", detail={"name": "Bruno"})
    assert await vault.run(lambda tx: tx.connection.execute(select(subjects.c.id)).all()) == []
    (entry,) = await evidence.recent()
    assert (entry.leaf, entry.detail, entry.state) == (leaf.hash, {}, "proved")


async def test_after_the_key_is_gone_the_leaf_stays(home: Path, vault: Vault, evidence: Evidence) -> None:
    vault.begin_call("CA1", channel="phone", subject=ANNA)
    leaf = await evidence.noted("consent_given", call_id="CA1", detail={"said": "ja"})
    await vault.destroy_keys(["CA1"])
    (entry,) = await evidence.of("CA1")
    assert (entry.state, entry.detail, entry.in_ledger) == ("forgotten", None, True)
    later = await evidence.noted("recording_deleted", call_id="CA1", detail={"said": "ja"})
    assert later.seq == leaf.seq + 1
    assert [entry.leaf for entry in await evidence.of("CA1")] == [leaf.hash]
    assert await asyncio.to_thread(verify, home)


async def test_after_forgetting_a_person_only_leaves_are_left(
    home: Path, vault: Vault, evidence: Evidence
) -> None:
    vault.begin_call("CA1", channel="phone", subject=ANNA)
    await evidence.noted("consent_given", call_id="CA1", detail={"said": "ja"})
    size = (home / "ledger" / "entries.jsonl").stat().st_size
    receipt = await vault.forget(ANNA)
    assert receipt.done
    assert await evidence.of("CA1") == ()
    assert (home / "ledger" / "entries.jsonl").stat().st_size == size
    assert await asyncio.to_thread(verify, home)


async def test_an_opening_that_was_changed_is_altered(vault: Vault, evidence: Evidence) -> None:
    leaf = await evidence.noted("consent_refused", detail={"purpose": "recording"})
    said = {"kind": "consent_refused", "call": None, "subject": None, "detail": {"purpose": "none"}}

    def change(values: dict[str, object]) -> None:
        vault.record(lambda tx: bool(tx.connection.execute(update(table).values(**values)).rowcount))

    sealed = await vault.run(
        lambda tx: tx.seal_json(Opening.make(said).as_json(), key_id=leaf.hash, place="evidence.sealed_detail")
    )
    good = await vault.run(lambda tx: tx.connection.execute(select(table.c.sealed_detail)).scalar())
    changes: tuple[dict[str, object], ...] = ({"sealed_detail": sealed}, {"kind": "consent_given"}, {"at_ms": 1})
    for values in changes:
        change(values)
        (entry,) = await evidence.recent()
        assert entry.state == "altered", values
        change({"sealed_detail": good, "kind": "consent_refused", "at_ms": leaf.at_ms})
    (entry,) = await evidence.recent()
    assert entry.state == "proved"


async def test_evidence_moved_to_another_call_is_altered_or_closed(vault: Vault, evidence: Evidence) -> None:
    for call in ("CA1", "CA2"):
        vault.begin_call(call, channel="web")
    await evidence.noted("consent_given", call_id="CA1")
    vault.record(lambda tx: bool(tx.connection.execute(update(table).values(call_id="CA2")).rowcount))
    with pytest.raises(VaultError):
        await evidence.of("CA2")


async def test_the_newest_come_first_in_pages_and_by_kind(evidence: Evidence) -> None:
    for number in range(7):
        evidence.note("viewed" if number % 2 else "signed_in", detail={"n": number})
    everything = await evidence.recent(limit=50)
    assert len(everything) == 7
    assert [entry.at_ms for entry in everything] == sorted((entry.at_ms for entry in everything), reverse=True)
    pages: list[EvidenceEntry] = []
    before = None
    while page := await evidence.recent(limit=3, before=before):
        pages.extend(page)
        before = page[-1].leaf
    assert pages == list(everything)
    assert {entry.kind for entry in await evidence.recent(kind="viewed")} == {"viewed"}
    with pytest.raises(VaultError, match="no evidence with that leaf"):
        await evidence.recent(before="00" * 32)


async def test_many_notes_come_under_few_heads(home: Path, vault: Vault, evidence: Evidence) -> None:
    vault.begin_call("CA1", channel="web")
    for number in range(500):
        evidence.note("viewed", call_id="CA1", detail={"n": number})
    await vault.flush()
    await evidence.noted("viewed")
    heads = (home / "ledger" / "heads.jsonl").read_bytes().count(b"\n")
    assert heads < 50
    report = verify_home(home, StoreSettings())
    assert (report.ok, report.entries) == (True, 502)


async def test_what_is_noted_last_is_under_a_head_when_it_is_closed(home: Path) -> None:
    async with Vault(home) as vault, open_evidence(home, vault, StoreSettings()) as evidence:
        for _ in range(20):
            evidence.note("viewed")
        await evidence.flush()
        assert evidence.health() is None
        evidence.note("viewed")
    assert vault.counters().failed == 0
    report = verify_home(home, StoreSettings())
    assert (report.ok, report.entries) == (True, 22)


async def test_a_vault_with_more_than_its_ledger_says_what_is_missing(home: Path) -> None:
    async with Vault(home) as vault, open_evidence(home, vault, StoreSettings()) as evidence:
        await evidence.noted("viewed")
    backup = {path: path.read_bytes() for name in ("ledger", "mirror") for path in (home / name).iterdir()}
    async with Vault(home) as vault, open_evidence(home, vault, StoreSettings()) as evidence:
        gone = [(await evidence.noted("unmasked", detail={"n": n})).hash for n in range(3)]
    for path, data in backup.items():
        path.write_bytes(data)
    async with Vault(home) as vault, open_evidence(home, vault, StoreSettings()) as evidence:
        assert set(await evidence.missing()) == set(gone)
        assert [entry.state for entry in await evidence.recent(kind="unmasked")] == ["missing"] * 3
        assert (await evidence.recent(kind="viewed"))[0].state == "proved"


async def test_a_changed_ledger_is_not_opened(home: Path) -> None:
    async with Vault(home) as vault, open_evidence(home, vault, StoreSettings()) as evidence:
        await evidence.noted("viewed")
    path = home / "ledger" / "entries.jsonl"
    path.write_bytes(path.read_bytes().replace(b"viewed", b"erased"))
    async with Vault(home) as vault:
        with pytest.raises(LedgerError, match="was changed"):
            async with open_evidence(home, vault, StoreSettings()):
                pass


async def test_a_ledger_that_cannot_be_written_is_told_where_it_is_awaited(home: Path, vault: Vault) -> None:
    ledger = Ledger(home / "ledger", Signer.open(home, None), mirror=home / "mirror")
    ledger.open()
    evidence = Evidence(vault, ledger)
    (home / "ledger" / "entries.jsonl").unlink()
    with pytest.raises(LedgerError, match="replaced or cut"):
        await evidence.noted("viewed")
    evidence.note("viewed")
    with pytest.raises(VaultError, match="could not be written"):
        await evidence.flush()
    with pytest.raises(LedgerError, match="replaced or cut"):
        ledger.close()


@pytest.mark.parametrize("detail", [{"x": object()}, {"x": float("nan")}])
def test_what_is_not_json_is_refused_where_it_is_noted(home: Path, detail: dict[str, object]) -> None:
    with pytest.raises(VaultError, match="JSON"):
        Opening.make(detail)


async def test_half_a_character_is_kept_as_a_question_mark(evidence: Evidence) -> None:
    await evidence.noted("viewed", detail={"said": "a\ud800b"})
    (entry,) = await evidence.recent()
    assert (entry.state, entry.detail) == ("proved", {"said": "a?b"})


_NOTER = """
import asyncio, itertools, sys
from pathlib import Path
from compliance.evidence import open_evidence
from compliance.settings import StoreSettings
from compliance.vault import Vault
async def main():
    home = Path(sys.argv[1])
    async with Vault(home) as vault, open_evidence(home, vault, StoreSettings()) as evidence:
        for n in range(60) if sys.argv[2] == "ends" else itertools.count():
            leaf = await evidence.noted("viewed", detail={"n": n})
            print(leaf.hash, flush=True)
asyncio.run(main())
"""


async def test_two_processes_note_into_one_ledger(home: Path) -> None:
    processes = [run_python(_NOTER, home, "ends") for _ in range(2)]
    printed = [(await asyncio.to_thread(process.communicate, timeout=60))[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    async with Vault(home) as vault, open_evidence(home, vault, StoreSettings()) as evidence:
        entries = await evidence.recent(limit=500)
        assert {entry.leaf for entry in entries} == {leaf for leaves in printed for leaf in leaves}
        assert {entry.state for entry in entries} == {"proved"}


async def test_what_was_noted_survives_kill_9(home: Path) -> None:
    process = run_python(_NOTER, home, "goes on")
    assert process.stdout is not None
    leaves = [(await asyncio.to_thread(process.stdout.readline)).strip() for _ in range(30)]
    process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(process.communicate, timeout=30)
    async with Vault(home) as vault, open_evidence(home, vault, StoreSettings()) as evidence:
        found = {entry.leaf: entry.state for entry in await evidence.recent(limit=500)}
        assert {found.get(leaf) for leaf in leaves} == {"proved"}
        assert await evidence.missing() == ()
    assert await asyncio.to_thread(verify, home)
