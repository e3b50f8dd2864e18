"""Was this request sent by Twilio? Its signature covers the address Twilio called, which a proxy may hide."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_network
from urllib.parse import parse_qsl

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import ClientDisconnect, Request
from twilio.request_validator import RequestValidator

from channels.twilio.settings import TwilioSettings
from compliance.errors import ChannelError

MAX_BODY_BYTES = 65_536
MAX_FIELDS = 300
BODY_TIMEOUT_S = 5.0

Form = ImmutableMultiDict[str, str]


class Unsigned(ChannelError):
    """The request is not one of Twilio's; `status` is the HTTP status to answer with."""

    code = "unsigned"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def public_base(request: Request, settings: TwilioSettings) -> str:
    """The address under which Twilio called this server, without the path."""
    if settings.public_url:
        return settings.public_url
    scheme, host = request.url.scheme, request.url.netloc
    if request.client and _is_trusted(request.client.host, settings.trusted_proxies):
        scheme = _first(request.headers.get("x-forwarded-proto")) or scheme
        host = _first(request.headers.get("x-forwarded-host")) or host
    return f"{scheme}://{host}"


async def signed_form(request: Request, settings: TwilioSettings, auth_token: str) -> Form:
    """The fields of a request that Twilio signed. Raises `Unsigned`."""
    if not auth_token:
        raise Unsigned("Set TWILIO_AUTH_TOKEN in the environment, then start the twin again.", 503)
    form = _parse(await _body(request))
    url = public_base(request, settings) + request.url.path
    if request.url.query:
        url += f"?{request.url.query}"
    signature = request.headers.get("x-twilio-signature", "")
    if not RequestValidator(auth_token).validate(url, form, signature):
        raise Unsigned(
            "Not signed by Twilio for this address: check public_url (or trusted_proxies) and TWILIO_AUTH_TOKEN.",
            403,
        )
    return form


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for part in request.stream():
                body += part
                if len(body) > MAX_BODY_BYTES:
                    raise Unsigned("The request is too large.", 413)
    except TimeoutError:
        raise Unsigned("The request took too long.", 408) from None
    except ClientDisconnect:
        raise Unsigned("The request broke off.", 400) from None
    return bytes(body)


def _parse(body: bytes) -> Form:
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Unsigned("The request is not a form.", 400) from None
    return ImmutableMultiDict(fields)


def _is_trusted(host: str, proxies: tuple[str, ...]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in ip_network(proxy, strict=False) for proxy in proxies)


def _first(header: str | None) -> str:
    """Of a chain of proxies, what the first of them saw."""
    return (header or "").split(",")[0].strip()
