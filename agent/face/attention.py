"""Who else speaks, for the face: the level of what the inlet lets in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from channels.inlet import InletListener
from channels.view import View

WINDOW_MS = 20
SILENCE_DBFS = -100.0
FULL_SCALE = 32_768.0
CALLER = "caller"


class Attention:
    """The inlet's listener, which passes everything on unchanged. The face knows of nothing that the inlet has not
    let in, and nothing of it is kept."""

    def __init__(
        self,
        listener: InletListener,
        rate_hz: int,
        *,
        face: Callable[[], View | None],
        speech: Callable[[], bool | None],
        person: str = CALLER,
        bearing: float = 0.0,
    ) -> None:
        """`face` gives the face that is shown, if any; `speech` whether the person speaks now, None if unknown;
        `bearing` where they are, from -1 on its left to 1."""
        self._listener = listener
        self._face = face
        self._speech = speech
        self._person = person
        self._bearing = bearing
        self._window_bytes = rate_hz * WINDOW_MS // 1000 * 2
        self._rest = b""

    def audio(self, pcm: bytes) -> None:
        """From the inlet."""
        self._listener.audio(pcm)
        view = self._face()
        if view is None:
            self._rest = b""
            return
        pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % self._window_bytes
        self._rest = pcm[whole:]
        if whole:
            speech = self._speech()
            for level in levels_dbfs(pcm[:whole], self._window_bytes // 2):
                view.heard(self._person, level, speech, self._bearing)

    def digit(self, digit: str) -> None:
        """From the inlet."""
        self._listener.digit(digit)

    def text(self, text: str) -> None:
        """From the inlet."""
        self._listener.text(text)


def levels_dbfs(pcm: bytes, window_samples: int) -> list[float]:
    """RMS of each whole window, in decibels of full scale; -100 for silence."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float32).reshape(-1, window_samples)
    rms = np.sqrt(np.mean(samples * samples, axis=1)) / FULL_SCALE
    return [float(level) for level in np.maximum(20 * np.log10(np.maximum(rms, 1e-9)), SILENCE_DBFS)]
