"""One room, from entering it until nothing of it is left."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from channels.call import Call, Caller, Caption, Host
from channels.livekit import library, signs, token
from channels.livekit.captions import Captions
from channels.livekit.chat import Chat
from channels.livekit.connection import Connection, Entry, RoomUnreachable
from channels.livekit.ears import Ears
from channels.livekit.outbox import Outbox
from channels.livekit.people import Came, Change, Left, Muted, People, Renamed, Shares
from channels.livekit.pictures import Pictures
from channels.livekit.presence import Presence
from channels.livekit.settings import LiveKitSettings
from channels.livekit.signs import Signs
from channels.livekit.sound import Sound
from channels.livekit.wire import RATE_HZ, SOURCE_MS, RoomWire
from channels.outlet import State
from compliance.errors import CallRefused, ChannelError

logger = logging.getLogger(__name__)

LOOK_S = 0.25
"""How often the room is looked at when nothing is told of it."""
SUBSCRIBE_LIMIT_S = 3.0
"""How long the first word waits for somebody to get the twin's sound."""
LINGER_S = 0.3
"""What left last still has to cross the network and the ear's jitter buffer."""
FLUSH_S = 0.5
ENDING_LIMIT_S = 30.0
"""How long the host may take to end a call after its room is gone; it has shorter limits of its own."""
CANCEL_LIMIT_S = 4.0


