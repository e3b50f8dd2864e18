"""A message for the next page, kept in a signed cookie: nothing to store, nothing for others to forge."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from typing import Literal, cast

from fastapi import Response

from compliance.console.session import Session, sign
from compliance.console.templates import BASE

FLASH_COOKIE = "twin-flash"
_KEPT_S = 60
_LONGEST = 500

Kind = Literal["good", "bad", "warn"]


@dataclass(frozen=True, slots=True)
class Flash:
    """What is shown, and how it is meant."""

    text: str
    kind: Kind


def write_flash(response: Response, session: Session, text: str, kind: Kind) -> None:
    """Show `text` on the next page of this session."""
    body = base64.urlsafe_b64encode(json.dumps([kind, text[:_LONGEST]]).encode()).decode()
    response.set_cookie(
        FLASH_COOKIE,
        f"{body}.{sign(session.secret, 'flash', body)}",
        max_age=_KEPT_S,
        path=BASE,
        httponly=True,
        samesite="strict",
    )


def read_flash(session: Session, cookie: str) -> Flash | None:
    """The message, if it is one that this session was given."""
    body, _, signature = cookie.partition(".")
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), sign(session.secret, "flash", body).encode()):
        return None
    try:
        kind, text = json.loads(base64.urlsafe_b64decode(body))
    except (ValueError, binascii.Error):
        return None
    return Flash(str(text), cast(Kind, kind) if kind in ("good", "bad", "warn") else "warn")
