"""A small model for the voice server, without torch: a tone per word, and texts that make it fail on purpose.

    python -m persona.voice.server --engine tests.doubles.sine_voice:SineVoice

A text with the word `break` raises, `die` kills the process, `hang` blocks, `endless` never ends, `slowly` takes
50 ms a word, `mute` makes no sound.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np

from compliance.errors import EngineMissing
from persona.voice.server.engine import Refused, Samples, Sentence, Setup

RATE_HZ = 24000
WORD_MS = 250


class SineVoice:
    """A learned voice is the pitch of its sample; `low` and `high` are there from the start."""

    rate_hz = RATE_HZ

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._pitches_hz: dict[str, float] = {}
        self.at_once = int(setup.threads or 2)

    def load(self) -> None:
        if self._setup.model.name == "missing":
            raise EngineMissing("sine voice: its weights are missing; run: make weights")
        self._pitches_hz = {"low": 120.0, "high": 240.0}

    def voices(self) -> tuple[str, ...]:
        return tuple(self._pitches_hz)

    def learn(self, name: str, samples: Samples, rate_hz: int) -> None:
        if not samples.any():
            raise Refused("the voice's sample is silent")
        spectrum = np.abs(np.fft.rfft(samples))
        self._pitches_hz[name] = float(np.argmax(spectrum) * rate_hz / len(samples))

    def forget(self, name: str) -> None:
        self._pitches_hz.pop(name, None)

    def speak(self, sentence: Sentence, stop: threading.Event) -> Iterator[Samples]:
        words = sentence.text.split()
        if sentence.language == "xx":
            raise Refused("sine voice does not speak xx")
        index = 0
        while index < len(words) or "endless" in words:
            match words[index % len(words)]:
                case "break":
                    raise RuntimeError("on purpose")
                case "die":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "hang":
                    threading.Event().wait()
                case "mute":
                    return
            if "slowly" in words:
                time.sleep(0.05)
            if stop.is_set():
                return
            yield self._tone(self._pitches_hz[sentence.voice], sentence.speed)
            index += 1

    def _tone(self, pitch_hz: float, speed: float) -> Samples:
        times_s = np.arange(int(RATE_HZ * WORD_MS / 1000 / speed), dtype=np.float32) / RATE_HZ
        return np.asarray(0.3 * np.sin(2 * np.pi * pitch_hz * times_s), np.float32)
