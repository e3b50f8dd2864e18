"""Messages as Twilio sends them, and as it never would."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from channels.twilio.protocol import (
    Connected,
    Digit,
    Mark,
    Media,
    Start,
    Stop,
    Unknown,
    Writer,
    close_reason,
    parse,
)
from compliance.errors import BadMessage

MESSAGES = Path(__file__).parent / "messages"
CALL = (MESSAGES / "call.jsonl").read_text("utf-8").splitlines()
BROKEN = [line.split("\t", 1) for line in (MESSAGES / "broken.txt").read_text("utf-8").splitlines()]
STREAM = "MZ18ad3ab5a668481ce02b83e7395059f0"


def test_a_call_as_twilio_sends_it() -> None:
    connected, start, media, digit, mark, unknown, stop = map(parse, CALL)

    assert connected == Connected()
    assert start == Start(
        STREAM,
        "AC5ad2e1b1c8f94e5fa3a3e0ad6c7d1e02",
        "CA0d6b8c7c3f5e4a0f9c1f2b7d8e9a0b1c",
        {"token": "abc.def", "Name": "café"},
    )
    assert isinstance(media, Media)
    assert (media.stream_sid, media.sequence, len(media.mulaw)) == (STREAM, 2, 160)
    assert digit == Digit(STREAM, "#")
    assert mark == Mark(STREAM, "17")
    assert unknown == Unknown()
    assert stop == Stop(STREAM)


@pytest.mark.parametrize(("complaint", "message"), BROKEN)
def test_what_the_protocol_does_not_allow_is_named_and_not_quoted(complaint: str, message: str) -> None:
    with pytest.raises(BadMessage) as caught:
        parse(message)

    assert complaint in caught.value.message
    assert len(caught.value.message.encode()) <= 123, "it must fit into a WebSocket's close reason"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("message", CALL)
def test_any_truncation_is_refused_and_nothing_else_happens(message: str) -> None:
    for length in range(len(message)):
        with pytest.raises(BadMessage):
            parse(message[:length])


def test_what_we_send_is_what_twilio_documents() -> None:
    writer = Writer('MZ"quoted"')

    assert json.loads(writer.media(bytes(range(160)))) == {
        "event": "media",
        "streamSid": 'MZ"quoted"',
        "media": {"payload": base64.b64encode(bytes(range(160))).decode()},
    }
    assert json.loads(writer.mark(7)) == {"event": "mark", "streamSid": 'MZ"quoted"', "mark": {"name": "7"}}
    assert json.loads(writer.clear) == {"event": "clear", "streamSid": 'MZ"quoted"'}


def test_a_reason_fits_into_a_closing_message() -> None:
    assert close_reason("line_lost") == "line_lost"
    assert close_reason("é" * 100) == "é" * 61
