"""A caller without a browser: the same offer, track and data channel, for `twin probe`, benchmarks and tests."""

from __future__ import annotations

import asyncio
import fractions
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, cast

import httpx
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtcpSrPacket
from av import AudioFrame, AudioResampler, VideoFrame
from numpy.typing import NDArray

from channels.web.messages import CHANNEL_LABEL
from compliance.errors import BadMessage, CallRefused, ChannelError

CHUNK_S = 0.02
ALIVE_EVERY_S = 2.0
REQUEST_LIMIT_S = 10.0
CLOSE_LIMIT_S = 5.0
HEARD_RATE_HZ = 48_000
MAX_HEARD_S = 900
"""What is kept of the twin's sound; a probe or a test is never longer."""
SEEN_RATE_HZ = 90_000
MAX_SEEN = 30 * MAX_HEARD_S
MAX_MESSAGES = 10_000


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of what the twin sent, as decoded here."""

    position: int
    """Samples at 48 kHz since the first packet that arrived: the twin's clock, less what it sent before."""
    pcm: bytes
    """int16 mono at 48 kHz."""
    at: float
    """The loop's time when it came out of the jitter buffer, which adds about 80 ms of its own."""


@dataclass(frozen=True, slots=True)
class Seen:
    """When one picture of the twin is for, and when it was decoded here."""

    ticks: int
    """Of 90 kHz, since the first picture that arrived."""
    at: float
    """The loop's time."""


