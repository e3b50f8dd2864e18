"""Voices: time to the first sound and real-time factor of each engine at hand, and the voice server with 8 calls.

The Coqui and Pocket models are small ones with random weights, made here: what they show is the cost of the
libraries and of our code around a model, not of a model one would use. Name a folder with real weights for those:

    TWIN_BENCH_XTTS=FOLDER python -m tests.bench voices
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent.engines.base import EngineConfig, Voice
from agent.engines.voice import espeak, served
from agent.engines.voice.served import ServedSettings, ServedVoice
from compliance.errors import EngineError
from tests.bench import report
from tests.unit.persona.voice.server.test_app import tone_wav
from tests.voices import PYTHON, ROOT, in_voices

TEXT = "Good morning, this is the twin of the owner speaking, how may I help you today?"
TIMES = 5
CALLS = 8
_PATIENT_S = 120.0
_SINE = "tests.doubles.sine_voice:SineVoice"
_SMALL = {"xtts": "xtts", "coqui": "vits", "pocket_tts": "pocket"}


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence."""

    first_ms: float
    all_ms: float
    sound_ms: float

    @property
    def real_time_factor(self) -> float:
        """Time to make it by the time it lasts; below 1 is faster than listening."""
        return self.all_ms / self.sound_ms if self.sound_ms else float("nan")


async def say(voice: Voice) -> Said:
    began_s = time.perf_counter()
    first_s, samples, rate_hz = None, 0, 1
    async for chunk in voice.speak(TEXT, language="en"):
        if chunk.pcm and first_s is None:
            first_s = time.perf_counter()
        samples, rate_hz = samples + len(chunk.pcm) // 2, chunk.rate_hz
    now_s = time.perf_counter()
    return Said(1000 * ((first_s or now_s) - began_s), 1000 * (now_s - began_s), 1000 * samples / rate_hz)


@asynccontextmanager
async def started(voice: Voice) -> AsyncIterator[float]:
    """The voice, ready; yields how long that took, in seconds."""
    began_s = time.perf_counter()
    try:
        await voice.start()
        yield time.perf_counter() - began_s
    finally:
        await voice.close()


def voices_python() -> str | None:
    """The interpreter with the libraries, if there is one."""
    python = os.environ.get(PYTHON) or str(ROOT / ".venv-voices/bin/python")
    return python if Path(python).exists() else None


async def one(name: str, voice: Voice) -> dict[str, Any]:
    """One engine, one call."""
    try:
        async with started(voice) as ready_s:
            said = [await say(voice) for _ in range(TIMES)]
    except EngineError as error:
        return {"engine": name, "note": error.message}
    return {
        "engine": name,
        "ready s": round(ready_s, 1),
        "first sound ms": round(report.quantile([each.first_ms for each in said], 0.5), 1),
        "worst ms": round(max(each.first_ms for each in said), 1),
        "real-time factor": round(report.quantile([each.real_time_factor for each in said], 0.5), 3),
        "sound s": round(said[-1].sound_ms / 1000, 1),
    }


async def together(name: str, voice: Voice) -> dict[str, Any]:
    """One engine, eight calls at once."""
    try:
        async with started(voice):
            began_s = time.perf_counter()
            ends = await asyncio.gather(*(say(voice) for _ in range(CALLS)), return_exceptions=True)
            took_s = time.perf_counter() - began_s
    except EngineError as error:
        return {"engine": name, "note": error.message}
    said = [end for end in ends if isinstance(end, Said)]
    first_ms = [each.first_ms for each in said] or [float("nan")]
    return {
        "engine": name,
        "calls": CALLS,
        "left to the second voice": CALLS - len(said),
        "first sound ms": round(report.quantile(first_ms, 0.5), 1),
        "worst ms": round(max(first_ms), 1),
        "sound a second": round(sum(each.sound_ms for each in said) / 1000 / took_s, 1),
    }


def sine(cache: Path) -> ServedVoice:
    """The server and nothing else: its model takes no time."""
    config = EngineConfig(name="xtts", cache=cache, first_token_timeout_s=_PATIENT_S, total_timeout_s=_PATIENT_S)
    return ServedVoice(config, ServedSettings(device="cpu"), engine=_SINE)


def at_hand(folder: Path) -> dict[str, ServedVoice]:
    """The served models: named ones, and small ones made here."""
    voices: dict[str, ServedVoice] = {"voice server alone": sine(folder)}
    if (python := voices_python()) is None:
        return voices
    os.environ[PYTHON] = python
    for name, small in _SMALL.items():
        real = os.environ.get(f"TWIN_BENCH_{name.upper()}", "")
        model = Path(real) if real else folder / small
        if not real:
            in_voices("tests.doubles.tiny_voices", small, str(model), *(["short"] if name == "xtts" else []))
        config = EngineConfig(
            name=name, model=str(model), cache=folder, options={"python": python},
            first_token_timeout_s=_PATIENT_S, total_timeout_s=_PATIENT_S,
        )  # fmt: skip
        voices[name if real else f"{name} (small, random)"] = served.create(config)
    return voices


async def measure() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        make_espeak = getattr(espeak, espeak.CARD.factory.partition(":")[2])
        voices: dict[str, Voice] = {"espeak": make_espeak(EngineConfig(name="espeak", cache=Path(folder)))}
        for name, voice in (await asyncio.to_thread(at_hand, Path(folder))).items():
            if not name.startswith("coqui") and name != "voice server alone":
                await voice.clone_from(tone_wav(140, seconds=5))
            voices[name] = voice
        alone = [await one(name, voice) for name, voice in voices.items()]
        eight = [await together(name, voice) for name, voice in voices.items()]
    report.show("one call", alone)
    report.show(f"{CALLS} calls at once", eight)
    return {"text": TEXT, "alone": alone, "together": eight}
