"""A person is erased from every store, provably, and nobody else with them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from compliance.errors import ChannelError, KeyGone
from compliance.evidence import open_evidence
from compliance.forgetting.erasure_receipt import opened
from compliance.holds import hold
from compliance.proofs.agreement import Agreement, Answer, Party
from compliance.proofs.register import Register
from compliance.proofs.signing import Signer
from compliance.settings import StoreSettings
from compliance.store.schema import erasures
from compliance.vault import Vault
from tests.unit.compliance.erasing_helpers import (
    ANNA,
    BEN,
    SAID,
    Notes,
    check,
    count_calls,
    eraser,
    fill,
    hits,
    leave_traces,
    record_sound,
)
from tests.unit.compliance.store_helpers import copy_files, heard


class Provider:
    """A provider whose copies can fail."""

    name = "provider"

    def __init__(self) -> None:
        self.kept = {"CAanna0", "CAanna1", "CAben0"}
        self.works = True

    async def erase(self, references: Sequence[str], subjects: Sequence[str]) -> int:
        if not self.works:
            raise ChannelError("The provider does not answer.")
        gone = self.kept & set(references)
        self.kept -= gone
        return len(gone)

    async def left(self, references: Sequence[str], subjects: Sequence[str]) -> int:
        return len(self.kept & set(references))


async def filled(vault: Vault, home: Path) -> tuple[Path, Path]:
    await fill(vault, ANNA, "anna")
    await fill(vault, BEN, "ben")
    for who, name in ((ANNA, "anna"), (BEN, "ben")):
        leave_traces(home, who, name)
    return await record_sound(vault, home, "anna-1"), await record_sound(vault, home, "ben-1")


async def test_a_person_is_gone_from_every_store_and_everybody_else_is_intact(vault: Vault, home: Path) -> None:
    annas_sound, bens_sound = await filled(vault, home)
    provider, notes = Provider(), Notes()
    assert {"logs/twin.log", "exports/anna.json", "memory/history.db"} <= hits(home, ANNA, "anna").keys()
    before = hits(home, BEN, "ben")
    under = eraser(vault, home, copies=[provider], notes=notes)
    seen = await under.preview("+49 30 1111 1111")
    assert (seen.calls, seen.recordings, seen.provider_calls) == (4, 1, 4)

    receipt = await under.erase("+49 30 1111 1111")

    assert hits(home, ANNA, "anna") == {}
    assert {outcome.store: outcome.result for outcome in receipt.stores} == {
        "keys": "key_destroyed", "database": "clean", "search": "clean", "recordings": "clean", "memory": "clean",
        "cache": "clean", "logs": "clean", "exports": "clean", "provider": "clean", "backups": "key_destroyed",
        "owner_files": "clean", "ledgers": "clean", "home": "clean",
    }  # fmt: skip
    assert receipt.done
    assert receipt.deleted == {
        "turns": 8, "events": 4, "messages": 4, "recordings": 1, "calls": 4, "items": 1, "subjects": 1,
    }  # fmt: skip
    assert not annas_sound.exists()
    assert provider.kept == {"CAben0"}
    assert notes.kinds == ["erasure_opened", "erased"]

    assert bens_sound.exists()
    assert hits(home, BEN, "ben") == before
    found = await vault.call("ben-2")
    assert found is not None
    assert SAID.format(n=2) in found.turns[0].text
    assert await vault.get(BEN, "summary") is not None
    assert await vault.call("anna-2") is None
    with pytest.raises(KeyGone):
        vault.sealer("anna-1").seal(b"again", place="recordings")


async def test_the_receipt_is_signed_names_nobody_and_no_flipped_bit_verifies(vault: Vault, home: Path) -> None:
    await filled(vault, home)
    under = eraser(vault, home)
    text = await under.receipt((await under.erase(ANNA)).id)
    assert text is not None
    assert ANNA[1:] not in text
    assert "anna" not in text
    said = opened(text, check)
    assert said is not None
    assert said["done"] is True
    assert opened(text.replace("clean", "cleam"), check) is None
    assert opened("[]", check) is None
    assert opened("nothing", check) is None


async def test_a_stranger_gets_a_receipt_that_everything_was_searched(vault: Vault, home: Path) -> None:
    await fill(vault, BEN, "ben", calls=1)
    receipt = await eraser(vault, home).erase("+493099999999")
    assert receipt.done
    assert receipt.deleted == {}
    assert receipt.needles > 20
    assert await count_calls(vault) == 1


async def test_a_caller_nobody_knows_is_erased_by_the_call(vault: Vault, home: Path) -> None:
    vault.begin_call("web-1", channel="web")
    vault.turn_heard("web-1", heard(0, SAID.format(n=5)))
    vault.begin_call("web-2", channel="web")
    await vault.flush()
    receipt = await eraser(vault, home).erase("call:web-1")
    assert receipt.done
    assert receipt.calls == 1
    assert await vault.call("web-1") is None
    assert await vault.call("web-2") is not None


async def test_the_only_caller_of_a_store_leaves_no_residue_in_our_own_words(vault: Vault, home: Path) -> None:
    """With nobody else's rows to compare with, only the schema and the twin's own files hold such words."""
    (home / "logs").mkdir()
    lines = "recording started\nthe engine faster-whisper failed: engine_failed\n"
    (home / "logs" / "twin.log").write_text(lines + f"call from {ANNA}\n")
    (home / "twin.toml").write_text('[speech]\nengine = "faster-whisper"\n')
    async with open_evidence(home, vault, StoreSettings()) as evidence:
        agreement = Agreement(
            person=Party(ANNA),
            controller=Party(name="Ada"),
            answers=(Answer("recording", "granted", 1, "voice"),),
            language="en",
            notice="May I record this call?",
            policy="v1",
            started_ms=1,
            call_id="c1",
            channel="phone",
        )
        vault.begin_call("c1", channel="phone", subject=ANNA, language="en", detail={"kind": "consent_given"})
        vault.turn_heard("c1", heard(0, "recording"))
        vault.event("c1", "consent_given", detail={"purpose": "recording", "also": ["transcription"]})
        vault.event("c1", "fallback", detail={"from": "faster-whisper", "to": "pocketsphinx"})
        vault.event("c1", "brain_failed", detail={"code": "engine_failed"})
        evidence.note("consent_given", call_id="c1", detail={"purpose": "recording", "method": "voice"})
        Register(vault, Signer.open(home, vault.master)).keep(agreement)
        vault.end_call("c1", "hangup")
        await evidence.flush()

        receipt = await eraser(vault, home).erase(ANNA)

    assert {o.store: o.note for o in receipt.stores if o.result not in ("clean", "key_destroyed")} == {}
    assert receipt.done
    assert receipt.deleted == {"turns": 1, "events": 3, "evidence": 1, "consents": 1, "calls": 1, "subjects": 1}
    assert (home / "logs" / "twin.log").read_text() == lines


async def test_single_calls_go_and_the_person_stays(vault: Vault, home: Path) -> None:
    await filled(vault, home)
    receipt = await eraser(vault, home).erase_calls(["anna-0", "anna-1"])
    assert receipt.calls == 2
    assert await vault.call("anna-0") is None
    found = await vault.call("anna-2")
    assert found is not None
    assert found.call.subject == ANNA


async def test_a_forgotten_copy_anywhere_in_the_home_is_residue_until_it_is_removed(
    vault: Vault, home: Path
) -> None:
    await fill(vault, ANNA, "anna")
    (home / "notes of mine").mkdir()
    copy = home / "notes of mine" / "old.dat"
    copy.write_bytes(b"...." + SAID.format(n=3).upper().encode() + SAID.format(n=3).encode("utf-16-le"))
    under = eraser(vault, home)
    receipt = await under.erase(ANNA)
    assert not receipt.done
    results = {outcome.store: outcome for outcome in receipt.stores}
    assert results["home"].result == "residue"
    assert "notes of mine/old.dat" in results["home"].note
    copy.unlink()
    (again,) = await under.resume()
    assert again.done
    assert await under.resume() == ()


async def test_a_copy_of_the_database_is_called_unreadable_and_one_of_the_keys_is_residue(
    vault: Vault, home: Path
) -> None:
    await fill(vault, ANNA, "anna")
    (home / "backups").mkdir()
    with sqlite3.connect(home / "twin.db") as source, sqlite3.connect(home / "backups" / "twin.db") as target:
        source.backup(target)
    source.close()
    target.close()
    under = eraser(vault, home)
    receipt = await under.erase(ANNA)
    assert {outcome.store: outcome.result for outcome in receipt.stores}["backups"] == "key_destroyed"
    assert receipt.done

    await fill(vault, BEN, "ben")
    with sqlite3.connect(home / "keys.db") as source, sqlite3.connect(home / "backups" / "k.db") as target:
        source.backup(target)
    source.close()
    target.close()
    receipt = await under.erase(BEN)
    (backups,) = [outcome for outcome in receipt.stores if outcome.store == "backups"]
    assert backups.result == "residue"
    assert "k.db" in backups.note


async def test_vectors_in_an_unknown_format_are_unsupported_and_never_done(vault: Vault, home: Path) -> None:
    await fill(vault, ANNA, "anna", calls=1)
    (home / "memory").mkdir()
    (home / "memory" / "index.faiss").write_bytes(bytes(range(256)))
    under = eraser(vault, home)
    receipt = await under.erase(ANNA)
    assert not receipt.done
    (memory,) = [outcome for outcome in receipt.stores if outcome.store == "memory"]
    assert (memory.result, "index.faiss" in memory.note) == ("unsupported", True)
    assert await under.resume() == ()  # trying again would not help: it is closed, and says so


async def test_a_provider_that_fails_is_asked_again_and_after_a_day_the_receipt_says_what_is_left(
    vault: Vault, home: Path
) -> None:
    await filled(vault, home)
    provider, clock = Provider(), [1_000_000.0]
    provider.works = False
    under = eraser(vault, home, copies=[provider], now=lambda: clock[0])
    receipt = await under.erase(ANNA)
    (failed,) = [outcome for outcome in receipt.stores if outcome.store == "provider"]
    assert (failed.result, failed.note) == ("failed", "The provider does not answer.")
    assert hits(home, ANNA, "anna") == {}
    (second,) = await under.resume()
    assert not second.done
    provider.works = True
    (third,) = await under.resume()
    assert third.done
    assert third.deleted == receipt.deleted
    assert provider.kept == {"CAben0"}

    provider.works = False
    await under.erase(BEN)
    clock[0] += 90_000
    (late,) = await under.resume()
    assert not late.done
    assert await under.resume() == ()


async def test_what_was_said_is_not_kept_for_longer_than_the_search_for_it(vault: Vault, home: Path) -> None:
    await filled(vault, home)
    under = eraser(vault, home)
    receipt = await under.erase(ANNA)
    row = await vault.run(lambda tx: tx.connection.execute(select(erasures)).one())
    assert (row.step, row.sealed_plan, row.id) == ("closed", b"", receipt.id)
    with pytest.raises(KeyGone):
        vault.sealer(f"erasure:{receipt.id}").open(b"\x01" + bytes(40), place="erasures.sealed_plan")
    line = (home / "erasures.jsonl").read_text()
    assert line == (home / "mirror" / "erasures.jsonl").read_text()
    assert ANNA[1:] not in line
    assert "elephants" not in line


async def test_a_call_that_is_held_goes_too_and_the_receipt_counts_it(vault: Vault, home: Path) -> None:
    await fill(vault, ANNA, "anna", calls=2)
    await hold(vault, "anna-1", "a dispute about an invoice")
    receipt = await eraser(vault, home).erase(ANNA)
    assert (receipt.done, receipt.held, receipt.deleted["holds"]) == (True, 1, 1)


@pytest.mark.parametrize("lost", ["mirror", "home"])
async def test_a_restored_backup_brings_nobody_back(home: Path, tmp_path: Path, lost: str) -> None:
    settings = StoreSettings(mirror=str(tmp_path / "mirror"))
    async with Vault(home, settings) as vault:
        await filled(vault, home)
    backup = tmp_path / "backup"
    shutil.copytree(home, backup)
    async with Vault(home, settings) as vault:
        assert (await eraser(vault, home, settings=settings).erase(ANNA)).done
        # After they were erased they call again: that is new, and stays.
        await fill(vault, ANNA, "again", calls=1)
    if lost == "home":
        shutil.rmtree(home)
        shutil.copytree(backup, home)
    else:
        shutil.rmtree(tmp_path / "mirror")
        copy_files(backup, tmp_path / "flat")
        for path in (tmp_path / "flat").iterdir():
            shutil.copy(path, home / path.name)
        shutil.copytree(backup / "recordings", home / "recordings", dirs_exist_ok=True)
        for name in ("twin.db-wal", "twin.db-shm", "keys.db-wal", "keys.db-shm"):
            (home / name).unlink(missing_ok=True)
    async with Vault(home, settings) as vault:
        assert await vault.call("anna-1") is not None
        under = eraser(vault, home, settings=settings)
        receipt = await under.replay()
        assert receipt is not None
        assert receipt.done
        assert await vault.call("anna-1") is None
        assert {path.name for path in (home / "recordings").iterdir()} == {"rec-ben-1.rec"}
        assert hits(home, ANNA, "anna") == {}
        assert (await vault.call("ben-1")) is not None
        assert await under.replay() is None
        await fill(vault, ANNA, "later", calls=1)
        assert await under.replay() is None
        assert await vault.call("later-0") is not None


async def test_who_calls_again_after_an_erasure_is_not_erased_by_the_replay(vault: Vault, home: Path) -> None:
    await fill(vault, ANNA, "anna")
    under = eraser(vault, home)
    await under.erase(ANNA)
    await fill(vault, ANNA, "again")
    assert await under.replay() is None
    assert await count_calls(vault) == 4


async def test_the_receipt_lists_every_store_as_json(vault: Vault, home: Path) -> None:
    await fill(vault, ANNA, "anna", calls=1)
    under = eraser(vault, home)
    text = await under.receipt((await under.erase(ANNA)).id)
    body = json.loads(json.loads(text or "")["receipt"])
    assert {"store", "result", "erased", "scanned_bytes", "needles", "found", "note"} <= body["stores"][0].keys()
    assert body["keys_destroyed_ms"] - body["opened_ms"] < 5_000


async def test_a_plain_copy_of_the_sound_is_found_by_pieces_that_were_read_before_the_keys_went(
    vault: Vault, home: Path
) -> None:
    await filled(vault, home)
    sound = bytes(range(64))

    async def pieces(recording_ids: Sequence[str]) -> Sequence[bytes]:
        assert recording_ids == ("rec-anna-1",)
        vault.sealer("anna-1").seal(b"the key is there", place="recordings")
        return [sound]

    (home / "cut.wav").write_bytes(b"RIFF...." + sound * 3)
    receipt = await eraser(vault, home, sounds=pieces).erase(ANNA)
    (rest,) = [outcome for outcome in receipt.stores if outcome.store == "home"]
    assert rest.result == "residue"
    assert "cut.wav" in rest.note


async def test_it_is_the_same_on_a_file_and_on_a_server(home: Path, store: StoreSettings) -> None:
    async with Vault(home, store) as vault:
        await filled(vault, home)
        before = hits(home, BEN, "ben")
        receipt = await eraser(vault, home, settings=store).erase(ANNA)
        (database,) = [outcome for outcome in receipt.stores if outcome.store == "database"]
        # The server's log keeps what was sealed until it is written over; the receipt says so.
        assert database.result == ("key_destroyed" if store.url else "clean")
        assert database.scanned_bytes > 100_000
        assert database.found == 0
        assert receipt.done
        assert hits(home, ANNA, "anna") == {}
        assert hits(home, BEN, "ben") == before
        assert await vault.call("anna-1") is None
        found = await vault.call("ben-1")
        assert found is not None
        assert SAID.format(n=1) in found.turns[0].text
