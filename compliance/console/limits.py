"""How often somebody may try: buckets that fill with time, in a fixed number of slots.

A name or an address falls into a slot by a keyed hash. The memory is fixed, and nobody can push out the record of
their failures by trying many other names: two that share a slot are only limited sooner, and which do is secret.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Callable

_SLOTS = 4_096


class Limiter:
    """Lets through `burst` tries at once and one more every `every_s` seconds, for each key."""

    def __init__(self, *, burst: int, every_s: float, clock: Callable[[], float], slots: int = _SLOTS) -> None:
        """`clock` is any time in seconds that does not go back."""
        self._burst = float(burst)
        self._every_s = every_s
        self._clock = clock
        self._secret = secrets.token_bytes(16)
        self._left = [self._burst] * slots
        self._since = [clock()] * slots

    def take(self, key: str) -> float:
        """Take one try. Returns 0 when it was there, else in how many seconds one will be."""
        slot, now = self._slot(key), self._clock()
        gained = max(0.0, now - self._since[slot]) / self._every_s
        self._left[slot] = min(self._burst, self._left[slot] + gained)
        self._since[slot] = now
        if self._left[slot] < 1:
            return (1 - self._left[slot]) * self._every_s
        self._left[slot] -= 1
        return 0.0

    def give_back(self, key: str) -> None:
        """The try was a good one, and does not count."""
        slot = self._slot(key)
        self._left[slot] = min(self._burst, self._left[slot] + 1)

    def _slot(self, key: str) -> int:
        digest = hmac.new(self._secret, key.encode("utf-8", "replace"), hashlib.sha256).digest()
        return int.from_bytes(digest[:8], "big") % len(self._left)


def address_key(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of IPv6 that one customer is given whole."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
    return str(ip)
