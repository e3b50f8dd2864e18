"""From the browser's microphone through the inlet: decoded by aiortc, resampled once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler

from channels.inlet import Inlet
from channels.web.allowance import Allowance

BURST_S = 5.0
"""A network may hand over so much at once after a stall; more than real time for longer is a flood."""
REAL_TIME = 1.02
"""Sound per second of the clock, with room for a microphone whose clock runs fast."""


class Microphone:
    """Reads one remote track to its end.

    It reads aiortc's own track, not Pipecat's wrapper of it: that one stops receiving for good when no packet came
    for two seconds, because its watchdog measures from the last call of `recv`, which is still waiting.
    """

    def __init__(self, inlet: Inlet, *, on_sign_of_life: Callable[[], None]) -> None:
        self._inlet = inlet
        self._on_sign_of_life = on_sign_of_life
        # aiortc decodes all Opus to 48 kHz stereo, whatever the microphone was.
        self._resampler = AudioResampler(format="s16", layout="mono", rate=inlet.rate_hz)
        self._seconds = Allowance(per_second=REAL_TIME, burst=BURST_S)

    async def listen(self, track: MediaStreamTrack) -> None:
        """Returns when the track ends."""
        clock = asyncio.get_running_loop().time
        while True:
            try:
                frame = cast(AudioFrame, await track.recv())
            except MediaStreamError:
                return
            self._on_sign_of_life()
            if self._seconds.take(frame.samples / frame.sample_rate, clock()):
                self._inlet.hear(self._resampled(frame))

    def _resampled(self, frame: AudioFrame) -> bytes:
        return b"".join(bytes(mono.planes[0])[: mono.samples * 2] for mono in self._resampler.resample(frame))
