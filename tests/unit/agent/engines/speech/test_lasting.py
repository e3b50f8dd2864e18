"""A recogniser that outlives its engines; the calls that stand on it are in `stages/test_conversations.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from agent.engines.base import Hypothesis, Speech
from agent.engines.speech.lasting import Lasting
from tests.doubles.engines import ScriptedSpeech

LIMIT_S = 5.0


class Heard:
    """One person, and what is made of them."""

    def __init__(self, engines: Sequence[Speech], kept_s: float) -> None:
        self.guesses: list[str] = []
        self.fallbacks: list[tuple[str, str]] = []
        self.deaf = asyncio.Event()
        self.lasting = Lasting(
            engines,
            rate_hz=16_000,
            language="en",
            on_hypothesis=self._guessed,
            on_fallback=lambda dead, now: self.fallbacks.append((dead, now)),
            on_deaf=self.deaf.set,
            kept_s=kept_s,
        )

    async def _guessed(self, hypothesis: Hypothesis) -> None:
        self.guesses.append(hypothesis.text)


@asynccontextmanager
async def heard(*engines: Speech, kept_s: float = 10.0) -> AsyncIterator[Heard]:
    person = Heard(engines, kept_s)
    task = asyncio.create_task(person.lasting.run(), name="recogniser")
    await asyncio.sleep(0.01)
    try:
        yield person
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_final_words_begin_a_new_turn() -> None:
    engine = ScriptedSpeech()
    async with heard(engine) as person:
        for text in ("One.", "Two."):
            person.lasting.feed(bytes(640))
            engine.hearing.recognises(text)
            assert await person.lasting.finish(LIMIT_S) == text
        await asyncio.sleep(0)
        assert person.guesses == ["One.", "Two."]


async def test_the_next_engine_hears_the_turn_from_its_beginning() -> None:
    dead, alive = ScriptedSpeech("dead", refuses=2), ScriptedSpeech("alive", understands="Hello.")
    person = Heard([dead, alive], 10.0)
    person.lasting.onset()
    person.lasting.feed(b"\1\0" * 320)
    person.lasting.offset()
    task = asyncio.create_task(person.lasting.run(), name="recogniser")
    assert await person.lasting.finish(LIMIT_S) == "Hello."
    assert bytes(alive.hearing.pcm) == b"\1\0" * 320
    assert alive.hearing.hints == ["onset", "offset"]
    assert person.fallbacks == [("dead", "alive")]
    task.cancel()
    await asyncio.wait([task])


async def test_of_a_long_turn_the_newest_is_kept() -> None:
    engine = ScriptedSpeech(refuses=1)
    person = Heard([engine], 0.1)
    for number in range(10):
        person.lasting.feed(bytes([number, 0]) * 800)
    task = asyncio.create_task(person.lasting.run(), name="recogniser")
    await person.lasting.finish(LIMIT_S)
    assert bytes(engine.hearing.pcm) == bytes([8, 0]) * 800 + bytes([9, 0]) * 800
    task.cancel()
    await asyncio.wait([task])


async def test_with_no_engine_left_the_words_so_far_come_at_once() -> None:
    async with heard(ScriptedSpeech(refuses=9)) as person:
        await asyncio.wait_for(person.deaf.wait(), LIMIT_S)
        assert await person.lasting.finish(3_600) == ""
