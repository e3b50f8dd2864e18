"""A real call over WebRTC: what arrives at the other end, on the clock of the sender's reports."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agent.engines.base import VoiceChunk
from agent.engines.voice.resample import Resampler
from avatar.picture import Picture
from avatar.puppet import Rgb
from avatar.sheet import rgb
from channels.spoken import Spoken
from channels.web.peer import HEARD_RATE_HZ, Seen, WebCaller
from tests.behaviour.sound import place, similarity
from tests.behaviour.twin import Overheard, Twin, twin
from tests.bench.face.mouths import CLOSED, Mouths, Trace
from tests.bench.face.takes import RATE_HZ, Take

ILLUSTRATED = '[face]\nengine = "illustrated"\n'
QUESTIONS = (
    "When is the office open?",
    "What does a consultation cost?",
    "Please tell me everything about your work and your office.",
    "Where is the office?",
)
ALIKE = 0.8
"""How well a sentence has to fit the sound it is looked for in."""
LOUD = 60
"""Root mean square of 20 ms, in units of int16: somebody speaks."""
QUIET_S = 0.4
FOUND_BY_S = 1.5

I420 = npt.NDArray[np.uint8]


async def call(home: Path, mouths: Mouths, *, seconds: float) -> tuple[Take, Trace, Trace, list[Spoken]]:
    """Talk with the demo twin by typing, in this process. Returns what arrived, gaps and widths of the mouths in
    it, and the sentences as the voice gave them."""
    kept: list[tuple[Seen, I420]] = []
    async with twin(home, ILLUSTRATED) as running:
        overheard = await with_a_face(running)
        async with WebCaller(running.url, video=True) as caller:
            await caller.until(lambda: state(caller) == "listening", 40)
            await asyncio.sleep(QUIET_S)
            caller.on_seen = lambda seen, i420: kept.append((seen, i420))
            await ask(caller, seconds)
            take, gaps, widths = _received(caller, kept, mouths)
        await running.all_over()
    said = sentences(overheard, RATE_HZ)
    take.starts_ms.update(starts_ms(take.sound, said))
    return take, gaps, widths, said


async def with_a_face(running: Twin) -> Overheard:
    """Wait until the twin can be seen; what it says from then on is kept."""
    await running.until(lambda: not running.house.health())
    await running.house.faces.ready()
    if running.house.faces.failure:
        raise RuntimeError(f"no face: {running.house.faces.failure}")
    return await running.overhear()


async def ask(caller: WebCaller, seconds: float) -> None:
    """Type questions, one after the other has been answered, for so long."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    number = 0
    while loop.time() < ends:
        before = len(caller.messages)
        caller.type(QUESTIONS[number % len(QUESTIONS)])
        number += 1
        await caller.until(lambda: _answered(caller, before), 60)  # noqa: B023  awaited before it changes
        await asyncio.sleep(1.0)


def state(caller: WebCaller) -> str:
    states = [str(said.get("state")) for said in caller.messages if said.get("type") == "status"]
    return states[-1] if states else ""


def _answered(caller: WebCaller, since: int) -> bool:
    states = [said.get("state") for said in caller.messages[since:] if said.get("type") == "status"]
    return "speaking" in states and states[-1] == "listening"


def sentences(overheard: Overheard, rate_hz: int) -> list[Spoken]:
    """What the voice gave, with its phonemes."""
    return [_spoken(n, chunks, rate_hz) for n, (_, chunks) in enumerate(overheard.sentences, 1) if chunks]


def starts_ms(sound: npt.NDArray[np.int16], said: Sequence[Spoken]) -> dict[int, float]:
    """Where in a sound each sentence begins, those left out that are not in it; one comes after the other."""
    starts: dict[int, float] = {}
    after = 0
    for one in said:
        wanted = one.pcm[: int(FOUND_BY_S * RATE_HZ) * 2]
        rest = sound[after:].tobytes()
        if similarity(rest, wanted) < ALIKE:
            continue
        at = after + place(rest, wanted)
        starts[one.utterance] = at * 1000 / RATE_HZ
        after = at + len(one.pcm) // 2 - RATE_HZ // 10
    return starts


def silent(take: Take) -> npt.NDArray[np.bool_]:
    """Which pictures are further from any sound than `QUIET_S`."""
    size = RATE_HZ // 50
    frames = take.sound[: len(take.sound) // size * size].reshape(-1, size).astype(np.float64)
    loud = np.sqrt((frames**2).mean(axis=1)) > LOUD
    spoken = np.convolve(loud, np.ones(2 * int(QUIET_S * 50) + 1), mode="same") > 0
    index = (take.times_ms / 20).astype(int)
    inside = (index >= 0) & (index < len(spoken))
    return np.asarray(inside & ~spoken[np.clip(index, 0, len(spoken) - 1)])


def open_in_silence(take: Take, gaps: Trace) -> tuple[int, int]:
    """How many silent pictures have an open mouth, and how many there are."""
    quiet = silent(take)
    return int((gaps[quiet] > CLOSED).sum()), int(quiet.sum())


def from_48k(pcm: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """At `RATE_HZ`, without delay."""
    halves = pcm[: len(pcm) // 2 * 2].reshape(-1, HEARD_RATE_HZ // RATE_HZ)
    # The mean of two samples lies a quarter of a sample of the half rate after the first: 10 microseconds.
    return np.asarray(halves.mean(axis=1), np.int16)


def _received(caller: WebCaller, kept: list[tuple[Seen, I420]], mouths: Mouths) -> tuple[Take, Trace, Trace]:
    begins_s = caller.captured_s("audio", 0)
    times = [caller.captured_s("video", seen.ticks) for seen, _ in kept]
    if not kept:
        raise RuntimeError("no pictures arrived")
    if begins_s is None or any(at is None for at in times):
        raise RuntimeError("no sender reports arrived")
    gaps, widths = mouths.shapes(_rgb(i420) for _, i420 in kept)
    sound = from_48k(np.frombuffer(caller.pcm(), np.int16))
    times_ms = (np.array(times, np.float64) - begins_s) * 1000
    return Take(times_ms, [], sound, {}), gaps, widths


def _rgb(i420: I420) -> Rgb:
    picture = Picture(i420.shape[1], i420.shape[0] * 2 // 3)
    picture.i420[...] = i420
    return rgb(picture)


def _spoken(number: int, chunks: Sequence[VoiceChunk], rate_hz: int) -> Spoken:
    resampler = Resampler(chunks[0].rate_hz, rate_hz)
    pcm = b"".join(resampler.feed(chunk.pcm) for chunk in chunks) + resampler.finish()
    words = tuple(word for chunk in chunks for word in chunk.words)
    phonemes = tuple(phoneme for chunk in chunks for phoneme in chunk.phonemes)
    return Spoken(number, 0, pcm, words, phonemes, exact=chunks[-1].exact, last=True)
