"""Twilio Media Streams, as its documentation has it: text in, typed events out, and the messages we send back.

No input or output happens here. What the protocol does not allow raises `BadMessage`; an event name we do not
know is `Unknown`, because Twilio says it may add some.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from channels.twilio.settings import PHONE_RATE_HZ
from compliance.errors import BadMessage

MAX_MEDIA_BYTES = PHONE_RATE_HZ
"""One second of mu-law in one message; Twilio sends 20 ms."""
MAX_NAME_CHARS = 128


@dataclass(frozen=True, slots=True)
class Connected:
    """The socket is up; `start` follows."""


@dataclass(frozen=True, slots=True)
class Start:
    """Which call this is, and what its TwiML gave along."""

    stream_sid: str
    account_sid: str
    call_sid: str
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class Media:
    """Sound of the caller."""

    stream_sid: str
    sequence: int
    mulaw: bytes
    """8 kHz mono, usually 160 bytes."""


@dataclass(frozen=True, slots=True)
class Digit:
    """The caller pressed a key."""

    stream_sid: str
    digit: str


@dataclass(frozen=True, slots=True)
class Mark:
    """All audio we sent before the mark of this name was played, or was thrown away by `clear`."""

    stream_sid: str
    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The stream is over: the caller hung up or the call was moved on."""

    stream_sid: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event this code does not know; to be counted and passed over."""


Event = Connected | Start | Media | Digit | Mark | Stop | Unknown


def parse(text: str) -> Event:
    """One message from Twilio. Raises `BadMessage`, whose text names the field and quotes nothing."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise BadMessage("The message is not JSON.") from None
    if type(message) is not dict:
        raise BadMessage("The message is not a JSON object.")
    event = message.get("event")
    if event == "media":
        return _media(message)
    if type(event) is not str:
        raise BadMessage("The message has no event name.")
    reader = _READERS.get(event)
    return reader(message) if reader else Unknown()


def _media(message: dict[str, Any]) -> Media:
    media = _object(message, "media")
    if media.get("track", "inbound") != "inbound":
        raise BadMessage("Media of another track than inbound was sent.")
    payload = media.get("payload")
    if type(payload) is not str:
        raise BadMessage("media.payload is not text.")
    try:
        mulaw = binascii.a2b_base64(payload, strict_mode=True)
    except ValueError:
        raise BadMessage("media.payload is not base64.") from None
    if len(mulaw) > MAX_MEDIA_BYTES:
        raise BadMessage("media.payload is longer than one second.")
    return Media(_name(message, "streamSid"), _sequence(message), mulaw)


def _start(message: dict[str, Any]) -> Start:
    start = _object(message, "start")
    form = _object(start, "mediaFormat")
    if form.get("encoding") != "audio/x-mulaw":
        raise BadMessage("mediaFormat.encoding is not audio/x-mulaw.")
    if form.get("sampleRate") != PHONE_RATE_HZ or form.get("channels") != 1:
        raise BadMessage("mediaFormat is not 8000 Hz mono.")
    if start.get("tracks") != ["inbound"]:
        raise BadMessage("start.tracks is not inbound: use <Connect><Stream>, not <Start><Stream>.")
    parameters = start.get("customParameters", {})
    if type(parameters) is not dict or any(type(value) is not str for value in parameters.values()):
        raise BadMessage("start.customParameters is not an object of texts.")
    stream_sid = _name(message, "streamSid")
    if start.get("streamSid", stream_sid) != stream_sid:
        raise BadMessage("start.streamSid is not the message's streamSid.")
    return Start(stream_sid, _name(start, "accountSid"), _name(start, "callSid"), parameters)


def _digit(message: dict[str, Any]) -> Digit:
    return Digit(_name(message, "streamSid"), _name(_object(message, "dtmf"), "digit"))


def _mark(message: dict[str, Any]) -> Mark:
    return Mark(_name(message, "streamSid"), _name(_object(message, "mark"), "name"))


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    if type(value) is not dict:
        raise BadMessage(f"{name} is missing or not an object.")
    return value


def _name(parent: dict[str, Any], name: str) -> str:
    value = parent.get(name)
    if type(value) is not str or not 0 < len(value) <= MAX_NAME_CHARS:
        raise BadMessage(f"{name} is missing, not text, or too long.")
    return value


def _sequence(message: dict[str, Any]) -> int:
    """Twilio writes the number as text."""
    value = message.get("sequenceNumber")
    if type(value) is not str or not 0 < len(value) < 16 or not (value.isascii() and value.isdigit()):
        raise BadMessage("sequenceNumber is not a number written as text.")
    return int(value)


def _connected(message: dict[str, Any]) -> Connected:
    return Connected()


def _stop(message: dict[str, Any]) -> Stop:
    return Stop(_name(message, "streamSid"))


_READERS: dict[str, Callable[[dict[str, Any]], Event]] = {
    "connected": _connected,
    "start": _start,
    "mark": _mark,
    "dtmf": _digit,
    "stop": _stop,
}


def close_reason(why: str) -> str:
    """`why` cut to the 123 bytes that a WebSocket's closing message has room for."""
    return why.encode()[:123].decode(errors="ignore")


class Writer:
    """Builds the messages of one stream; the parts that never change are made once."""

    def __init__(self, stream_sid: str) -> None:
        sid = json.dumps(stream_sid)
        self._media = f'{{"event":"media","streamSid":{sid},"media":{{"payload":"'
        self._mark = f'{{"event":"mark","streamSid":{sid},"mark":{{"name":"'
        self.clear = f'{{"event":"clear","streamSid":{sid}}}'
        """Throw away what was sent and not yet played."""

    def media(self, mulaw: bytes) -> str:
        # base64 never needs escaping in JSON, so no encoder has to look at it.
        return f'{self._media}{b64encode(mulaw).decode("ascii")}"}}}}'

    def mark(self, number: int) -> str:
        return f'{self._mark}{number}"}}}}'
