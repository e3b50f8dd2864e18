"""Reaching the owner: a text to their telephone, and a signed POST to an address of theirs."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from compliance.errors import ChannelError, TwinError

LIMIT_S = 2.5
TEXT_CHARS = 300
SIGNATURE = "X-Twin-Signature"
"""`t=<Unix seconds>,v1=<hex of HMAC-SHA256 over "<t>.<body>">`: a copy of it cannot be sent again later."""


class OwnerUnreached(ChannelError):
    """Neither a text nor the web address took the news."""

    code = "owner_unreached"


@dataclass(frozen=True, slots=True)
class News:
    """What the owner is told."""

    reason: str
    """In the caller's words, or the model's."""
    caller: str
    """Name or number; empty is unknown."""
    urgent: bool
    call_id: str

    @property
    def text(self) -> str:
        """As a text message."""
        lead = "Urgent: " if self.urgent else ""
        return f"{lead}{self.caller or 'Somebody'} is calling your twin: {self.reason}"[:TEXT_CHARS]


Send = Callable[[str], Awaitable[None]]
"""Texts the owner. Raises `TwinError`."""


class Bell:
    """Rings for the owner by every way there is; one that works is enough."""

    def __init__(self, *, text: Send | None, url: str, secret: str) -> None:
        """`text` is None where the owner has no number here; an empty `url` is none."""
        self._text = text
        self._url = url
        self._secret = secret

    @property
    def there(self) -> bool:
        """Whether there is any way at all."""
        return self._text is not None or bool(self._url)

    async def ring(self, news: News) -> None:
        """Raises `OwnerUnreached` when no way worked."""
        ways: list[Awaitable[None]] = []
        if self._text is not None:
            ways.append(self._text(news.text))
        if self._url:
            ways.append(self._post(news))
        outcomes = await asyncio.gather(*ways, return_exceptions=True)
        broken = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        for error in broken:
            if not isinstance(error, TwinError):
                raise error
        if len(broken) == len(outcomes):
            raise OwnerUnreached("The owner could not be reached just now.")

    async def _post(self, news: News) -> None:
        body = json.dumps(
            {"reason": news.reason, "caller": news.caller, "urgent": news.urgent, "call": news.call_id}
        ).encode()
        try:
            async with asyncio.timeout(LIMIT_S), httpx.AsyncClient(timeout=LIMIT_S) as client:
                response = await client.post(self._url, content=body, headers=self._headers(body))
        except (TimeoutError, httpx.HTTPError):
            raise OwnerUnreached("The address in [tools] notify_url does not answer.") from None
        if not response.is_success:
            raise OwnerUnreached(f"The address in [tools] notify_url answered HTTP {response.status_code}.")

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self._secret:
            at = str(int(time.time()))
            digest = hmac.new(self._secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
            headers[SIGNATURE] = f"t={at},v1={digest}"
        return headers
