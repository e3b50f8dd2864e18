"""An avatar worker by LiveKit's avatar protocol, with a real room as its wire: it plays what it is sent in real
time and a little late, and its pictures are as bright as its sound is loud."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

import numpy as np
from livekit import rtc

RATE_HZ = 24_000
STEP = RATE_HZ // 100
SIDE_PX = 64
QUIET_LUMA, LOUD_LUMA = 50, 220
LATE_S = 0.25
QUEUE_MS = 50


class AvatarWorker:
    """`join` a room, then it works until `leave`."""

    def __init__(self, identity: str = "avatar") -> None:
        self.identity = identity
        self.streams: list[dict[str, str]] = []
        """The attributes of the audio streams that it got."""
        self.received = 0
        """Bytes of speech."""
        self.cleared = 0
        self.played: list[dict[str, object]] = []
        """What it told of the end of playback."""
        self._room = rtc.Room()
        self._audio = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=QUEUE_MS)
        self._video = rtc.VideoSource(SIDE_PX, SIDE_PX)
        self._buffer = b""
        self._wait = 0
        self._sender = ""
        self._loud: deque[bool] = deque([False] * (QUEUE_MS // 10), maxlen=QUEUE_MS // 10)
        """Of what waits in the source of the sound: the pictures wait with it."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self, url: str, token: str) -> None:
        room = self._room
        room.register_byte_stream_handler("lk.audio_stream", self._on_stream)
        await room.connect(url, token)
        room.local_participant.register_rpc_method("lk.clear_buffer", self._on_clear)
        options = rtc.TrackPublishOptions
        sound = rtc.LocalAudioTrack.create_audio_track("sound", self._audio)
        picture = rtc.LocalVideoTrack.create_video_track("picture", self._video)
        await room.local_participant.publish_track(sound, options(source=rtc.TrackSource.SOURCE_MICROPHONE))
        await room.local_participant.publish_track(picture, options(source=rtc.TrackSource.SOURCE_CAMERA))
        self._start(self._play())

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)
        await self._room.disconnect()
        await self._audio.aclose()
        await self._video.aclose()

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _on_stream(self, reader: rtc.ByteStreamReader, sender: str) -> None:
        self.streams.append(dict(reader.info.attributes or {}))
        self._sender = sender
        self._start(self._read(reader))

    async def _read(self, reader: rtc.ByteStreamReader) -> None:
        if not self._buffer:
            self._wait = round(LATE_S * 100)
        async for chunk in reader:
            self.received += len(chunk)
            self._buffer += bytes(chunk)

    async def _on_clear(self, data: rtc.RpcInvocationData) -> str:
        self.cleared += 1
        self._buffer = b""
        await self._tell(interrupted=True)
        return ""

    async def _tell(self, *, interrupted: bool) -> None:
        told: dict[str, object] = {"playback_position": self.received / RATE_HZ / 2, "interrupted": interrupted}
        self.played.append(told)
        try:
            await self._room.local_participant.perform_rpc(
                destination_identity=self._sender, method="lk.playback_finished", payload=json.dumps(told)
            )
        except rtc.RpcError:
            # The other side has left.
            return

    async def _play(self) -> None:
        number = 0
        while True:
            pcm = b""
            if self._wait:
                self._wait -= 1
            elif self._buffer:
                pcm, self._buffer = self._buffer[: 2 * STEP], self._buffer[2 * STEP :]
                if not self._buffer:
                    self._start(self._tell(interrupted=False))
            samples = np.zeros(STEP, np.int16)
            samples[: len(pcm) // 2] = np.frombuffer(pcm, np.int16)
            await self._audio.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE_HZ, 1, STEP))
            if number % 4 == 0:
                self._show(loud=self._loud[0])
            self._loud.append(bool(np.abs(samples.astype(np.float32)).mean() > 300))
            number += 1

    def _show(self, *, loud: bool) -> None:
        i420 = np.full(SIDE_PX * SIDE_PX * 3 // 2, 128, np.uint8)
        i420[: SIDE_PX * SIDE_PX] = LOUD_LUMA if loud else QUIET_LUMA
        frame = rtc.VideoFrame(SIDE_PX, SIDE_PX, rtc.VideoBufferType.I420, i420.tobytes())
        self._video.capture_frame(frame)
