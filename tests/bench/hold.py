"""From the decision that the caller speaks to the last sound of the twin in the caller's ear."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from loguru import logger as pipecat_logger

from agent.run import LiveCall
from tests.behaviour.sound import first_ms
from tests.behaviour.twin import twin, wav
from tests.bench import report
from tests.bench.stage import SOUND, TimedCall
from tests.doubles.deepgram import Deepgram, Script

pipecat_logger.remove()

QUESTION = "Please tell me everything about your work and your office."
HOLDS = 20
WATCH_S = 0.3


async def measure(holds: int = HOLDS) -> dict[str, Any]:
    recognised = {"text": QUESTION}
    times: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with Deepgram(Script(says=lambda listener, utterance: recognised["text"])) as deepgram:
            settings = f'[speech]\nengine = "deepgram"\nbase_url = "{deepgram.url}"\n'
            async with twin(Path(folder) / "home", settings) as running, TimedCall(running.url) as call:
                live = await running.live()
                await call.first_sound_after(0.0)
                await call.quiet(for_s=1.2)
                while len(times) < holds:
                    times += await one_answer(call, live, recognised, holds - len(times))
    row = {"channel": "phone", **report.summary(times)}
    report.show("Hold: milliseconds from the onset decision to the last audible sample (goal <= 40)", [row])
    return {"rows": [row], "times_ms": times}


async def one_answer(call: TimedCall, live: LiveCall, recognised: dict[str, str], holds: int) -> list[float]:
    """Ask for a long answer, and interrupt it with a short mm-hmm several times."""
    decided: list[float] = []
    hold = live.call.outlet.hold

    def watched() -> None:
        # What the far end has played by the moment of the decision stands before the last audible sample.
        decided.append(time.monotonic())
        hold()

    live.call.outlet.hold = watched  # type: ignore[method-assign]
    times: list[float] = []
    try:
        recognised["text"] = QUESTION
        await call.say(wav("long_story"))
        await call.first_sound_after(time.monotonic())
        recognised["text"] = "Mm-hmm."
        for _ in range(holds):
            await asyncio.sleep(1.2)
            before = len(decided)
            await call.say(first_ms(wav("mhm"), 250))
            try:
                await call.until(lambda count=before: len(decided) > count, timeout_s=1.5)  # type: ignore[misc]
            except TimeoutError:
                continue
            await asyncio.sleep(WATCH_S)
            times.append(last_sound_ms(call, decided[-1]))
    finally:
        live.call.outlet.hold = hold  # type: ignore[method-assign]
        await call.quiet(for_s=1.5, limit_s=90)
    return times


def last_sound_ms(call: TimedCall, decided: float) -> float:
    """How long after `decided` the far end played sound for the last time before it fell silent."""
    far_end = call.far_end
    pcm = np.frombuffer(call.played_pcm(), np.int16).astype(np.int32)
    last = decided
    for (_, begin), (at, end) in zip(far_end.played_at, far_end.played_at[1:], strict=False):
        if at <= decided or at > decided + WATCH_S:
            continue
        loud = np.flatnonzero(np.abs(pcm[begin:end]) > SOUND)
        if len(loud):
            last = at - float(end - begin - 1 - loud[-1]) / 8000
        elif at > decided + 0.06:
            break
    return max(0.0, (last - decided) * 1000)


if __name__ == "__main__":
    report.save("hold", asyncio.run(measure()))
