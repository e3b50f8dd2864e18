"""Avatar services through Pipecat, by a Pipecat service of the tests' own: the clouds' wires are not doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest
from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    OutputImageRawFrame,
    OutputTransportReadyFrame,
    SpeechOutputAudioRawFrame,
    StartFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    UserStartedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from agent.engines.base import importable
from agent.face import elsewhere
from agent.face.elsewhere import TROUBLE, Elsewhere
from agent.face.elsewhere_options import Options
from agent.face.hosted.services import Services
from avatar.ahead import Ahead, Lead
from avatar.stage import Stage
from compliance.errors import EngineMissing
from tests.unit.avatar.elsewhere import COVER, Grey
from tests.unit.avatar.test_ahead_echo import speech

RATE = 16_000
HZ = 24_000
STEP = HZ // 50
SIDE_PX = 32
QUIET_LUMA, LOUD_LUMA = 60, 230
LIMIT_S = 15.0
KEYS = {"TAVUS_API_KEY": "k", "HEYGEN_API_KEY": "k", "SIMLI_API_KEY": "k"}


class Avatar(FrameProcessor):
    """Plays what it gets, ten times as fast as real time, with pictures as bright as the sound is loud."""

    def __init__(self, *, silence: bool = True, dies: bool = False, blind: bool = False) -> None:
        super().__init__()
        self.got: list[str] = []
        self._silence, self._dies, self._blind = silence, dies, blind
        self._buffer = b""
        self._wait = 20
        self._playing: asyncio.Task[None] | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, OutputTransportReadyFrame) and not self._blind:
            self._playing = self.create_task(self._play())
        elif isinstance(frame, TTSAudioRawFrame):
            self._buffer += frame.audio
            return
        elif isinstance(frame, (InterruptionFrame, UserStartedSpeakingFrame)):
            self._buffer = b""
            self._wait = 20
        elif isinstance(frame, (EndFrame, CancelFrame)) and self._playing is not None:
            await self.cancel_task(self._playing)
        if isinstance(frame, (InterruptionFrame, UserStartedSpeakingFrame, TTSStartedFrame, TTSStoppedFrame)):
            self.got.append(type(frame).__name__)
        if not isinstance(frame, StartFrame) or not self._dies:
            await self.push_frame(frame, direction)

    async def _play(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(0.002)
            pcm = b""
            if self._wait and self._buffer:
                self._wait -= 1
            elif self._buffer:
                pcm, self._buffer = self._buffer[: 2 * STEP], self._buffer[2 * STEP :]
            pcm = pcm.ljust(2 * STEP, b"\0")
            loud = bool(np.abs(np.frombuffer(pcm, np.int16).astype(np.float32)).mean() > 300)
            if self._silence or any(pcm):
                await self.push_frame(SpeechOutputAudioRawFrame(pcm, HZ, 1))
            if number % 2 == 0:
                image = np.full((SIDE_PX, SIDE_PX, 3), LOUD_LUMA if loud else QUIET_LUMA, np.uint8).tobytes()
                await self.push_frame(OutputImageRawFrame(image, (SIDE_PX, SIDE_PX), "RGB"))
            number += 1


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():  # noqa: ASYNC110  counters have no event to wait on
            await asyncio.sleep(0.005)


@asynccontextmanager
async def covered(
    avatar: Avatar, engine: str = "tavus", tell: Callable[[str], None] = lambda text: None, **more: float
) -> AsyncIterator[Ahead]:
    options = Options(engine, avatar="somebody", **more)  # type: ignore[arg-type]  # only the times
    faces = Elsewhere(options, KEYS, source=Services(options, KEYS, make=lambda: avatar))
    await faces.start()
    try:
        face = faces.cover("call", Stage(Grey(), rate_hz=RATE, seed=1), RATE, tell=tell, lead=Lead(fade_ms=0))
        assert isinstance(face, Ahead)
        yield face
    finally:
        await faces.close()


def say(face: Ahead, utterance: int, pcm: bytes) -> None:
    face.expect(utterance, pcm, (), (), exact=False, last=True)


@pytest.mark.parametrize(("engine", "silence"), [("tavus", True), ("heygen", True), ("simli", False)])
async def test_pictures_come_back_for_the_samples_that_they_show(engine: str, silence: bool) -> None:
    avatar = Avatar(silence=silence)
    async with covered(avatar, engine) as face:
        await until(lambda: face._idle is not None)
        said = speech(5, 1.9)
        said[RATE // 2 : RATE] = 0
        say(face, 1, said.tobytes())
        await until(lambda: len(face._store) >= 30)
        loud = np.convolve(np.abs(said.astype(np.float64)), np.ones(640) / 640, "same")
        agree = [
            (int(picture.y[16, 16]) > 140) == (loud[index] > 300)
            for index, picture in zip(face._store._indices, face._store._pictures, strict=True)
            if index < len(loud) and not 150 < loud[index] < 900
        ]
        assert len(agree) > 15
        assert np.mean(agree) > 0.9
    assert avatar.got[0] == "TTSStartedFrame"


@pytest.mark.parametrize(
    ("engine", "frame"), [("tavus", "InterruptionFrame"), ("heygen", "UserStartedSpeakingFrame")]
)
async def test_a_new_epoch_interrupts_the_service(engine: str, frame: str) -> None:
    avatar = Avatar()
    async with covered(avatar, engine) as face:
        await until(lambda: face.alive)
        say(face, 1, speech(5, 1.9).tobytes())
        await until(lambda: len(face._store) > 5)
        face.dropped(0, 1)
        await until(lambda: frame in avatar.got)
        assert int(face.frame_at(0, 1).y[0, 0]) == COVER
        say(face, 2, speech(6, 1.9).tobytes())
        await until(lambda: len(face._store) > 5)
        assert face.shown["speech"] == 0


async def test_a_service_without_pictures_is_given_up_and_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "AGAIN_S", (0.01,))
    told: list[str] = []
    async with covered(Avatar(blind=True), tell=told.append, ready_s=0.3) as face:
        await until(lambda: bool(told))
        assert told == [TROUBLE]
        assert face.ready
        assert int(face.frame_at(0, 0).y[0, 0]) == COVER


async def test_a_service_that_never_starts_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "AGAIN_S", ())
    told: list[str] = []
    async with covered(Avatar(dies=True), tell=told.append, ready_s=0.5):
        await until(lambda: bool(told))


def test_a_missing_key_is_named() -> None:
    for engine, key in (("tavus", "TAVUS"), ("heygen", "HEYGEN"), ("simli", "SIMLI")):
        with pytest.raises(EngineMissing, match=f"set {key}_API_KEY"):
            Services(Options(engine, avatar="x"), {})


@pytest.mark.parametrize(("engine", "module"), [("tavus", "daily"), ("simli", "simli"), ("heygen", "livekit")])
async def test_a_missing_package_is_named_with_the_command_that_adds_it(engine: str, module: str) -> None:
    if importable(module):
        pytest.skip(f"{module} is installed")
    service = Services(Options(engine, avatar="x"), KEYS)
    with pytest.raises(EngineMissing, match=rf"pip install .*\[{engine}\]"):
        await service.start()


def test_options_are_checked() -> None:
    for bad in ({"engine": "nobody"}, {"engine": "tavus"}, {"engine": "neural"}):
        with pytest.raises(ValueError, match=r"engine is one of|needs"):
            Options(**bad)  # type: ignore[arg-type]  # on purpose
