"""The browser's offer: read and bounded before any of it reaches the WebRTC stack."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from compliance.errors import BadMessage

MAX_CANDIDATES = 64
"""An answer tries every candidate of the offer by sending packets to it, so their number is an amplifier."""
_MEDIA = re.compile(r"^m=(\w+) ", re.MULTILINE)
_VP8 = re.compile(r"^a=rtpmap:\d+ VP8/90000\s*$", re.MULTILINE | re.IGNORECASE)
_CANDIDATE = re.compile(r"^a=candidate:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Offer:
    """An SDP offer of one audio line, at most one video line, and a data channel."""

    sdp: str
    video: bool = False
    """Whether it wants to see the twin."""


def read_offer(body: bytes) -> Offer:
    """Parse `{"sdp": ..., "type": "offer"}`. Raises `BadMessage` that says what is wrong."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise BadMessage('The offer must be JSON: {"sdp": "...", "type": "offer"}.') from None
    if not isinstance(message, dict) or message.get("type") != "offer" or not isinstance(message.get("sdp"), str):
        raise BadMessage('The offer must be JSON: {"sdp": "...", "type": "offer"}.')
    sdp: str = message["sdp"]
    media = [kind.lower() for kind in _MEDIA.findall(sdp)]
    video = "video" in media
    lines = ["application", "audio", "video"] if video else ["application", "audio"]
    if not sdp.startswith("v=0") or sorted(media) != lines or media[0] != "audio":
        raise BadMessage(
            "The offer's SDP must hold one audio line and then a data channel, and at most one video line."
        )
    if video and not _VP8.search(sdp):
        raise BadMessage("The offer's video line must take VP8.")
    if len(_CANDIDATE.findall(sdp)) > MAX_CANDIDATES:
        raise BadMessage(f"The offer's SDP holds more than {MAX_CANDIDATES} candidates.")
    return Offer(sdp, video)
