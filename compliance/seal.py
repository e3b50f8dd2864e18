"""The one place where personal bytes are closed before they are stored, and opened after they are read.

Today `seal` is the identity behind a version byte: the content is NOT encrypted. Encryption under a key per
person and call replaces the inside of these two functions with version 1; every caller already says whose
key it is (`key_id`: a call's or a subject's id) and where the bytes live (`place`: table.column, to be bound
as associated data, so that a sealed value moved to another row or column does not open).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from compliance.errors import VaultError

_IDENTITY = b"\x00"


def seal(plain: bytes, *, key_id: str, place: str) -> bytes:
    """Close `plain` under the key `key_id`, for storage at `place`."""
    return _IDENTITY + plain


def open_sealed(sealed: bytes, *, key_id: str, place: str) -> bytes:
    """The bytes that `seal` was given. Raises `VaultError` when they were sealed by a newer version."""
    if sealed[:1] != _IDENTITY:
        raise VaultError(f"A value in {place} was sealed by a newer version; update the twin.")
    return bytes(sealed[1:])


def seal_text(text: str, *, key_id: str, place: str) -> bytes:
    """Seal a text as UTF-8; what UTF-8 cannot hold (a lone surrogate) is stored as a question mark."""
    return seal(text.encode("utf-8", "replace"), key_id=key_id, place=place)


def open_text(sealed: bytes, *, key_id: str, place: str) -> str:
    """The text that `seal_text` was given."""
    return open_sealed(sealed, key_id=key_id, place=place).decode("utf-8")


def to_json(value: Mapping[str, Any] | list[Any]) -> str:
    """JSON as it is sealed. Unescaped, so that the byte scan after an erasure finds what people said."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
