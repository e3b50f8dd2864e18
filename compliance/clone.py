"""The owner's consent to a clone of voice or face: given by a spoken challenge, revoked by a word.

The speaker of the statement is compared with the owner's own training sound, and with nobody else's: no voiceprint
of a caller is ever made.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from sqlalchemy import insert, select

from compliance.clear import plain_id
from compliance.errors import ConsentMissing, KeyGone
from compliance.likeness.permits import CLONES, OWNER, TERMS_KIND, Permits, Standing
from compliance.likeness.statement import FRESH_MS, LIKENESSES, Challenge, Likeness, Spoken, Terms, draw, judge
from compliance.proofs.agreement import Agreement, Answer, Party
from compliance.store.people import make_subject, subject_id
from compliance.store.rows import put_item
from compliance.store.schema import WORD_LENGTH, consents, items
from compliance.store.seal import to_json
from compliance.store.transaction import Transaction
from compliance.vault import Vault

MakeReceipt = Callable[[Agreement, int], Mapping[str, Any]]
"""Makes the signed receipt of an agreement, at a time in Unix milliseconds."""
Recognise = Callable[[bytes, int, str], Awaitable[str]]
"""The words in sound (int16 mono), by its rate and language."""
_OPEN_CHALLENGES = 16
_PLACE = "clones.file"


class Matcher(Protocol):
    """Compares the owner's statement with the owner's training sound."""

    @property
    def threshold(self) -> float:
        """From where on two sounds count as the same person's."""

    async def similarity(self, statement: bytes, training: bytes, rate_hz: int) -> float:
        """How alike the speakers of two pieces of sound (int16 mono) are."""


