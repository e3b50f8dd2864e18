"""Files as the other side of a call: the outlet's wire ends in a WAV file or a film, as fast as it is written."""

from __future__ import annotations

import os
import wave
from pathlib import Path
from typing import Protocol

from agent.film import Film
from agent.permission import Permission, Permit
from channels.clock import Clock
from channels.heard import HeardWord
from channels.outlet import Mark, Outlet, State
from channels.spoken import Spoken
from channels.view import View
from compliance.errors import DoorClosed, EngineFailed

PAUSE_CHUNKS = 20
"""Silence between the disclosure and the text: 400 ms."""
LAST_CHUNKS = 25
"""Of a film: half a second in which the face comes to rest."""


class FileWire(Protocol):
    """A `channels.wire.Wire` into a file: what it takes counts as played."""

    @property
    def rate_hz(self) -> int: ...

    @property
    def bytes_sent(self) -> int: ...

    def send(self, pcm: bytes) -> None: ...

    def clear(self) -> int: ...

    async def close(self, reason: str) -> None: ...


class WavWire:
    """Into a WAV file. `close` finishes the file."""

    def __init__(self, file: Path, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.bytes_sent = 0
        # Opened by hand: wave.open would leave the file to the mode of the process.
        self._file = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._wave = wave.open(self._file, "wb")  # noqa: SIM115  closed by `close`
        self._wave.setnchannels(1)
        self._wave.setsampwidth(2)
        self._wave.setframerate(rate_hz)

    def send(self, pcm: bytes) -> None:
        self._wave.writeframes(pcm)
        self.bytes_sent += len(pcm)

    def clear(self) -> int:
        return self.bytes_sent // 2

    async def close(self, reason: str) -> None:
        self._wave.close()
        self._file.close()


class FilmWire:
    """Into a film, whose pictures come from the same door."""

    def __init__(self, film: Film, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.bytes_sent = 0
        self.film = film

    def send(self, pcm: bytes) -> None:
        self.film.sound(pcm)
        self.bytes_sent += len(pcm)

    def clear(self) -> int:
        return self.bytes_sent // 2

    async def close(self, reason: str) -> None:
        self.film.close()


class Recording:
    """The outlet's clockwork and listener: it ticks as fast as the file is written."""

    def __init__(self, wire: FileWire, permit: Permit | None, mark: Mark) -> None:
        stages = [Permission(permit)] if permit is not None else []
        self.clock = Clock(wire.rate_hz)
        self._outlet = Outlet(self.clock, wire, self, stages, mark=mark)
        self._failure = ""
        self._abandoned = False
        self._shown: tuple[View, Film] | None = None

    def show(self, view: View, film: Film) -> None:
        """From now on a picture is drawn for every frame's sample that leaves."""
        self._outlet.watch(view)
        self._shown = view, film

    def disclose(self, spoken: Spoken) -> None:
        """Let the disclosure sound in full. Raises `DoorClosed`."""
        self._outlet.disclose(spoken)
        self._until_silent()
        if self._outlet.state is not State.OPEN:
            raise DoorClosed("the disclosure could not be played in full; nothing was written")
        self.pause(PAUSE_CHUNKS)

    def say(self, spoken: Spoken) -> None:
        """Let one sentence sound. Raises `DoorClosed`."""
        while not self._outlet.say(spoken):
            self._tick()
        self._until_silent()

    def pause(self, chunks: int) -> None:
        """Let silence pass."""
        for _ in range(chunks):
            self._tick()

    def abandon(self) -> None:
        """From any thread: whatever is being written stops at the next chunk, with `DoorClosed`."""
        self._abandoned = True

    def _until_silent(self) -> None:
        while self._outlet.speaking:
            self._tick()

    def _tick(self) -> None:
        if self._abandoned:
            raise DoorClosed("the recording was given up; nothing was written")
        begin = self.clock.position
        self._outlet.tick()
        if self._shown is not None:
            self._draw(*self._shown, begin)
        self._outlet.played(self.clock.position)
        if self._failure:
            raise DoorClosed(f"the outlet closed ({self._failure}); nothing was written")

    def _draw(self, view: View, film: Film, begin: int) -> None:
        for number in view.due(begin, self.clock.position):
            frame = view.draw(number)
            if frame is None:
                raise EngineFailed("the face could not be drawn; `twin doctor` says what is wrong with it")
            film.show(frame.picture)

    def disclosed(self, position: int) -> None:
        """From the outlet."""

    def heard(self, words: list[HeardWord]) -> None:
        """From the outlet."""

    def speaking(self, speaking: bool, position: int) -> None:
        """From the outlet."""

    def room(self) -> None:
        """From the outlet."""

    def failed(self, reason: str) -> None:
        """From the outlet."""
        self._failure = reason
