"""Any avatar worker that speaks LiveKit's avatar protocol, each call's in a room of its own.

    we -> worker    byte stream `lk.audio_stream`, attributes sample_rate and num_channels, one for each utterance
                    RPC `lk.clear_buffer`: what was sent will not sound
    worker -> we    its video and audio tracks
                    RPC `lk.playback_started`, `lk.playback_finished` {playback_position, interrupted}

The worker is sent for by its agent name, with the room's token, or waits in the one room itself.
"""

from __future__ import annotations

import asyncio
import datetime
import importlib
import logging
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from agent.engines.base import install
from agent.face.elsewhere_options import Options
from agent.face.feed import Feed
from agent.face.hosted.returned import Returned
from agent.face.mailbox import Clear, Mailbox, Speech
from avatar.ahead import Ahead
from compliance.errors import EngineFailed, EngineMissing, EngineTimeout

logger = logging.getLogger(__name__)

EXTRA = "livekit"
KEYS = ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
IDENTITY = "twin"
SPEECH_HZ = 24_000
RPC_S = 2.0
CONNECT_S = 10.0
CLOSE_S = 3.0
TOKEN_HOURS = 12
EARLY_MS = 70.0
"""Sound waits so much longer than pictures in the buffers of the receiving side, measured on one machine."""


class LiveKitAvatars:
    """The server and its workers; `start` connects to nobody."""

    name = "livekit_avatar"

    def __init__(self, options: Options, secrets: Mapping[str, str]) -> None:
        """Raises `EngineMissing` for a key or an address that is not there."""
        lacking = [key for key in KEYS if not secrets.get(key)]
        self._url = options.url or secrets.get("LIVEKIT_URL", "")
        if lacking or not self._url:
            raise EngineMissing(f"face livekit_avatar: set {', '.join(lacking or ['LIVEKIT_URL'])}")
        self._options = options
        self._keys = tuple(secrets[key] for key in KEYS)
        self._rtc: Any = None
        self._api: Any = None
        self._busy = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="face pictures")

    async def start(self) -> None:
        """Load the library. Raises `EngineMissing`."""
        try:
            self._rtc = await asyncio.to_thread(importlib.import_module, "livekit.rtc")
            self._api = await asyncio.to_thread(importlib.import_module, "livekit.api")
        except ImportError:
            raise EngineMissing(f"face livekit_avatar: {install(EXTRA)}") from None

    async def close(self) -> None:
        """Nothing is shared but a thread. Safe to call twice."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def play(self, mailbox: Mailbox, ahead: Ahead, rate_hz: int, call_id: str) -> None:
        """One call's face until it is cancelled; see `Source`."""
        options = self._options
        if not options.agent and self._busy:
            raise EngineFailed("face livekit_avatar: without `agent` one worker serves one call at a time")
        room = f"{options.room}-{call_id}" if options.agent else options.room
        self._busy = True
        returned = Returned(ahead, rate_hz, self._pool, early_ms=float(options.extra.get("early_ms", EARLY_MS)))
        session = _Session(self._rtc, options, returned, Feed(rate_hz, SPEECH_HZ))
        try:
            await session.join(self._url, self._token(room))
            ahead.alive = True
            await session.serve(mailbox)
        finally:
            self._busy = False
            ahead.lost()
            await session.close()

    def _token(self, room: str) -> str:
        api, agent = self._api, self._options.agent
        token = (
            api.AccessToken(*self._keys)
            .with_identity(IDENTITY)
            .with_ttl(datetime.timedelta(hours=TOKEN_HOURS))
            .with_grants(api.VideoGrants(room_join=True, room=room))
        )
        if agent:
            token = token.with_room_config(api.RoomConfiguration(agents=[api.RoomAgentDispatch(agent_name=agent)]))
        return str(token.to_jwt())


