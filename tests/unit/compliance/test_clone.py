"""Consent to the clone, on a real store and with real receipts; what was heard and how alike it was are given."""

from __future__ import annotations

import asyncio
import io
import random
import re
import tokenize
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from compliance.clone import Clones, Enrolment, MakeReceipt
from compliance.errors import ConsentMissing, VaultError
from compliance.likeness.permits import Permits
from compliance.likeness.statement import Likeness, Terms
from compliance.proofs.receipt import make_receipt, verify_receipt
from compliance.proofs.signing import Signer
from compliance.store.schema import consents, items
from compliance.store.transaction import Transaction
from compliance.vault import Vault
from tests.unit.compliance.store_helpers import ROOT, WAIT_S, eventually, files_in, run_python

DAY_S = 86_400
SOUND = bytes(3_200)


@dataclass
class Clock:
    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class House:
    """The parts that consent is given and used with."""

    vault: Vault
    home: Path
    clock: Clock
    permits: Permits
    enrolment: Enrolment
    clones: Clones
    signer: Signer
    heard: str = ""
    likeness: float = 0.9
    threshold: float = 0.7
    notes: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    async def similarity(self, statement: bytes, training: bytes, rate_hz: int) -> float:
        return self.likeness

    def terms(self, likeness: Likeness = "voice", *, days: int = 365) -> Terms:
        return Terms(likeness, ("calls",), int((self.clock() + days * DAY_S) * 1000), ("DE",))

    async def enrol(self, likeness: Likeness = "voice", *, days: int = 365) -> Mapping[str, Any]:
        challenge = self.enrolment.challenge(self.terms(likeness, days=days), "en")
        self.heard = challenge.text
        return (await self.enrolment.consent(challenge.id, SOUND, SOUND, 16_000)).receipt


def signed_by(signer: Signer) -> Callable[[Mapping[str, Any]], Mapping[str, Any] | None]:
    """Reads receipts of this signer, and no others."""

    def read(receipt: Mapping[str, Any]) -> Mapping[str, Any] | None:
        report = verify_receipt(receipt, signer.public_pem)
        return report.content if report.valid else None

    return read


def make_house(vault: Vault, home: Path, clock: Clock) -> House:
    signer = Signer.open(home, vault.master)

    def receipt(agreement: Any, made_ms: int) -> Mapping[str, Any]:
        return make_receipt(agreement, signer, made_ms=made_ms)

    make: MakeReceipt = receipt
    house: House

    async def recognise(sound: bytes, rate_hz: int, language: str) -> str:
        return house.heard

    def note(kind: str, *, subject: str, detail: Mapping[str, Any]) -> None:
        house.notes.append((kind, detail))

    class Matcher:
        @property
        def threshold(self) -> float:
            return house.threshold

        async def similarity(self, statement: bytes, training: bytes, rate_hz: int) -> float:
            return house.likeness

    permits = Permits(vault, home, read_receipt=signed_by(signer), now=clock)
    enrolment = Enrolment(
        vault,
        permits,
        owner_name="Ada Lovelace",
        controller="",
        recognise=recognise,
        matcher=Matcher(),
        make_receipt=make,
        note=note,
        chance=random.Random(1),
        now=clock,
    )
    clones = Clones(
        vault, permits, home, owner_name="Ada Lovelace", controller="", make_receipt=make, note=note, now=clock
    )
    house = House(vault, home, clock, permits, enrolment, clones, signer)
    return house


@pytest.fixture
async def house(home: Path) -> AsyncIterator[House]:
    clock = Clock()
    async with Vault(home, now=clock) as vault:
        yield make_house(vault, home, clock)


async def test_without_a_consent_nothing_is_permitted(house: House) -> None:
    await house.permits.refresh()
    with pytest.raises(ConsentMissing, match="twin enroll voice"):
        house.permits.permit("voice", "calls", "DE")


async def test_a_spoken_consent_permits_just_what_it_names(house: House) -> None:
    receipt = await house.enrol()
    assert verify_receipt(receipt, house.signer.public_pem).valid
    assert house.permits.permit("voice", "calls", "DE-BY").valid
    for likeness, use, territory in (("face", "calls", "DE"), ("voice", "videos", "DE"), ("voice", "calls", "US")):
        with pytest.raises(ConsentMissing):
            house.permits.ensure(likeness, use, territory)  # type: ignore[arg-type]
    assert [kind for kind, _ in house.notes] == ["clone_consented"]


async def test_a_permit_ends_with_the_consent(house: House) -> None:
    await house.enrol(days=10)
    permit = house.permits.permit("voice", "calls", "DE")
    house.clock.seconds += 10 * DAY_S - 1
    assert permit.valid
    house.clock.seconds += 1
    assert not permit.valid


