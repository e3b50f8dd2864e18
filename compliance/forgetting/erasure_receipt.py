"""The receipt of an erasure: every store and what was found in it, signed, without a name."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from compliance.forgetting.stores import DONE, Outcome

Sign = Callable[[bytes], bytes]
Check = Callable[[bytes, bytes], bool]
"""Whether the second are the signature of the first; see `signing.verify`."""

TYPE = "erasure-receipt"
_BEYOND = (
    "copies that people exported to places outside the twin's home, and what they wrote down",
    "what the terminal or the system's journal shows: it names no person and no word they said",
    "older copies of blocks that a disk keeps by itself: they hold sealed values whose key is destroyed",
)


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What was erased, and the proof."""

    id: str
    subjects: tuple[str, ...]
    """Keyed hashes; none when single calls were erased."""
    request: str | None
    """The number of the request that asked for it."""
    opened_ms: int
    keys_destroyed_ms: int
    finished_ms: int
    calls: int
    held: int
    """How many of the calls were under a hold."""
    deleted: dict[str, int]
    """Rows by table."""
    needles: int
    """How many byte strings were looked for, of how many there were."""
    needles_offered: int
    complete: bool
    """False when there was too much to read what was said before the keys had to go."""
    stores: tuple[Outcome, ...]
    meetings: int = 0
    """Meetings of others from which what was theirs went; the rest of each stays."""
    beyond: tuple[str, ...] = field(default=_BEYOND)
    """What nobody can erase from here."""

    @property
    def done(self) -> bool:
        """True only when every store is clean, or unreadable by a destroyed key."""
        return bool(self.stores) and all(outcome.result in DONE for outcome in self.stores)


def signed(receipt: ErasureReceipt, sign: Sign, key_id: str) -> str:
    """The receipt as JSON with its signature; what was signed is the text in `receipt`, byte by byte."""
    body = {"type": TYPE, "version": 1, **asdict(receipt), "done": receipt.done}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    signature = base64.b64encode(sign(text.encode())).decode()
    return json.dumps({"receipt": text, "signature": signature, "algorithm": "Ed25519", "key": key_id}, indent=2)


def opened(text: str, check: Check) -> dict[str, object] | None:
    """What a signed receipt says; None when it is none, or was changed."""
    try:
        outer = json.loads(text)
        body, signature = outer["receipt"], base64.b64decode(outer["signature"], validate=True)
        if not check(body.encode(), signature):
            return None
        inner = json.loads(body)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None
    return inner if isinstance(inner, dict) and inner.get("type") == TYPE else None
