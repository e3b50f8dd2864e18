"""One call whose transport is this machine: a camera, a microphone and a speaker that a meeting's program uses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from channels.call import Call, Caller, CallEvent, Host
from channels.camera.pictures import Pictures, Screen
from channels.camera.settings import CameraSettings
from channels.camera.sound import RATE_HZ, Sound
from channels.camera.wire import CameraWire
from channels.outlet import CHUNK_MS, State
from compliance.errors import CallRefused, SoundMissing

logger = logging.getLogger(__name__)

CHUNK_SAMPLES = RATE_HZ * CHUNK_MS // 1000


class CameraSession:
    """The whole meeting is one person to it: one mixed sound comes in, and one voice with a face goes out.

    The devices pace it: they say what they want, and the outlet ticks for that. `run` holds the one call.
    """

    def __init__(
        self,
        host: Host,
        settings: CameraSettings,
        sound: Sound,
        screen: Screen | None,
        *,
        on_event: Callable[[CallEvent], None] = lambda event: None,
        on_trouble: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`sound` is open and stays the caller's to close, as `screen` does. `on_trouble` is told, in words for a
        person, what no longer works."""
        self.pictures: Pictures | None = None
        self.max_lead_ms = 0.0
        self._host = host
        self._settings = settings
        self._sound = sound
        self._screen = screen
        self._on_event = on_event
        self._on_trouble = on_trouble
        self._wire = CameraWire(sound)
        self._call: Call | None = None
        self._paused = False
        self._last_wanted = 0.0

    @property
    def bytes_sent(self) -> int:
        """PCM bytes that the devices were given."""
        return self._wire.bytes_sent

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def reason(self) -> str:
        """Why the call ended; empty while it goes on."""
        return self._wire.reason

    def hang_up(self, reason: str) -> None:
        """End the call; returns at once, and without effect before it began."""
        if self._call is not None:
            self._call.hang_up(reason)

    def pause(self, paused: bool) -> bool:
        """Neither hear nor say anything, from this moment on; the clock of the call stands still, and the twin
        goes on where it was. False while the announcement sounds, which cannot be paused."""
        call = self._call
        if call is None or call.outlet.state is not State.OPEN:
            return False
        if paused and not self._paused:
            # What waits at the device would still sound. It is said again afterwards.
            held = call.outlet.held
            call.outlet.hold()
            if not held:
                call.outlet.resume()
        self._paused = paused
        if not paused:
            self._wanted()
        return True

    async def run(self) -> None:
        """Hold the conversation until either side ends it. Raises `CallRefused`."""
        refusal = self._host.refusal()
        if refusal is not None:
            raise CallRefused(refusal.spoken)
        call = self._call = self._host.begin("camera", self._wire, Caller())
        call.watchers.append(self._on_event)
        view = call.show() if self._screen is not None else None
        if view is not None and self._screen is not None:
            self.pictures = Pictures(view, self._screen, self._on_trouble)
        helpers = [asyncio.create_task(self._watch(), name="camera watch")]
        if self.pictures is not None:
            helpers.append(asyncio.create_task(self.pictures.run(), name="camera pictures"))
        for helper in helpers:
            helper.add_done_callback(self._ended)
        try:
            try:
                await self._sound.begin(self._wanted, self._hear, self._lost)
            except SoundMissing:
                # Said by the call's end; the host must carry what it began, if only to end it.
                call.hang_up("sound_lost")
            await self._host.carry(call)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._log(call)

    def _wanted(self) -> None:
        """The devices have room: what they have played was heard, and as much more leaves."""
        self._last_wanted = asyncio.get_running_loop().time()
        call = self._call
        if call is None or self._paused or self._wire.closing:
            return
        try:
            call.outlet.played(self._sound.played)
            while self._sound.wanted >= CHUNK_SAMPLES:
                call.outlet.tick()
        except Exception as error:  # noqa: BLE001  whatever it is, a twin whose clock stands must not stay in the room
            logger.error("the camera's clockwork failed, the call ends", extra={"error": type(error).__name__})
            self._wire.closing = True
            call.hang_up("line_failed")
            return
        self.max_lead_ms = max(self.max_lead_ms, self._sound.lead_ms)
        if self.pictures is not None:
            self.pictures.heard(call.clock.heard)

    def _hear(self, pcm: bytes) -> None:
        if self._call is not None and not self._paused:
            self._call.inlet.hear(pcm)

    def _lost(self) -> None:
        self._on_trouble("The sound devices are gone.")
        self.hang_up("sound_lost")

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        limit_s = self._settings.stalled_s
        self._last_wanted = clock()
        while True:
            await asyncio.sleep(limit_s / 4)
            if self._paused:
                # Devices that are given nothing ask for nothing.
                self._last_wanted = clock()
            elif clock() - self._last_wanted > limit_s:
                self.hang_up("sound_stalled")
                return

    def _ended(self, helper: asyncio.Task[None]) -> None:
        error = None if helper.cancelled() else helper.exception()
        if error is not None:
            extra = {"part": helper.get_name(), "error": type(error).__name__}
            logger.error("a part of the camera's call failed", extra=extra)

    def _log(self, call: Call) -> None:
        pictures = self.pictures
        logger.info(
            "camera call closed",
            extra={
                "call": call.id,
                "max_lead_ms": round(self.max_lead_ms),
                "gaps": self._sound.gaps,
                "frames": pictures.shown if pictures else 0,
                "skipped_frames": pictures.skipped if pictures else 0,
                "stale_frames": pictures.stale if pictures else 0,
            },
        )