async def test_an_impostor_and_a_wrong_statement_are_refused(house: House) -> None:
    challenge = house.enrolment.challenge(house.terms(), "en")
    house.heard, house.likeness = challenge.text, 0.5
    with pytest.raises(ConsentMissing, match="not spoken by the person"):
        await house.enrolment.consent(challenge.id, SOUND, SOUND, 16_000)
    house.likeness = 0.9
    with pytest.raises(ConsentMissing, match="draw a new one"):
        await house.enrolment.consent(challenge.id, SOUND, SOUND, 16_000)
    with pytest.raises(ConsentMissing, match="words of today"):
        await house.enrolment.consent(house.enrolment.challenge(house.terms(), "en").id, SOUND, SOUND, 16_000)
    late = house.enrolment.challenge(house.terms(), "en")
    house.heard = late.text
    house.clock.seconds += 601
    with pytest.raises(ConsentMissing, match="draw a new one"):
        await house.enrolment.consent(late.id, SOUND, SOUND, 16_000)
    await house.permits.refresh()
    assert house.permits.standing("voice") is None


async def test_a_challenge_of_another_process_counts_within_its_time_and_once(house: House) -> None:
    drawn = house.enrolment.challenge(house.terms(), "en")
    elsewhere = make_house(house.vault, house.home, house.clock)
    elsewhere.heard = drawn.text
    for seconds, counts in ((0, True), (0, False), (601, False)):
        house.clock.seconds += seconds
        if counts or seconds:
            elsewhere.enrolment.reopen(drawn)
        if counts:
            await elsewhere.enrolment.consent(drawn.id, SOUND, SOUND, 16_000)
        else:
            with pytest.raises(ConsentMissing, match="no such challenge"):
                await elsewhere.enrolment.consent(drawn.id, SOUND, SOUND, 16_000)


async def test_revoking_is_silence_at_once_and_leaves_nothing_of_the_clone(house: House) -> None:
    await house.enrol()
    permit = house.permits.permit("voice", "calls", "DE")
    await house.clones.keep("voice", "model.bin", b"the timbre of a voice")
    await house.vault.put("owner", "voice_clone", b"the timbre of a voice")
    assert await house.clones.read("voice", "model.bin") == b"the timbre of a voice"
    await house.clones.revoke("voice")
    assert not permit.valid
    assert await house.vault.get("owner", "voice_clone") is None
    assert [path.name for path in files_in(house.home / "clones")] == ["revoked"]
    with pytest.raises(ConsentMissing):
        await house.clones.read("voice", "model.bin")
    assert [kind for kind, _ in house.notes] == ["clone_consented", "clone_revoked"]


async def test_a_copy_of_the_clones_files_does_not_open_after_the_revocation(house: House) -> None:
    await house.enrol()
    await house.clones.keep("voice", "model.bin", b"the timbre of a voice")
    (path,) = (path for path in files_in(house.home / "clones") if path.name == "model.bin")
    copied = path.read_bytes()
    assert b"timbre" not in copied
    sealer = house.vault.sealer(f"clone:{path.parent.name}")
    assert sealer.open(copied, place="clones.file") == b"the timbre of a voice"
    await house.clones.revoke()
    with pytest.raises(VaultError):
        sealer.open(copied, place="clones.file")


async def test_revocation_is_on_file_with_a_receipt(house: House) -> None:
    await house.enrol()
    await house.clones.revoke()

    def read(tx: Transaction) -> list[Any]:
        return list(tx.connection.execute(select(consents).order_by(consents.c.at_ms)))

    granted, revoked = await house.vault.run(read)
    assert (granted.purpose, granted.status, revoked.status) == ("voice_clone", "granted", "revoked")
    receipt = await house.vault.run(
        lambda tx: tx.open_json(revoked.sealed_receipt, key_id=revoked.subject_id, place="consents.sealed_receipt")
    )
    report = verify_receipt(receipt, house.signer.public_pem)
    assert report.valid
    assert [(answer.purpose, answer.status) for answer in report.consents] == [("voice_clone", "revoked")]


async def test_one_likeness_is_revoked_without_the_other_and_given_anew(house: House) -> None:
    await house.enrol("voice")
    await house.enrol("face")
    await house.clones.revoke("voice")
    assert house.permits.covers("face", "calls", "DE")
    assert not house.permits.covers("voice", "calls", "DE")
    await house.enrol("voice")
    assert house.permits.covers("voice", "calls", "DE")


async def test_a_revocation_that_was_cut_short_is_finished_at_the_next_start(house: House) -> None:
    await house.enrol()
    await house.clones.keep("voice", "model.bin", b"a voice")
    granted = house.permits.granted("voice")
    assert granted is not None
    house.permits.revoked(granted.consent_id)

    again = make_house(house.vault, house.home, house.clock)
    await again.permits.refresh()
    assert not again.permits.covers("voice", "calls", "DE")
    await again.clones.finish()
    assert [kind for kind, _ in again.notes] == ["clone_revoked"]
    assert [path.name for path in files_in(house.home / "clones")] == ["revoked"]


