"""Who is signed in: the value that every page is handed, and what hangs on its secret."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["owner", "reviewer"]
ROLES: tuple[Role, ...] = ("owner", "reviewer")


@dataclass(frozen=True, slots=True)
class Session:
    """One browser in which an operator signed in, as it was found for this request."""

    id: str
    """The hash of its token, as stored."""
    operator_id: str
    name: str
    role: Role
    created_ms: int
    expires_ms: int
    """When it ends even if it is used."""
    secret: bytes = field(repr=False)
    """Known to us only while the browser shows us its cookie: nothing stored leads to it."""

    @property
    def is_owner(self) -> bool:
        """An owner may decide, unmask, erase and change; a reviewer may only read what is redacted."""
        return self.role == "owner"

    @property
    def csrf(self) -> str:
        """What every POST has to bring along, as the field `csrf` or the header `X-CSRF-Token`."""
        return self._sign("csrf")

    def is_csrf(self, given: str) -> bool:
        """Compared in constant time."""
        return _equal(given, self.csrf)

    def ticket(self, purpose: str, about: str, *, until_ms: int) -> str:
        """A permission for this session alone, for a link: `purpose` (a word) on `about` (an id) until then."""
        return f"{until_ms}.{self._sign('ticket', purpose, about, str(until_ms))}"

    def is_ticket(self, given: str, purpose: str, about: str, *, now_ms: int) -> bool:
        """Whether `given` is a ticket of this session for exactly that, and still good."""
        until, _, signature = given.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < 16):
            return False
        return _equal(signature, self._sign("ticket", purpose, about, until)) and now_ms < int(until)

    def _sign(self, *parts: str) -> str:
        return sign(self.secret, *parts)


def sign(secret: bytes, *parts: str) -> str:
    """HMAC-SHA256 of the parts, each with its length, so that no two lists of parts sign alike."""
    data = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts))
    return hmac.new(secret, data, hashlib.sha256).hexdigest()


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
