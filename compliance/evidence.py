"""Evidence: what happened, sealed in the vault under the person's key, and committed to in the ledger for ever.

    evidence.note("consent_given", call_id="CA1", detail={"purpose": "recording", "method": "voice"})

The ledger gets the kind, the time and a salted commitment; salt and detail, its *opening*, are sealed in the
vault. With both one can show what was written down, when, and that it was not changed since. When the person is
forgotten the opening goes with their key, and what stays in the ledger says nothing about them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, and_, insert, or_, select

from compliance.clear import plain_id, plain_word
from compliance.errors import KeyGone, LedgerError, VaultError
from compliance.forgetting.layout import mirror_of
from compliance.ledger import Ledger
from compliance.proofs.chain import Entry, Leaf
from compliance.proofs.opening import Opening, as_stored
from compliance.proofs.proof import Inclusion, Proofs
from compliance.proofs.signing import Signer
from compliance.settings import StoreSettings
from compliance.store.people import participant_id
from compliance.store.schema import calls, evidence, subjects
from compliance.store.subject import normalise
from compliance.store.transaction import Transaction
from compliance.vault import Vault

_PLACE = "evidence.sealed_detail"
State = Literal["proved", "forgotten", "altered", "missing"]


@dataclass(frozen=True, slots=True)
class EvidenceEntry:
    """Something that was noted, and what the ledger says to it."""

    leaf: str
    """The entry's hash in the ledger."""
    kind: str
    at_ms: int
    call_id: str | None
    detail: Mapping[str, Any] | None
    """None when its key was destroyed."""
    state: State
    """`proved`: the ledger holds the commitment to just this. `forgotten`: it holds one, and nobody can open it.
    `altered`: what is in the vault is not what was committed to. `missing`: the ledger has no such entry."""
    seq: int | None
    """Its number in the ledger."""

    @property
    def in_ledger(self) -> bool:
        """Whether the ledger has the entry."""
        return self.seq is not None


