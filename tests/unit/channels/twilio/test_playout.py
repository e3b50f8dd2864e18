"""What was really played, with real marks of a modelled far end in virtual time."""

from __future__ import annotations

import pytest

from channels.twilio import mulaw
from channels.twilio.playout import Playout
from tests.unit.channels.twilio.virtual import VirtualLine, unmistakable

FADE = 80
"""Samples of the outlet's 10 ms fade."""


@pytest.mark.parametrize("delay_ms", [0, 7, 40, 120])
async def test_a_hold_cuts_where_the_far_end_cuts_and_resumes_from_the_very_sample(delay_ms: int) -> None:
    async with VirtualLine(delay_ms=delay_ms).connected() as line:
        speech = unmistakable(2_000)
        line.say(speech)
        await line.run(1_037)
        believed = await line.hold()
        await line.run(400)
        held = bytes(line.far_end.played)
        assert not held[-800:].strip(b"\xff")
        line.call.outlet.resume()
        await line.run(3_000)

    codes = mulaw.encode(speech)
    played = bytes(line.far_end.played)
    begin = played.index(codes[:FADE])
    cut = line.cut_truth
    assert cut == believed
    assert line.far_end.cleared > 0
    said = cut - begin
    assert played[begin : begin + said] == codes[:said]
    after_cut = played[begin + said :]
    assert codes[said : said + FADE] not in after_cut[: FADE * 2], "nothing unfaded sounds after the cut"
    resumed = after_cut.index(codes[said + FADE : said + 2 * FADE])
    assert after_cut[resumed:].startswith(codes[said + FADE :]), "all the rest, without a sample missing or twice"
    assert after_cut[: resumed - FADE].count(codes[said - FADE : said]) == 0, "nothing heard is said again"


@pytest.mark.parametrize("delay_ms", [0, 30, 150])
async def test_what_counts_as_heard_was_played(delay_ms: int) -> None:
    async with VirtualLine(delay_ms=delay_ms).connected() as line:
        line.say(unmistakable(3_000))
        predicted = 0
        for step in range(400):
            await line.run(10)
            assert line.heard <= max(line.far_end.position, predicted)
            if step == 120:
                predicted = await line.hold()
            if step == 170:
                line.call.outlet.resume()
        assert predicted == line.cut_truth
        behind_ms = (line.far_end.position - line.heard) / 8
        assert behind_ms <= 2 * delay_ms + 25, "and it lags by no more than the round trip"


async def test_the_disclosure_counts_only_when_its_end_came_back() -> None:
    line = VirtualLine(delay_ms=50, disclosure_ms=500)
    async with line.connected():
        assert line.conversation.disclosed_at == 4_000
        assert line.far_end.position >= 4_000


async def test_marks_returned_by_a_clear_prove_nothing() -> None:
    playout = Playout(8_000)
    playout.send(160, 10.0)
    mark = playout.mark(10.0)
    assert playout.clear(10.005) == 40

    assert not playout.returned(str(mark), 10.006)
    assert playout.heard(11.0) == 40
    assert playout.marks_void == 1


@pytest.mark.parametrize("name", ["", "0", "2", "-1", "9" * 100, "x", "1.0", "\u0661"])
def test_a_mark_that_was_never_sent_proves_nothing(name: str) -> None:
    playout = Playout(8_000)
    playout.send(160, 0.0)
    playout.mark(0.0)

    assert not playout.returned(name, 1.0)
    assert playout.heard(1.0) == 0


def test_a_mark_proves_something_once() -> None:
    playout = Playout(8_000)
    playout.send(160, 0.0)
    name = str(playout.mark(0.0))

    assert playout.returned(name, 0.03)
    assert not playout.returned(name, 0.04)


def test_time_carries_the_position_up_to_the_next_mark_and_no_further() -> None:
    playout = Playout(8_000)
    playout.send(160, 0.0)
    first = playout.mark(0.0)
    playout.send(320, 0.0)
    playout.mark(0.0)
    playout.send(160, 0.0)
    playout.returned(str(first), 0.02)

    assert playout.heard(0.03) == 160 + 80
    assert playout.heard(5.0) == 160 + 320


def test_what_never_reached_the_socket_was_not_played() -> None:
    playout = Playout(8_000)
    for _ in range(10):
        playout.send(160, 0.0)

    assert playout.clear(0.1, unsent=1_440) == 160


@pytest.mark.parametrize("far_speed", [0.999, 1.001])
async def test_a_clock_that_runs_differently_at_twilio_is_absorbed_in_silence(far_speed: float) -> None:
    line = VirtualLine(delay_ms=20, far_speed=far_speed)
    async with line.connected():
        for minute in range(3):
            await line.run(57_000)
            gaps = len(line.far_end.gaps)
            line.say(unmistakable(2_000, seed=minute), utterance=minute + 1)
            await line.run(2_000)
            assert len(line.far_end.gaps) <= gaps + 1, "speech never waits, once it has begun"
            await line.run(1_000)
        assert not line.wire.playout.astray
    assert line.far_end.max_buffered / 8 <= 130
    assert line.line.max_lead_ms <= 100


async def test_a_stall_of_ours_is_not_made_up_for_by_a_burst() -> None:
    async with VirtualLine().connected() as line:
        line.say(unmistakable(1_000))
        await line.run(200)
        line.beating = False
        await line.run(500)
        line.beating = True
        before = line.far_end.received
        await line.run(21)

        assert (line.far_end.received - before) / 8 <= 100
        assert line.line.max_lead_ms <= 80


async def test_a_mark_that_gets_lost_stops_nothing() -> None:
    async with VirtualLine(delay_ms=10).connected() as line:
        line.say(unmistakable(5_000))
        await line.run(2_500)
        line.delay_s = 0.160
        await line.run(2_200)
        assert line.wire.playout.astray
        line.lose_marks = 1_000
        await line.run(3_500)
        line.lose_marks = 0
        line.say(unmistakable(500, seed=2), utterance=2)
        await line.run(1_500)

        assert line.conversation.reason == ""
        assert mulaw.encode(unmistakable(500, seed=2)) in bytes(line.far_end.played)
        assert not line.call.outlet.speaking, "and it is known to have been heard"


def test_a_lost_mark_is_not_waited_for_for_ever() -> None:
    playout = Playout(8_000)
    playout.send(160, 0.0)
    playout.mark(0.0)

    assert not playout.dry(1.0)
    assert playout.dry(2.1)


async def test_a_network_stall_is_noticed_by_the_marks() -> None:
    async with VirtualLine(delay_ms=10).connected() as line:
        line.say(unmistakable(6_000))
        await line.run(2_500)
        line.delay_s = 0.160
        await line.run(200)
        line.delay_s = 0.010
        await line.run(2_500)

        assert line.wire.playout.lag_ms > 50
        assert line.wire.playout.cut(line.now) <= line.far_end.position + 160
