"""Who may use the console: names, roles, passphrase hashes and sealed secrets of authenticator apps."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import Literal, cast

from sqlalchemy import case, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from compliance.console.session import ROLES, Role
from compliance.errors import SignInRefused
from compliance.store.schema import operators, sessions
from compliance.store.transaction import Transaction
from compliance.vault import Vault

State = Literal["active", "disabled"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,62}")
_TOTP_PLACE = "operators.sealed_totp"


@dataclass(frozen=True, slots=True)
class Operator:
    """One person who may sign in."""

    id: str
    name: str
    role: Role
    state: State
    created_ms: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """An operator with what proves that it is them."""

    operator: Operator
    passphrase_hash: str = field(repr=False)
    totp_secret: str = field(repr=False)
    last_totp_step: int | None


def normalise_name(name: str) -> str:
    """The one spelling of an operator's name. Raises `SignInRefused` when it cannot be one."""
    plain = unicodedata.normalize("NFKC", name).strip().casefold()
    if not _NAME.fullmatch(plain):
        raise SignInRefused(
            "A name is 1 to 63 letters a-z, digits and . _ @ + -, beginning with a letter or digit."
        )
    return plain


class Operators:
    """The operators of one twin."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def add(self, name: str, role: str, *, passphrase_hash: str, totp_secret: str) -> Operator:
        """Add one. Raises `SignInRefused` when the name is taken or a value cannot be."""
        name = normalise_name(name)
        if role not in ROLES:
            raise SignInRefused(f"A role is {' or '.join(ROLES)}.")
        new = secrets.token_hex(16)

        def work(transaction: Transaction) -> Operator | None:
            row = {
                "id": new,
                "name": name,
                "role": role,
                "state": "active",
                "created_ms": transaction.now_ms,
                "passphrase_hash": passphrase_hash,
                "sealed_totp": transaction.seal(totp_secret.encode(), key_id=new, place=_TOTP_PLACE),
                "last_totp_step": None,
            }
            try:
                with transaction.connection.begin_nested():
                    transaction.connection.execute(insert(operators), row)
            except IntegrityError:
                return None
            return Operator(new, name, role, "active", transaction.now_ms)

        added = await self._vault.run(work)
        if added is None:
            raise SignInRefused("There is an operator of that name already; choose another name.")
        return added

    async def list(self) -> tuple[Operator, ...]:
        """All of them, the oldest first."""

        def work(transaction: Transaction) -> tuple[Operator, ...]:
            order = select(operators).order_by(operators.c.created_ms, operators.c.name)
            return tuple(_operator(row) for row in transaction.connection.execute(order).mappings())

        return await self._vault.run(work)

    async def disable(self, name: str) -> Operator:
        """Refuse this operator from now on and end their sessions. Raises `SignInRefused` when there is none."""
        name = normalise_name(name)

        def work(transaction: Transaction) -> Operator | None:
            connection = transaction.connection
            connection.execute(update(operators).where(operators.c.name == name).values(state="disabled"))
            row = connection.execute(select(operators).where(operators.c.name == name)).mappings().first()
            if row is None:
                return None
            connection.execute(delete(sessions).where(sessions.c.operator_id == row["id"]))
            return _operator(row)

        disabled = await self._vault.run(work)
        if disabled is None:
            raise SignInRefused("There is no operator of that name; `twin operator list` shows them.")
        return disabled

    async def credentials(self, name: str) -> Credentials | None:
        """What proves this operator; None when nobody has the name.

        An unknown name costs the same work: another operator's secret is opened, and dropped.
        """

        def work(transaction: Transaction) -> Credentials | None:
            this_first = case((operators.c.name == name, 0), else_=1)
            query = select(operators).order_by(this_first, operators.c.id).limit(1)
            row = transaction.connection.execute(query).mappings().first()
            if row is None:
                return None
            secret = transaction.open(row["sealed_totp"], key_id=row["id"], place=_TOTP_PLACE).decode()
            found = Credentials(_operator(row), row["passphrase_hash"], secret, row["last_totp_step"])
            return found if found.operator.name == name else None

        return await self._vault.run(work)

    async def change(
        self,
        operator_id: str,
        *,
        passphrase_hash: str | None = None,
        totp_secret: str | None = None,
        totp_step: int | None = None,
        keep_session: str | None = None,
    ) -> None:
        """Replace what proves an operator, and end their sessions but the one named."""

        def work(transaction: Transaction) -> None:
            values: dict[str, object] = {}
            if passphrase_hash is not None:
                values["passphrase_hash"] = passphrase_hash
            if totp_secret is not None:
                sealed = transaction.seal(totp_secret.encode(), key_id=operator_id, place=_TOTP_PLACE)
                values |= {"sealed_totp": sealed, "last_totp_step": totp_step}
            of_operator = operators.c.id == operator_id
            transaction.connection.execute(update(operators).where(of_operator).values(**values))
            others = (sessions.c.operator_id == operator_id) & (sessions.c.token_hash != (keep_session or ""))
            transaction.connection.execute(delete(sessions).where(others))

        await self._vault.run(work)

    async def rehash(self, operator_id: str, *, old: str, new: str) -> None:
        """Store the same passphrase hashed at today's cost, unless it was changed meanwhile."""

        def work(transaction: Transaction) -> None:
            same = (operators.c.id == operator_id) & (operators.c.passphrase_hash == old)
            transaction.connection.execute(update(operators).where(same).values(passphrase_hash=new))

        await self._vault.run(work)


def spend_step(transaction: Transaction, operator_id: str, step: int) -> bool:
    """Use up a code, once for all processes; false when it was used, or the operator is disabled by now."""
    unused = operators.c.last_totp_step.is_(None) | (operators.c.last_totp_step < step)
    row = update(operators).where(operators.c.id == operator_id, operators.c.state == "active", unused)
    return transaction.connection.execute(row.values(last_totp_step=step)).rowcount == 1


def _operator(row: object) -> Operator:
    values = cast(dict[str, object], row)
    return Operator(
        id=str(values["id"]),
        name=str(values["name"]),
        role=cast(Role, values["role"]),
        state=cast(State, values["state"]),
        created_ms=cast(int, values["created_ms"]),
    )