class Evidence:
    """Notes evidence, and reads it back; its ledger is open meanwhile, and the vault's thread appends to it."""

    def __init__(self, vault: Vault, ledger: Ledger) -> None:
        self._vault = vault
        self._ledger = ledger
        self._proofs = Proofs(ledger.folder)
        self._sync_queued = False

    def note(
        self,
        kind: str,
        *,
        call_id: str | None = None,
        subject: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Note that something happened; returns at once.

        `detail` is JSON, and sealed under the key of the call (in a meeting that of `subject` there), else of the
        person, else one of its own. Of a `subject` whom the vault does not know (any more) no detail is kept,
        since nobody could forget it by their name. Raises `VaultError` when the queue is full, the vault is not
        open, or an argument is wrong.
        """
        note = _Note(kind, call_id, subject, detail or {})

        def work(tx: Transaction) -> bool:
            note.write(tx, self._ledger)
            self._sync_soon()
            return True

        self._vault.record(work)

    async def noted(
        self,
        kind: str,
        *,
        call_id: str | None = None,
        subject: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> Leaf:
        """The same, committed and under a signed head on return. Raises `VaultError` and `LedgerError`."""
        note = _Note(kind, call_id, subject, detail or {})

        def work(tx: Transaction) -> Leaf:
            leaf = note.write(tx, self._ledger)
            self._ledger.sync()
            return leaf

        try:
            return await self._vault.run(work)
        except VaultError as error:
            if isinstance(error.__cause__, LedgerError):
                raise error.__cause__ from None
            raise

    async def of(self, call_id: str | None = None, subject: str | None = None) -> tuple[EvidenceEntry, ...]:
        """Everything noted about a call or a person, oldest first. Raises `VaultError` and `LedgerError`."""
        if (call_id is None) == (subject is None):
            raise ValueError("Name a call or a person.")
        name = normalise(subject) if subject is not None else ""

        def query(tx: Transaction) -> Select[Any]:
            return select(evidence).where(_about(tx, call_id, name)).order_by(evidence.c.at_ms, evidence.c.leaf)

        entries = await self._read(lambda tx: _opened(tx, query(tx)))
        return tuple(sorted(entries, key=lambda entry: (entry.at_ms, entry.seq or 0)))

    async def recent(
        self, limit: int = 50, before: str | None = None, kind: str | None = None
    ) -> tuple[EvidenceEntry, ...]:
        """The newest first, or those older than the entry with the leaf `before`; of one kind if it is given.

        Raises `VaultError` and `LedgerError`.
        """

        def work(tx: Transaction) -> list[_Opened]:
            query = select(evidence)
            if kind is not None:
                query = query.where(evidence.c.kind == kind)
            if before is not None:
                since = tx.connection.execute(select(evidence.c.at_ms).where(evidence.c.leaf == before)).scalar()
                if since is None:
                    raise VaultError("There is no evidence with that leaf to list older evidence from.")
                same = and_(evidence.c.at_ms == since, evidence.c.leaf < before)
                query = query.where(or_(evidence.c.at_ms < since, same))
            return _opened(tx, query.order_by(evidence.c.at_ms.desc(), evidence.c.leaf.desc()).limit(limit))

        return await self._read(work)

    async def proof(self, leaf: str) -> Inclusion:
        """The proof that an entry is in the ledger, to hand out. Raises `LedgerError` when it is not."""
        return await asyncio.to_thread(self._proofs.inclusion, leaf)

    async def missing(self) -> tuple[str, ...]:
        """The leaves that the vault has noted and the ledger does not have: one that was rolled back lacks some.

        It sees what `audit.verify` cannot: a ledger rolled back together with its mirror, but not with the vault.
        Raises `VaultError` and `LedgerError`.
        """
        leaves = await self._vault.run(
            lambda tx: list(tx.connection.execute(select(evidence.c.leaf).order_by(evidence.c.at_ms)).scalars())
        )
        found = await asyncio.to_thread(self._proofs.leaves, leaves)
        return tuple(leaf for leaf in leaves if leaf not in found)

    async def flush(self) -> None:
        """Return when everything noted before is committed and under a signed head. Raises `VaultError`."""
        await self._vault.flush()
        # The first note of a batch queues its `sync`, which may be behind the first flush.
        await self._vault.flush()

    def health(self) -> str | None:
        """None when evidence is kept, else why not, in one line."""
        return self._ledger.health() or self._vault.health()

    async def _read(self, work: _Work) -> tuple[EvidenceEntry, ...]:
        opened = await self._vault.run(work)
        return await asyncio.to_thread(self._judged, opened)

    def _judged(self, opened: Iterable[_Opened]) -> tuple[EvidenceEntry, ...]:
        rows = list(opened)
        found = self._proofs.leaves(row.leaf for row in rows)
        return tuple(_judge(row, found.get(row.leaf)) for row in rows)

    def _sync_soon(self) -> None:
        """On the vault's thread: one `sync` behind all that is queued now, however much that is."""
        if self._sync_queued:
            return
        self._sync_queued = True
        try:
            self._vault.record(self._sync)
        except VaultError:
            # The queue is full, or closing: then now.
            self._sync(None)

    def _sync(self, _tx: Transaction | None) -> bool:
        self._sync_queued = False
        if self._ledger.is_open:
            self._ledger.sync()
        return True


@asynccontextmanager
async def open_evidence(
    home: Path, vault: Vault, store: StoreSettings, *, signer: Signer | None = None
) -> AsyncIterator[Evidence]:
    """The evidence of a twin's home, for an open vault: signing key, ledger and mirror; closed before the vault.

    `signer` is the home's, where somebody has opened it already. Raises `LedgerError` when the ledger was changed,
    and `VaultError`.
    """
    if signer is None:
        signer = await asyncio.to_thread(Signer.open, home, vault.master)
    ledger = Ledger(home / "ledger", signer, mirror=mirror_of(home, store))
    await asyncio.to_thread(ledger.open)
    opened = Evidence(vault, ledger)
    try:
        yield opened
    finally:
        try:
            # The vault's thread appends what was noted, so it comes first; what it cannot write it tells itself.
            with contextlib.suppress(VaultError):
                await opened.flush()
        finally:
            await asyncio.to_thread(ledger.close)


class _Note:
    """One thing to note. It may be written more than once (see `Vault.record`), and is in the ledger once."""

    def __init__(self, kind: str, call_id: str | None, subject: str | None, detail: Mapping[str, Any]) -> None:
        self._kind = plain_word(kind)
        self._call_id = plain_id(call_id) if call_id is not None else None
        self._subject = normalise(subject) if subject is not None else None
        self._detail = as_stored(detail)
        self._opening: Opening | None = None
        self._leaf: Leaf | None = None

    def write(self, tx: Transaction, ledger: Ledger) -> Leaf:
        subject_id = self._subject_id(tx)
        if self._opening is None:
            is_stranger = self._subject is not None and subject_id is None and self._call_id is None
            detail = {} if is_stranger else self._detail
            said = {"kind": self._kind, "call": self._call_id, "subject": subject_id, "detail": detail}
            self._opening = Opening.make(said)
        if self._leaf is None:
            self._leaf = ledger.append(self._kind, self._opening.commitment)
        leaf = self._leaf
        whose = participant_id(tx, self._call_id, self._subject) if self._call_id and self._subject else None
        key_id = whose or self._call_id or subject_id or leaf.hash
        try:
            sealed = tx.seal_json(self._opening.as_json(), key_id=key_id, place=_PLACE)
        except KeyGone:
            # They were forgotten meanwhile: the leaf says that something happened, and nothing else is kept.
            return leaf
        row = {
            "leaf": leaf.hash,
            "kind": self._kind,
            "at_ms": leaf.at_ms,
            "call_id": self._call_id,
            "subject_id": subject_id,
            "participant_id": whose,
            "sealed_detail": sealed,
        }
        tx.connection.execute(insert(evidence), row)
        return leaf

    def _subject_id(self, tx: Transaction) -> str | None:
        """The person named, or whose call it is."""
        if self._subject is not None:
            found = select(subjects.c.id).where(subjects.c.lookup == tx.lookup.of(self._subject))
        else:
            found = select(calls.c.subject_id).where(calls.c.id == self._call_id)
        return tx.connection.execute(found).scalar()


@dataclass(frozen=True, slots=True)
class _Opened:
    """A row as read, with its opening where there still is one."""

    leaf: str
    kind: str
    at_ms: int
    call_id: str | None
    subject_id: str | None
    opening: Opening | None


_Work = Callable[[Transaction], list[_Opened]]


def _about(tx: Transaction, call_id: str | None, subject: str) -> ColumnElement[bool]:
    if call_id is not None:
        return evidence.c.call_id == call_id
    person = select(subjects.c.id).where(subjects.c.lookup == tx.lookup.of(subject)).scalar_subquery()
    theirs = select(calls.c.id).where(calls.c.subject_id == person)
    return or_(evidence.c.subject_id == person, evidence.c.call_id.in_(theirs))


def _opened(tx: Transaction, query: Select[Any]) -> list[_Opened]:
    return [_open(tx, row) for row in tx.connection.execute(query)]


def _open(tx: Transaction, row: Row[Any]) -> _Opened:
    key_id = row.participant_id or row.call_id or row.subject_id or row.leaf
    try:
        opening = Opening.from_json(tx.open_json(row.sealed_detail, key_id=key_id, place=_PLACE))
    except KeyGone:
        opening = None
    return _Opened(row.leaf, row.kind, row.at_ms, row.call_id, row.subject_id, opening)


def _judge(row: _Opened, entry: Entry | None) -> EvidenceEntry:
    detail = row.opening.said.get("detail") if row.opening is not None else None
    state: State
    if entry is None:
        state = "missing"
    elif row.opening is None:
        state = "forgotten"
    elif _fits(row, row.opening, entry):
        state = "proved"
    else:
        state = "altered"
    return EvidenceEntry(
        leaf=row.leaf,
        kind=row.kind,
        at_ms=row.at_ms,
        call_id=row.call_id,
        detail=detail,
        state=state,
        seq=entry.seq if entry is not None else None,
    )


def _fits(row: _Opened, opening: Opening, entry: Entry) -> bool:
    """Whether the row and its opening are what was committed to; the columns beside the opening count too."""
    said = opening.said
    return (
        opening.commitment == entry.commitment
        and (row.kind, row.at_ms) == (entry.kind, entry.at_ms)
        and (said.get("kind"), said.get("call"), said.get("subject")) == (row.kind, row.call_id, row.subject_id)
    )
