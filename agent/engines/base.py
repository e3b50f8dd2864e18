"""What an engine is: three small interfaces, and the card each engine shows to `twin doctor`.

An engine is made once per process, started once (`start` loads models), and shared by all calls. Nothing is
loaded, downloaded or connected at import or in a constructor.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from channels.spoken import Phoneme, Word
from persona.prompt import Prompt
from persona.tool import ToolCall

Kind = Literal["speech", "brain", "voice"]


@dataclass(frozen=True, slots=True)
class Card:
    """What an engine needs and falls back to; `twin doctor` prints it."""

    kind: Kind
    name: str
    about: str
    """One line for people."""
    factory: str
    """`module:callable`, called with an `EngineConfig` when the engine is chosen."""
    keys: tuple[str, ...] = ()
    """Environment variables that must be set."""
    extra: str = ""
    """The optional dependency group that brings it, or nothing when it is built in."""
    modules: tuple[str, ...] = ()
    """Importable modules it cannot work without."""
    falls_back_to: str = ""
    """The engine that takes over when this one fails in a call; empty: none."""
    licence: str = ""
    """Said where a model or a voice has a licence its user must know."""


def importable(module: str) -> bool:
    """Whether a module is there, without importing it."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        # Its parent package is missing.
        return False


def install(extra: str) -> str:
    """The command that adds an optional dependency group, run in the project's folder."""
    if extra == "worker":
        # Its pin of livekit is not the one that is locked, which pip would refuse to install beside it.
        return "pip install --no-deps -r requirements-server.lock"
    return f"pip install -c requirements-extras.lock -e '.[{extra}]'"


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What a factory gets: the settings of its section, the secrets it asked for, and where it may write."""

    name: str
    model: str = ""
    base_url: str = ""
    voice: str = ""
    language: str = "en"
    options: dict[str, str] = field(default_factory=dict)
    """Further keys of the settings section, as written."""
    secrets: dict[str, str] = field(default_factory=dict)
    """Values of the card's `keys`, from the environment."""
    cache: Path = Path()
    """A folder for models; it exists."""
    first_token_timeout_s: float = 1.5
    total_timeout_s: float = 30.0


class Engine(Protocol):
    """What all engines share."""

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        ...

    async def start(self) -> None:
        """Load and warm what is needed. Raises `EngineMissing` or `EngineFailed`; may take seconds."""
        ...

    async def close(self) -> None:
        """Free everything within 5 s; safe to call twice, and on an engine that never started."""
        ...


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the recogniser thinks was said since the last `finish`."""

    text: str
    stable_words: int = 0
    """How many leading words will not change any more."""


class Hearing(Protocol):
    """One person's speech being recognised."""

    def feed(self, pcm: bytes) -> None:
        """Take int16 mono audio at the rate given to `open`. Never blocks, never waits: the engine bounds its
        own queue and drops the oldest audio when it cannot keep up."""
        ...

    def onset(self) -> None:
        """The person began to speak (voice activity); a hint."""
        ...

    def offset(self) -> None:
        """The person fell silent, perhaps only for breath; a hint to decode what there is right now, so that
        `finish` has little left to do."""
        ...

    async def finish(self) -> str:
        """End of the turn: the final text of everything since the last `finish`, and start anew.

        Raises `EngineFailed` when the engine died; the audio fed meanwhile is lost. The caller bounds the wait.
        """
        ...

    def hypotheses(self) -> AsyncIterator[Hypothesis]:
        """Partial results as they come, until `close`. Raises `EngineFailed` when the engine dies. Only the
        newest matters: an engine may skip older ones for a slow reader."""
        ...

    async def close(self) -> None:
        """Free it within 2 s; safe to call twice."""
        ...


class Speech(Engine, Protocol):
    """Streaming speech recognition."""

    async def open(self, *, rate_hz: int, language: str) -> Hearing:
        """Begin to hear one person. Raises `EngineFailed` when it cannot, e.g. at its capacity."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the answer as it streams in: any length, not yet cut into sentences."""

    text: str
    provenance: str = "model"
    """fact, statement, memory, model, notice; see `Spoken.provenance`."""
    goodbye: bool = False
    """True when the conversation is over once this was heard: the twin hangs up."""
    call: ToolCall | None = None
    """A tool that the brain wants used; its text is empty then."""


class Brain(Engine, Protocol):
    """Words for the twin to say."""

    def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Stream the answer. Cancelling the iteration stops the work at the source.

        Raises `EngineFailed` or `EngineTimeout` (first token or total time over its limit), also in mid-stream.
        """
        ...


@dataclass(frozen=True, slots=True)
class VoiceChunk:
    """Audio of one sentence, in order, with the part of the timeline that is known by now."""

    pcm: bytes
    """int16 mono."""
    rate_hz: int
    words: tuple[Word, ...] = ()
    """Times count from the first sample of the sentence."""
    phonemes: tuple[Phoneme, ...] = ()
    exact: bool = False
    """True when the engine measured the times; False when they were estimated."""


@runtime_checkable
class Imitator(Protocol):
    """A voice that can take on somebody's: the owner's, while the owner's consent stands."""

    @property
    def imitates(self) -> bool:
        """False for a model that was trained for its one voice and learns no other."""
        ...

    async def clone_from(self, sample: bytes) -> None:
        """Speak as in this WAV file from the next sentence on. Raises `EngineError`."""
        ...

    async def forget_voice(self) -> None:
        """Keep nothing of it, here or where the voice is made, also of what an earlier process took on; without
        effect the second time. Raises `EngineError`, and goes on where it stopped when it is asked again."""
        ...


class Voice(Engine, Protocol):
    """Speech for words."""

    def speak(self, text: str, *, language: str) -> AsyncIterator[VoiceChunk]:
        """Stream one sentence. Cancelling the iteration stops the work at the source.

        All words of `text` appear in the timeline of the chunks, in order, none later than the last chunk.
        Raises `EngineFailed` or `EngineTimeout`, also in mid-stream.
        """
        ...
