"""A request about somebody's data as it is kept: its value, its number, its row; and what proves who asks."""

from __future__ import annotations

import contextlib
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Row

from compliance.errors import KeyGone, RequestError
from compliance.forgetting.verification import Commonness, Known, Proof, telling
from compliance.store.schema import calls, key_of, requests, subjects, turns
from compliance.store.transaction import Transaction

Kind = Literal["erasure", "access"]
State = Literal["open", "verified", "approved", "running", "done", "incomplete", "rejected", "void"]

CLOSED: Final = ("done", "rejected", "void")
DAY_MS = 86_400_000
_ALPHABET = "23456789ACDEFHJKMQRTWXY"
"""Without letters and digits that are taken for one another in writing."""
_GROUP = 4
_MOST_OPEN = 5
"""Open requests of one person; who floods the form is told to wait for the owner."""
_COMPARED_CALLS = 200
"""Other people's newest calls, which say what words are common."""
_REMEMBERED_CALLS = 100
"""The newest calls of a person that they may show knowledge of."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    number: str
    kind: Kind
    state: State
    channel: str
    law: str
    call_id: str | None
    """The call in which it was made."""
    created_ms: int
    due_ms: int
    verified_ms: int | None = None
    closed_ms: int | None = None
    receipt: str | None = None
    """JSON, once it was carried out; it holds no name."""
    subject: str | None = None
    """Who asks; None once they are forgotten, and for callers who have no number."""
    said: str = ""
    """In their words."""
    reason: str = ""
    """Why the owner decided so."""
    extension_days: int = 0
    """By how much the law lets it be extended, once."""
    proof: Proof = field(default_factory=Proof)

    @property
    def about(self) -> str:
        """Whom to erase or to answer: a caller whom nobody knew is the one of that call. Raises `RequestError`."""
        if self.subject is not None:
            return self.subject
        if self.call_id is not None:
            return f"call:{self.call_id}"
        raise RequestError(f"{self.number} is about nobody who is known any more.")

    @property
    def closed(self) -> bool:
        return self.state in CLOSED

    def days_left(self, now_ms: int) -> float:
        """Until it is due; less than nothing when it is overdue."""
        return (self.due_ms - now_ms) / DAY_MS

    def overdue(self, now_ms: int) -> bool:
        """Whether the law's time is over and it is not closed."""
        return not self.closed and now_ms > self.due_ms


