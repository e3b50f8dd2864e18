"""The way to one room: entered, kept, published into, and left within a limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from channels.livekit.people import Seat
from channels.livekit.seats import is_listened_to, is_microphone, seat
from channels.livekit.settings import LiveKitSettings
from channels.view import Film
from channels.web.vp8 import bitrate_for
from compliance.errors import ChannelError

logger = logging.getLogger(__name__)

PUBLISH_LIMIT_S = 10.0
LEAVE_LIMIT_S = 3.0
STREAM = "twin"
"""Of both tracks: receivers hold picture and sound together only within one stream."""
STEADY_S = 2.0
"""So long after a connection was made anew, who is in the room is not yet all told."""
REASONS = {2: "duplicate", 3: "connection_lost", 4: "removed", 5: "room_ended", 10: "room_ended"}
"""`DisconnectReason` of LiveKit's protocol; any other is a lost connection."""
STIRRING = (
    "participant_connected",
    "participant_disconnected",
    "participant_name_changed",
    "participant_attributes_changed",
    "track_published",
    "track_unpublished",
    "track_muted",
    "track_unmuted",
)


class RoomUnreachable(ChannelError):
    """The room cannot be entered."""

    code = "room_unreachable"


class Entry(Protocol):
    """Where to go, and as whom; `agent.fleet.job.RoomJob` is the real one."""

    @property
    def url(self) -> str: ...

    @property
    def token(self) -> str: ...

    @property
    def room(self) -> str: ...

    @property
    def e2ee_key(self) -> str:
        """The room's shared key; empty: not encrypted from end to end."""
        ...


