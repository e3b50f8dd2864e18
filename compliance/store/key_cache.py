"""Opened keys in memory: few, and not for long, whether they are used or not."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CACHED_S = 5.0
"""How long another process may go on using a key that was destroyed."""
MOST = 4_096


class KeyCache:
    """Keys by name. Not for several threads at once: `Keys` sees to that."""

    def __init__(self, now: Callable[[], float], *, most: int = MOST) -> None:
        """`now` is any clock in seconds that only moves on. Of more than `most` keys the oldest goes."""
        self._now = now
        self._most = most
        self._kept: OrderedDict[str, tuple[AESGCM, float]] = OrderedDict()

    def __len__(self) -> int:
        self._expire()
        return len(self._kept)

    def get(self, key_id: str) -> AESGCM | None:
        """The key, if it was read within the last `CACHED_S`. Asking for it does not keep it longer."""
        self._expire()
        found = self._kept.get(key_id)
        return found[0] if found else None

    def put(self, key_id: str, cipher: AESGCM) -> None:
        """Keep a key that was read just now."""
        self.drop(key_id)
        self._kept[key_id] = (cipher, self._now())
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def drop(self, key_id: str) -> None:
        """Forget a key, if it is there."""
        self._kept.pop(key_id, None)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()

    def _expire(self) -> None:
        oldest = self._now() - CACHED_S
        while self._kept and next(iter(self._kept.values()))[1] <= oldest:
            self._kept.popitem(last=False)
