"""Recording from the microphone, by the optional library sounddevice and the system's PortAudio."""

from __future__ import annotations

import threading
from importlib import import_module
from types import TracebackType
from typing import Any, Self

import numpy as np

from compliance.errors import EngineMissing
from persona.voice.sound import MAX_S, Samples, Sound, UnfitSound

RATE_HZ = 48_000
LONGEST_S = 300
_INSTEAD = "or record with another program and give the file"


class Recording:
    """`with Recording() as recording: wait(); sound = recording.sound()`. Records while the block lasts."""

    def __init__(self, *, longest_s: int = LONGEST_S) -> None:
        """Nothing is opened yet; beyond `longest_s` nothing more is taken. Raises `ValueError`."""
        if not 0 < longest_s <= MAX_S:
            raise ValueError(f"a recording lasts at most {MAX_S} s")
        self._most = longest_s * RATE_HZ
        self._count = 0
        self._pieces: list[Samples] = []
        self._lock = threading.Lock()
        self._stream: Any = None

    def __enter__(self) -> Self:
        """Raises `EngineMissing` for a missing library, `UnfitSound` for a missing microphone."""
        library = _library()
        try:
            self._stream = library.InputStream(
                samplerate=RATE_HZ, channels=1, dtype="float32", callback=self._take
            )
            self._stream.start()
        except library.PortAudioError as error:
            raise UnfitSound(f"the microphone cannot be opened ({type(error).__name__}); {_INSTEAD}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.stop()
            self._stream.close()

    def sound(self) -> Sound:
        """What was recorded so far."""
        with self._lock:
            return Sound(np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.float32), RATE_HZ)

    def _take(self, data: Any, frames: int, time: Any, status: Any) -> None:
        """From PortAudio's thread."""
        with self._lock:
            if self._count < self._most:
                self._pieces.append(np.array(data[:, 0], np.float32))
                self._count += frames


def _library() -> Any:
    try:
        return import_module("sounddevice")
    except ImportError:
        raise EngineMissing(f"recording needs sounddevice: pip install -e '.[microphone]'; {_INSTEAD}") from None
    except OSError:
        # It looks for the system's library when it is imported.
        raise EngineMissing(
            f"recording needs PortAudio: install it (Debian: apt install libportaudio2), {_INSTEAD}"
        ) from None