class Connection:
    """Owns an `rtc.Room`. Its callbacks are told by the SDK's own task: they must be quick and not raise."""

    def __init__(
        self, rtc: Any, settings: LiveKitSettings, entry: Entry, now: Callable[[], float], room: Any = None
    ) -> None:
        """`room` is one that somebody else made, connected or not; it is left all the same."""
        self.on_track: Callable[[Any, Any, str], None] = lambda track, publication, key: None
        """A microphone of this participant is there to be heard."""
        self.on_track_gone: Callable[[str, str], None] = lambda sid, key: None
        self.on_digit: Callable[[str, str], None] = lambda key, digit: None
        self.on_data: Callable[[Any], None] = lambda packet: None
        self.stirred = asyncio.Event()
        """Something about the room has changed."""
        self.over = ""
        """Why the room is gone for good; empty while it is not."""
        self.reconnects = 0
        self.room: Any = rtc.Room() if room is None else room
        self._rtc = rtc
        self._settings = settings
        self._entry = entry
        self._now = now
        self._up = True
        self._up_since = now()
        self._wanted: dict[str, Any] = {}
        self._connecting: asyncio.Task[None] | None = None
        self._listeners: list[tuple[str, Callable[..., None]]] = []

    @property
    def up(self) -> bool:
        """False while it is being made anew, and when it is over."""
        return self._up and not self.over

    @property
    def steady(self) -> bool:
        """Who is not seen now is not there."""
        return self.up and self._now() - self._up_since >= STEADY_S

    @property
    def local(self) -> Any:
        return self.room.local_participant

    async def enter(self) -> None:
        """Raises `RoomUnreachable`."""
        self._listen()
        if not self.room.isconnected():
            await self._connect()
        self._up_since = self._now() - STEADY_S
        self.seats()

    def seats(self) -> list[Seat]:
        """Everybody in the room; asks for the microphones that are not asked for yet."""
        participants = list(self.room.remote_participants.values())
        wanted = {
            publication.sid: publication
            for participant in participants
            if is_listened_to(participant)
            for publication in participant.track_publications.values()
            if is_microphone(publication)
        }
        # What is asked while the connection is made anew is lost; afterwards all of it is asked again.
        if self.up:
            for sid, publication in wanted.items():
                if self._wanted.get(sid) is not publication:
                    publication.set_subscribed(True)
            self._wanted = wanted
        return [seat(participant) for participant in participants]

    async def publish_voice(self, source: Any) -> Any:
        """Returns the publication. Raises `ChannelError`."""
        rtc = self._rtc
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_MICROPHONE,
            # Silence is sent too: the clock counts it, and a receiver measures by it.
            dtx=False,
            red=True,
            stream=STREAM,
        )
        options.audio_encoding.max_bitrate = self._settings.audio_kbps * 1000
        return await self._publish(rtc.LocalAudioTrack.create_audio_track("voice", source), options)

    async def publish_picture(self, film: Film, source: Any, width: int, height: int) -> Any:
        """Returns the publication. Raises `ChannelError`."""
        rtc, fps = self._rtc, film.fps
        kbps = self._settings.video_kbps or film.bitrate_kbps or bitrate_for(width, height, fps)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA,
            video_codec=rtc.VideoCodec.VP8,
            # With it, and without a bitrate, LiveKit sends a quarter of the picture and says nothing.
            simulcast=False,
            degradation_preference=rtc.DegradationPreference.MAINTAIN_RESOLUTION,
            stream=STREAM,
        )
        options.video_encoding.max_bitrate = kbps * 1000
        options.video_encoding.max_framerate = fps
        return await self._publish(rtc.LocalVideoTrack.create_video_track("face", source), options)

    async def leave(self) -> None:
        """At most about 5 s. Safe to call twice."""
        connecting = self._connecting
        if connecting is not None and not connecting.done():
            # Cancelled half-way, the SDK would go on and leave a participant behind that nobody owns.
            await asyncio.wait({connecting}, timeout=LEAVE_LIMIT_S / 2)
            connecting.cancel()
            await asyncio.wait({connecting}, timeout=LEAVE_LIMIT_S / 2)
        try:
            async with asyncio.timeout(LEAVE_LIMIT_S):
                await self.room.disconnect()
        except TimeoutError:
            logger.error("a room does not close", extra={"limit_s": LEAVE_LIMIT_S})
        self._end("left")
        for event, listener in self._listeners:
            self.room.off(event, listener)
        self._listeners.clear()

    async def _connect(self) -> None:
        rtc, limit_s = self._rtc, self._settings.connect_limit_s
        key = self._entry.e2ee_key
        encryption = None
        if key:
            provider = rtc.KeyProviderOptions(shared_key=key.encode())
            encryption = rtc.E2EEOptions(key_provider_options=provider)
        options = rtc.RoomOptions(auto_subscribe=False, encryption=encryption, connect_timeout=limit_s)
        connecting = asyncio.create_task(
            self.room.connect(self._entry.url, self._entry.token, options), name="room-connect"
        )
        self._connecting = connecting
        await asyncio.wait({connecting}, timeout=limit_s)
        if not connecting.done():
            raise RoomUnreachable(f"The LiveKit server did not let the twin in within {limit_s:g} s.")
        error = connecting.exception()
        if isinstance(error, rtc.ConnectError):
            # Its message holds the address, and the address may hold the token.
            refused = "401" in str(error) or "403" in str(error)
            what = "refused the token" if refused else "cannot be reached"
            raise RoomUnreachable(
                f"The LiveKit server {what}: check LIVEKIT_URL, the keys and the room."
            ) from None
        if error is not None:
            raise RoomUnreachable(f"The room cannot be entered ({type(error).__name__}).") from None

    async def _publish(self, track: Any, options: Any) -> Any:
        try:
            async with asyncio.timeout(PUBLISH_LIMIT_S):
                return await self.local.publish_track(track, options)
        except TimeoutError:
            raise ChannelError("The room did not take a track in time.") from None
        except Exception:  # noqa: BLE001  the SDK does not export the error it raises, whose text may name people
            raise ChannelError("The room refused a track: the token must allow to publish.") from None

    def _listen(self) -> None:
        self._on("disconnected", lambda reason: self._end(REASONS.get(int(reason), "connection_lost")))
        self._on("reconnecting", self._on_reconnecting)
        self._on("reconnected", self._on_reconnected)
        self._on("track_subscribed", self._on_subscribed)
        self._on("track_unsubscribed", self._on_unsubscribed)
        self._on("sip_dtmf_received", self._on_dtmf)
        self._on("data_received", lambda packet: self.on_data(packet))
        for event in STIRRING:
            self._on(event, lambda *_: self.stirred.set())

    def _on(self, event: str, listener: Callable[..., None]) -> None:
        def guarded(*values: Any) -> None:
            try:
                listener(*values)
            except Exception as error:  # noqa: BLE001  the SDK would log the event itself, with who and what is in it
                logger.error("an event of a room failed", extra={"event": event, "error": type(error).__name__})

        self._listeners.append((event, guarded))
        self.room.on(event, guarded)

    def _end(self, reason: str) -> None:
        self.over = self.over or reason
        self.stirred.set()

    def _on_reconnecting(self) -> None:
        self._up = False
        self.stirred.set()

    def _on_reconnected(self) -> None:
        self._up = True
        self._wanted.clear()
        self._up_since = self._now()
        self.reconnects += 1
        self.stirred.set()

    def _on_subscribed(self, track: Any, publication: Any, participant: Any) -> None:
        if is_microphone(publication) and is_listened_to(participant):
            self.on_track(track, publication, participant.identity)
        else:
            # A room that was connected by others may subscribe to everything.
            publication.set_subscribed(False)

    def _on_unsubscribed(self, track: Any, publication: Any, participant: Any) -> None:
        self._wanted.pop(publication.sid, None)
        self.on_track_gone(publication.sid, participant.identity)

    def _on_dtmf(self, pressed: Any) -> None:
        if pressed.participant is not None:
            self.on_digit(pressed.participant.identity, pressed.digit)