async def test_a_receipt_that_is_not_ours_or_changed_terms_permit_nothing(house: House) -> None:
    await house.enrol()

    def forge(tx: Transaction) -> None:
        terms = tx.connection.execute(select(items).where(items.c.kind == "consent_terms")).one()
        wider = Terms("voice", ("calls", "videos"), house.terms().expires_ms, ("DE",)).as_json()
        sealed = tx.seal_json(wider, key_id=terms.subject_id, place="items.sealed_data")
        tx.connection.execute(update(items).where(items.c.id == terms.id).values(sealed_data=sealed))

    await house.vault.run(forge)
    fresh = make_house(house.vault, house.home, house.clock)
    await fresh.permits.refresh()
    assert not fresh.permits.covers("voice", "calls", "DE")

    strange = Permits(house.vault, house.home, read_receipt=lambda receipt: None, now=house.clock)
    await strange.refresh()
    assert strange.standing("voice") is None


async def test_what_cannot_be_looked_up_for_long_is_not_permitted(house: House) -> None:
    ticks = [0.0]
    await house.enrol()
    permits = Permits(
        house.vault, house.home, read_receipt=signed_by(house.signer), now=house.clock, monotonic=lambda: ticks[0]
    )
    await permits.refresh()
    permit = permits.permit("voice", "calls", "DE")
    ticks[0] = 60.0
    assert permit.valid
    ticks[0] = 60.1
    assert not permit.valid


WATCHER = """
import asyncio, sys, time
from pathlib import Path
from compliance.likeness.permits import Permits
from compliance.proofs.signing import Signer
from compliance.vault import Vault
from tests.unit.compliance.test_clone import signed_by

async def main() -> None:
    home = Path(sys.argv[1])
    async with Vault(home) as vault:
        read = signed_by(Signer.open(home, vault.master))
        permits = Permits(vault, home, read_receipt=read, now=lambda: float(sys.argv[2]))
        await permits.refresh()
        permit = permits.permit("voice", "calls", "DE")
        watching = asyncio.create_task(permits.watch(), name="watch")
        print("sounding", flush=True)
        while permit.valid:
            await asyncio.sleep(0.005)
        print("silent", time.time(), flush=True)
        watching.cancel()

asyncio.run(main())
"""


async def test_another_process_falls_silent_too(house: House) -> None:
    await house.enrol()
    await house.vault.flush()
    process = run_python(WATCHER, house.home, house.clock())
    try:
        assert process.stdout is not None
        async with asyncio.timeout(WAIT_S):
            assert await asyncio.to_thread(process.stdout.readline) == "sounding\n"
            await house.clones.revoke()
            assert (await asyncio.to_thread(process.stdout.readline)).startswith("silent")
    finally:
        process.kill()
        process.communicate()


async def test_the_watch_sees_a_consent_that_another_part_stored(house: House) -> None:
    permits = Permits(house.vault, house.home, read_receipt=signed_by(house.signer), now=house.clock)
    watching = asyncio.create_task(permits.watch(), name="watch")
    await house.enrol()
    await eventually(lambda: permits.covers("voice", "calls", "DE"))
    await house.clones.revoke()
    await eventually(lambda: not permits.covers("voice", "calls", "DE"))
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching


VOICEPRINT = re.compile(
    r"speaker_?(embed|encod|verif|match|id\b|recogn)|voice_?print|embed_?speaker|resemblyzer|speechbrain|ecapa|titanet|"
    r"pyannote|[dx]_?vector|diari[sz]ation|similarity|enrollment_?audio",
    re.IGNORECASE,
)
MAY_COMPARE_SPEAKERS = {"compliance/clone.py", "persona/voice/similarity.py", "agent/enrol.py"}
"""The owner's statement is compared with the owner's training sound there, and nobody else's sound reaches it."""
EMBEDS_SOMETHING_ELSE = {
    "persona/memory/mem0_setup.py": "texts",
    "persona/memory/mem0_store.py": "texts",
    "persona/memory/shelf.py": "texts",
    "persona/voice/server/coqui.py": "the owner's reference, from which the clone speaks",
}


def code_names(source: str) -> set[str]:
    """The names in Python code, without its comments and texts."""
    return {t.string for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type == tokenize.NAME}


def test_no_voiceprint_of_a_caller_is_ever_made() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for folder in ("agent", "channels", "persona", "avatar", "compliance")
        for path in (ROOT / folder).rglob("*.py")
        for name in code_names(path.read_text("utf-8"))
        if VOICEPRINT.search(name)
    }
    assert {place for place, _ in found} - set(EMBEDS_SOMETHING_ELSE) <= MAY_COMPARE_SPEAKERS, found


def test_the_sound_of_calls_does_not_reach_the_comparison() -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for folder in ("agent", "channels")
        for path in (ROOT / folder).rglob("*.py")
        if {"Enrolment", "Matcher"} & code_names(path.read_text("utf-8"))
    }
    assert not any("stages" in place or place.startswith("channels") for place in users)


def test_the_check_would_see_one() -> None:
    assert VOICEPRINT.search("SpeakerEmbedding")
    assert VOICEPRINT.search("verify_speaker") is None
    assert any(VOICEPRINT.search(name) for name in code_names("model = speaker_encoder(sound)  # voiceprint"))
