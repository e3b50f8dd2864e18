"""Sender reports that say the same of both tracks."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    pack_remb_fci,
)

from channels.web.handover import Handover
from channels.web.reports import Line, align, listen

WRAP = 1 << 32
BEGIN = 3_900_000_000 * WRAP


class Sender:
    """What of aiortc's sender is patched."""

    def __init__(self, ssrc: int = 7) -> None:
        self.sent: list[Any] = []
        self.handled: list[Any] = []
        self._ssrc = ssrc

    async def _send_rtcp(self, packets: list[Any]) -> None:
        self.sent += packets

    async def _handle_rtcp_packet(self, packet: Any) -> None:
        self.handled.append(packet)


def report(timestamp: int) -> RtcpSrPacket:
    return RtcpSrPacket(ssrc=7, sender_info=RtcpSenderInfo(123, timestamp % WRAP, 1, 1))


class Track:
    """A track that was given frames, and whose RTP timestamps begin at `first`."""

    def __init__(self, line: Line, hz: int, first: int, late_s: float = 0.0) -> None:
        self.sender = Sender()
        self.handover = Handover()
        self._first = first
        align(self.sender, self.handover, line, hz, late_s)  # type: ignore[arg-type]

    def sends(self, ticks: int) -> None:
        self.handover.asked()
        self.handover.gives(ticks)
        self.handover.asked()

    def ntp(self, ticks: int) -> int | None:
        """What a report says that is made when the frame of `ticks` was sent last."""
        before = len(self.sender.sent)
        asyncio.run(self.sender._send_rtcp([report(self._first + ticks)]))
        sent = self.sender.sent[before:]
        return sent[0].sender_info.ntp_timestamp if sent else None


def test_sound_and_picture_lie_on_one_line() -> None:
    line = Line()
    line.begin(BEGIN)
    sound, picture = Track(line, 48_000, 1_000), Track(line, 90_000, 4_000_000_000)
    sound.sends(48_000)
    picture.sends(90_000)

    assert sound.ntp(48_000) == picture.ntp(90_000) == BEGIN + WRAP


def test_it_says_how_much_older_is_what_sounds() -> None:
    line = Line()
    line.begin(BEGIN)
    sound = Track(line, 48_000, 5, late_s=0.0065)
    sound.sends(0)

    assert sound.ntp(0) == BEGIN - round(0.0065 * WRAP)


def test_a_stalled_loop_moves_nothing() -> None:
    line = Line()
    line.begin(BEGIN)
    line.begin(BEGIN + 99 * WRAP)
    assert line.ntp(0, 48_000) == BEGIN


def test_a_report_that_cannot_be_right_yet_does_not_leave() -> None:
    line = Line()
    track = Track(line, 48_000, 77)
    assert track.ntp(0) is None, "nothing was sent"
    track.sends(0)
    assert track.ntp(0) is None, "the line has no beginning"
    line.begin(BEGIN)
    assert track.ntp(0) == BEGIN


def test_a_report_made_while_a_frame_is_on_its_way_is_right_as_well() -> None:
    line = Line()
    line.begin(BEGIN)
    track = Track(line, 90_000, WRAP - 100)
    track.sends(0)
    assert track.ntp(0) == BEGIN
    track.handover.gives(90_000)
    assert track.ntp(0) == BEGIN, "the packets before it count still"
    assert track.ntp(90_000) == BEGIN + WRAP


def test_timestamps_that_wrap_in_a_long_call_change_nothing() -> None:
    line = Line()
    line.begin(BEGIN)
    track = Track(line, 90_000, 12_345)
    track.sends(0)
    track.ntp(0)
    day = 24 * 3_600
    track.sends(day * 90_000)

    assert track.ntp(day * 90_000) == BEGIN + day * WRAP


def test_what_is_no_report_passes() -> None:
    track = Track(Line(), 48_000, 0)
    bye = RtcpByePacket(sources=[7])
    asyncio.run(track.sender._send_rtcp([bye]))
    assert track.sender.sent == [bye]


def test_the_receivers_wishes_are_told_and_passed_on() -> None:
    sender = Sender(ssrc=7)
    keys: list[bool] = []
    limits: list[float] = []
    listen(sender, on_key=lambda: keys.append(True), on_limit=limits.append)  # type: ignore[arg-type]
    packets = [
        RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=7),
        RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=pack_remb_fci(640_000, [7])),
        RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=pack_remb_fci(1, [8])),
        RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=b"junk"),
        SimpleNamespace(),
    ]
    for packet in packets:
        asyncio.run(sender._handle_rtcp_packet(packet))

    assert keys == [True]
    assert limits == [pytest.approx(640, rel=0.01)]
    assert sender.handled == packets
