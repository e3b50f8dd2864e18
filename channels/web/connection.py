"""Pipecat's WebRTC connection with the directions that our law wants: sound both ways, picture only out."""

from __future__ import annotations

from aiortc import RTCPeerConnection, RTCRtpTransceiver
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection

VIDEO_CODEC = "vp8"
"""Every browser has it, and it is what our packets are."""


class WebConnection(SmallWebRTCConnection):
    """A peer connection that takes no picture of the person and sends its own as VP8."""

    def force_transceivers_to_send_recv(self) -> None:
        """Pipecat calls this between the offer and the answer; its own takes pictures as well."""
        pc: RTCPeerConnection = self.pc
        for transceiver in pc.getTransceivers():
            if transceiver.kind == "audio":
                transceiver.direction = "sendrecv"
            else:
                transceiver.direction = "sendonly"
                # The offer was read by then, which is where preferences would have counted.
                transceiver._codecs = _vp8(transceiver._codecs)

    def line(self, kind: str) -> RTCRtpTransceiver | None:
        """The audio or video line, or None when the offer had none."""
        return next((each for each in self.pc.getTransceivers() if each.kind == kind), None)


def _vp8(codecs: list[RTCRtpCodecParameters]) -> list[RTCRtpCodecParameters]:
    """VP8, and the retransmissions that belong to it."""
    first = next(codec for codec in codecs if codec.name.lower() == VIDEO_CODEC)
    return [first, *(codec for codec in codecs if codec.parameters.get("apt") == first.payloadType)]
