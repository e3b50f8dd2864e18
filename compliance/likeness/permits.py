"""Permits: whether the clone may sound and show itself now. What has none is refused, and what loses it stops.

    permits = Permits(vault, home, read_receipt=read)
    await permits.refresh()
    watching = asyncio.create_task(permits.watch(), name="watch the owner's consent")
    permit = permits.permit("voice", "calls", "DE")
    if not permit.valid: ...

Ask before every piece of sound: a permit is worth nothing a moment later.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from compliance.errors import ConsentMissing, KeyGone, TwinError
from compliance.likeness.statement import EVERYWHERE, LIKENESSES, Likeness, Terms, Use
from compliance.store.schema import consents, items, subjects
from compliance.store.transaction import Transaction
from compliance.vault import Vault

logger = logging.getLogger(__name__)

OWNER = "owner"
"""The subject under which the vault keeps the owner's own consents."""
CLONES = "clones"
"""The folder in the home with what clones are made of, sealed."""
TERMS_KIND = "consent_terms"
WATCH_S = 0.25
STALE_S = 60.0
_REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Standing:
    """A consent that counts: the newest of a likeness, granted, with a genuine receipt."""

    consent_id: str
    terms: Terms


class Permit:
    """The permission for one use; ask `valid` before every piece of sound or picture: it costs microseconds."""

    __slots__ = ("_permits", "likeness", "territory", "use")

    def __init__(self, permits: Permits, likeness: Likeness, use: Use, territory: str) -> None:
        self._permits = permits
        self.likeness = likeness
        self.use: Use = use
        self.territory = territory

    @property
    def valid(self) -> bool:
        """False from the moment that the consent is revoked, over, or cannot be looked up any more."""
        return self._permits.covers(self.likeness, self.use, self.territory)


class Permits:
    """Knows the owner's consents; `watch` keeps it up to date, also with other processes."""

    def __init__(
        self,
        vault: Vault,
        home: Path,
        *,
        read_receipt: Callable[[Mapping[str, Any]], Mapping[str, Any] | None],
        stale_s: float = STALE_S,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read_receipt` returns what a receipt says that this twin signed, and None for any other.

        What the store said counts for `stale_s` while it does not answer: a purge stops it for seconds. Processes
        of one home see a revocation at once even then; on several machines set it to a second.
        """
        self._vault = vault
        self._revoked_file = home / CLONES / _REVOKED
        self._read_receipt = read_receipt
        self._stale_s = stale_s
        self._now = now
        self._monotonic = monotonic
        self._standing: dict[Likeness, Standing] = {}
        self._revoked: frozenset[str] = frozenset()
        self._read_at: float | None = None

    def permit(self, likeness: Likeness, use: Use, territory: str = EVERYWHERE) -> Permit:
        """The permission for a use. Raises `ConsentMissing`: one line that says what to do."""
        self.ensure(likeness, use, territory)
        return Permit(self, likeness, use, territory)

    def ensure(self, likeness: Likeness, use: Use, territory: str = EVERYWHERE) -> None:
        """Raises `ConsentMissing` unless the use is allowed now."""
        if self.covers(likeness, use, territory):
            return
        standing = self._standing.get(likeness)
        why = "there is none" if standing is None else "it does not cover this, or is over"
        raise ConsentMissing(
            f"The owner's consent to the cloned {likeness} for {use} is missing ({why}); give it with "
            f"`twin enroll {likeness}`."
        )

    def covers(self, likeness: Likeness, use: Use, territory: str = EVERYWHERE) -> bool:
        """Whether the use is allowed now, as far as is known; quick."""
        standing = self._standing.get(likeness)
        if standing is None or standing.consent_id in self._revoked or self._read_at is None:
            return False
        if self._monotonic() - self._read_at > self._stale_s:
            return False
        return standing.terms.covers(likeness, use, territory, int(self._now() * 1000))

    def standing(self, likeness: Likeness) -> Standing | None:
        """The consent that counts, though it may be over."""
        granted = self.granted(likeness)
        return granted if granted is not None and not self.is_revoked(granted) else None

    def granted(self, likeness: Likeness) -> Standing | None:
        """The consent that the store says is granted, though its revocation may have begun."""
        return self._standing.get(likeness)

    def is_revoked(self, standing: Standing) -> bool:
        """Whether its revocation has at least begun."""
        return standing.consent_id in self._revoked

    async def refresh(self) -> None:
        """Read the consents. Raises `VaultError`."""
        await self._refresh_revoked()
        self._standing = await self._vault.run(self._read)
        self._read_at = self._monotonic()

    async def watch(self) -> None:
        """Keep up to date until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._watch(self._refresh_revoked), name="watch the revocations")
            both.create_task(self._watch(self.refresh), name="watch the consents")

    def revoked(self, consent_id: str) -> None:
        """This consent is revoked: nothing in this process sounds under it on return, in others within a second.

        Blocks for one write to disk. Raises `OSError`.
        """
        self._revoked |= {consent_id}
        self._revoked_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._revoked_file.open("a", encoding="ascii") as file:
            file.write(consent_id + "\n")
            file.flush()
            os.fsync(file.fileno())

    async def _watch(self, refresh: Callable[[], Any]) -> None:
        failing = False
        while True:
            try:
                await refresh()
                failing = False
            except (TwinError, OSError) as error:
                if not failing:
                    reason = error.code if isinstance(error, TwinError) else error.strerror
                    logger.warning("the owner's consent cannot be looked up", extra={"reason": reason})
                failing = True
            await asyncio.sleep(WATCH_S)

    async def _refresh_revoked(self) -> None:
        self._revoked |= await asyncio.to_thread(self._read_revoked)

    def _read_revoked(self) -> frozenset[str]:
        try:
            return frozenset(self._revoked_file.read_text("ascii").split())
        except FileNotFoundError:
            return frozenset()

    def _read(self, tx: Transaction) -> dict[Likeness, Standing]:
        owner = tx.connection.execute(
            select(subjects.c.id).where(subjects.c.lookup == tx.lookup.of(OWNER))
        ).scalar()
        found = {likeness: self._newest(tx, owner, likeness) for likeness in LIKENESSES} if owner else {}
        return {likeness: standing for likeness, standing in found.items() if standing is not None}

    def _newest(self, tx: Transaction, owner: str, likeness: Likeness) -> Standing | None:
        of_likeness = (consents.c.subject_id == owner) & (consents.c.purpose == f"{likeness}_clone")
        query = select(consents).where(of_likeness).order_by(consents.c.at_ms.desc(), consents.c.id.desc())
        row = tx.connection.execute(query.limit(1)).first()
        if row is None or row.status != "granted":
            return None
        known = self._standing.get(likeness)
        if known is not None and known.consent_id == row.id:
            return known
        of_terms = (items.c.subject_id == owner) & (items.c.kind == TERMS_KIND) & (items.c.name == row.id)
        sealed = tx.connection.execute(select(items.c.sealed_data).where(of_terms)).scalar()
        if sealed is None:
            return None
        try:
            receipt = tx.open_json(row.sealed_receipt, key_id=owner, place="consents.sealed_receipt")
            terms = Terms.from_json(json.loads(tx.open(sealed, key_id=owner, place="items.sealed_data")))
        except (KeyGone, ValueError, KeyError, TypeError):
            # A consent whose terms cannot be read is none.
            return None
        said = self._read_receipt(receipt)
        # The receipt names the digest of the terms, so that terms which somebody widened are none.
        if terms.likeness != likeness or said is None or terms.digest not in json.dumps(said):
            return None
        return Standing(row.id, terms)
