"""A synthetic caller's end of a call, on either channel: what it says, when it hears something, how loud."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from channels.twilio.caller import PhoneCaller
from channels.twilio.settings import PHONE_RATE_HZ
from channels.web.peer import HEARD_RATE_HZ, WebCaller

LOUD = 120.0
"""RMS of int16 from which a piece counts as sound; far above the noise of mu-law and Opus."""
GAP_S = 0.25
"""Silence within speech is shorter than this."""
ENVELOPE_MS = 20
QUESTION = "When is the office open?"
WEB_SPEECH_HZ = 16_000

Samples = NDArray[np.int16]


class Piece(Protocol):
    """What both callers report as heard."""

    @property
    def pcm(self) -> bytes: ...

    @property
    def at(self) -> float: ...


class Ear:
    """When something sounded. Pure: times are those of the pieces."""

    def __init__(self) -> None:
        self.loud_at: list[float] = []

    def hear(self, piece: Piece) -> None:
        samples = np.frombuffer(piece.pcm, np.int16).astype(np.float32)
        if samples.size and float(np.sqrt(np.mean(samples * samples))) > LOUD:
            self.loud_at.append(piece.at)

    def first_after(self, time: float) -> float | None:
        """When the first sound after `time` began."""
        return next((at for at in self.loud_at if at > time), None)

    def last(self) -> float | None:
        return self.loud_at[-1] if self.loud_at else None

    def quiet_from(self, time: float, gap_s: float = GAP_S) -> float | None:
        """When the sound that goes on at `time`, or begins after it, ended: followed by a gap, or by nothing."""
        after = [at for at in self.loud_at if at > time]
        for at, following in pairwise(after):
            if following - at > gap_s:
                return at
        return after[-1] if after else None


@dataclass(frozen=True, slots=True)
class Question:
    """The caller's recorded speech."""

    pcm: bytes
    """int16 mono at the rate it was made for."""
    rate_hz: int
    sound_s: float
    """From its beginning to its last loud sample."""

    @property
    def duration_s(self) -> float:
        return len(self.pcm) / 2 / self.rate_hz


def question(rate_hz: int) -> Question:
    """The recorded question at the given rate."""
    data = resources.files("agent").joinpath("probe.wav").read_bytes()
    with wave.open(io.BytesIO(data)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        resampled = soxr.resample(samples, file.getframerate(), rate_hz).astype(np.int16)
    loud = np.flatnonzero(np.abs(resampled.astype(np.int32)) > LOUD * 2)
    return Question(resampled.tobytes(), rate_hz, float(loud[-1]) / rate_hz)


class Line(Protocol):
    """One call as the probe makes it."""

    ear: Ear

    async def dial(self) -> None: ...

    def ask(self) -> float:
        """Say the question; returns the loop's time at which its last word will have been said."""
        ...

    async def hang_up(self) -> None:
        """Leave; returns when the line is closed."""
        ...

    async def close(self) -> None: ...

    def heard(self) -> tuple[bytes, int]:
        """All that was heard, and its rate."""
        ...

    async def until(self, met: Callable[[], bool], limit_s: float) -> None:
        """Wait until it is true. Raises `TimeoutError`."""
        ...


class PhoneLine:
    """Through `/twilio/voice` and `/twilio/media`."""

    def __init__(self, base_url: str, auth_token: str, public_url: str = "") -> None:
        self.ear = Ear()
        self.caller = PhoneCaller(base_url, auth_token, public_url=public_url)
        self.caller.on_heard = self.ear.hear
        self._question = question(PHONE_RATE_HZ)

    async def dial(self) -> None:
        await self.caller.dial()

    def ask(self) -> float:
        self.caller.say(self._question.pcm)
        return asyncio.get_running_loop().time() + self._question.sound_s

    async def hang_up(self) -> None:
        await self.caller.hang_up()

    async def close(self) -> None:
        await self.caller.close()

    def heard(self) -> tuple[bytes, int]:
        return self.caller.pcm(), PHONE_RATE_HZ

    async def until(self, met: Callable[[], bool], limit_s: float) -> None:
        await self.caller.until(met, limit_s)


class WebLine:
    """Through `/webrtc/offer`, a real peer connection and the data channel."""

    def __init__(self, base_url: str) -> None:
        self.ear = Ear()
        self.caller = WebCaller(base_url, rate_hz=WEB_SPEECH_HZ)
        self.caller.on_heard = self.ear.hear
        self._question = question(WEB_SPEECH_HZ)

    async def dial(self) -> None:
        await self.caller.dial()

    def ask(self) -> float:
        self.caller.say(self._question.pcm)
        return asyncio.get_running_loop().time() + self._question.sound_s

    def type(self) -> float:
        """Type the question; returns the loop's time."""
        self.caller.type(QUESTION)
        return asyncio.get_running_loop().time()

    async def hang_up(self) -> None:
        self.caller.hang_up()
        await self.caller.ended.wait()

    async def close(self) -> None:
        await self.caller.close()

    def heard(self) -> tuple[bytes, int]:
        return self.caller.pcm(), HEARD_RATE_HZ

    async def until(self, met: Callable[[], bool], limit_s: float) -> None:
        await self.caller.until(met, limit_s)


def likeness(heard: bytes, heard_hz: int, expected: bytes, expected_hz: int) -> float:
    """How much the beginning of what was heard sounds like what was expected: the correlation of their loudness
    over time, from each one's first sound on. 1 is the same; speech of other words is below 0.5."""
    one, other = _envelope(heard, heard_hz), _envelope(expected, expected_hz)
    if len(one) < len(other) or not len(other):
        return 0.0
    # A codec and a jitter buffer shift it by a frame or two.
    shifts = (one[shift : shift + len(other)] for shift in range(6))
    return max((float(np.corrcoef(part, other)[0, 1]) for part in shifts if len(part) == len(other)), default=0.0)


def _envelope(pcm: bytes, rate_hz: int) -> NDArray[np.float64]:
    samples = np.frombuffer(pcm, np.int16).astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > LOUD)
    if not loud.size:
        return np.zeros(0)
    frame = rate_hz * ENVELOPE_MS // 1000
    samples = samples[loud[0] : loud[-1] + 1] if rate_hz else samples
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    envelope: NDArray[np.float64] = np.log10(1.0 + np.sqrt(np.mean(frames * frames, axis=1)))
    return envelope
