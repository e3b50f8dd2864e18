"""The one place where personal bytes are closed before they are stored, and opened after they are read.

A sealed value is the version (one byte, 1), a nonce of 12 bytes, and AES-256-GCM's ciphertext with its tag.
Bound into it are the key's name and the place where it is stored (table.column), so that a value moved to
another column or person does not open.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy.exc import SQLAlchemyError

from compliance.errors import VaultError
from compliance.store.connect import describe
from compliance.store.keys import Keys

PLAIN = b"\x00"
"""The version of values that stores made before there was encryption hold; sealed anew when one is opened."""
_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16


def seal(keys: Keys, plain: bytes, *, key_id: str, place: str) -> bytes:
    """Close `plain` under the key `key_id`, made when it is new, for storage at `place`.

    Raises `KeyGone` when the key was destroyed, and what `Keys` raises.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + keys.sealing(key_id).encrypt(nonce, plain, _bound(key_id, place))


def sealed_length(plain_bytes: int) -> int:
    """How long a sealed value is, for what is looked for without opening it."""
    return len(_VERSION) + _NONCE_BYTES + plain_bytes + _TAG_BYTES


def open_sealed(keys: Keys, sealed: bytes, *, key_id: str, place: str) -> bytes:
    """The bytes that `seal` was given.

    Raises `KeyGone` when the key was destroyed, `VaultError` when the value was changed, moved, or sealed by a
    newer version, and what `Keys` raises.
    """
    if sealed[:1] != _VERSION:
        raise VaultError(f"A value in {place} was sealed by another version; update the twin.")
    nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return keys.opening(key_id).decrypt(nonce, text, _bound(key_id, place))
    except (InvalidTag, ValueError) as error:
        raise VaultError(f"A value in {place} was changed from outside, or is damaged.") from error


class Sealer:
    """Seals for one person or call outside the database; from any thread, without waiting for the store.

    Destroying the key ends it within `keys.CACHED_S`. Blocks for a look into the key store now and then.
    """

    def __init__(self, keys: Keys, key_id: str) -> None:
        self._keys = keys
        self.key_id = key_id

    def seal(self, plain: bytes, *, place: str) -> bytes:
        """Close `plain`; the key is made when it is new. Raises `KeyGone` and `VaultError`."""
        try:
            return seal(self._keys, plain, key_id=self.key_id, place=place)
        except SQLAlchemyError as error:
            raise VaultError(f"The key store cannot be used now: {describe(error)}.") from error

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """What `seal` was given. Raises `KeyGone` and `VaultError`."""
        try:
            return open_sealed(self._keys, sealed, key_id=self.key_id, place=place)
        except SQLAlchemyError as error:
            raise VaultError(f"The key store cannot be used now: {describe(error)}.") from error


def to_json(value: Any) -> str:
    """JSON as it is sealed. Unescaped, so that a byte scan for what people said finds it if it leaks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bound(key_id: str, place: str) -> bytes:
    return f"{place}\x00{key_id}".encode()