class Note(Protocol):
    """Writes down in the evidence that something happened."""

    def __call__(self, kind: str, *, subject: str, detail: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Consented:
    """A consent that was stored."""

    consent_id: str
    receipt: Mapping[str, Any]


class Enrolment:
    """Draws challenges, judges what was spoken, and stores the consent with its receipt."""

    def __init__(
        self,
        vault: Vault,
        permits: Permits,
        *,
        owner_name: str,
        controller: str,
        recognise: Recognise,
        matcher: Matcher,
        make_receipt: MakeReceipt,
        note: Note,
        chance: random.Random | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`controller` is who is responsible for the twin; without `chance` the system's randomness is used."""
        self._vault = vault
        self._permits = permits
        self._owner_name = owner_name
        self._controller = controller
        self._recognise = recognise
        self._matcher = matcher
        self._make_receipt = make_receipt
        self._note = note
        self._chance = chance
        self._now = now
        self._open: dict[str, Challenge] = {}

    def challenge(self, terms: Terms, language: str) -> Challenge:
        """A statement to be read aloud within ten minutes; of those that are open the oldest is dropped.

        Raises `ValueError`.
        """
        challenge = draw(self._owner_name, terms, language, now_ms=self._now_ms(), chance=self._chance)
        while len(self._open) >= _OPEN_CHALLENGES:
            del self._open[next(iter(self._open))]
        self._open[challenge.id] = challenge
        return challenge

    def reopen(self, challenge: Challenge) -> None:
        """Go on with a challenge that was drawn in another process; its owner sees to it that it counts once."""
        self._open[challenge.id] = challenge

    async def consent(self, challenge_id: str, statement: bytes, training: bytes, rate_hz: int) -> Consented:
        """Judge the spoken statement (int16 mono) and store the consent. A challenge counts once.

        Raises `ConsentMissing` with what to do differently, and `VaultError`.
        """
        at_ms = self._now_ms()
        challenge = self._open.pop(challenge_id, None)
        if challenge is None or at_ms - challenge.made_ms > FRESH_MS:
            raise ConsentMissing("There is no such challenge (any more); draw a new one and read it aloud.")
        spoken = Spoken(
            transcript=await self._recognise(statement, rate_hz, challenge.language),
            at_ms=at_ms,
            likeness=await self._matcher.similarity(statement, training, rate_hz),
            threshold=self._matcher.threshold,
        )
        if problems := judge(challenge, spoken):
            raise ConsentMissing(" ".join(problems))
        consented = await self._store(challenge)
        await self._permits.refresh()
        detail = {"likeness": challenge.terms.likeness, "consent": consented.consent_id}
        self._note("clone_consented", subject=OWNER, detail=detail)
        return consented

    async def _store(self, challenge: Challenge) -> Consented:
        at_ms, consent_id = self._now_ms(), secrets.token_hex(16)
        agreement = _agreement(
            challenge.terms,
            status="granted",
            at_ms=at_ms,
            owner=self._owner_name,
            controller=self._controller,
            language=challenge.language,
            notice=challenge.text,
            policy=challenge.version,
        )
        receipt = self._make_receipt(agreement, at_ms)

        def work(tx: Transaction) -> None:
            _write(tx, consent_id, agreement, receipt, challenge.terms)
            terms = json.dumps(challenge.terms.as_json()).encode()
            put_item(tx, OWNER, TERMS_KIND, consent_id, terms, at_ms=at_ms)

        await self._vault.run(work)
        return Consented(consent_id, receipt)

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


class Clones:
    """What a clone is made of, sealed under a key of its consent: no consent, no clone; revoked, no key."""

    def __init__(
        self,
        vault: Vault,
        permits: Permits,
        home: Path,
        *,
        owner_name: str,
        controller: str,
        make_receipt: MakeReceipt,
        note: Note,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._vault = vault
        self._permits = permits
        self._folder = home / CLONES
        self._owner_name = owner_name
        self._controller = controller
        self._make_receipt = make_receipt
        self._note = note
        self._now = now

    async def keep(self, likeness: Likeness, name: str, data: bytes) -> None:
        """Store a file of a clone. Raises `ConsentMissing`, `VaultError` and `OSError`."""
        path = self._path(self._standing(likeness), name)
        await asyncio.to_thread(self._write, path, self._standing(likeness).consent_id, data)

    async def read(self, likeness: Likeness, name: str) -> bytes | None:
        """A file of a clone; None when there is none. Raises `ConsentMissing`, `VaultError` and `OSError`."""
        standing = self._standing(likeness)
        try:
            return await asyncio.to_thread(self._read, self._path(standing, name), standing.consent_id)
        except KeyGone:
            raise ConsentMissing(f"The consent to the cloned {likeness} was revoked.") from None

    async def revoke(self, likeness: Likeness | None = None) -> None:
        """Revoke the consent to a likeness, or to all: silence at once, then the clone's keys and files go.

        Raises `VaultError` and `OSError`; it is silent all the same, and `finish` does the rest.
        """
        asked = LIKENESSES if likeness is None else (likeness,)
        await self._silence(asked)
        # What another process stored a moment ago is revoked as well.
        await self._permits.refresh()
        await self._silence(asked)
        await self.finish()

    async def finish(self) -> None:
        """Complete revocations that were cut short, and destroy what is left of clones without a consent.

        For the start of the service too. Raises `VaultError` and `OSError`.
        """
        await self._permits.refresh()
        for likeness in LIKENESSES:
            granted = self._permits.granted(likeness)
            if granted is not None and self._permits.is_revoked(granted):
                await self._write_down(likeness, granted)
        await self._permits.refresh()
        standing = {s.consent_id for s in map(self._permits.standing, LIKENESSES) if s is not None}
        left = await asyncio.to_thread(self._left, standing)
        if left:
            await self._vault.destroy_keys([_key(consent_id) for consent_id in left])
            await asyncio.to_thread(self._wipe, left)
        if await self._vault.run(lambda tx: _drop_items(tx, self._permits)):
            await self._vault.purge()

    async def _silence(self, likenesses: Sequence[Likeness]) -> None:
        for likeness in likenesses:
            granted = self._permits.granted(likeness)
            if granted is not None:
                await asyncio.to_thread(self._permits.revoked, granted.consent_id)

    async def _write_down(self, likeness: Likeness, granted: Standing) -> None:
        await self._vault.destroy_keys([_key(granted.consent_id)])
        at_ms = int(self._now() * 1000)
        agreement = _agreement(
            granted.terms,
            status="revoked",
            at_ms=at_ms,
            owner=self._owner_name,
            controller=self._controller,
            language="en",
            notice="The consent is revoked.",
            policy="revoked",
        )
        receipt = self._make_receipt(agreement, at_ms)
        await self._vault.run(lambda tx: _write(tx, secrets.token_hex(16), agreement, receipt, granted.terms))
        self._note("clone_revoked", subject=OWNER, detail={"likeness": likeness, "consent": granted.consent_id})

    def _standing(self, likeness: Likeness) -> Standing:
        standing = self._permits.standing(likeness)
        if standing is None or standing.terms.expires_ms <= self._now() * 1000:
            raise ConsentMissing(
                f"There is no consent to a cloned {likeness}; give it with `twin enroll {likeness}`."
            )
        return standing

    def _path(self, standing: Standing, name: str) -> Path:
        return self._folder / standing.consent_id / (plain_id(name).replace(":", "_").lstrip(".") or "_")

    def _write(self, path: Path, consent_id: str, data: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        draft.write_bytes(self._vault.sealer(_key(consent_id)).seal(data, place=_PLACE))
        draft.replace(path)

    def _read(self, path: Path, consent_id: str) -> bytes | None:
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            return None
        return self._vault.sealer(_key(consent_id)).open(sealed, place=_PLACE)

    def _left(self, standing: set[str]) -> list[str]:
        if not self._folder.exists():
            return []
        return sorted(path.name for path in self._folder.iterdir() if path.is_dir() and path.name not in standing)

    def _wipe(self, consent_ids: list[str]) -> None:
        for consent_id in consent_ids:
            shutil.rmtree(self._folder / consent_id)


def _key(consent_id: str) -> str:
    return f"clone:{consent_id}"


def _agreement(
    terms: Terms,
    *,
    status: Literal["granted", "revoked"],
    at_ms: int,
    owner: str,
    controller: str,
    language: str,
    notice: str,
    policy: str,
) -> Agreement:
    return Agreement(
        person=Party(subject=OWNER, name=owner),
        controller=Party(name=controller or owner),
        answers=(
            Answer(
                purpose=f"{terms.likeness}_clone",
                status=status,
                at_ms=at_ms,
                method="voice" if status == "granted" else "button",
            ),
        ),
        language=language,
        notice=notice,
        policy=f"{policy} {terms.digest}",
        started_ms=at_ms,
        expires_ms=terms.expires_ms,
        uses=terms.uses,
        territory=", ".join(terms.territory),
        jurisdictions=terms.territory,
        withdrawal=(f"twin enroll {terms.likeness} --revoke",),
    )


def _write(
    tx: Transaction, consent_id: str, agreement: Agreement, receipt: Mapping[str, Any], terms: Terms
) -> None:
    owner, (answer,) = make_subject(tx, OWNER, at_ms=tx.now_ms), agreement.answers
    # The newest counts: one that follows another within the same millisecond is the newer all the same.
    last = (
        select(consents.c.at_ms).where(consents.c.subject_id == owner).order_by(consents.c.at_ms.desc()).limit(1)
    )
    before_ms = tx.connection.execute(last).scalar()
    row = {
        "id": consent_id,
        "call_id": None,
        "subject_id": owner,
        "purpose": answer.purpose,
        "status": answer.status,
        "method": answer.method,
        "language": agreement.language,
        "policy": agreement.policy[:WORD_LENGTH],
        "at_ms": max(answer.at_ms, (before_ms or 0) + 1),
        "expires_ms": terms.expires_ms,
        "sealed_receipt": tx.seal(to_json(dict(receipt)).encode(), key_id=owner, place="consents.sealed_receipt"),
    }
    tx.connection.execute(insert(consents), row)


def _drop_items(tx: Transaction, permits: Permits) -> int:
    """Items `voice_clone...` and `face_clone...` of the vault go with the consent."""
    gone = [likeness for likeness in LIKENESSES if permits.standing(likeness) is None]
    owner = subject_id(tx.connection, tx.lookup.of(OWNER))
    return sum(
        tx.connection.execute(
            items.delete().where(
                items.c.subject_id == owner, items.c.kind.like(f"{likeness}\\_clone%", escape="\\")
            )
        ).rowcount
        for likeness in gone
    )
