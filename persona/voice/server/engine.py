"""What a model must do to be served, and the engines there are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from compliance.errors import EngineFailed, EngineMissing

Samples = NDArray[np.float32]
"""Mono, from -1 to 1."""

ENGINES = {
    "xtts": "persona.voice.server.coqui:Xtts",
    "coqui": "persona.voice.server.coqui:SingleSpeaker",
    "pocket": "persona.voice.server.pocket:Pocket",
}


class Refused(EngineFailed):
    """The model cannot say this, and no second try will change that: an unknown voice or language."""

    code = "refused"


@dataclass(frozen=True, slots=True)
class Setup:
    """How the server was started; an engine takes what it needs of it."""

    model: Path
    """The folder of the weights."""
    device: str = "cpu"
    """`cpu` or `cuda`."""
    threads: int = 0
    """Of the model on the CPU; 0: the engine's choice."""
    language: str = "en"
    """For models that have one language each."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing to say."""

    text: str
    voice: str = ""
    """A name that was learned, or one of the model's own; empty: the first there is."""
    language: str = "en"
    speed: float = 1.0


class SpeechModel(Protocol):
    """A model. All its methods but the properties are called on one thread, and may block."""

    @property
    def rate_hz(self) -> int:
        """Of its sound; known after `load`."""
        ...

    @property
    def at_once(self) -> int:
        """How many generators of `speak` may be stepped in turn."""
        ...

    def load(self) -> None:
        """Load the weights. Raises `EngineMissing` or `EngineFailed`."""
        ...

    def voices(self) -> tuple[str, ...]:
        """The names that `speak` takes."""
        ...

    def learn(self, name: str, samples: Samples, rate_hz: int) -> None:
        """Take a voice from a sample of it, in memory only. Raises `Refused`."""
        ...

    def forget(self, name: str) -> None:
        """Drop a learned voice; one that is not there is no error."""
        ...

    def speak(self, sentence: Sentence, stop: threading.Event) -> Iterator[Samples]:
        """Say it piece by piece. When `stop` is set it ends within one step of the model. Raises `Refused`."""
        ...


def make(name: str, setup: Setup) -> SpeechModel:
    """The engine of a name, or of `module:class`. Nothing is loaded yet. Raises `EngineMissing`."""
    where = ENGINES.get(name, name)
    module, colon, attribute = where.partition(":")
    if not colon:
        raise EngineMissing(f"voice server: there is no engine {name!r}; choose from {', '.join(ENGINES)}")
    try:
        factory: Callable[[Setup], Any] = getattr(import_module(module), attribute)
    except (ImportError, AttributeError):
        raise EngineMissing(f"voice server: there is no engine {name!r}") from None
    model: SpeechModel = factory(setup)
    return model


def to_int16(samples: Samples) -> bytes:
    """int16 little-endian. What is not a number becomes silence: a loud click would be worse."""
    clean = np.nan_to_num(np.asarray(samples, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    return bytes((np.clip(clean, -1.0, 1.0) * 32767).astype("<i2").tobytes())
