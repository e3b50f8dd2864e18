"""Passphrases: what is accepted, how they are hashed (argon2id), and how many at once.

A hash costs 64 MiB and tens of milliseconds of a core that is also carrying calls: one is computed at a time, few
may wait, and the rest are told to come back.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from compliance.errors import SignInRefused

T = TypeVar("T")

SHORTEST = 12
LONGEST = 256
_WAITING = 8
_DISTINCT = 6
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without i, l, o, 0 and 1, which look alike."""


def normalise_passphrase(text: str) -> str:
    """The one spelling of what was typed: keyboards write accents in more than one way."""
    return unicodedata.normalize("NFKC", text)


def why_weak(text: str, name: str) -> str | None:
    """Why a new passphrase is not accepted, in one line; None when it is."""
    text = normalise_passphrase(text)
    if len(text) < SHORTEST:
        return f"A passphrase has at least {SHORTEST} characters; four or five unrelated words do well."
    if len(text) > LONGEST:
        return f"A passphrase has at most {LONGEST} characters."
    if len(set(text.casefold())) < _DISTINCT:
        return "This passphrase repeats the same few characters; take unrelated words."
    if len(name) > 3 and name.casefold() in text.casefold():
        return "A passphrase must not contain the name."
    return None


def suggest() -> str:
    """A random passphrase of 98 bits, in groups one can read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


class Passphrases:
    """Hashes and checks passphrases off the event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
        self._one = asyncio.Semaphore(1)
        self._waiting = 0
        self._nobody = ""

    async def hash(self, text: str) -> str:
        """A new hash, with its own salt. Raises `SignInRefused` when too many wait."""
        return await self._alone(lambda: self._hasher.hash(normalise_passphrase(text)))

    async def check(self, stored: str | None, text: str) -> bool:
        """Whether `text` is what was hashed. With None (nobody has the name) it takes as long, and says no."""
        return await self._alone(lambda: self._check(stored, text[: LONGEST + 1]))

    def is_outdated(self, stored: str) -> bool:
        """Whether it was hashed at another cost than today's, and should be hashed again after a sign-in."""
        return self._hasher.check_needs_rehash(stored)

    def _check(self, stored: str | None, text: str) -> bool:
        # Made before anybody is checked: the first unknown name takes no longer than a known one.
        nobody = self._of_nobody()
        try:
            right = self._hasher.verify(stored or nobody, normalise_passphrase(text))
        except (VerificationError, InvalidHashError):
            return False
        return right and stored is not None

    def _of_nobody(self) -> str:
        # Of random bytes: no passphrase matches it.
        self._nobody = self._nobody or self._hasher.hash(secrets.token_hex(32))
        return self._nobody

    async def _alone(self, work: Callable[[], T]) -> T:
        if self._waiting >= _WAITING:
            raise SignInRefused("Too many people are signing in at this moment; try again in a few seconds.")
        self._waiting += 1
        try:
            async with self._one:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
