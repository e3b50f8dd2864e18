"""Whisper (faster-whisper) with a streaming decoder of our own, one model for all calls.

While somebody speaks, their growing audio is decoded about twice a second and the words on which successive
decodes agree become stable. When they fall silent everything is decoded at once, so that the text is there
before the end of the turn is decided.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator

from agent.engines.base import Card, EngineConfig, Hypothesis, Speech
from agent.engines.child import Child
from agent.engines.speech.agreement import Agreement, Segment
from agent.engines.speech.buffer import TurnAudio
from agent.engines.speech.latest import Latest
from agent.engines.speech.schedule import Schedule
from agent.engines.speech.whisper_models import DEFAULT_MODEL, locate
from compliance.errors import EngineError, EngineFailed, EngineMissing, EngineTimeout

logger = logging.getLogger(__name__)

CARD = Card(
    kind="speech",
    name="whisper",
    about="faster-whisper on this machine, streaming, many languages",
    factory="agent.engines.speech.whisper:create",
    modules=("faster_whisper",),
    falls_back_to="pocketsphinx",
    licence="MIT, models included",
)

DECODE_TIMEOUT_S = 10.0
OPEN_TIMEOUT_S = 5.0
TRIM_AFTER_S = 12.0
"""Audio that is kept before settled segments are let go; Whisper sees 30 s at most."""
MAX_KEPT_S = 25.0
"""Kept when nobody pauses; then all words are settled as they are and a new window begins."""
DEFAULT_CAPACITY = 8


def create(config: EngineConfig) -> Speech:
    """The engine; `model` is a name, a hub repository or a folder; `options`: device, compute_type, threads,
    beam, capacity."""
    return Whisper(config)


class Whisper:
    """The engine: one child process with the model, and the order in which calls get it."""

    name = "whisper"

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._model = config.model or DEFAULT_MODEL
        self._capacity = int(config.options.get("capacity", DEFAULT_CAPACITY))
        self._beam = int(config.options.get("beam", 1))
        self._child: Child | None = None
        self._schedule = Schedule()
        self._wake = asyncio.Event()
        self._hearings: dict[int, WhisperHearing] = {}
        self._numbers = itertools.count(1)
        self._turns: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it is up."""
        return self._child.pid if self._child else None

    async def start(self) -> None:
        folder = await asyncio.to_thread(locate, self._model, self._config.cache)
        if folder is None:
            raise EngineMissing(
                f'the Whisper model "{self._model}" is not here: '
                f"run `python -m agent.engines.speech.whisper_models {self._model} {self._config.cache}`"
            )
        options = self._config.options
        arguments = [
            str(folder),
            options.get("device", "auto"),
            options.get("compute_type", "int8"),
            options.get("threads", "0"),
        ]
        self._child = Child("agent.engines.speech.whisper_child", arguments, name="whisper", ready_timeout_s=120.0)
        await self._child.start()
        self._turns = asyncio.create_task(self._take_turns(), name="whisper turns")

    async def open(self, *, rate_hz: int, language: str) -> WhisperHearing:
        if self._child is None or self._turns is None:
            raise EngineFailed("whisper was not started")
        language = (language or self._config.language).split("-")[0].lower()
        if language != "en" and not self._child.greeting.get("multilingual"):
            raise EngineMissing(f'the Whisper model "{self._model}" understands English only: set model = "base"')
        if len(self._hearings) >= self._capacity:
            raise EngineFailed(f"whisper is at its capacity of {self._capacity} calls")
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await self._child.start()
        except TimeoutError:
            raise EngineFailed("whisper is starting again after a crash") from None
        number = next(self._numbers)
        self._hearings[number] = WhisperHearing(self, number, rate_hz, language)
        return self._hearings[number]

    def want(self, number: int, *, final: bool = False) -> None:
        """A call has audio to decode."""
        self._schedule.want(number, asyncio.get_running_loop().time(), final=final)
        self._wake.set()

    def leave(self, number: int) -> None:
        """A call is over."""
        self._schedule.drop(number)
        self._hearings.pop(number, None)

    async def decode(self, pcm: bytes, *, rate_hz: int, language: str) -> list[tuple[str, float, float, float]]:
        """Segments of int16 mono audio: text, end in seconds, no-speech probability, mean log probability."""
        assert self._child is not None
        reply = await self._child.request(
            "decode", pcm, timeout_s=DECODE_TIMEOUT_S, rate_hz=rate_hz, language=language, beam=self._beam
        )
        found = reply.fields["segments"]
        return [(each["text"], each["end_s"], each["no_speech"], each["logprob"]) for each in found]

    async def _take_turns(self) -> None:
        """One decode at a time: the model uses all its cores for each."""
        clock = asyncio.get_running_loop().time
        while True:
            turn = self._schedule.next(clock())
            if turn is None:
                self._wake.clear()
                try:
                    async with asyncio.timeout(self._schedule.due_in(clock())):
                        await self._wake.wait()
                except TimeoutError:
                    continue
            elif hearing := self._hearings.get(turn[0]):
                await hearing.decode()

    async def close(self) -> None:
        turns, self._turns = self._turns, None
        if turns is not None:
            turns.cancel()
            await asyncio.wait({turns}, timeout=0.5)
        for hearing in list(self._hearings.values()):
            await hearing.close()
        if self._child is not None:
            await self._child.close()


