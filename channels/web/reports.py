"""Sender reports that put sound and picture on one line of time.

A receiver plays two tracks together by their sender reports, which say what wall-clock time (NTP) a timestamp of
the track stands for. aiortc stamps each report with the time at which it happened to send, after drawing and
encoding took their while: that shifts the picture by some milliseconds, another number in every report. Here both
tracks' reports are computed from the outlet's clock instead, so they agree to the sample and never move.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiortc import RTCRtpSender
from aiortc.clock import current_ntp_time
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from channels.web.handover import Handover

OPUS_DELAY_S = 312 / 48_000
"""How much later than its timestamp a sample is in an Opus packet: the encoder looks ahead, and nothing on the way
takes that off again."""
_WRAP = 1 << 32


class Line:
    """Wall-clock time of the outlet's positions, fixed when the first one leaves: NTP as a 32.32 bit number."""

    def __init__(self) -> None:
        self._origin: int | None = None

    def begin(self, ntp: int | None = None) -> None:
        """Position 0 leaves now. Later calls change nothing: a stalled loop delays both tracks alike."""
        if self._origin is None:
            self._origin = current_ntp_time() if ntp is None else ntp

    def ntp(self, ticks: int, ticks_hz: int, late_s: float = 0.0) -> int | None:
        """For a point of a track's clock; `late_s` is how much older what sounds there is. None before `begin`."""
        if self._origin is None:
            return None
        return self._origin + ticks * _WRAP // ticks_hz - round(late_s * _WRAP)


def align(sender: RTCRtpSender, handover: Handover, line: Line, ticks_hz: int, late_s: float = 0.0) -> None:
    """Let the sender's reports say what `line` says. `handover` is that of the sender's track."""
    patched: Any = sender
    original: Callable[[Sequence[AnyRtcpPacket]], Awaitable[None]] = patched._send_rtcp
    reports = _Reports(handover, line, ticks_hz, late_s)

    async def send(packets: Sequence[AnyRtcpPacket]) -> None:
        if all(reports.correct(packet.sender_info) for packet in packets if isinstance(packet, RtcpSrPacket)):
            await original(packets)

    # aiortc has no other place where a report can be seen before it leaves.
    patched._send_rtcp = send


class _Reports:
    """Knows which RTP timestamp a track's tick 0 got: aiortc draws it by lot and keeps it to itself."""

    def __init__(self, handover: Handover, line: Line, ticks_hz: int, late_s: float) -> None:
        self._handover = handover
        self._line = line
        self._ticks_hz = ticks_hz
        self._late_s = late_s
        self._first: int | None = None

    def correct(self, info: Any) -> bool:
        """Put the right time into a report; False when that cannot be known yet and it must not leave."""
        sent = self._handover.sent
        if self._first is None and sent is not None:
            self._first = (info.rtp_timestamp - sent) % _WRAP
        if self._first is None:
            return False
        ntp = self._line.ntp(self._ticks(info.rtp_timestamp), self._ticks_hz, self._late_s)
        if ntp is None:
            return False
        info.ntp_timestamp = ntp
        return True

    def _ticks(self, timestamp: int) -> int:
        """Of an RTP timestamp, which wraps, near the frame that was given last, which does not."""
        last = self._handover.last
        apart = (timestamp - self._first - last) % _WRAP if self._first is not None else 0
        return last + apart - (_WRAP if apart >= _WRAP // 2 else 0)


def listen(sender: RTCRtpSender, *, on_key: Callable[[], None], on_limit: Callable[[float], None]) -> None:
    """Tell when the receiver needs a key frame, and how many kilobits per second it can take."""
    patched: Any = sender
    original: Callable[[AnyRtcpPacket], Awaitable[None]] = patched._handle_rtcp_packet

    async def handle(packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpPsfbPacket):
            if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                on_key()
            elif packet.fmt == RTCP_PSFB_APP:
                _limit(packet, patched._ssrc, on_limit)
        await original(packet)

    # aiortc gives these to its own encoder only, which packets of ours do not pass.
    patched._handle_rtcp_packet = handle


def _limit(packet: RtcpPsfbPacket, ssrc: int, on_limit: Callable[[float], None]) -> None:
    try:
        bits_per_second, ssrcs = unpack_remb_fci(packet.fci)
    except ValueError:
        return  # some other application's message
    if ssrc in ssrcs:
        on_limit(bits_per_second / 1000)
