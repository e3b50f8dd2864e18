"""How long the caller waits for something sensible when the model fails.

From their last sound to the first of ours, and the longest silence inside an answer that broke off.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from loguru import logger as pipecat_logger

from tests.behaviour.twin import twin
from tests.bench import report
from tests.bench.stage import TimedCall, question
from tests.doubles.deepgram import Deepgram, Script
from tests.doubles.openai_chat import Answer, ChatServer

pipecat_logger.remove()

ASKED = "How much does a consultation cost?"
LONG = "Well, let me think about that for you, because it depends on the house and on the season."
TIMES = 2
FAULTS = {
    "500": Answer(status=500),
    "reset": Answer(fault="reset"),
    "hangs": Answer(fault="hang"),
    "hangs in mid-stream": Answer(text=LONG, fault="hang_mid", after_tokens=12),
    "cut in mid-stream": Answer(text=LONG, fault="cut_mid", after_tokens=12),
}


async def measure(times: int = TIMES) -> dict[str, Any]:
    rows = [{"model": name, **await one(answer, times)} for name, answer in FAULTS.items()]
    report.show(
        "Faults of the model: milliseconds from the caller's last sound, 450 of them the wait for the turn's end",
        rows,
    )
    return {"rows": rows}


async def one(answer: Answer, times: int) -> dict[str, Any]:
    """Each time in a call of its own, so that a breaker that has opened does not help."""
    first: list[float] = []
    silence: list[float] = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            async with Deepgram(Script(says=(ASKED,))) as deepgram, ChatServer(answer) as chat:
                settings = (
                    f'[speech]\nengine = "deepgram"\nbase_url = "{deepgram.url}"\n'
                    f'[brain]\nengine = "openai"\nmodel = "stub"\nbase_url = "{chat.base_url}"\n'
                )
                async with twin(Path(folder) / "home", settings) as running, TimedCall(running.url) as call:
                    await call.first_sound_after(0.0)
                    await call.quiet(for_s=1.2)
                    await call.say(question())
                    asked = time.monotonic()
                    first.append((await call.first_sound_after(asked) - asked) * 1000)
                    await call.quiet(for_s=3.0)
                    sounds = [sound for sound in call.sound_at if sound > asked]
                    gaps = [later - sooner for sooner, later in pairwise(sounds)]
                    silence.append(max(gaps, default=0.0) * 1000)
    return {
        "first sound max": round(max(first)),
        "longest silence in the answer": round(max(silence)),
        "n": len(first),
    }


if __name__ == "__main__":
    report.save("fault", asyncio.run(measure()))
