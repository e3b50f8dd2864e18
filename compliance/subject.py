"""Whom the vault keeps something about, and how it finds them without a name in the clear."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from pathlib import Path

from compliance.errors import VaultError

SECRET_FILE = "vault.secret"
_SECRET_BYTES = 32
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


class Lookup:
    """Keyed hashes of subjects: equal for equal subjects, and nothing to guess numbers from without the key."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, subject: str) -> str:
        """HMAC-SHA256 of the subject in normal form, as 64 hexadecimal digits."""
        return self._hash(b"subject:" + normalise(subject).encode("utf-8", "replace"))

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
    path = home / SECRET_FILE
    try:
        if create and not path.exists():
            _make_secret(path)
        secret = path.read_bytes()
    except FileNotFoundError:
        raise VaultError(
            f"{path} is missing, and the database needs it to find people; restore it from the backup."
        ) from None
    except OSError as error:
        raise VaultError(f"{path} cannot be used ({error.strerror}); check the folder's owner.") from error
    if len(secret) != _SECRET_BYTES:
        raise VaultError(f"{path} is damaged ({len(secret)} bytes); restore it from the backup.")
    return secret


def _make_secret(path: Path) -> None:
    # Written in full under another name and then linked: of two workers starting at once one wins, and
    # neither ever reads a half-written secret.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            os.write(handle, secrets.token_bytes(_SECRET_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
