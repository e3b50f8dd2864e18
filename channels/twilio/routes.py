"""The phone's three addresses: `POST /twilio/voice`, `WS /twilio/media`, `POST /twilio/status`."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response, WebSocket
from fastapi.responses import PlainTextResponse

from channels.call import Host
from channels.twilio import twiml
from channels.twilio.pace import Metronome
from channels.twilio.refusals import Refusals
from channels.twilio.rest import TwilioRest
from channels.twilio.session import Channel, MediaSession
from channels.twilio.settings import TwilioSecrets, TwilioSettings
from channels.twilio.signature import Form, Unsigned, public_base, signed_form
from channels.twilio.token import StreamToken, derive_key, new_nonce, sign

logger = logging.getLogger(__name__)

ENDED = {
    "completed": "caller_left",
    "busy": "busy",
    "failed": "call_failed",
    "no-answer": "no_answer",
    "canceled": "caller_left",
}
"""Twilio's last words about a call, and what they are called in this house."""

SID = re.compile(r"[A-Za-z0-9]{1,64}")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
WITHHELD = frozenset({"+266696687", "+86282452253", "+8656696", "+2562533", "+7378742883"})
"""Numbers that stand for "anonymous", "unavailable", "unknown", "blocked", "restricted" on a keypad."""


def router(
    host: Host, settings: TwilioSettings, secrets: TwilioSecrets, counters: Counter[str] | None = None
) -> APIRouter:
    """The routes, to be included in the application. `counters` is shown by whoever shows metrics.

    The application must be served with `proxy_headers=False`: behind a proxy this channel decides itself, by
    `trusted_proxies`, which forwarded headers to believe.
    """
    channel = _channel(host, settings, secrets, Counter() if counters is None else counters)
    auth_token = secrets.auth_token.get_secret_value()

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        yield
        await channel.metronome.close()
        await channel.rest.close()

    routes = APIRouter(prefix="/twilio", lifespan=lifespan)

    @routes.post("/voice")
    async def voice(request: Request) -> Response:
        """A call comes in: the answer says where its sound goes, or why nobody can answer."""
        try:
            form = await signed_form(request, settings, auth_token)
        except Unsigned as unsigned:
            return _refused(channel, unsigned)
        return Response(_answer(channel, request, form), media_type="text/xml")

    @routes.post("/status")
    async def status(request: Request) -> Response:
        """A call changed its state at Twilio."""
        try:
            form = await signed_form(request, settings, auth_token)
        except Unsigned as unsigned:
            return _refused(channel, unsigned)
        reason = ENDED.get(form.get("CallStatus", ""))
        if reason:
            channel.host.end(form.get("CallSid", ""), reason)
        return Response(status_code=204)

    @routes.websocket("/media")
    async def media(socket: WebSocket) -> None:
        """The sound of one call, both ways."""
        await MediaSession(channel, socket).run()

    return routes


def _channel(host: Host, settings: TwilioSettings, secrets: TwilioSecrets, counters: Counter[str]) -> Channel:
    return Channel(
        host=host,
        settings=settings,
        token_key=derive_key(secrets.auth_token.get_secret_value()),
        rest=TwilioRest(settings, secrets),
        metronome=Metronome(time.monotonic),
        counters=counters,
        refusals=Refusals(counters, time.monotonic),
        now=time.monotonic,
    )


def _answer(channel: Channel, request: Request, form: Form) -> str:
    """TwiML for the call; whatever goes wrong, the caller hears words and not silence."""
    language = channel.settings.service_language
    try:
        refusal = channel.host.refusal()
        if refusal is not None:
            channel.refusals.add(f"voice_{refusal.code}", "The twin cannot take a call now.")
            return twiml.unavailable(refusal.spoken, language=language)
        return twiml.stream(_media_url(channel, request), _token(channel, form), language=language)
    except Exception as error:  # noqa: BLE001  a 500 would be Twilio's "application error" in the caller's ear
        logger.error("a call could not be answered", extra={"error": type(error).__name__})
        channel.counters["voice_failed"] += 1
        return twiml.unavailable("", language=language)


def _token(channel: Channel, form: Form) -> str:
    call_sid, account_sid = form.get("CallSid", ""), form.get("AccountSid", "")
    if not SID.fullmatch(call_sid) or not SID.fullmatch(account_sid):
        raise ValueError("CallSid or AccountSid is missing")
    caller = form.get("From", "")
    token = StreamToken(
        call_sid=call_sid,
        account_sid=account_sid,
        caller=caller if E164.fullmatch(caller) and caller not in WITHHELD else None,
        expires_at=datetime.now(UTC) + timedelta(seconds=channel.settings.token_lifetime_s),
        nonce=new_nonce(),
        attested=_attested(form.get("StirVerstat", "")),
    )
    return sign(token, channel.token_key)


def _attested(verdict: str) -> bool | None:
    """What STIR/SHAKEN says of the caller's number: full attestation, a failed check, or nothing that helps."""
    if verdict == "TN-Validation-Passed-A":
        return True
    return False if verdict.startswith("TN-Validation-Failed") else None


def _media_url(channel: Channel, request: Request) -> str:
    address = public_base(request, channel.settings) + request.url.path.removesuffix("voice") + "media"
    return "ws" + address.removeprefix("http")


def _refused(channel: Channel, unsigned: Unsigned) -> Response:
    channel.refusals.add("unsigned", unsigned.message)
    return PlainTextResponse(unsigned.message, status_code=unsigned.status)