class _Session:
    """One call's room."""

    def __init__(self, rtc: Any, options: Options, returned: Returned, feed: Feed) -> None:
        self._rtc = rtc
        self._options = options
        self._returned = returned
        self._feed = feed
        self._room = rtc.Room()
        self._worker = ""
        """The identity of who draws, once its video is here."""
        self._seen = asyncio.Event()
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writer: Any = None
        self._utterance: int | None = None

    async def join(self, url: str, token: str) -> None:
        """Enter the room and wait for the worker's video. Raises `EngineFailed` and `EngineTimeout`."""
        rtc, room = self._rtc, self._room
        room.on("track_subscribed", self._on_track)
        room.on("disconnected", lambda *_: self._over.set())
        room.on("participant_disconnected", self._on_left)
        options = rtc.RoomOptions(auto_subscribe=True, connect_timeout=CONNECT_S)
        try:
            async with asyncio.timeout(CONNECT_S + 1):
                await room.connect(url, token, options)
        except TimeoutError:
            raise EngineTimeout(f"face livekit_avatar: the server did not answer within {CONNECT_S:g} s") from None
        except rtc.ConnectError:
            raise EngineFailed("face livekit_avatar: the server refused; check its address and keys") from None
        for method in ("lk.playback_finished", "lk.playback_started"):
            room.local_participant.register_rpc_method(method, _taken)
        waiting = self._start(self._first(), "wait for the avatar")
        await asyncio.wait({waiting}, timeout=self._options.ready_s)
        if not self._seen.is_set():
            raise EngineTimeout(f"face livekit_avatar: no worker sent video within {self._options.ready_s:g} s")

    async def serve(self, mailbox: Mailbox) -> None:
        """Send what is told. Raises `EngineFailed` when the room or the worker is gone."""
        sending = self._start(self._send(mailbox), "speech to the avatar")
        over = self._start(self._until_over(), "the avatar's room")
        await asyncio.wait({sending, over}, return_when=asyncio.FIRST_COMPLETED)
        error = sending.exception() if sending.done() else None
        raise EngineFailed(f"face livekit_avatar: {type(error).__name__ if error else 'the worker is gone'}")

    async def close(self) -> None:
        """Leave, within a limit."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._room.disconnect()
        except TimeoutError:
            logger.error("an avatar's room does not close")

    async def _first(self) -> None:
        await self._seen.wait()

    async def _until_over(self) -> None:
        await self._over.wait()

    def _on_track(self, track: Any, publication: Any, participant: Any) -> None:
        wanted = self._options.avatar or self._worker
        if wanted and participant.identity != wanted:
            return
        if track.kind == self._rtc.TrackKind.KIND_VIDEO:
            self._worker = participant.identity
            self._seen.set()
            self._start(self._watch(track), "the avatar's pictures")
        else:
            self._start(self._listen(track), "the avatar's sound")

    def _on_left(self, participant: Any) -> None:
        if participant.identity == self._worker:
            self._over.set()

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _watch(self, track: Any) -> None:
        # One picture waits at most: an old one is worth nothing.
        stream = self._rtc.VideoStream.from_track(track=track, format=self._rtc.VideoBufferType.RGB24, capacity=1)
        try:
            async for event in stream:
                frame = event.frame
                await self._returned.picture("rgb", bytes(frame.data), (frame.width, frame.height))
        finally:
            await stream.aclose()

    async def _listen(self, track: Any) -> None:
        stream = self._rtc.AudioStream.from_track(track=track, sample_rate=SPEECH_HZ, num_channels=1)
        try:
            async for event in stream:
                self._returned.sound(bytes(event.frame.data), event.frame.sample_rate, event.frame.num_channels)
        finally:
            await stream.aclose()

    async def _send(self, mailbox: Mailbox) -> None:
        while True:
            told = await mailbox.next()
            if isinstance(told, Clear):
                await self._clear(told)
            else:
                self._returned.sent(told)
                for speech in self._feed.give(told):
                    await self._speak(speech)

    async def _speak(self, speech: Speech) -> None:
        async with asyncio.timeout(self._options.answer_s):
            if self._writer is None or self._utterance != speech.utterance:
                await self._end()
                self._writer = await self._room.local_participant.stream_bytes(
                    f"AUDIO_{speech.epoch}_{speech.utterance}",
                    topic="lk.audio_stream",
                    destination_identities=[self._worker],
                    attributes={"sample_rate": str(SPEECH_HZ), "num_channels": "1"},
                )
                self._utterance = speech.utterance
            if speech.pcm:
                await self._writer.write(speech.pcm)
            if speech.last:
                await self._end()

    async def _end(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.aclose()

    async def _clear(self, told: Clear) -> None:
        self._feed.clear()
        self._returned.cleared(told.epoch)
        async with asyncio.timeout(self._options.answer_s):
            await self._end()
            try:
                # What is sent before the answer might be thrown away as well.
                await self._room.local_participant.perform_rpc(
                    destination_identity=self._worker,
                    method="lk.clear_buffer",
                    payload="",
                    response_timeout=RPC_S,
                )
            except self._rtc.RpcError as error:
                logger.warning("an avatar does not clear", extra={"code": int(error.code)})


async def _taken(data: Any) -> str:
    """Playback is followed by its sound; the protocol wants an answer."""
    return ""
