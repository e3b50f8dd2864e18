"""Signed-in browsers. The store has only hashes of their tokens: who reads it can be nobody."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from sqlalchemy import ColumnElement, delete, insert, select, update

from compliance.console.session import Session
from compliance.settings import ConsoleSettings
from compliance.store.schema import operators, sessions
from compliance.store.transaction import Transaction
from compliance.vault import Vault

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_MOST = 10
"""Browsers in which one operator is signed in at once; one more ends the oldest."""
_TOUCH_MS = 30_000
"""The time of the last use is written at most this often."""


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, vault: Vault, settings: ConsoleSettings) -> None:
        self._vault = vault
        self._idle_ms = int(settings.idle_minutes * 60_000)
        self._whole_ms = int(settings.session_hours * 3_600_000)

    def begin(self, transaction: Transaction, operator_id: str) -> str:
        """A new session; returns its token, which goes to the browser and nowhere else."""
        token, now_ms = secrets.token_urlsafe(32), transaction.now_ms
        row = {
            "token_hash": _hash(token),
            "operator_id": operator_id,
            "created_ms": now_ms,
            "seen_ms": now_ms,
            "expires_ms": now_ms + self._whole_ms,
        }
        connection = transaction.connection
        connection.execute(delete(sessions).where(self._is_over(now_ms)))
        connection.execute(insert(sessions), row)
        newest = (
            select(sessions.c.token_hash)
            .where(sessions.c.operator_id == operator_id)
            .order_by(sessions.c.created_ms.desc(), sessions.c.token_hash)
            .offset(_MOST)
        )
        for old in list(connection.execute(newest).scalars()):
            connection.execute(delete(sessions).where(sessions.c.token_hash == old))
        return token

    async def find(self, token: str, *, is_use: bool = True) -> Session | None:
        """The session of a token, if it is one, neither ended nor idle, of an operator who may still sign in.

        `is_use` is false for what a page asks for by itself: a forgotten browser then still signs out.
        """
        if not _TOKEN.fullmatch(token):
            return None
        return await self._vault.run(lambda transaction: self._find(transaction, token, is_use=is_use))

    async def end(self, session_id: str) -> None:
        """Sign out."""
        ended = delete(sessions).where(sessions.c.token_hash == session_id)
        await self._vault.run(lambda transaction: transaction.connection.execute(ended) and None)

    async def end_others(self, session: Session) -> int:
        """Sign out the operator's other browsers; returns how many."""
        others = (sessions.c.operator_id == session.operator_id) & (sessions.c.token_hash != session.id)
        ended = delete(sessions).where(others)
        return await self._vault.run(lambda transaction: transaction.connection.execute(ended).rowcount)

    async def count(self, operator_id: str) -> int:
        """In how many browsers an operator is signed in."""

        def work(transaction: Transaction) -> int:
            mine = (sessions.c.operator_id == operator_id) & ~self._is_over(transaction.now_ms)
            return len(transaction.connection.execute(select(sessions.c.token_hash).where(mine)).all())

        return await self._vault.run(work)

    def _find(self, transaction: Transaction, token: str, *, is_use: bool) -> Session | None:
        digest, now_ms, connection = _hash(token), transaction.now_ms, transaction.connection
        query = (
            select(sessions, operators.c.name, operators.c.role)
            .join(operators, operators.c.id == sessions.c.operator_id)
            .where(sessions.c.token_hash == digest, operators.c.state == "active", ~self._is_over(now_ms))
        )
        row = connection.execute(query).mappings().first()
        if row is None:
            return None
        if is_use and now_ms - row["seen_ms"] >= _TOUCH_MS:
            connection.execute(update(sessions).where(sessions.c.token_hash == digest).values(seen_ms=now_ms))
        return Session(
            id=digest,
            operator_id=row["operator_id"],
            name=row["name"],
            role=row["role"],
            created_ms=row["created_ms"],
            expires_ms=row["expires_ms"],
            secret=hmac.new(token.encode(), b"secret of the session", hashlib.sha256).digest(),
        )

    def _is_over(self, now_ms: int) -> ColumnElement[bool]:
        return (sessions.c.expires_ms <= now_ms) | (sessions.c.seen_ms <= now_ms - self._idle_ms)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
