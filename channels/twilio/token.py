"""The stream token: what `/twilio/voice` learnt of a call, signed, for the media socket to believe.

Twilio's media socket carries no caller and no proof of its own, so the webhook hands both on in a TwiML
`<Parameter>`: base64url of a JSON object, a dot, base64url of its HMAC-SHA256. The signature covers the call,
the time and a nonce; spending the nonce once, over all processes, is the host's part.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

from compliance.errors import TokenRefused

MAX_CHARS = 480
"""Twilio allows 500 for a parameter's name and value together."""


@dataclass(frozen=True, slots=True)
class StreamToken:
    """One call's leave to open one media socket."""

    call_sid: str
    account_sid: str
    caller: str | None
    """E.164, or None when the caller withheld it. Never part of a URL, because URLs are logged everywhere."""
    expires_at: datetime
    nonce: str
    attested: bool | None = None
    """Whether the network vouches for the caller's number; None is not known."""


def derive_key(auth_token: str) -> bytes:
    """A key for our tokens that is the same in every worker process and is not the auth token itself."""
    return hmac.digest(auth_token.encode(), b"ai-twin stream token", hashlib.sha256)


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


def sign(token: StreamToken, key: bytes) -> str:
    """The token as text of at most `MAX_CHARS`. Raises `TokenRefused` when the call's names do not fit."""
    fields = [token.call_sid, token.account_sid, token.caller, int(token.expires_at.timestamp()), token.nonce]
    fields.append(token.attested)
    body = urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).rstrip(b"=")
    text = (body + b"." + _mac(body, key)).decode()
    if len(text) > MAX_CHARS:
        raise TokenRefused("The call's identifiers are too long for a stream token.")
    return text


def verify(text: str, key: bytes, *, call_sid: str, account_sid: str, now: datetime) -> StreamToken:
    """The token that `sign` made of this call. Raises `TokenRefused`: forged, of another call, or old."""
    body, _, mac = text.encode("ascii", "replace").partition(b".")
    if len(text) > MAX_CHARS or not hmac.compare_digest(mac, _mac(body, key)):
        raise TokenRefused("The stream token is not one of ours.")
    # Only what we signed ourselves is parsed, so its shape can be relied on.
    fields = json.loads(urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    expires_at = datetime.fromtimestamp(fields[3], UTC)
    token = StreamToken(fields[0], fields[1], fields[2], expires_at, fields[4], fields[5])
    if (token.call_sid, token.account_sid) != (call_sid, account_sid):
        raise TokenRefused("The stream token belongs to another call.")
    if now >= expires_at:
        raise TokenRefused("The stream token is too old.")
    return token


def _mac(body: bytes, key: bytes) -> bytes:
    return urlsafe_b64encode(hmac.digest(key, body, hashlib.sha256)).rstrip(b"=")
