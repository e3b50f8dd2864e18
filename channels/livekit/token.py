"""What the token to a room says of the twin's own name: read, not verified, which is the server's work."""

from __future__ import annotations

import base64
import json
from typing import Any


def shows(token: str, name: str) -> bool:
    """Whether whoever enters with it is called `name` in the room: the token says so, or lets them say so. True as
    well for what cannot be read: the server knows what it is."""
    claims = _claims(token)
    if claims is None:
        return True
    video = claims.get("video")
    may_rename = isinstance(video, dict) and video.get("canUpdateOwnMetadata") is True
    return may_rename or claims.get("name") == name


def _claims(token: str) -> dict[str, Any] | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    payload = parts[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None
