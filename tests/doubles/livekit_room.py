"""People in a real LiveKit room, and a `Host` for a meeting without a twin.

`Guest` is a participant as a browser is one: a microphone that plays, an ear and an eye that note times.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from channels.call import Call, Caller, Channel
from channels.inlet import Inlet
from channels.livekit.library import exit_quietly
from channels.livekit.microphone import close
from channels.livekit.session import RoomSession
from channels.livekit.settings import LiveKitSettings
from channels.livekit.signs import Signs
from channels.room import Person
from channels.wire import Wire
from compliance.errors import ChannelError
from tests.doubles.face import luma
from tests.doubles.host import Conversation, TestHost, tone
from tests.livekit_server import LiveKitServer

exit_quietly()

RATE_HZ = 48_000
STEP_MS = 20
SIGNS = Signs("Ada Example (AI twin)", "I am an AI, the digital twin of Ada Example.", "Ada Example")
PROMPT = LiveKitSettings(first_minutes=0.2, alone_minutes=0.05, lost_after_s=20)
"""Limits that a test can wait for."""
LIMIT_S = 15.0


async def until(true: Any, limit_s: float = LIMIT_S) -> None:
    """Wait for something of a real room, which no clock of a test turns."""
    async with asyncio.timeout(limit_s):
        while not true():  # noqa: ASYNC110  what a room shows has no event to wait on
            await asyncio.sleep(0.01)


@dataclass(slots=True)
class Heard:
    """What somebody's ear got, and when."""

    at_s: float
    samples: NDArray[np.int16]

    @property
    def level(self) -> float:
        return float(np.abs(self.samples.astype(np.float32)).mean())


@dataclass(slots=True)
class Seen:
    at_s: float
    luma: float
    width: int
    height: int


@dataclass(slots=True)
class Streamed:
    """A text stream that came in whole."""

    topic: str
    sender: str
    text: str
    attributes: dict[str, str]


@dataclass(eq=False)
class Guest:
    """One participant."""

    identity: str
    hears: list[Heard] = field(default_factory=list)
    sees: list[Seen] = field(default_factory=list)
    read: list[Streamed] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.room = rtc.Room()
        self.microphone: rtc.AudioSource | None = None
        self.publication: Any = None
        self.loud = False
        """Whether the microphone gives a tone or silence."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self, server: LiveKitServer, room: str, *, e2ee_key: str = "", **token: Any) -> Guest:
        self.room.on("track_subscribed", self._on_track)
        self.room.on("disconnected", lambda reason: self.events.append("disconnected"))
        for topic in ("lk.chat", "lk.transcription"):
            self.room.register_text_stream_handler(topic, self._on_text)
        encryption = None
        if e2ee_key:
            provider = rtc.KeyProviderOptions(shared_key=e2ee_key.encode())
            encryption = rtc.E2EEOptions(key_provider_options=provider)
        options = rtc.RoomOptions(encryption=encryption)
        await self.room.connect(server.url, server.token(self.identity, room, **token), options)
        return self

    async def speak(self) -> None:
        """Offer a microphone; it is silent until `loud`."""
        self.microphone = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=60)
        track = rtc.LocalAudioTrack.create_audio_track("mic", self.microphone)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        self.publication = await self.room.local_participant.publish_track(track, options)
        self._start(self._talk(self.microphone))

    async def leave(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=3)
        async with asyncio.timeout(5):
            await self.room.disconnect()
        if self.microphone is not None:
            await self.microphone.aclose()

    @property
    def twin(self) -> Any:
        """The twin as this participant sees it, or None."""
        return next((p for p in self.room.remote_participants.values() if "ai.twin" in p.attributes), None)

    def loud_since(self, at_s: float, level: float = 500.0) -> list[Heard]:
        return [heard for heard in self.hears if heard.at_s >= at_s and heard.level > level]

    def texts(self, topic: str) -> list[str]:
        return [streamed.text for streamed in self.read if streamed.topic == topic]

    async def _talk(self, microphone: rtc.AudioSource) -> None:
        samples = RATE_HZ * STEP_MS // 1000
        sounds = {True: tone(RATE_HZ, milliseconds=STEP_MS, hz=450.0), False: bytes(samples * 2)}
        while True:
            await microphone.capture_frame(rtc.AudioFrame(sounds[self.loud], RATE_HZ, 1, samples))

    def _on_track(self, track: Any, publication: Any, participant: Any) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self._start(self._hear(track))
        else:
            self._start(self._see(track))

    async def _hear(self, track: Any) -> None:
        stream = rtc.AudioStream.from_track(track=track, sample_rate=16_000, num_channels=1)
        try:
            async for event in stream:
                self.hears.append(Heard(time.monotonic(), np.frombuffer(bytes(event.frame.data), np.int16)))
        finally:
            await close(stream)

    async def _see(self, track: Any) -> None:
        stream = rtc.VideoStream.from_track(track=track, format=rtc.VideoBufferType.I420, capacity=4)
        try:
            async for event in stream:
                frame, at_s = event.frame, time.monotonic()
                i420 = np.frombuffer(bytes(frame.data), np.uint8)[: frame.width * frame.height * 3 // 2]
                light = luma(i420.reshape(frame.height * 3 // 2, frame.width))
                self.sees.append(Seen(at_s, light, frame.width, frame.height))
        finally:
            await close(stream)

    def _on_text(self, reader: Any, identity: str) -> None:
        self._start(self._read(reader, identity))

    async def _read(self, reader: Any, identity: str) -> None:
        text = await reader.read_all()
        info = reader.info
        self.read.append(Streamed(info.topic, identity, text, dict(info.attributes or {})))

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work, name=f"guest-{self.identity}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Listener:
    """What one person's inlet let in."""

    def __init__(self) -> None:
        self.pcm = bytearray()
        self.digits = ""
        self.texts: list[str] = []

    def audio(self, pcm: bytes) -> None:
        self.pcm += pcm

    def digit(self, digit: str) -> None:
        self.digits += digit

    def text(self, text: str) -> None:
        self.texts.append(text)

    @property
    def level(self) -> float:
        """Of the last half second."""
        last = np.frombuffer(bytes(self.pcm[-16_000:]), np.int16)
        return float(np.abs(last.astype(np.float32)).mean()) if len(last) else 0.0


