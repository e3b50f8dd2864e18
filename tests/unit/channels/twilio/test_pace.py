"""One metronome, many calls."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from channels.twilio.pace import Line, Metronome
from channels.twilio.settings import TwilioSettings
from tests.unit.channels.twilio.virtual import VirtualLine


class Counting:
    def __init__(self, *, fails_at: int = 0) -> None:
        self.beats = 0
        self.errors: list[Exception] = []
        self._fails_at = fails_at
        self._enough = asyncio.Event()

    def beat(self, now: float) -> None:
        self.beats += 1
        if self.beats == self._fails_at:
            raise RuntimeError("the words a person said")
        if self.beats >= 5:
            self._enough.set()

    def broke(self, error: Exception) -> None:
        self.errors.append(error)

    async def five(self) -> None:
        await asyncio.wait_for(self._enough.wait(), 5)


async def test_one_calls_failure_ends_that_call_only() -> None:
    metronome, good, bad = Metronome(time.monotonic), Counting(), Counting(fails_at=2)
    metronome.join(bad)
    metronome.join(good)
    await good.five()
    await metronome.close()

    assert bad.beats == 2
    assert len(bad.errors) == 1
    assert good.errors == []


async def test_it_rests_when_nobody_calls_and_wakes_again() -> None:
    metronome = Metronome(time.monotonic)
    for _ in range(2):
        call = Counting()
        metronome.join(call)
        await call.five()
        metronome.leave(call)
        metronome.leave(call)
        await asyncio.sleep(0.05)
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "twilio-metronome"]


async def test_a_failure_in_the_clockwork_hangs_up_and_logs_no_words(caplog: pytest.LogCaptureFixture) -> None:
    line = VirtualLine()
    with caplog.at_level(logging.ERROR):
        line.line.broke(RuntimeError("the words a person said"))

    assert line.conversation.reason == "line_failed"
    assert "words" not in str([record.__dict__ for record in caplog.records])


async def test_a_peer_that_falls_silent_is_hung_up_on() -> None:
    virtual = VirtualLine()
    line = Line(virtual.call, virtual.wire, TwilioSettings(silent_peer_s=2), lambda: virtual.now)
    virtual.now += 1.9
    line.beat(virtual.now)
    assert virtual.conversation.reason == ""
    virtual.now += 0.2
    line.beat(virtual.now)
    assert virtual.conversation.reason == "silent_peer"


async def test_a_peer_that_plays_nothing_is_hung_up_on() -> None:
    virtual = VirtualLine()
    line = Line(virtual.call, virtual.wire, TwilioSettings(unplayed_s=3), lambda: virtual.now)
    line.beat(virtual.now)
    virtual.now += 3.1
    line.beat(virtual.now)
    assert virtual.conversation.reason == "nothing_played"


async def test_a_socket_that_takes_nothing_fills_a_bounded_queue_and_ends() -> None:
    virtual = VirtualLine()
    for _ in range(300):
        virtual.now += 0.02
        virtual.line.beat(virtual.now)

    assert virtual.conversation.reason == "slow_peer"
    assert virtual.wire.bytes_sent <= 100 * 320
    assert virtual.wire.bytes_sent + virtual.wire.bytes_dropped == virtual.call.outlet.bytes_out
    sent = virtual.wire.bytes_sent
    virtual.wire.clear()
    assert virtual.wire.bytes_forgotten == sent