class RoomSession:
    """The twin in one room. `run` is everything; it leaves nothing behind."""

    def __init__(
        self, host: Host, settings: LiveKitSettings, entry: Entry, signs: Signs, *, room: Any = None
    ) -> None:
        """`room` is an `rtc.Room` that somebody else made; it may be connected already, and is left all the same.
        The token must allow to publish, to subscribe and to send data, and to change the own metadata; one that
        neither does so nor names the twin as `signs` does is refused."""
        self.call: Call | None = None
        """Once somebody is there."""
        self.wire = RoomWire(time.monotonic, self._hang_up)
        self.outbox = Outbox()
        self.people = People()
        self._host = host
        self._settings = settings
        self._entry = entry
        self._signs = signs
        self._given = room
        self._now: Callable[[], float] = time.monotonic
        self._connection: Connection
        self._ears: Ears
        self._chat = Chat(self._typed, self._now)
        self._presence: Presence
        self._sound: Sound | None = None
        self._pictures: Pictures | None = None
        self._publication: Any = None
        self._disclosed = False
        self._asked = ""
        self._reason = ""
        self._carry: asyncio.Task[None] | None = None
        self._end_by_s: float | None = None
        """Until when the host may end the call, once it was told to."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connection(self) -> Connection:
        return self._connection

    async def run(self) -> str:
        """Enter, wait for people, hold the conversation, leave; returns why it ended: `nobody_came`, `alone`,
        `removed`, `room_ended`, `duplicate`, `connection_lost`, or what the call was ended with.

        Raises `EngineMissing` without the SDK, `RoomUnreachable` when the room cannot be entered, `ChannelError`
        when it takes no sound, `CallRefused` when no further call can be carried.
        """
        rtc = await library.load()
        self._connection = Connection(rtc, self._settings, self._entry, self._now, self._given)
        self._ears = Ears(rtc, self._settings.batch_ms)
        try:
            await self._enter(rtc)
            reason = await self._wait_for_people()
            if not reason:
                reason = await self._converse(rtc)
            self._reason = self._reason or reason
        finally:
            await self._close()
        return self._reason

    def leave(self, reason: str) -> None:
        """Ask it to end; returns at once."""
        self._asked = self._asked or reason
        if self.call is not None:
            self.call.hang_up(reason)
        elif hasattr(self, "_connection"):
            self._connection.stirred.set()

    def write(self, text: str, to: Sequence[str] = ()) -> None:
        """As `channels.room.Room`."""
        keys = [key for identity in to if (key := self.people.key(identity))]
        if to and not keys:
            self.outbox.dropped += 1
            return
        self.outbox.put(
            lambda: self._connection.local.send_text(text, topic=signs.CHAT, destination_identities=keys)
        )

    def raise_hand(self, raised: bool) -> None:
        """As `channels.room.Room`."""
        self._mark({signs.HAND: "raised" if raised else ""})

    async def _enter(self, rtc: Any) -> None:
        if not token.shows(self._entry.token, self._signs.name):
            raise RoomUnreachable(
                "The token would show the twin without the words that say what it is: "
                "it needs canUpdateOwnMetadata, or the name that the disclosure has for the list of people."
            )
        connection = self._connection
        connection.on_track = self._ears.offered
        connection.on_track_gone = self._ears.withdrawn
        connection.on_digit = self._pressed
        connection.on_data = self._chat.on_data
        for topic, handler in ((signs.CHAT, self._chat.on_stream), (signs.TRANSCRIPTION, _ignored)):
            connection.room.register_text_stream_handler(topic, handler)
        await connection.enter()
        self._start(self.outbox.run(), "outbox")
        if connection.local.name != self._signs.name:
            self.outbox.put(lambda: connection.local.set_name(self._signs.name))
        self._mark(self._signs.attributes)
        self.wire.source = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=SOURCE_MS)
        # Before anybody speaks: with nothing to receive, LiveKit does not show people to each other.
        self._publication = await connection.publish_voice(self.wire.source)
        settings, now = self._settings, self._now()
        self._presence = Presence(
            now,
            first_s=settings.first_minutes * 60,
            alone_s=settings.alone_minutes * 60,
            lost_s=settings.lost_after_s,
        )

    async def _wait_for_people(self) -> str:
        while True:
            self._look()
            if reason := self._leaves():
                return reason
            if self._presence.came and self._connection.up:
                break
            await self._stirred()
        waiting = self._start(self._publication.wait_for_subscription(), "subscribed")
        await asyncio.wait({waiting}, timeout=SUBSCRIBE_LIMIT_S)
        waiting.cancel()
        return ""

    async def _converse(self, rtc: Any) -> str:
        refusal = self._host.refusal()
        if refusal is not None:
            self.write(refusal.spoken)
            await self.outbox.flush(FLUSH_S)
            raise CallRefused(refusal.spoken)
        call = self._host.begin("room", self.wire, Caller(), reference=self._entry.room)
        self.call = call
        call.room = self
        try:
            sound = self._prepare(rtc, call)
        except BaseException:  # whatever it was, the host must carry what it began, if only to end it
            call.hang_up("line_failed")
            await self._host.carry(call)
            raise
        carry = self._carry = self._start(self._host.carry(call), "carry")
        sounding = self._start(sound.run(), "sound")
        watching = self._start(self._watch(call, sound), "watch")
        if self._pictures is not None:
            self._start(self._pictures.run(), "pictures")
        try:
            await asyncio.wait({carry, sounding, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not carry.done():
                await self._ended(call, carry, self._connection.over or "line_failed")
        finally:
            self._log(call, sound, sounding, watching)
        return self._asked or self._connection.over or "ended"

    async def _ended(self, call: Call, carry: asyncio.Task[None], reason: str) -> None:
        """Let the host end the call, its digest as well; the limit counts from the first time."""
        now = self._now()
        self._end_by_s = self._end_by_s or now + ENDING_LIMIT_S
        call.hang_up(reason)
        await asyncio.wait({carry}, timeout=max(0.0, self._end_by_s - now))

    def _prepare(self, rtc: Any, call: Call) -> Sound:
        """The call's clockwork, and everybody who is there told to the host."""
        sound = self._sound = Sound(rtc, call, self.wire, self._settings.lead_ms, self._now)
        if self._settings.write_captions:
            captions = Captions(
                call.id,
                lambda: self._connection.local,
                self.outbox,
                track_of=lambda key: self._ears.sid(key) if key else str(self._publication.sid),
                key_of=self.people.key,
            )
            call.watchers.append(lambda event: captions.show(event) if isinstance(event, Caption) else None)
        view = call.show()
        if view is not None:
            publish = partial(self._connection.publish_picture, view.film)
            self._pictures = Pictures(rtc, view, self.wire, self._now, publish)
            sound.on_left = self._pictures.left
        for seat in self.people.here:
            self._tell(Came(seat))
        return sound

    async def _watch(self, call: Call, sound: Sound) -> None:
        """Until the room is gone."""
        while not self._connection.over:
            sound.paused = not self._connection.up
            self.outbox.way(self._connection.up)
            self._look()
            if reason := self._leaves():
                call.hang_up(reason)
            if call.outlet.state is State.OPEN and not self._disclosed:
                self._disclosed = True
                self._mark({signs.DISCLOSED_AT: datetime.now(UTC).isoformat(timespec="seconds")})
            await self._stirred()

    def _look(self) -> None:
        connection, now = self._connection, self._now()
        if connection.over:
            return
        changes = self.people.look(connection.seats(), now, steady=connection.steady)
        if self.call is not None:
            for change in changes:
                self._tell(change)
        self._presence.connected(connection.up, now)
        self._presence.people(sum(seat.person.kind != "machine" for seat in self.people.here), now)

    def _leaves(self) -> str:
        return self._asked or self._connection.over or self._presence.leaves(self._now()) or ""

    def _tell(self, change: Change) -> None:
        attendance = self.call.attendance if self.call is not None else None
        if attendance is None:
            return
        seat, person = change.seat, change.seat.person
        match change:
            case Came():
                self._ears.came(seat.key, attendance.joined(person))
                # To each alone: who comes later cannot read what was written before.
                if person.kind == "person" and self._settings.write_chat and self._signs.chat:
                    self.write(self._signs.chat, [person.identity])
                if seat.muted:
                    attendance.muted(person.identity, True)
                if seat.shares:
                    attendance.shares_screen(person.identity, True)
            case Left():
                self._ears.left(seat.key)
                attendance.left(person.identity)
            case Renamed():
                attendance.renamed(person.identity, person.name)
            case Muted():
                attendance.muted(person.identity, seat.muted)
            case Shares():
                attendance.shares_screen(person.identity, seat.shares)

    def _typed(self, key: str, text: str) -> None:
        inlet, seat = self._ears.inlet(key), self.people.seat(key)
        if inlet is not None and seat is not None and seat.person.kind != "machine":
            inlet.type(text)

    def _pressed(self, key: str, digit: str) -> None:
        inlet = self._ears.inlet(key)
        if inlet is not None:
            inlet.press(digit)

    def _mark(self, attributes: dict[str, str]) -> None:
        self.outbox.put(lambda: self._connection.local.set_attributes(attributes))

    async def _stirred(self) -> None:
        stirred = self._connection.stirred
        try:
            async with asyncio.timeout(LOOK_S):
                await stirred.wait()
        except TimeoutError:
            return
        stirred.clear()

    async def _hang_up(self, reason: str) -> None:
        """From the host, through the wire: say the last word and leave."""
        self._reason = self._reason or reason
        if self._connection.up:
            await asyncio.sleep(self.wire.playout.lead_ms(self._now()) / 1000 + LINGER_S)
            await self.outbox.flush(FLUSH_S)
        await self._connection.leave()

    def _start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"room-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _close(self) -> None:
        carry, call = self._carry, self.call
        try:
            await self._cancelled(self._tasks - {carry})
            # Before the host's end: what it still writes needs no room.
            await self._connection.leave()
            if carry is not None and call is not None and not carry.done():
                await self._ended(call, carry, "cancelled")
        finally:
            await self._cancelled(self._tasks)
        await self._chat.close()
        await self._ears.close()
        if self._pictures is not None:
            await self._pictures.close()
        if self.wire.source is not None:
            await self.wire.source.aclose()

    async def _cancelled(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        asked = set(tasks)
        for task in asked:
            task.cancel()
        if asked:
            _, left = await asyncio.wait(asked, timeout=CANCEL_LIMIT_S)
            if left:
                logger.error("tasks of a room do not end", extra={"tasks": len(left)})

    def _log(self, call: Call, sound: Sound, *tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            error = task.exception() if task.done() and not task.cancelled() else None
            if error is not None:
                why = error.code if isinstance(error, ChannelError) else type(error).__name__
                logger.error(
                    "a part of a room failed", extra={"call": call.id, "part": task.get_name(), "error": why}
                )
        logger.info(
            "room left",
            extra={
                "call": call.id,
                "bytes_out": self.wire.bytes_captured,
                "max_lead_ms": round(sound.max_lead_ms),
                "late_beats": sound.late_beats,
                "dry": self.wire.playout.dry,
                "reconnects": self._connection.reconnects,
                "frames": self._pictures.sent if self._pictures else 0,
                "skipped_frames": self._pictures.skipped if self._pictures else 0,
                "messages_dropped": self.outbox.dropped,
            },
        )


def _ignored(reader: Any, key: str) -> None:
    """Transcripts of others: what people say comes in through their inlets alone."""
    reader.close()