class MeetingAttendance:
    """Who came, and a door for each: open as soon as the disclosure was heard, for who comes later at once."""

    def __init__(self) -> None:
        self.doors: dict[str, Inlet] = {}
        self.listeners: dict[str, Listener] = {}
        self.told: list[tuple[object, ...]] = []
        self.people: dict[str, Person] = {}
        self.disclosed = False

    def joined(self, person: Person) -> Inlet:
        self.told.append(("joined", person.identity))
        self.people[person.identity] = person
        if person.identity not in self.doors:
            listener = self.listeners[person.identity] = Listener()
            self.doors[person.identity] = Inlet(16_000, listener)
        if self.disclosed:
            self.doors[person.identity].open()
        return self.doors[person.identity]

    def left(self, identity: str) -> None:
        self.told.append(("left", identity))

    def renamed(self, identity: str, name: str) -> None:
        self.told.append(("renamed", identity, name))

    def muted(self, identity: str, muted: bool) -> None:
        self.told.append(("muted", identity, muted))

    def shares_screen(self, identity: str, shares: bool) -> None:
        self.told.append(("shares", identity, shares))


class MeetingHost(TestHost):
    """A `TestHost` whose calls have many people."""

    __test__ = False

    def begin(self, channel: Channel, wire: Wire, caller: Caller, *, reference: str | None = None) -> Call:
        call = super().begin(channel, wire, caller, reference=reference)
        attendance = MeetingAttendance()
        call.attendance = attendance
        conversation = self.conversations[-1]
        disclosed = conversation.disclosed

        def opened(position: int) -> None:
            disclosed(position)
            call.inlet.close()
            attendance.disclosed = True
            for door in attendance.doors.values():
                door.open()

        conversation.disclosed = opened  # type: ignore[method-assign]  # a meeting's doors are its people's
        return call

    @property
    def conversation(self) -> Conversation:
        return self.conversations[-1]

    @property
    def attendance(self) -> MeetingAttendance:
        attendance = self.conversation.call.attendance
        assert isinstance(attendance, MeetingAttendance)
        return attendance


@dataclass(frozen=True, slots=True)
class Ticket:
    """An `Entry`."""

    url: str
    token: str
    room: str
    e2ee_key: str = ""


@dataclass(eq=False)
class Meeting:
    """A twin's session in a room, running."""

    host: MeetingHost
    session: RoomSession
    task: asyncio.Task[str]

    @property
    def call(self) -> Call:
        assert self.session.call is not None
        return self.session.call

    @property
    def told(self) -> list[tuple[object, ...]]:
        return self.host.attendance.told

    async def disclosed(self) -> None:
        await until(lambda: bool(self.host.conversations))
        async with asyncio.timeout(LIMIT_S):
            await self.host.conversation.disclosed_event.wait()

    async def end(self, reason: str = "test_over") -> str:
        if not self.task.done():
            self.session.leave(reason)
        async with asyncio.timeout(LIMIT_S):
            return await self.task


@asynccontextmanager
async def meeting(
    server: LiveKitServer,
    room: str,
    *,
    host: MeetingHost | None = None,
    settings: LiveKitSettings = PROMPT,
    e2ee_key: str = "",
    **grants: Any,
) -> AsyncIterator[Meeting]:
    """The twin enters a room, and has left it when this is over."""
    host = host or MeetingHost()
    token = server.token("twin", room, name=SIGNS.name, kind="agent", **grants)
    session = RoomSession(host, settings, Ticket(server.url, token, room, e2ee_key), SIGNS)
    running = Meeting(host, session, asyncio.create_task(session.run(), name="meeting"))
    try:
        yield running
    finally:
        if not running.task.done():
            await running.end()
        elif not running.task.cancelled() and not isinstance(running.task.exception(), ChannelError):
            running.task.result()


@asynccontextmanager
async def guests(
    server: LiveKitServer, room: str, names: Sequence[str], **join: Any
) -> AsyncIterator[list[Guest]]:
    """So many people with microphones, who leave when this is over."""
    there: list[Guest] = []
    try:
        for name in names:
            guest = Guest(name)
            there.append(await guest.join(server, room, name=name.title(), **join))
            await guest.speak()
        yield there
    finally:
        for guest in there:
            await guest.leave()
