"""Signing in: name, passphrase and code judged together, so that nobody learns which of them was wrong.

What an attacker can do is bounded three times over: by address, by name, and by what hashing costs us. A
browser in which an operator has signed in before is counted apart (its "device"), so that somebody who keeps
trying a name from elsewhere cannot lock its owner out.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from compliance.console.desk import Evidence
from compliance.console.limits import Limiter, address_key
from compliance.console.operators import Credentials, Operators, normalise_name, spend_step
from compliance.console.passphrase import Passphrases
from compliance.console.session import Session, sign
from compliance.console.sessions import Sessions
from compliance.console.totp import matching_step, new_secret
from compliance.errors import SignInRefused
from compliance.store.transaction import Transaction
from compliance.vault import Vault

_WRONG = "The name, the passphrase or the code is wrong. A code is good once, and for half a minute."
_DEVICE = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9a-f]{64})")


class TooManyTries(SignInRefused):
    """Wait, then try again."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = int(wait_s) + 1
        wait = f"{self.wait_s} seconds" if self.wait_s < 120 else f"{-(-self.wait_s // 60)} minutes"
        super().__init__(f"Too many tries. Wait {wait}, then try again.")


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the browser is given after a sign-in."""

    name: str
    token: str = field(repr=False)
    device: str = field(repr=False)


class SignIn:
    """Lets operators in, for one process: each worker counts tries by itself."""

    def __init__(
        self,
        vault: Vault,
        operators: Operators,
        sessions: Sessions,
        passphrases: Passphrases,
        evidence: Evidence,
        *,
        now: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now` is Unix time, which codes depend on; `clock` counts the limits."""
        self._vault = vault
        self._operators = operators
        self._sessions = sessions
        self._passphrases = passphrases
        self._evidence = evidence
        self._now = now
        self._of_address = Limiter(burst=20, every_s=10, clock=clock)
        self._of_name = Limiter(burst=5, every_s=120, clock=clock)
        self._of_device = Limiter(burst=5, every_s=30, clock=clock)
        # Of all who are strangers together: what their hashing may take of the cores that carry calls.
        self._of_strangers = Limiter(burst=30, every_s=1, clock=clock, slots=1)
        self._of_notes = Limiter(burst=30, every_s=10, clock=clock, slots=1)
        self._unnoted = 0
        self._of_session = Limiter(burst=5, every_s=120, clock=clock)
        self._nobody_totp = new_secret()

    async def attempt(self, *, name: str, passphrase: str, code: str, address: str, device: str) -> Admitted:
        """Sign in. Raises `SignInRefused`: wrong (one message for all reasons), `TooManyTries`, or too busy."""
        self._take(self._of_address, address_key(address))
        name = _name(name)
        found = await self._operators.credentials(name) if name else None
        is_known = found is not None and _is_device(found, device)
        limiter, key = (self._of_device, device) if is_known else (self._of_name, name)
        self._take(limiter, key)
        if not is_known:
            self._take(self._of_strangers, "")
        step = await self._prove(found, passphrase, code)
        token = await self._begin(found, step) if found and step is not None else None
        if found is None or token is None:
            self._note_failure(found)
            raise SignInRefused(_WRONG)
        operator = found.operator
        # In the ledger before the browser is let in: a token that is not handed out is worth nothing.
        await self._evidence.noted("signed_in", detail={"operator": operator.name, "role": operator.role})
        limiter.give_back(key)
        self._of_address.give_back(address_key(address))
        await self._refresh_hash(found, passphrase)
        return Admitted(operator.name, token, _device(found))

    async def confirm(self, session: Session, *, passphrase: str, code: str) -> int:
        """Have a signed-in operator prove again who they are; returns the code's step, now used.

        Raises `SignInRefused`: a stolen session alone changes nothing, and guesses from within it are few.
        """
        self._take(self._of_session, session.operator_id)
        found = await self._operators.credentials(session.name)
        step = await self._prove(found, passphrase, code)
        if found is None or step is None or not await self._spend(found, step):
            self._evidence.note("sign_in_failed", detail={"operator": session.name, "where": "account"})
            raise SignInRefused("The passphrase or the code is wrong. A code is good once: wait for the next.")
        self._of_session.give_back(session.operator_id)
        return step

    async def _prove(self, found: Credentials | None, passphrase: str, code: str) -> int | None:
        """The code's step when all is right. Everything is computed whether or not anything before it failed."""
        right = await self._passphrases.check(found.passphrase_hash if found else None, passphrase)
        step = matching_step(
            found.totp_secret if found else self._nobody_totp,
            code,
            now_s=self._now(),
            last_step=found.last_totp_step if found else None,
        )
        active = found is not None and found.operator.state == "active"
        return step if right and active else None

    async def _begin(self, found: Credentials, step: int) -> str | None:
        operator_id = found.operator.id

        def work(transaction: Transaction) -> str | None:
            if not spend_step(transaction, operator_id, step):
                return None
            return self._sessions.begin(transaction, operator_id)

        return await self._vault.run(work)

    async def _spend(self, found: Credentials, step: int) -> bool:
        return await self._vault.run(lambda transaction: spend_step(transaction, found.operator.id, step))

    async def _refresh_hash(self, found: Credentials, passphrase: str) -> None:
        old = found.passphrase_hash
        if self._passphrases.is_outdated(old):
            new = await self._passphrases.hash(passphrase)
            await self._operators.rehash(found.operator.id, old=old, new=new)

    def _note_failure(self, found: Credentials | None) -> None:
        if self._of_notes.take(""):
            # Who guesses from everywhere at once must not be able to fill the disk with it.
            self._unnoted += 1
            return
        # Of an unknown name nothing is noted: it may be a passphrase, typed into the wrong field.
        detail = {"operator": found.operator.name if found else "", "not_noted_before": self._unnoted}
        self._unnoted = 0
        self._evidence.note("sign_in_failed", detail=detail)

    def _take(self, limiter: Limiter, key: str) -> None:
        wait_s = limiter.take(key)
        if wait_s:
            raise TooManyTries(wait_s)


def _name(name: str) -> str:
    try:
        return normalise_name(name)
    except SignInRefused:
        return ""


def _device(found: Credentials) -> str:
    # Signed with the hash of the passphrase: no other secret is needed, and a new passphrase ends all devices.
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{sign(found.passphrase_hash.encode(), 'device', found.operator.id, nonce)}"


def _is_device(found: Credentials, device: str) -> bool:
    parts = _DEVICE.fullmatch(device)
    if parts is None:
        return False
    wanted = sign(found.passphrase_hash.encode(), "device", found.operator.id, parts[1])
    return hmac.compare_digest(parts[2], wanted)
