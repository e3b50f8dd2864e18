"""What comes back of a call's face from a service that plays the speech itself: pictures, known by their sound.

The sound is compared and thrown away: what the person hears leaves through the outlet alone.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from agent.engines.voice.resample import Resampler
from agent.face.mailbox import Speech
from avatar.ahead import Ahead, Drawn
from avatar.ahead_echo import Echo
from avatar.ahead_fit import Kind, fitted
from avatar.errors import UnfitPicture

PICTURES_HZ = 25
MUTE_PICTURES = 3


class Returned:
    """One call's."""

    def __init__(
        self, ahead: Ahead, rate_hz: int, pool: Executor, *, early_ms: float = 0.0, fills_silence: bool = False
    ) -> None:
        """`rate_hz` is the clock's; pictures are fitted in `pool`, one at a time. `early_ms` is how long before
        its sound a picture comes. `fills_silence` says that silence is left out of the sound, so that pictures
        without any are its clock."""
        self.counts: Counter[str] = Counter()
        """Pictures that came, by what became of them: `taken`, `unknown` (their sound is), `busy`, `unfit`."""
        self._ahead = ahead
        self._rate_hz = rate_hz
        self._pool = pool
        self._echo = Echo(rate_hz)
        self._resampler: Resampler | None = None
        self._from_hz = 0
        self._fitting = False
        self._early = round(early_ms * rate_hz / 1000)
        self._fills = fills_silence
        self._mute = 0
        """Pictures since the last sound."""

    def sent(self, speech: Speech) -> None:
        """The service was given this, at the clock's rate."""
        self._echo.sent(speech.utterance, speech.offset, speech.pcm)

    def cleared(self, epoch: int) -> None:
        """The service was told of a new epoch."""
        self._echo.cleared(epoch)

    def sound(self, pcm: bytes, rate_hz: int, channels: int = 1) -> None:
        """The service plays this: int16."""
        self._mute = 0
        if channels > 1:
            whole = len(pcm) // (2 * channels) * 2 * channels
            pcm = np.frombuffer(pcm[:whole], np.int16).reshape(-1, channels)[:, 0].tobytes()
        if self._resampler is None or rate_hz != self._from_hz:
            self._resampler, self._from_hz = Resampler(rate_hz, self._rate_hz), rate_hz
        self._echo.played(self._resampler.feed(pcm))

    async def picture(self, kind: Kind, data: bytes, size: tuple[int, int]) -> None:
        """A picture that came with the sound that plays now; `size` is its width and height."""
        self._mute += 1
        if self._fills and self._mute > MUTE_PICTURES:
            self._echo.played(bytes(self._rate_hz // PICTURES_HZ * 2))
        label = self._echo.label
        if label is not None and label.utterance is not None:
            label = replace(label, offset=label.offset + self._early)
        if label is None or self._fitting:
            self.counts["busy" if self._fitting else "unknown"] += 1
            return
        self._fitting = True
        try:
            loop = asyncio.get_running_loop()
            picture = await loop.run_in_executor(self._pool, fitted, kind, data, size, self._ahead.size)
        except UnfitPicture:
            self.counts["unfit"] += 1
        else:
            self.counts["taken"] += 1
            self._ahead.take(Drawn(label, picture))
        finally:
            self._fitting = False
