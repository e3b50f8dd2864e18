"""Whom the vault keeps something about, and how it finds them without a name in the clear."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from pathlib import Path

from compliance.errors import VaultError
from compliance.store.secret import read_secret_file

SECRET_FILE = "vault.secret"
_OF_CALL = "call:"
_LONGEST = 320
_PHONE = re.compile(r"\+[0-9][0-9 ().\-/]{4,}")


def normalise(subject: str) -> str:
    """The one spelling of a phone number (E.164), e-mail address (lower case) or participant identity.

    Raises `VaultError` when there is nothing in it, or it is longer than any of these can be.
    """
    subject = unicodedata.normalize("NFC", subject).strip()
    if not subject or len(subject) > _LONGEST:
        raise VaultError(
            "A subject is a phone number in E.164 (+493012345), an e-mail address or a participant identity."
        )
    if _PHONE.fullmatch(subject):
        return "+" + re.sub(r"[^0-9]", "", subject)
    if "@" in subject and " " not in subject:
        return subject.lower()
    return subject


def of_call(call_id: str) -> str:
    """Whom a call belongs to when nobody knows who called: a name by which it alone can be forgotten."""
    return _OF_CALL + call_id


def is_of_call(subject: str) -> bool:
    """Whether that is such a name, and no person's."""
    return subject.startswith(_OF_CALL)


def of_participant(identity: str) -> str:
    """Under which name a participant of a meeting is kept: the identity, which may not pass for a call's name.

    Raises `VaultError` as `normalise` does.
    """
    name = normalise(identity)
    return f"identity {name}" if is_of_call(name) else name


HIDDEN = _OF_CALL
"""The name of somebody whose own was deleted with age, while proof about them is kept: they can be found by
their keyed hash, and read as nobody known."""


class Lookup:
    """Keyed hashes of subjects: equal for equal subjects, and nothing to guess numbers from without the key."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, subject: str) -> str:
        """HMAC-SHA256 of the subject in normal form, as 64 hexadecimal digits."""
        return self._hash(b"subject:" + normalise(subject).encode("utf-8", "replace"))

    def part(self, call_id: str, subject: str) -> str:
        """The id of somebody's part in a meeting, the same whenever it is asked for."""
        return self._hash(f"part:{call_id}:{self.of(subject)}".encode())[:32]

    @property
    def check(self) -> str:
        """Stored in the database, so that a wrong secret is noticed instead of finding nobody."""
        return self._hash(b"check")

    def _hash(self, data: bytes) -> str:
        return hmac.new(self._secret, data, hashlib.sha256).hexdigest()


def read_secret(home: Path, *, create: bool) -> bytes:
    """The secret in `<home>/vault.secret`; made (mode 0600) when `create` is true and there is none yet.

    Machines that share one database need a copy of the same file. Raises `VaultError` when it is missing
    and may not be made, or is not a secret.
    """
    return read_secret_file(home / SECRET_FILE, create=create, needed="the database needs it to find people")
