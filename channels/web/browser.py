"""One browser call, from the answer to its offer until nothing of it is left."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiortc import MediaStreamTrack, RTCDataChannel, RTCIceServer, RTCPeerConnection

from channels.call import Call, Caller, Host, Refusal
from channels.web import messages
from channels.web.allowance import Allowance
from channels.web.connection import WebConnection
from channels.web.face_track import FaceTrack
from channels.web.microphone import Microphone
from channels.web.offer import Offer
from channels.web.reports import OPUS_DELAY_S, Line, align, listen
from channels.web.settings import WebSettings
from channels.web.track import RATE_HZ, OutletTrack, TrackWire
from channels.web.vp8 import TICKS_HZ
from compliance.errors import BadMessage, CallRefused

logger = logging.getLogger(__name__)

LINGER_S = 0.25
"""What left last still has to cross the network and the ear's jitter buffer before the line may be cut."""
CLOSE_LIMIT_S = 4.0
MAX_UNSENT_BYTES = 262_144
"""Captions for a browser that does not read them are dropped beyond this."""
MESSAGES_PER_SECOND = 10.0
MESSAGE_BURST = 30.0


class BrowserCall:
    """Owns the peer connection, the tracks, and the tasks of one caller."""

    def __init__(self, host: Host, settings: WebSettings, number: int) -> None:
        self.track = OutletTrack()
        self.face: FaceTrack | None = None
        """None when the page did not ask to see the twin."""
        self.junk = 0
        """Messages of the page that were not ours or too many."""
        self.unsent = 0
        """Messages for the page that found no open channel or too full a one."""
        self._host = host
        self._settings = settings
        self._name = f"web-call-{number}"
        # Pipecat's methods are untyped; `Any` says so once instead of at every call.
        self._connection: Any = WebConnection(_ice_servers(settings))
        self._pc: RTCPeerConnection = self._connection.pc
        self._wire = TrackWire(self.hang_up)
        self._channel: RTCDataChannel | None = None
        self._allowance = Allowance(per_second=MESSAGES_PER_SECOND, burst=MESSAGE_BURST)
        self._call: Call | None = None
        self._ready = asyncio.Event()
        self._gone = asyncio.Event()
        self._last_sign = asyncio.get_running_loop().time()
        self._closing: asyncio.Task[None] | None = None
        self._pc.on("datachannel", self._on_channel)
        self._pc.on("connectionstatechange", self._on_state)
        self.track.on("ended", self._on_track_ended)

    @property
    def connecting(self) -> bool:
        """True until the conversation begins."""
        return self._call is None

    async def answer(self, offer: Offer) -> dict[str, str]:
        """The answer to the offer, with every candidate in it. Raises `BadMessage` for an SDP nobody can read,
        `CallRefused` when no answer came about in time; the connection is closed then."""
        try:
            async with asyncio.timeout(self._settings.connect_limit_s):
                await self._connection.initialize(offer.sdp, "offer")
            self._send_on(self._connection, video=offer.video)
        except TimeoutError:
            await self.hang_up("no_answer")
            raise CallRefused("The server could not set up the connection in time. Try again.") from None
        except asyncio.CancelledError:
            await self.hang_up("cancelled")
            raise
        except Exception:  # noqa: BLE001  aiortc's parser raises whatever it stumbles over, from a KeyError upwards
            await self.hang_up("bad_offer")
            raise BadMessage("The offer's SDP cannot be read.") from None
        answer = self._connection.get_answer()
        return {"sdp": answer["sdp"], "type": answer["type"]}

    async def run(self) -> None:
        """Wait until the page can hear, then hold the conversation. Returns when all is closed."""
        reason = "cancelled"
        try:
            reason = await self._carried()
        finally:
            await self.hang_up(reason)
            logger.info(
                "web call closed",
                extra={
                    "call": self._call.id if self._call else None,
                    "reason": reason,
                    "junk": self.junk,
                    "unsent": self.unsent,
                    "stalls": self.track.stalls,
                    "frames": self.face.sent if self.face else 0,
                    "skipped_frames": self.face.skipped if self.face else 0,
                },
            )

    async def hang_up(self, reason: str) -> None:
        """Say why, let the last sound be heard, and cut the line; at most about 5 s. Safe to call twice."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(reason), name=f"{self._name}-close")
        # Half a close would leave sockets and a decoder thread behind, so cancelling the caller does not stop it.
        await asyncio.shield(self._closing)

    async def _carried(self) -> str:
        if not await self._comes_up():
            return "not_connected"
        refusal = self._host.refusal()
        if refusal is None:
            try:
                call = self._host.begin("web", self._wire, Caller())
            except CallRefused as error:
                refusal = self._host.refusal() or Refusal("capacity", error.message)
        if refusal is not None:
            self._send(messages.refused(refusal))
            return "refused"
        await self._converse(call)
        return "carried"

    async def _comes_up(self) -> bool:
        ready = asyncio.create_task(self._ready.wait(), name=f"{self._name}-ready")
        gone = asyncio.create_task(self._gone.wait(), name=f"{self._name}-gone")
        try:
            await asyncio.wait(
                {ready, gone},
                timeout=self._settings.connect_limit_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            ready.cancel()
            gone.cancel()
        return self._ready.is_set() and not self._gone.is_set()

    async def _converse(self, call: Call) -> None:
        self._call = call
        call.watchers.append(lambda event: self._send(messages.event(event)))
        self._signed()
        view = call.show() if self.face is not None else None
        if self.face is not None and view is not None:
            self.face.attach(view)
        self.track.attach(call.outlet, self._wire)
        helpers = [asyncio.create_task(self._watch(), name=f"{self._name}-watch")]
        # None when the page has no microphone: its offer only receives then.
        remote: MediaStreamTrack | None = self._connection.line("audio").receiver.track
        if remote is not None:
            listening = self._listen(Microphone(call.inlet, on_sign_of_life=self._signed), remote)
            helpers.append(asyncio.create_task(listening, name=f"{self._name}-microphone"))
        try:
            await self._host.carry(call)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def _listen(self, microphone: Microphone, remote: MediaStreamTrack) -> None:
        try:
            await microphone.listen(remote)
        except Exception as error:  # noqa: BLE001  a decoder may raise anything; a deaf twin must not stay on the line
            logger.error("microphone failed", extra={"error": type(error).__name__})
            self._end("microphone_failed")

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        left_s = self._settings.lost_after_s
        while left_s > 0:
            await asyncio.sleep(left_s)
            left_s = self._last_sign + self._settings.lost_after_s - clock()
        self._end("connection_lost")

    async def _close(self, reason: str) -> None:
        channel = self._channel
        if channel is not None and channel.readyState == "open":
            self._send(messages.ended(reason))
            if not self._gone.is_set():
                await asyncio.sleep(LINGER_S)
        try:
            await asyncio.wait_for(self._connection.disconnect(), CLOSE_LIMIT_S)
        except TimeoutError:
            logger.warning("peer connection did not close in time", extra={"limit_s": CLOSE_LIMIT_S})
        self.track.stop()
        if self.face is not None:
            self.face.stop()

    def _send_on(self, connection: WebConnection, *, video: bool) -> None:
        """Put our tracks on the lines that were agreed upon."""
        line = Line()
        sound = connection.line("audio")
        assert sound is not None, "an offer has one"
        sound.sender.replaceTrack(self.track)
        align(sound.sender, self.track.handover, line, RATE_HZ, late_s=OPUS_DELAY_S)
        picture = connection.line("video") if video else None
        if picture is None:
            self.track.on_left = lambda begin, end: line.begin()
            return
        face = self.face = FaceTrack()
        picture.sender.replaceTrack(face)
        align(picture.sender, face.handover, line, TICKS_HZ)
        listen(picture.sender, on_key=face.want_key, on_limit=face.limit)

        def left(begin: int, end: int) -> None:
            line.begin()
            face.left(begin, end, self.track.left_s)

        self.track.on_left = left

    def _end(self, reason: str) -> None:
        self._gone.set()
        if self._call is not None:
            self._call.hang_up(reason)

    def _signed(self) -> None:
        self._last_sign = asyncio.get_running_loop().time()

    def _send(self, message: str) -> None:
        channel = self._channel
        if channel is None or channel.readyState != "open" or channel.bufferedAmount > MAX_UNSENT_BYTES:
            self.unsent += 1
            return
        channel.send(message)

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if self._channel is not None or channel.label != messages.CHANNEL_LABEL:
            self.junk += 1
            channel.close()
            return
        # Pipecat's own listener, registered before ours, keeps messages without bound and logs those it cannot
        # read, with what people wrote in them.
        channel.remove_all_listeners("message")
        channel.on("message", self._on_message)
        channel.on("close", self._on_channel_closed)
        self._channel = channel

    def _on_channel_closed(self) -> None:
        # Only a page that goes says so; one that is lost falls silent.
        self._end("caller_left")

    def _on_message(self, message: object) -> None:
        if not self._allowance.take(1, asyncio.get_running_loop().time()):
            self.junk += 1
            return
        try:
            said = messages.read(message)
        except BadMessage:
            self.junk += 1
            return
        self._signed()
        match said:
            case messages.Ready():
                self._ready.set()
            case messages.HangUp():
                self._end("caller_left")
            case messages.Typed(text) if self._call is not None:
                self._call.inlet.type(text)
            case messages.Digit(digit) if self._call is not None:
                self._call.inlet.press(digit)
            case messages.Consent(purpose, yes) if self._call is not None:
                self._call.consent(purpose, yes)
            case messages.Wished(wish) if self._call is not None:
                self._call.wish(wish)

    def _on_state(self) -> None:
        state = self._pc.connectionState
        if state == "failed":
            self._end("connection_lost")
        elif state == "closed":
            self._end("caller_left")

    def _on_track_ended(self) -> None:
        # aiortc stops the track when sending fails, and nobody would hear the twin any more.
        self._end("connection_lost")


def _ice_servers(settings: WebSettings) -> list[RTCIceServer]:
    return [
        RTCIceServer(
            urls=server.url,
            username=server.username,
            credential=server.credential.get_secret_value() if server.credential else None,
        )
        for server in settings.ice_servers
    ]