class WhisperHearing:
    """One person."""

    def __init__(self, whisper: Whisper, number: int, rate_hz: int, language: str) -> None:
        self._whisper = whisper
        self._number = number
        self._rate_hz = rate_hz
        self._language = language
        self._audio = TurnAudio(rate_hz, max_s=MAX_KEPT_S + 4.0)
        self._agreement = Agreement()
        self._latest = Latest()
        self._turn = 0
        self._decoded_to = 0
        self._decoded = asyncio.Event()

    def feed(self, pcm: bytes) -> None:
        self._audio.feed(pcm)
        if self._audio.speaking and self._latest.failure is None:
            self._whisper.want(self._number)

    def onset(self) -> None:
        self._audio.onset()

    def offset(self) -> None:
        self._audio.offset()
        if self._audio.speech and self._latest.failure is None:
            self._whisper.want(self._number, final=True)

    async def finish(self) -> str:
        if self._audio.speaking:
            self.offset()
        end = self._audio.offset_at
        while self._audio.speech and self._decoded_to < end:
            self._latest.check()
            self._decoded.clear()
            await self._decoded.wait()
        self._latest.check()
        self._turn += 1
        self._audio.finish(max(end, self._decoded_to))
        return self._agreement.final()

    def hypotheses(self) -> AsyncIterator[Hypothesis]:
        return self._latest.read()

    async def close(self) -> None:
        self._latest.fail(EngineFailed("whisper: the call is over"))  # for a finish that still waits
        self._latest.close()
        self._whisper.leave(self._number)
        self._decoded.set()

    async def decode(self) -> None:
        """Decode all audio that is kept, once (called when it is this call's turn)."""
        turn, start, end = self._turn, self._audio.start, self._audio.end
        if start == end:
            return
        try:
            found = await self._whisper.decode(self._audio.read(), rate_hz=self._rate_hz, language=self._language)
        except (EngineFailed, EngineMissing, EngineTimeout) as error:
            self._fail(error)
            return
        if turn == self._turn:
            self._take(found, start, end)

    def _take(self, found: list[tuple[str, float, float, float]], start: int, end: int) -> None:
        segments = [
            Segment(text, start + int(end_s * self._rate_hz), no_speech, logprob)
            for text, end_s, no_speech, logprob in found
        ]
        self._agreement.add(segments)
        self._decoded_to = end
        kept_s = (end - start) / self._rate_hz
        if kept_s > TRIM_AFTER_S and (position := self._agreement.trim_at(segments)) is not None:
            self._audio.trim(min(position, end))
        elif kept_s > MAX_KEPT_S:
            self._agreement.commit()
            self._audio.trim(end)
        self._latest.put(self._agreement.hypothesis)
        self._decoded.set()

    def _fail(self, error: EngineError) -> None:
        self._whisper.leave(self._number)
        self._latest.fail(error)
        self._decoded.set()
