from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from channels.call import Caller
from channels.livekit.sound import Sound
from channels.livekit.wire import RATE_HZ, RoomWire
from channels.spoken import Spoken
from compliance.errors import ChannelError
from tests.doubles.host import TestHost, tone


@dataclass
class Source:
    """LiveKit's audio source, turned by hand: it plays as time passes and makes wait when it is full."""

    captured: bytearray = field(default_factory=bytearray)
    cleared: int = 0
    stuck: bool = False

    async def capture_frame(self, frame: Any) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        self.captured += frame.data

    def clear_queue(self) -> None:
        self.cleared += 1


def frame(data: bytes, rate_hz: int, channels: int, samples: int) -> SimpleNamespace:
    assert (rate_hz, channels, samples) == (RATE_HZ, 1, len(data) // 2)
    return SimpleNamespace(data=data)


class Room:
    """A call on a wire whose time the test turns."""

    def __init__(self) -> None:
        self.now = 100.0
        self.source = Source()
        self.wire = RoomWire(lambda: self.now, self.close)
        self.wire.source = self.source
        self.host = TestHost()
        self.call = self.host.begin("room", self.wire, Caller())
        self.sound = Sound(SimpleNamespace(AudioFrame=frame), self.call, self.wire, 80, lambda: self.now)

    async def close(self, reason: str) -> None: ...

    async def pass_(self, milliseconds: int) -> None:
        for _ in range(milliseconds // 20):
            await self.sound._beat()
            self.now += 0.02

    async def disclosed(self) -> None:
        pcm = tone(RATE_HZ, milliseconds=200)
        self.call.outlet.disclose(Spoken(0, 0, pcm, last=True))
        await self.pass_(600)
        assert self.host.conversations[0].disclosed_at is not None


async def test_the_lead_is_kept_and_never_passed() -> None:
    room = Room()
    await room.disclosed()
    room.call.outlet.say(Spoken(1, 0, tone(RATE_HZ, milliseconds=3_000), last=True))
    await room.pass_(2_000)
    assert 60 < room.sound.max_lead_ms <= 80
    assert room.wire.playout.dry == 0


async def test_every_byte_of_the_door_is_captured() -> None:
    room = Room()
    await room.disclosed()
    room.call.outlet.say(Spoken(1, 0, tone(RATE_HZ, milliseconds=500), last=True))
    await room.pass_(1_000)
    assert len(room.source.captured) == room.wire.bytes_captured == room.call.outlet.bytes_out
    assert room.call.clock.position == room.wire.playout.sent
    sounding = np.count_nonzero(np.frombuffer(bytes(room.source.captured), np.int16))
    assert sounding == pytest.approx(RATE_HZ * 0.7, rel=0.05)


async def test_an_interruption_takes_back_what_waits() -> None:
    room = Room()
    await room.disclosed()
    room.call.outlet.say(Spoken(1, 0, tone(RATE_HZ, milliseconds=3_000), last=True))
    await room.pass_(500)
    before = room.call.clock.position
    room.call.outlet.drop()
    assert room.source.cleared == 1
    assert 0 < before - room.call.clock.heard <= RATE_HZ * 80 // 1000
    assert room.wire.playout.lead_ms(room.now) == 0


async def test_held_speech_goes_on_from_its_sample() -> None:
    room = Room()
    await room.disclosed()
    room.call.outlet.say(Spoken(1, 0, tone(RATE_HZ, milliseconds=1_000), last=True))
    await room.pass_(400)
    room.call.outlet.hold()
    await room.pass_(400)
    room.call.outlet.resume()
    await room.pass_(1_500)
    assert not room.call.outlet.speaking


async def test_while_it_is_paused_the_clock_stands() -> None:
    room = Room()
    await room.disclosed()
    room.sound.paused = True
    position = room.call.clock.position
    await room.pass_(500)
    assert room.call.clock.position == position
    room.sound.paused = False
    await room.pass_(500)
    assert room.call.clock.position > position


async def test_a_source_that_takes_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room()
    room.source.stuck = True
    monkeypatch.setattr("channels.livekit.sound.CAPTURE_LIMIT_S", 0.01)
    with pytest.raises(ChannelError):
        await room.pass_(20)
