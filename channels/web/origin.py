"""Which pages may start a call."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit


def may_call(origin: str | None, host: str, allowed: Collection[str]) -> bool:
    """True when a page of `origin` may call the twin that was asked for as `host`.

    Browsers always send an origin with a call; programs do not, and are let through. A host name counts only
    when it is listed: by pointing a name of his own at this machine (DNS rebinding), the owner of a foreign page
    would otherwise be of the same origin. An address cannot be pointed elsewhere.
    """
    if origin is None:
        return True
    origin = origin.lower()
    if origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc == host.lower() and _fixed(name)


def _fixed(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
