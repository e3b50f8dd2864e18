"""A LiveKit server for one participant, in this process: enough of the protocol for the real SDK to enter a room.

It shows what the SDK sends (tracks, attributes, text) and plays one person with a microphone. One connection for
what is sent and one for what is received, as older servers have; no encryption, no simulcast, no relay.
"""

from __future__ import annotations

import asyncio
import fractions
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp
from av import AudioFrame
from livekit.protocol import models, rtc

from tests.doubles.host import tone

RATE_HZ = 48_000
STEP = RATE_HZ // 50
PERSON, TRACK = "PA_person", "TR_person"


class Tone(MediaStreamTrack):
    """A microphone that gives a tone."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0
        self._next_at = 0.0
        self._pcm = tone(RATE_HZ, milliseconds=20, hz=450.0)

    async def recv(self) -> AudioFrame:
        now = asyncio.get_running_loop().time()
        self._next_at = max(self._next_at + 0.02, now - 0.1)
        await asyncio.sleep(max(0.0, self._next_at - now))
        frame = AudioFrame(format="s16", layout="mono", samples=STEP)
        frame.planes[0].update(self._pcm)
        frame.sample_rate = RATE_HZ
        frame.pts, frame.time_base = self._sent, fractions.Fraction(1, RATE_HZ)
        self._sent += STEP
        return frame


class RoomServer:
    """Serves `/rtc`. `url` once it runs."""

    def __init__(self, *, person: bool = True) -> None:
        self.url = ""
        self.person = person
        """Whether somebody is in the room when the twin enters."""
        self.refuse = 0
        """An HTTP status to answer with instead."""
        self.joins = 0
        self.added: list[Any] = []
        """Requests to publish a track."""
        self.subscribed: list[str] = []
        """Track ids that were asked for."""
        self.attributes: dict[str, str] = {}
        self.name = ""
        self.texts: list[tuple[str, str]] = []
        """Topic and text of every text stream that came whole."""
        self.levels: list[float] = []
        """Of each 20 ms of the twin's voice."""
        self.left: asyncio.Event = asyncio.Event()
        """The client said goodbye."""
        self._socket: web.WebSocketResponse | None = None
        self._from: RTCPeerConnection | None = None
        self._to: RTCPeerConnection | None = None
        self._channels: dict[str, Any] = {}
        self._streams: dict[str, tuple[str, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self.refuse:
            return web.Response(status=self.refuse)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._socket = socket
        self.joins += 1
        await self._send(join=self._join())
        async for message in socket:
            if message.type == WSMsgType.BINARY:
                await self._on(rtc.SignalRequest.FromString(message.data))
        return socket

    async def newer(self, request: web.Request) -> web.Response:
        """The path that newer clients try first: with a server of this kind they go on to the older one."""
        return web.Response(status=self.refuse or 404)

    async def leave(self, reason: Any = models.DisconnectReason.ROOM_DELETED) -> None:
        """The room is over."""
        await self._send(leave=rtc.LeaveRequest(reason=reason, action=rtc.LeaveRequest.Action.DISCONNECT))

    async def comes(self) -> None:
        """Somebody with a microphone comes."""
        self.person = True
        await self._send(update=rtc.ParticipantUpdate(participants=[self._person()]))

    async def goes(self) -> None:
        gone = self._person()
        gone.state = models.ParticipantInfo.State.DISCONNECTED
        await self._send(update=rtc.ParticipantUpdate(participants=[gone]))

    def press(self, digit: str) -> None:
        """A key of the person's telephone."""
        packet = models.DataPacket(participant_identity="person", sip_dtmf=models.SipDTMF(code=1, digit=digit))
        self._channels["_reliable"].send(packet.SerializeToString())

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for connection in (self._from, self._to):
            if connection is not None:
                await connection.close()
        if self._socket is not None:
            with suppress(ConnectionError):
                await self._socket.close()

    def _person(self) -> Any:
        microphone = models.TrackInfo(
            sid=TRACK,
            type=models.TrackType.AUDIO,
            name="mic",
            source=models.TrackSource.MICROPHONE,
            mime_type="audio/opus",
        )
        return models.ParticipantInfo(
            sid=PERSON,
            identity="person",
            name="Anna Example",
            state=models.ParticipantInfo.State.ACTIVE,
            tracks=[microphone],
            is_publisher=True,
        )

    def _join(self) -> Any:
        everything = models.ParticipantPermission(
            can_subscribe=True, can_publish=True, can_publish_data=True, can_update_metadata=True
        )
        twin = models.ParticipantInfo(
            sid="PA_twin", identity="twin", state=models.ParticipantInfo.State.ACTIVE, permission=everything
        )
        return rtc.JoinResponse(
            room=models.Room(sid="RM_room", name="room"),
            participant=twin,
            other_participants=[self._person()] if self.person else [],
            server_version="1.9.0",
            server_info=models.ServerInfo(version="1.9.0", protocol=15),
            subscriber_primary=False,
            ping_timeout=60,
            ping_interval=20,
        )

    async def _send(self, **response: Any) -> None:
        assert self._socket is not None
        await self._socket.send_bytes(rtc.SignalResponse(**response).SerializeToString())

    async def _on(self, request: Any) -> None:
        which = request.WhichOneof("message")
        if which == "offer":
            await self._answer(request.offer)
        elif which == "answer":
            assert self._to is not None
            await self._to.setRemoteDescription(RTCSessionDescription(request.answer.sdp, "answer"))
        elif which == "trickle":
            await self._candidate(request.trickle)
        elif which == "add_track":
            await self._add(request.add_track)
        elif which == "update_metadata":
            self.attributes.update(request.update_metadata.attributes)
            self.name = request.update_metadata.name or self.name
            response = rtc.RequestResponse(request_id=request.update_metadata.request_id)
            await self._send(request_response=response)
        elif which == "subscription" and request.subscription.subscribe:
            self.subscribed += request.subscription.track_sids
            if TRACK in request.subscription.track_sids:
                await self._offer()
        elif which == "ping_req":
            await self._send(pong_resp=rtc.Pong(last_ping_timestamp=request.ping_req.timestamp, timestamp=1))
        elif which == "leave":
            self.left.set()

    async def _add(self, wanted: Any) -> None:
        self.added.append(wanted)
        track = models.TrackInfo(
            sid=f"TR_twin{len(self.added)}", type=wanted.type, name=wanted.name, source=wanted.source
        )
        await self._send(track_published=rtc.TrackPublishedResponse(cid=wanted.cid, track=track))
        await self._send(track_subscribed=rtc.TrackSubscribed(track_sid=track.sid))

    async def _answer(self, offer: Any) -> None:
        if self._from is None:
            self._from = RTCPeerConnection()
            self._from.on("track", self._on_track)
            self._from.on("datachannel", self._on_channel)
        await self._from.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        answer = await self._from.createAnswer()
        assert answer is not None
        await self._from.setLocalDescription(answer)
        await self._send(
            answer=rtc.SessionDescription(type="answer", sdp=self._from.localDescription.sdp, id=offer.id)
        )

    async def _offer(self) -> None:
        """The person's microphone, on the connection of what the twin receives."""
        if self._to is not None:
            return
        self._to = RTCPeerConnection()
        sender = self._to.addTrack(Tone())
        # The SDK finds the participant and the track in the names of the stream.
        sender._stream_id, sender._track_id = f"{PERSON}|{TRACK}", TRACK
        await self._to.setLocalDescription(await self._to.createOffer())
        await self._send(offer=rtc.SessionDescription(type="offer", sdp=self._to.localDescription.sdp, id=1))

    async def _candidate(self, trickle: Any) -> None:
        connection = self._from if trickle.target == rtc.SignalTarget.PUBLISHER else self._to
        said = json.loads(trickle.candidateInit)
        if connection is None or not said.get("candidate"):
            return
        candidate = candidate_from_sdp(said["candidate"].removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = said.get("sdpMid"), said.get("sdpMLineIndex")
        await connection.addIceCandidate(candidate)

    def _on_track(self, track: Any) -> None:
        if track.kind == "audio":
            task = asyncio.create_task(self._listen(track), name="room-server-ear")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _listen(self, track: Any) -> None:
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                self.levels.append(float(np.abs(frame.to_ndarray().astype(np.float32)).mean()))

    def _on_channel(self, channel: Any) -> None:
        self._channels[channel.label] = channel
        channel.on("message", self._on_packet)

    def _on_packet(self, data: bytes) -> None:
        packet = models.DataPacket.FromString(data)
        which = packet.WhichOneof("value")
        if which == "stream_header":
            self._streams[packet.stream_header.stream_id] = (packet.stream_header.topic, "")
        elif which == "stream_chunk" and packet.stream_chunk.stream_id in self._streams:
            topic, text = self._streams[packet.stream_chunk.stream_id]
            content = packet.stream_chunk.content.decode()
            self._streams[packet.stream_chunk.stream_id] = (topic, text + content)
        elif which == "stream_trailer" and packet.stream_trailer.stream_id in self._streams:
            self.texts.append(self._streams.pop(packet.stream_trailer.stream_id))


@asynccontextmanager
async def room_server(**values: Any) -> AsyncIterator[RoomServer]:
    """One that listens on a free port of this machine."""
    server = RoomServer(**values)
    application = web.Application()
    application.router.add_get("/rtc", server.serve)
    for path in ("/rtc/v1", "/rtc/v1/validate", "/rtc/validate"):
        application.router.add_get(path, server.newer)
    runner = web.AppRunner(application, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await server.close()
        await runner.cleanup()
