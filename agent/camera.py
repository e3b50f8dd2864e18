"""`twin camera`: the twin as this machine's camera and microphone, for a program that holds the meeting."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress

from agent.camera_device import VirtualCamera
from agent.camera_window import Window
from agent.face.lineup import Faces, mark_of
from agent.house import House
from agent.serve import Plan
from agent.settings import FaceSection, Settings
from agent.terminal_keys import ENTER, Keys
from avatar.controls import at_rest
from avatar.mark import stamp
from avatar.picture import Picture
from channels.camera.port_audio import PortAudioSound, by_default
from channels.camera.pulse_sound import PulseSound
from channels.camera.session import CameraSession
from channels.camera.sound import Sound
from compliance.errors import EngineError, SettingsError, SoundMissing

STILL_EVERY_S = 0.5
SIGNALS = (signal.SIGINT, signal.SIGTERM)
BROKEN = {
    "sound_lost": "the sound devices are gone: see that the sound server runs, and start this again",
    "sound_stalled": "the sound devices take nothing any more: see `twin doctor`",
    "line_failed": "the call's clockwork failed: the log says where",
}
"""Ends that nobody wished for."""


async def camera(chosen: Plan, window: Window, keys: Keys | None = None, *, now: bool = False) -> str:
    """Hold one call, from the devices to the end; returns why it ended, empty when it never began.

    Raises `SettingsError`, `SoundMissing`, `EngineError` and what else keeps a twin from starting: one line each.
    """
    async with AsyncExitStack() as stack:
        pressed = await stack.enter_async_context(keys or Keys())
        if not now and not pressed.there:
            raise SettingsError("there is no terminal to press a key in; --now begins at once")
        wishes = Wishes(pressed)
        stack.push_async_callback(wishes.close)
        persona = chosen.home.persona()
        sound = sound_of(chosen.settings, chosen.environment)
        stack.push_async_callback(sound.close)
        await sound.open()
        house = House(chosen.settings, persona, chosen.environment, home=chosen.home.path)
        await house.start()
        stack.push_async_callback(house.close)
        screen = await _screen(stack, chosen.settings, house.faces, window)
        window.ready(persona.profile.name, sound, screen.name if screen else "none")
        if not now:
            async with Still(screen, house.faces, chosen.settings):
                if not await wishes.begin():
                    return ""
        session = CameraSession(
            house, chosen.settings.camera, sound, screen, on_event=window.told, on_trouble=window.line
        )
        return await _held(session, house, wishes, window)


def sound_of(settings: Settings, environment: Mapping[str, str]) -> Sound:
    """The sound devices that the settings name, or those of the desktop. Raises `SettingsError`."""
    own = settings.camera
    if own.plays_into:
        return PortAudioSound(own.plays_into, own.listens_to, lead_ms=own.lead_ms)
    if by_default():
        raise SettingsError(
            "name the sound devices in [camera] plays_into and listens_to; channels/camera/README.md says which"
        )
    return PulseSound(environment, lead_ms=own.lead_ms)


async def _screen(stack: AsyncExitStack, settings: Settings, faces: Faces, window: Window) -> VirtualCamera | None:
    """The camera, open and closed with `stack`; None where none is wanted or none can be had, and that is said."""
    face: FaceSection = settings.face
    if not settings.camera.picture or not face.moves:
        return None
    screen = VirtualCamera(settings.camera, face.width, face.height, face.fps)
    stack.push_async_callback(screen.close)
    try:
        await screen.open()
    except EngineError as error:
        # A meeting can do without the picture, and the sound says who speaks.
        window.line(f"no picture: {error.message}")
        return None
    await faces.ready()
    return screen


async def _held(session: CameraSession, house: House, wishes: Wishes, window: Window) -> str:
    carried = asyncio.create_task(session.run(), name="camera call")
    heeded = asyncio.create_task(_heed(session, wishes, window), name="camera keys")
    try:
        await asyncio.shield(carried)
    except asyncio.CancelledError:
        # Whoever cancels this wants the meeting left, in order.
        session.hang_up("cancelled")
        await carried
        raise
    finally:
        heeded.cancel()
        await asyncio.wait({heeded})
    reason = session.reason
    if reason in BROKEN:
        raise SoundMissing(BROKEN[reason])
    return reason


async def _heed(session: CameraSession, wishes: Wishes, window: Window) -> None:
    while True:
        match await wishes.next():
            case "m":
                if session.pause(not session.paused):
                    window.line("muted: it hears and says nothing" if session.paused else "it listens")
                else:
                    window.line("not before the announcement was heard")
            case "q":
                session.hang_up("owner_left")


class Wishes:
    """What the person at the terminal wants: keys, and the signals to end, which count as `q`."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._asked = False
        self._loop = asyncio.get_running_loop()
        for sig in SIGNALS:
            # Not on Windows, and not outside the main thread: Ctrl-C cancels the command there.
            with suppress(RuntimeError, ValueError):
                self._loop.add_signal_handler(sig, self.leave)

    def leave(self) -> None:
        """A signal; the second ends the process as it is."""
        if self._asked:
            os._exit(1)
        self._asked = True
        self._keys.press("q")

    async def next(self) -> str:
        """The next wish."""
        return await self._keys.next()

    async def begin(self) -> bool:
        """Wait for the go; False when it is a no."""
        while True:
            key = await self.next()
            if key in (ENTER, "q"):
                return key == ENTER

    async def close(self) -> None:
        """Signals do what they did before."""
        for sig in SIGNALS:
            with suppress(RuntimeError, ValueError):
                self._loop.remove_signal_handler(sig)


class Still:
    """`async with` it: the face at rest, with its mark, is what the camera shows meanwhile."""

    def __init__(self, screen: VirtualCamera | None, faces: Faces, settings: Settings) -> None:
        self._screen = screen
        self._faces = faces
        self._mark = mark_of(settings.twin.language)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Still:
        if self._screen is not None:
            self._task = asyncio.create_task(self._show(self._screen), name="camera still")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _show(self, screen: VirtualCamera) -> None:
        picture = await asyncio.to_thread(self._picture)
        while picture is not None:
            with suppress(EngineError):
                # Its process starts anew by itself; the call's own pictures say when it does not.
                await screen.show(picture.width, picture.height, picture.i420.tobytes())
            await asyncio.sleep(STILL_EVERY_S)

    def _picture(self) -> Picture | None:
        loaded = self._faces.loaded
        if loaded is None:
            return None
        picture = loaded.rig.blank()
        loaded.rig.draw(at_rest(), picture)
        stamp(picture, self._mark)
        return picture
