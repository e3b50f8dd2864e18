"""Sockets that do what Twilio never would: each is ended with a code and a reason, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from tests.doubles.twilio import PhoneCall
from tests.soak.twilio_fuzz import soak
from tests.unit.channels.twilio.conftest import House, house

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'


async def opened(served: House) -> PhoneCall:
    """A socket that has said nothing yet."""
    phone = served.phone(posts_status=False)
    await phone.ring()
    await phone.open()
    phone.start_reading()
    return phone


async def ended(phone: PhoneCall, *, within_s: float = 5) -> tuple[int | None, str]:
    await asyncio.wait_for(phone.over.wait(), within_s)
    await phone.hang_up()
    return phone.close_code, phone.close_reason


@pytest.mark.parametrize(
    ("frame", "code", "reason"),
    [
        ("{", 1008, "not JSON"),
        ("[" * 5_000, 1008, "not JSON"),
        (b"\x00\x01", 1003, "text messages"),
        ('{"event":"media"}', 1008, "media is missing"),
        ('{"event":"stop","streamSid":"MZ1"}', 1008, "before the start"),
        ('{"event":"mark","streamSid":"MZ1","mark":{"name":"1"}}', 1008, "before the start"),
        (CONNECTED, 1008, "before the start"),
        ('{"event":"start","streamSid":"MZ1","start":{}}', 1008, "mediaFormat"),
        ('"' + "A" * 65_536, 1009, ""),
        (json.dumps({"event": "media", "media": {"payload": "A" * 10 * 2**20}}), 1009, ""),
    ],
)
async def test_before_the_start(served: House, frame: str | bytes, code: int, reason: str) -> None:
    phone = await opened(served)
    await phone.send(CONNECTED)
    await phone.send(frame)
    closed = await ended(phone)

    assert closed[0] == code
    assert reason in closed[1]
    assert served.host.conversations == []


async def test_media_before_the_start(served: House) -> None:
    phone = await opened(served)
    await phone.send(phone.media_message(b"\xff" * 160))
    assert await ended(phone) == (1008, "Something came before the start message.")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"encoding": "audio/opus", "sampleRate": 8000, "channels": 1}, "audio/x-mulaw"),
        ({"encoding": "audio/x-mulaw", "sampleRate": 16000, "channels": 1}, "8000 Hz"),
    ],
)
async def test_a_wrong_encoding(served: House, changes: dict[str, Any], reason: str) -> None:
    phone = await opened(served)
    message = phone.start_message()
    message["start"]["mediaFormat"] = changes
    await phone.send(message)
    assert reason in (await ended(phone))[1]


async def test_a_socket_that_never_says_who_it_is() -> None:
    async with house(start_timeout_s=0.2) as served:
        phone = await opened(served)
        await phone.send(CONNECTED)
        assert await ended(phone) == (1008, "The start message did not come in time.")


async def test_too_many_sockets_that_wait() -> None:
    async with house(max_waiting_sockets=2) as served:
        waiting = [await opened(served) for _ in range(2)]
        third = await opened(served)
        assert (await ended(third))[0] == 1013
        for phone in waiting:
            await phone.hang_up()


@pytest.mark.parametrize(
    ("frame", "code", "reason"),
    [
        ("{", 1008, "not JSON"),
        (b"\x00", 1003, "text messages"),
        (CONNECTED, 1008, "second time"),
        ('{"event":"stop","streamSid":"MZother"}', 1008, "another stream"),
        (json.dumps({"event": "media", "media": {"payload": "A" * 10 * 2**20}}), 1009, ""),
    ],
)
async def test_in_the_middle_of_a_call(served: House, frame: str | bytes, code: int, reason: str) -> None:
    async with served.phone() as other, served.phone(posts_status=False) as phone:
        await phone.until(lambda: len(served.host.conversations) == 2)
        await phone.send(frame)
        closed = await ended(phone)
        assert closed[0] == code
        assert reason in closed[1]
        await phone.until(lambda: served.host.live == 1)
        assert not other.over.is_set()
        assert served.rest.requests == [], "Twilio goes on to the apology by itself"
    assert {c.reason for c in served.host.conversations} <= {"bad_message", "line_lost", "caller_left"}


async def test_a_second_start(served: House) -> None:
    async with served.phone(posts_status=False) as phone:
        await phone.until(lambda: bool(served.host.conversations))
        await phone.send(phone.start_message())
        assert "second time" in (await ended(phone))[1]


async def test_unknown_events_are_passed_over_but_not_without_end(served: House) -> None:
    async with served.phone(posts_status=False) as phone:
        await phone.until(lambda: bool(served.host.conversations))
        for _ in range(100):
            await phone.send('{"event":"something-new"}')
        await phone.press("7")
        await phone.until(lambda: served.counters["messages_passed_over"] == 100)
        assert not phone.over.is_set()
        await phone.send('{"event":"something-new"}')
        assert (await ended(phone))[0] == 1008


async def test_media_out_of_order_is_not_heard_twice(served: House) -> None:
    async with served.phone() as phone:
        await phone.until(lambda: bool(served.host.conversations))
        await phone.stop_sending()
        inlet = served.conversation.call.inlet
        first, second = phone.media_message(b"\x01" * 160), phone.media_message(b"\x02" * 160)
        seen = inlet.bytes_seen
        for message in (second, first, second):
            await phone.send(message)
        await phone.until(lambda: served.counters["messages_passed_over"] == 2)
        assert inlet.bytes_seen - seen <= 320 * 2


async def test_a_half_open_connection_is_hung_up_on() -> None:
    async with house(silent_peer_s=0.3) as served, served.phone() as phone:
        await phone.until(lambda: bool(served.host.conversations))
        await phone.stop_sending()
        await phone.until(lambda: served.host.live == 0)
        assert served.conversation.reason == "silent_peer"
        await phone.until(lambda: len(served.rest.requests) == 1)


async def test_a_peer_that_does_not_read_is_hung_up_on() -> None:
    async with house(unplayed_s=0.5) as served, served.phone() as phone:
        await phone.until(lambda: bool(served.host.conversations))
        await phone.stop_reading()
        await phone.until(lambda: served.host.live == 0)
        assert served.conversation.reason == "nothing_played"


async def test_a_flood_logs_a_few_lines(served: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="channels"):
        for _ in range(40):
            phone = await opened(served)
            await phone.send("{")
            await ended(phone)

    ours = [record for record in caplog.records if record.name.startswith("channels")]
    assert served.counters["bad_message"] == 40
    assert len(ours) == 20


async def test_fuzzed_messages_disturb_nobody() -> None:
    verdict = await soak(count=300, seed=7)
    assert verdict.complaints == ()
    assert verdict.connections > 10
