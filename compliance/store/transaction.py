"""What a piece of work on the store is handed: the connection, the keys, and the time, on the writer's thread."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from compliance.store.keys import Keys
from compliance.store.seal import open_sealed, seal, to_json
from compliance.store.subject import Lookup


@dataclass(frozen=True, slots=True)
class Transaction:
    """Valid only while the function that was handed it runs; all of it is committed together or not at all.

    Keys are not: one that was made stays when the rest is rolled back, and is used the next time.
    """

    connection: Connection
    keys: Keys
    lookup: Lookup
    now_ms: int

    def seal(self, plain: bytes, *, key_id: str, place: str) -> bytes:
        """Close `plain` under the key `key_id`, made when it is new, for storage at `place` (table.column).

        Raises `KeyGone` when the key was destroyed.
        """
        return seal(self.keys, plain, key_id=key_id, place=place)

    def open(self, sealed: bytes, *, key_id: str, place: str) -> bytes:
        """What `seal` was given. Raises `KeyGone` when the key was destroyed."""
        return open_sealed(self.keys, sealed, key_id=key_id, place=place)

    def seal_text(self, text: str, *, key_id: str, place: str) -> bytes:
        """Seal a text as UTF-8; what UTF-8 cannot hold (a lone surrogate) is stored as a question mark."""
        return self.seal(text.encode("utf-8", "replace"), key_id=key_id, place=place)

    def open_text(self, sealed: bytes, *, key_id: str, place: str) -> str:
        """The text that `seal_text` was given."""
        return self.open(sealed, key_id=key_id, place=place).decode("utf-8")

    def seal_json(self, value: Any, *, key_id: str, place: str) -> bytes:
        """Seal a value of JSON."""
        return self.seal_text(to_json(value), key_id=key_id, place=place)

    def open_json(self, sealed: bytes, *, key_id: str, place: str) -> Any:
        """The value that `seal_json` was given."""
        return json.loads(self.open(sealed, key_id=key_id, place=place))

    def make_keys(self, key_ids: Sequence[str]) -> None:
        """Make several keys in one commit of the key store, when several are about to be needed."""
        self.keys.make(key_ids)
