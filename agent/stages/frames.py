"""What travels between the stages besides Pipecat's own frames."""

from __future__ import annotations

from dataclasses import dataclass

from pipecat.frames.frames import ControlFrame, DataFrame, SystemFrame

from agent.engines.base import Hypothesis
from channels.spoken import Spoken
from persona.prompt import Turn


@dataclass
class HypothesisFrame(DataFrame):
    """Downstream: what the recogniser has of the caller's turn so far."""

    hypothesis: Hypothesis


@dataclass
class FinishFrame(ControlFrame):
    """Upstream: the turn is over, give the final words."""


@dataclass
class SaidFrame(DataFrame):
    """Downstream: the final words of the caller's turn, in answer to `FinishFrame`."""

    text: str


@dataclass
class TypedFrame(SystemFrame):
    """Downstream: a whole turn that was typed or dialled."""

    text: str


@dataclass
class AnswerFrame(DataFrame):
    """Downstream: answer the last of these turns."""

    turns: tuple[Turn, ...]
    epoch: int


@dataclass
class SentenceFrame(DataFrame):
    """Downstream: a sentence to say."""

    text: str
    epoch: int
    provenance: str


@dataclass
class AnswerEndFrame(ControlFrame):
    """Downstream: the answer of this epoch has no more sentences."""

    epoch: int
    goodbye: bool = False
    """The conversation is over once the answer was heard."""


@dataclass
class SpokenFrame(DataFrame):
    """Downstream: a piece of speech for the outlet."""

    spoken: Spoken


@dataclass
class TwinSpeakingFrame(SystemFrame):
    """Upstream: the twin's answer begins to sound, or was heard to its end."""

    speaking: bool