def new_number() -> str:
    """A number such as R-7K3M-2Q9D."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(2))
    return "R-" + "-".join(groups)


def read_number(text: str) -> str:
    """The number as it is stored, from however somebody typed it. Raises `RequestError` when it is none."""
    letters = re.sub(r"[^A-Z0-9]", "", text.upper()[:64])
    letters = letters.removeprefix("R") if len(letters) == 2 * _GROUP + 1 else letters
    if len(letters) != 2 * _GROUP or any(letter not in _ALPHABET for letter in letters):
        raise RequestError("That is no request number; one looks like R-7K3M-2Q9D.")
    return f"R-{letters[:_GROUP]}-{letters[_GROUP:]}"


def add(transaction: Transaction, request: Request, who: str) -> bool:
    """Store a new request; false when the person has as many open as anybody may."""
    lookup = transaction.lookup.of(who)
    same = (requests.c.lookup == lookup) & requests.c.state.not_in(CLOSED)
    if (transaction.connection.execute(select(func.count()).where(same)).scalar() or 0) >= _MOST_OPEN:
        return False
    row = {
        "id": request.number,
        "kind": request.kind,
        "state": request.state,
        "channel": request.channel,
        "law": request.law,
        "lookup": lookup,
        "call_id": request.call_id,
        "created_ms": request.created_ms,
        "due_ms": request.due_ms,
        "sealed_detail": _sealed(transaction, request),
    }
    transaction.connection.execute(insert(requests), row)
    return True


def write(transaction: Transaction, request: Request, was: State) -> bool:
    """Store what has changed, unless somebody else changed the state meanwhile."""
    values: dict[str, Any] = {
        "state": request.state,
        "due_ms": request.due_ms,
        "verified_ms": request.verified_ms,
        "closed_ms": request.closed_ms,
        "receipt": request.receipt,
    }
    of_request = (requests.c.id == request.number) & (requests.c.state == was)
    kept = transaction.connection.execute(select(requests.c.sealed_detail).where(of_request)).scalar()
    # A person who was forgotten has no detail any more, and gets none again.
    with contextlib.suppress(KeyGone):
        if kept:
            values["sealed_detail"] = _sealed(transaction, request)
    return transaction.connection.execute(update(requests).where(of_request).values(values)).rowcount == 1


def _sealed(transaction: Transaction, request: Request) -> bytes:
    detail = {
        "subject": request.subject,
        "said": request.said,
        "reason": request.reason,
        "extension_days": request.extension_days,
        "proof": request.proof.as_json(),
    }
    return transaction.seal_json(detail, key_id=request.number, place="requests.sealed_detail")


def find(transaction: Transaction, number: str, *, lock: bool = False) -> Request | None:
    """The request with that number, as it is stored; `lock`: nobody else changes it in this transaction."""
    query = select(requests).where(requests.c.id == number)
    row = transaction.connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else _request(transaction, row)


def newest(transaction: Transaction, state: State | None, limit: int) -> tuple[Request, ...]:
    """The newest first, all or those in one state."""
    query = select(requests).order_by(requests.c.created_ms.desc(), requests.c.id).limit(limit)
    if state is not None:
        query = query.where(requests.c.state == state)
    return tuple(_request(transaction, row) for row in transaction.connection.execute(query))


def due(transaction: Transaction, before_ms: int) -> tuple[Request, ...]:
    """Those not closed that are due before then, the most urgent first."""
    late = requests.c.state.not_in(CLOSED) & (requests.c.due_ms < before_ms)
    query = select(requests).where(late).order_by(requests.c.due_ms)
    return tuple(_request(transaction, row) for row in transaction.connection.execute(query))


def _request(transaction: Transaction, row: Row[Any]) -> Request:
    detail: dict[str, Any] = {}
    # A person who was forgotten has no detail any more, or none that opens.
    with contextlib.suppress(KeyGone):
        if row.sealed_detail:
            detail = transaction.open_json(row.sealed_detail, key_id=row.id, place="requests.sealed_detail")
    return Request(
        number=row.id,
        kind=row.kind,
        state=row.state,
        channel=row.channel,
        law=row.law,
        call_id=row.call_id,
        created_ms=row.created_ms,
        due_ms=row.due_ms,
        verified_ms=row.verified_ms,
        closed_ms=row.closed_ms,
        receipt=row.receipt,
        subject=detail.get("subject"),
        said=detail.get("said", ""),
        reason=detail.get("reason", ""),
        extension_days=detail.get("extension_days", 0),
        proof=Proof.from_json(detail.get("proof", {})),
    )


def keep_code(transaction: Transaction, request: Request, proof: Proof) -> bool:
    """Keep the code, and say whether the person is known; the same work is done when they are not."""
    lookup = transaction.lookup.of(request.subject or "")
    known = transaction.connection.execute(select(subjects.c.id).where(subjects.c.lookup == lookup)).scalar()
    write(transaction, replace(request, proof=proof), request.state)
    return known is not None


def calls_of(transaction: Transaction, subject: str) -> tuple[Known, ...]:
    """The newest calls of a person, as what they may know of them."""
    lookup = transaction.lookup.of(subject)
    query = (
        select(calls.c.id, calls.c.started_ms, calls.c.ended_ms)
        .join(subjects, calls.c.subject_id == subjects.c.id)
        .where(subjects.c.lookup == lookup, calls.c.ended_ms.is_not(None))
        .order_by(calls.c.started_ms.desc())
        .limit(_REMEMBERED_CALLS)
    )
    return tuple(
        Known(row.started_ms, (row.ended_ms - row.started_ms) / 1000, frozenset(_words(transaction, row.id)))
        for row in transaction.connection.execute(query).all()
    )


def compared(transaction: Transaction, but: str | None) -> Commonness:
    """How common words are in other people's newest calls."""
    query = select(calls.c.id).order_by(calls.c.started_ms.desc()).limit(_COMPARED_CALLS)
    if but is not None:
        owner = select(subjects.c.id).where(subjects.c.lookup == transaction.lookup.of(but)).scalar_subquery()
        query = query.where(func.coalesce(calls.c.subject_id, "") != func.coalesce(owner, ""))
    common = Commonness()
    for call_id in transaction.connection.execute(query).scalars().all():
        common.add(_words(transaction, call_id))
    return common


def _words(transaction: Transaction, call_id: str) -> set[str]:
    query = select(turns.c.sealed_text, key_of(turns).label("key_id")).where(turns.c.call_id == call_id)
    words: set[str] = set()
    for row in transaction.connection.execute(query):
        # A participant of a meeting who is being forgotten.
        with contextlib.suppress(KeyGone):
            text = transaction.open_text(row.sealed_text, key_id=row.key_id, place="turns.sealed_text")
            words.update(telling(text))
    return words
