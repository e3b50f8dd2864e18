"""`Sound` on devices that are there already: BlackHole on macOS, VB-Cable on Windows, by PortAudio."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import soxr

from channels.camera.sound import HEARD_RATE_HZ, RATE_HZ
from compliance.errors import SoundMissing

BYTES = 2
BLOCK_SAMPLES = RATE_HZ // 100
CLOSE_LIMIT_S = 3.0
MAX_UNHEARD_BLOCKS = 50
"""Of the meeting's sound, while the loop is busy; what is more is dropped."""


class PortAudioSound:
    """PortAudio calls back from a thread of its own; all that crosses is a bounded buffer each way."""

    def __init__(self, plays_into: str, listens_to: str, *, lead_ms: int, library: Any = None) -> None:
        """Devices by name. `library` stands for `sounddevice`, which is loaded by `open` without it."""
        self.microphone = f"the other end of {plays_into}"
        self.speaker = f"the other end of {listens_to}"
        self.gaps = 0
        self.dropped_blocks = 0
        """Of the meeting's sound: what came while too much of it waited."""
        self._plays_into = plays_into
        self._listens_to = listens_to
        self._lead_samples = RATE_HZ * lead_ms // 1000
        self._library = library
        self._lock = threading.Lock()
        self._waiting = bytearray()
        """What was given and the device has not taken."""
        self._base = 0
        """Samples that were given before what waits: taken or thrown away."""
        self._unheard = 0
        self._device_samples = 0
        self._streams: list[Any] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._resampler = soxr.ResampleStream(RATE_HZ, HEARD_RATE_HZ, 1, dtype="int16")
        self._on_wanted: Callable[[], None] = lambda: None
        self._on_heard: Callable[[bytes], None] = lambda pcm: None
        self._on_lost: Callable[[], None] = lambda: None

    @property
    def wanted(self) -> int:
        with self._lock:
            return max(0, self._lead_samples - self._device_samples - len(self._waiting) // BYTES)

    @property
    def played(self) -> int:
        with self._lock:
            return max(0, self._base - self._device_samples)

    @property
    def lead_ms(self) -> float:
        with self._lock:
            return (len(self._waiting) // BYTES + self._device_samples) * 1000 / RATE_HZ

    async def open(self) -> None:
        if self._library is None:
            try:
                self._library = importlib.import_module("sounddevice")
            except ImportError:
                raise SoundMissing(
                    "The sound devices need an extra: pip install -c requirements-extras.lock -e '.[microphone]'"
                ) from None
            except OSError:
                # The module is there and the system's library is not.
                raise SoundMissing("PortAudio is missing; on Debian: apt install libportaudio2") from None
        loop = self._loop = asyncio.get_running_loop()
        library = self._library
        try:
            spoken = library.RawOutputStream(
                samplerate=RATE_HZ, blocksize=BLOCK_SAMPLES, device=self._plays_into, channels=1, dtype="int16",
                latency="low", callback=self._take, finished_callback=lambda: self._over(loop),
            )  # fmt: skip
            self._streams.append(spoken)
            heard = library.RawInputStream(
                samplerate=RATE_HZ, blocksize=BLOCK_SAMPLES, device=self._listens_to, channels=1, dtype="int16",
                latency="low", callback=self._bring, finished_callback=lambda: self._over(loop),
            )  # fmt: skip
            self._streams.append(heard)
        except (ValueError, OSError, library.PortAudioError):
            await self.close()
            raise SoundMissing(
                "[camera] plays_into and listens_to name a device that is not here or does not take 48 kHz; "
                "python -m sounddevice lists what there is."
            ) from None
        self._device_samples = min(round(float(spoken.latency) * RATE_HZ), self._lead_samples // 2)

    async def begin(
        self, on_wanted: Callable[[], None], on_heard: Callable[[bytes], None], on_lost: Callable[[], None]
    ) -> None:
        self._on_wanted, self._on_heard, self._on_lost = on_wanted, on_heard, on_lost
        if not self._streams:
            raise SoundMissing("The sound was not opened.")
        try:
            for stream in self._streams:
                await asyncio.to_thread(stream.start)
        except self._library.PortAudioError:
            raise SoundMissing("A sound device does not start; another program may have it alone.") from None

    def play(self, pcm: bytes) -> None:
        with self._lock:
            self._waiting += pcm

    def clear(self) -> int:
        with self._lock:
            cut = self._base
            self._base += len(self._waiting) // BYTES
            self._waiting.clear()
            return cut

    async def close(self) -> None:
        self._on_wanted = self._on_lost = lambda: None
        self._on_heard = lambda pcm: None
        streams, self._streams = self._streams, []
        for stream in streams:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.to_thread(stream.close), CLOSE_LIMIT_S / 2)

    def _take(self, out: Any, samples: int, time: Any, status: Any) -> None:
        """In PortAudio's thread: the device takes what there is, and silence for the rest."""
        with self._lock:
            pcm = bytes(self._waiting[: samples * BYTES])
            del self._waiting[: len(pcm)]
            self._base += len(pcm) // BYTES
            self.gaps += len(pcm) < samples * BYTES
        out[:] = pcm.ljust(samples * BYTES, b"\0")
        self._tell(lambda: self._on_wanted())

    def _bring(self, pcm: Any, samples: int, time: Any, status: Any) -> None:
        """In PortAudio's thread: the next piece of the meeting's sound."""
        with self._lock:
            if self._unheard >= MAX_UNHEARD_BLOCKS:
                self.dropped_blocks += 1
                return
            self._unheard += 1
        block = bytes(pcm)
        self._tell(lambda: self._heard(block))

    def _heard(self, pcm: bytes) -> None:
        with self._lock:
            self._unheard -= 1
        self._on_heard(self._resampler.resample_chunk(np.frombuffer(pcm, np.int16)).tobytes())

    def _over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._tell(lambda: self._on_lost())

    def _tell(self, what: Callable[[], None]) -> None:
        # A loop that is closed has nobody to tell any more.
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(what)


def by_default() -> bool:
    """Whether this system makes no devices by itself, so that they must be named."""
    return sys.platform in ("darwin", "win32")
