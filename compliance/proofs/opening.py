"""What a commitment in the ledger stands for: what was said, and the salt without which nobody can guess it."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from compliance.errors import VaultError

_SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Opening:
    """A salt and the members that were committed to."""

    salt: bytes
    said: Mapping[str, Any]

    @classmethod
    def make(cls, said: Mapping[str, Any]) -> Self:
        """A new one, with a salt of its own. Raises `VaultError` when it is not JSON."""
        return cls(secrets.token_bytes(_SALT_BYTES), as_stored(said))

    @property
    def commitment(self) -> str:
        """HMAC-SHA256 under the salt, 64 hexadecimal digits: it binds to every member, and tells none."""
        text = json.dumps(self.said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hmac.new(self.salt, text.encode("utf-8"), hashlib.sha256).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """To be sealed."""
        return {"salt": self.salt.hex(), "said": dict(self.said)}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """What `as_json` gave; a value that was not given by it has no salt, and fits no commitment."""
        match value:
            case {"salt": str(salt), "said": dict(said)}:
                try:
                    return cls(bytes.fromhex(salt), said)
                except ValueError:
                    pass
        return cls(b"", {})


def as_stored(said: Mapping[str, Any]) -> dict[str, Any]:
    """A copy, as it is after a turn through storage: what UTF-8 cannot hold is a question mark.

    Raises `VaultError` when it is not JSON.
    """
    try:
        text = json.dumps(dict(said), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise VaultError("The detail of evidence must be JSON.") from error
    copy: dict[str, Any] = json.loads(text.encode("utf-8", "replace"))
    return copy
