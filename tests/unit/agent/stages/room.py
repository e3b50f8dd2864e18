"""A conversation between the stages' real pipeline and a caller whom a test plays, by ticks instead of time."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import cast

from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.workers.runner import WorkerRunner

from agent.conversation import Conversation, HeardTurn
from agent.pipeline import build
from agent.stages.ear import Ear
from agent.stages.honesty import Honesty, Reaction
from agent.stages.mouth import Mouth
from agent.timing import TurnTiming
from agent.turns.settings import TurnSettings
from channels.call import Call, Caller, CallEvent
from channels.clock import Clock
from channels.inlet import Inlet
from channels.outlet import Outlet
from channels.spoken import Spoken, Word
from compliance.language.intents import claims_human
from persona.guard import Checked
from persona.prompt import Prompt, Turn
from persona.source import Provenance
from tests.doubles.engines import ScriptedBrain, ScriptedSpeech, ScriptedVoice
from tests.doubles.mark import NoMark
from tests.doubles.wire import EarWire, counting
from tests.speech.make import FOLDER

RATE_HZ = 16_000
LIMIT_S = 5.0
SETTINGS = TurnSettings(end_of_turn_ms=200, complete_ms=200, decide_ms=100, offset_ms=96, onset_ms=96)
"""As quick as can be, because timers run in real time here."""
HUMAN = "I am an AI, not a human being."
DISCLOSURE = Spoken(0, 0, counting(1_600), (Word("Hello.", 0, 100),), last=True, provenance="notice")


class Room:
    """The call, its doors, its engines, and what the conversation's listener was told."""

    def __init__(
        self, speech: Sequence[ScriptedSpeech], brain: ScriptedBrain, voice: ScriptedVoice, lead_chunks: int
    ) -> None:
        self.speech = speech[0]
        self.brain = brain
        self.voice = voice
        self.timing = TurnTiming()
        self.conversation = Conversation(self)
        self.closed_turns: list[HeardTurn] = []
        self.actions: list[str] = []
        self.given_up: list[str] = []
        self.fallbacks: list[tuple[str, str]] = []
        self.door_failures: list[str] = []
        self.hung_up: list[str] = []
        self.events: list[CallEvent] = []
        self.reactions: dict[str, Reaction] = {}
        """What is answered in fixed words."""
        self.wire = EarWire(RATE_HZ, lead_chunks=lead_chunks)
        clock = Clock(RATE_HZ)
        self.ear = Ear(RATE_HZ, SETTINGS)
        mouth = Mouth(
            self.conversation,
            self.timing,
            on_disclosed=lambda position: self.call.inlet.open(),
            on_failed=self.door_failures.append,
        )
        self.call = Call(
            id="call",
            channel="web",
            caller=Caller(),
            wire=self.wire,
            clock=clock,
            inlet=Inlet(RATE_HZ, self.ear),
            outlet=Outlet(clock, self.wire, mouth, mark=NoMark()),
            started_at=datetime(2026, 1, 1, tzinfo=UTC),
            watchers=[self.events.append],
            hang_up=self.hung_up.append,
        )
        mouth.call = self.call
        self.honesty = Honesty(self.call, lambda text: self.reactions.get(text))
        self.pipeline = build(
            self.call,
            self.ear,
            mouth,
            self.honesty,
            conversation=self.conversation,
            timing=self.timing,
            speech=speech,
            brain=brain,
            voice=voice,
            compose=_compose,
            turns=SETTINGS,
            checked=self._checked,
            moderated=_nothing,
            record=lambda kind, detail: self.actions.append(kind),
            give_up=self.given_up.append,
            on_fallback=lambda old, new: self.fallbacks.append((old, new)),
        )

    def _checked(self, sentence: str, prompt: Prompt, provenance: str) -> Checked:
        """Only what a guard does first; the rest of it is tested with the guard."""
        if claims_human(sentence, "en", owner="Martin Alder"):
            self.actions.append("claimed_human")
            return Checked(HUMAN, "notice")
        return Checked(sentence, cast(Provenance, provenance))

    def grew(self, turn: HeardTurn) -> None: ...

    def closed(self, turn: HeardTurn) -> None:
        self.closed_turns.append(turn)

    @property
    def transcript(self) -> list[tuple[str, str]]:
        return [(turn.who, turn.text) for turn in self.conversation.turns]

    async def hears(self, milliseconds: int) -> None:
        """So much sound leaves for the caller's ear."""
        for _ in range(milliseconds // 20):
            self.call.outlet.tick()
            self.call.outlet.played(self.wire.played)
            await settle(2)

    async def hears_until(self, condition: Callable[[], object]) -> None:
        """Sound leaves until something is true."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                await self.hears(20)
                await asyncio.sleep(0.0005)

    async def hears_turn(self, text: str) -> None:
        """Sound leaves until the twin's last turn is `text`."""
        await self.hears_until(lambda: self.conversation.turns[-1].text == text)

    async def understands(self, text: str) -> None:
        """Without sound, until the caller's last turn is `text`."""
        await self.until(lambda: self.transcript[-1] == ("caller", text))

    async def until(self, condition: Callable[[], object]) -> None:
        """Without sound, until something is true."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # noqa: ASYNC110  what is waited for is not ours to give an event to
                await asyncio.sleep(0.001)

    async def caller_speaks(self) -> None:
        """Sound of a person, about a second of it, and no end yet."""
        for start in range(0, len(VOICED), 640):
            self.call.inlet.hear(VOICED[start : start + 640])
            await settle(1)

    async def caller_falls_silent(self) -> None:
        for _ in range(15):
            self.call.inlet.hear(bytes(640))
            await settle(1)

    async def caller_says(self, text: str) -> None:
        """A whole turn, which the recogniser understands; over when it was taken as one."""
        await self.caller_speaks()
        self.speech.hearing.recognises(text)
        await self.caller_falls_silent()

    async def asks(self, text: str) -> None:
        """The same, until the brain is asked."""
        asked = len(self.brain.prompts)
        await self.caller_says(text)
        await self.until(lambda: len(self.brain.prompts) > asked)


@asynccontextmanager
async def room(
    *answers: Sequence[object],
    speech: Sequence[ScriptedSpeech] | None = None,
    voice: ScriptedVoice | None = None,
    lead_chunks: int = 0,
) -> AsyncIterator[Room]:
    """A call in progress: the disclosure was heard, the recogniser listens."""
    brain = ScriptedBrain(*answers)  # type: ignore[arg-type]
    here = Room(speech or [ScriptedSpeech()], brain, voice or ScriptedVoice(), lead_chunks)
    worker = PipelineWorker(
        here.pipeline,
        params=PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ),
        enable_rtvi=False,
        enable_turn_tracking=False,
        idle_timeout_secs=None,
        cancel_timeout_secs=LIMIT_S,
        check_dangling_tasks=False,
    )
    runner = WorkerRunner(handle_sigint=False, handle_sigterm=False, check_dangling_tasks=False)
    await runner.add_workers(worker)
    here.call.outlet.disclose(DISCLOSURE)
    running = asyncio.create_task(runner.run(), name="pipeline")
    try:
        await here.hears_until(lambda: here.call.inlet.is_open)
        await here.hears(200)
        if not here.given_up and here.speech.refuses == 0:
            await here.until(lambda: here.speech.hearings)
        yield here
    finally:
        async with asyncio.timeout(LIMIT_S):
            await runner.cancel()
            await running


async def settle(turns: int) -> None:
    """Let everything that can go on do so."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def _nothing(text: str) -> str | None:
    return None


def _compose(turns: tuple[Turn, ...]) -> Prompt:
    return Prompt("system", turns)


def _voiced() -> bytes:
    with wave.open(str(FOLDER / "ask_price.wav"), "rb") as file:
        return file.readframes(file.getnframes())[3_200 : 3_200 + RATE_HZ * 2]


VOICED = _voiced()