class WebCaller:
    """One call. Use as `async with WebCaller("http://127.0.0.1:7860") as caller:`."""

    def __init__(self, base_url: str, *, rate_hz: int = 16_000, video: bool = False) -> None:
        """With `video` it asks to see the twin as well."""
        self.heard: list[Heard] = []
        self.seen: list[Seen] = []
        self.latest: NDArray[np.uint8] | None = None
        """The last picture that arrived, as I420: shape (height * 3 / 2, width)."""
        self.on_seen: Callable[[Seen, NDArray[np.uint8]], None] | None = None
        self.messages: list[dict[str, Any]] = []
        """What the server said on the data channel, in order."""
        self.ended = asyncio.Event()
        """The line is closed, by either side."""
        self.on_heard: Callable[[Heard], None] | None = None
        self._base_url = base_url.rstrip("/")
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._reports: dict[str, tuple[int, int]] = {}
        self._mouth = _Mouth(rate_hz)
        self._channel = self._pc.createDataChannel(CHANNEL_LABEL)
        self._open = asyncio.Event()
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pc.addTrack(self._mouth)
        if video:
            self._pc.addTransceiver("video", direction="recvonly")
        self._pc.on("track", self._on_track)
        self._pc.on("connectionstatechange", self._on_state)
        self._channel.on("open", self._open.set)
        self._channel.on("message", self._on_message)
        self._channel.on("close", self.ended.set)

    async def __aenter__(self) -> Self:
        await self.dial()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def dial(self, *, ready: bool = True) -> None:
        """Connect, and with `ready` say that the call may begin.

        Raises `CallRefused` with the server's words, `BadMessage` when it does not take the offer, `ChannelError`
        when there is no server or no connection comes about; everything is closed then.
        """
        try:
            await self._pc.setLocalDescription(await self._pc.createOffer())
            local = self._pc.localDescription
            answer = await self._post({"sdp": local.sdp, "type": local.type})
            await self._pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
            try:
                await asyncio.wait_for(self._open.wait(), REQUEST_LIMIT_S)
            except TimeoutError:
                raise ChannelError(f"No WebRTC connection within {REQUEST_LIMIT_S:g} s: is UDP blocked?") from None
        except BaseException:  # also when it is cancelled: half a connection is closed
            await self.close()
            raise
        self._start(self._stay_alive(), "alive")
        if ready:
            self.send({"type": "ready"})

    def say(self, pcm: bytes) -> None:
        """Queue int16 mono at the caller's rate as the next thing the microphone hears; silence follows it."""
        self._mouth.waiting += pcm

    def type(self, text: str) -> None:
        self.send({"type": "text", "text": text})

    def hang_up(self) -> None:
        self.send({"type": "hang_up"})

    def send(self, message: dict[str, object]) -> None:
        self.send_raw(json.dumps(message))

    def send_raw(self, message: str | bytes) -> None:
        """Send anything at all, as a broken or hostile page would."""
        self._channel.send(message)

    async def until(self, met: Callable[[], bool], limit_s: float = 10.0) -> None:
        """Wait until a condition on `heard` or `messages` is met. Raises `TimeoutError` after `limit_s`."""
        async with asyncio.timeout(limit_s):
            async with self._changed:
                await self._changed.wait_for(met)

    def pcm(self) -> bytes:
        """All that was heard, in its place: what was lost on the way is silence."""
        end = max((heard.position + len(heard.pcm) // 2 for heard in self.heard), default=0)
        whole = bytearray(end * 2)
        for heard in self.heard:
            whole[heard.position * 2 : heard.position * 2 + len(heard.pcm)] = heard.pcm
        return bytes(whole)

    def captured_s(self, kind: Literal["audio", "video"], ticks: int) -> float | None:
        """What wall-clock time the twin's sender reports give for a point of a track, in seconds; the two tracks
        belong together where these are equal. `ticks` as in `Heard.position` or `Seen.ticks`. None before the
        first report."""
        receiver = next(each for each in self._pc.getReceivers() if each.track and each.track.kind == kind)
        # Which timestamp aiortc counts from, it tells nobody.
        first: int | None = cast(Any, receiver)._RTCRtpReceiver__timestamp_mapper._origin
        if kind not in self._reports or first is None:
            return None
        ntp, timestamp = self._reports[kind]
        apart = (first + ticks - timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
        hz = HEARD_RATE_HZ if kind == "audio" else SEEN_RATE_HZ
        return float(ntp / (1 << 32) + apart / hz)

    async def close(self) -> None:
        """Cut the line, within 5 s. Safe to call twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.wait_for(self._pc.close(), CLOSE_LIMIT_S)
        self.ended.set()

    async def _post(self, offer: dict[str, str]) -> dict[str, str]:
        try:
            async with httpx.AsyncClient(timeout=REQUEST_LIMIT_S, trust_env=False) as client:
                response = await client.post(f"{self._base_url}/webrtc/offer", json=offer)
        except httpx.HTTPError as error:
            raise ChannelError(f"No answer from {self._base_url}: {type(error).__name__}.") from error
        if response.status_code == 200:
            answer: dict[str, str] = response.json()
            return answer
        try:
            message = str(response.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            message = f"{self._base_url} answered {response.status_code}."
        if response.status_code == 503:
            raise CallRefused(message)
        raise BadMessage(message)

    def _start(self, coroutine: Any, name: str) -> None:
        task: asyncio.Task[None] = asyncio.create_task(coroutine, name=f"web-caller-{name}")
        self._tasks.add(task)

    async def _stay_alive(self) -> None:
        while self._channel.readyState == "open":
            self.send({"type": "alive"})
            await asyncio.sleep(ALIVE_EVERY_S)

    async def _listen(self, track: MediaStreamTrack) -> None:
        resampler = AudioResampler(format="s16", layout="mono", rate=HEARD_RATE_HZ)
        clock = asyncio.get_running_loop().time
        while True:
            try:
                frame = cast(AudioFrame, await track.recv())
            except MediaStreamError:
                return
            position = frame.pts or 0
            for mono in resampler.resample(frame):
                pcm = bytes(mono.planes[0])[: mono.samples * 2]
                heard = Heard(position, pcm, clock())
                if position < MAX_HEARD_S * HEARD_RATE_HZ:
                    self.heard.append(heard)
                if self.on_heard is not None:
                    self.on_heard(heard)
            await self._notify()

    async def _watch(self, track: MediaStreamTrack) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            try:
                frame = cast(VideoFrame, await track.recv())
            except MediaStreamError:
                return
            seen = Seen(frame.pts or 0, clock())
            if len(self.seen) < MAX_SEEN:
                self.seen.append(seen)
            picture = self.latest = cast(NDArray[np.uint8], frame.to_ndarray(format="yuv420p"))
            if self.on_seen is not None:
                self.on_seen(seen, picture)
            await self._notify()

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._read_reports(track)
        if track.kind == "audio":
            self._start(self._listen(track), "ear")
        else:
            self._start(self._watch(track), "eye")

    def _read_reports(self, track: MediaStreamTrack) -> None:
        receiver: Any = next(each for each in self._pc.getReceivers() if each.track is track)
        original = receiver._handle_rtcp_packet

        async def handle(packet: object) -> None:
            if isinstance(packet, RtcpSrPacket):
                info = packet.sender_info
                self._reports[track.kind] = (info.ntp_timestamp, info.rtp_timestamp)
            await original(packet)

        receiver._handle_rtcp_packet = handle

    async def _on_message(self, message: str) -> None:
        said = json.loads(message)
        if len(self.messages) < MAX_MESSAGES:
            self.messages.append(said)
        if said.get("type") in ("ended", "refused"):
            self.ended.set()
        await self._notify()

    def _on_state(self) -> None:
        if self._pc.connectionState in ("failed", "closed"):
            self.ended.set()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class _Mouth(MediaStreamTrack):
    """A microphone that hears what it is given, and silence after that."""

    kind = "audio"

    def __init__(self, rate_hz: int) -> None:
        super().__init__()
        self.waiting = bytearray()
        self._rate_hz = rate_hz
        self._sent = 0
        self._start: float | None = None

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        clock = asyncio.get_running_loop().time
        if self._start is None:
            self._start = clock()
        await asyncio.sleep(max(0.0, self._start + self._sent / self._rate_hz - clock()))
        samples = round(self._rate_hz * CHUNK_S)
        pcm = bytes(self.waiting[: samples * 2]).ljust(samples * 2, b"\0")
        del self.waiting[: samples * 2]
        frame = AudioFrame(format="s16", layout="mono", samples=samples)
        frame.planes[0].update(pcm)
        frame.sample_rate = self._rate_hz
        frame.pts = self._sent
        frame.time_base = fractions.Fraction(1, self._rate_hz)
        self._sent += samples
        return frame
