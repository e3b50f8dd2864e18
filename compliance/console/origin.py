"""Whether a request comes from our own pages, at an address that is ours."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from fastapi import Request

from compliance.settings import ConsoleSettings


class Origins:
    """What `[console] public_url` says about names, schemes and proxies."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._public = settings.public_url.lower()
        self._public_host = urlsplit(self._public).netloc
        self.is_https = self._public.startswith("https://")
        """Cookies are for https only, and browsers are told to stay there."""

    def is_our_host(self, host: str) -> bool:
        """Whether the console may be asked for under this name: the public one, or this machine's own.

        By pointing a name of his own at this machine (DNS rebinding) the owner of a foreign page would otherwise
        be of the same origin as we are. And whoever uses it over a network, where a passphrase can be overheard,
        has to have said so by setting the public address.
        """
        host = host.lower()
        if self._public_host and host == self._public_host:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name == "localhost" or _is_loopback(name)

    def is_ours(self, request: Request) -> bool:
        """Whether one of our own pages posted this. The browser says so; a page cannot make it say otherwise."""
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        origin = request.headers.get("origin")
        if origin is None:
            # No browser: a program, which needs the CSRF token all the same.
            return True
        host = request.headers.get("host", "").lower()
        # Behind a proxy that speaks https we are asked in http.
        return origin.lower() in (self._public, f"http://{host}", f"https://{host}")

    def address(self, request: Request) -> str:
        """Who asks. Behind a proxy on this machine it is what that proxy, and nobody before it, wrote."""
        peer = request.client.host if request.client else ""
        if self._public and _is_loopback(peer):
            told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
            return told or peer
        return peer


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
