"""Something that speaks, for tests: sentences with their phones, and a door that lets them leave 20 ms by 20
ms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from avatar.speech import Speech
from avatar.timeline import Part, Phone, Said
from avatar.visemes import MOUTH, Floats

RATE = 16_000
CHUNK = RATE // 50
FRAME = RATE // 25
LOUD = 6_538
"""-14 dBFS."""


@dataclass(frozen=True, slots=True)
class Sentence:
    language: str
    text: str
    phones: tuple[Phone, ...]

    @property
    def length_ms(self) -> float:
        return self.phones[-1].end_ms + 60.0

    @property
    def samples(self) -> int:
        return round(self.length_ms * RATE / 1000)

    @property
    def pcm(self) -> bytes:
        """As long as the sentence and everywhere as loud as a vowel usually is."""
        return np.full(self.samples, LOUD, np.int16).tobytes()


@cache
def sentences() -> list[Sentence]:
    """Some hundred, as espeak-ng spoke them; see `make_sentences`."""
    found = []
    for language, text, line in json.loads(Path(__file__).with_name("sentences.json").read_text("utf-8")):
        phones: list[Phone] = []
        at_ms = 0.0
        for item in line.split(" "):
            ipa, _, length = item.rpartition(":")
            if ipa:
                phones.append(Phone(ipa, at_ms, at_ms + float(length)))
            at_ms += float(length)
        found.append(Sentence(language, text, tuple(phones)))
    return found


class Told(Protocol):
    """What a door tells: a `Speech` or a `Stage`."""

    def sounded(self, position: int, parts: Sequence[Part]) -> object: ...


class Door:
    """Lets what waits leave, as the outlet does."""

    def __init__(self, told: Told, position: int = 0) -> None:
        self.told = told
        self.position = position
        self.held = False
        self.waiting: list[tuple[int, int, int]] = []
        """Utterance, next sample, samples."""

    def say(self, utterance: int, samples: int) -> None:
        self.waiting.append((utterance, 0, samples))

    def tick(self, ticks: int = 1) -> None:
        for _ in range(ticks):
            parts: list[Part] = []
            at = 0
            while self.waiting and at < CHUNK and not self.held:
                utterance, offset, samples = self.waiting.pop(0)
                step = min(CHUNK - at, samples - offset)
                parts.append(Part(at, step, utterance, offset))
                at += step
                if offset + step < samples:
                    self.waiting.insert(0, (utterance, offset + step, samples))
            self.told.sounded(self.position, parts)
            self.position += CHUNK


def say(speech: Speech, door: Door, utterance: int, sentence: Sentence, words: Sequence[Said] = ()) -> int:
    """Expect a whole sentence and queue it. Returns the position at which it begins when nothing holds it up."""
    waiting = sum(samples - offset for _, offset, samples in door.waiting)
    speech.expect(utterance, sentence.pcm, sentence.phones, words, exact=True)
    door.say(utterance, sentence.samples)
    return door.position + waiting


def curve(speech: Speech, begin: int, end: int, step: int) -> npt.NDArray[np.float32]:
    """Shape (n, MOUTH): the mouth from one position to another."""
    return np.array([mouth(speech, position) for position in range(begin, end, step)])


def mouth(speech: Speech, position: int) -> Floats:
    values = speech.mouth_at(position)
    return np.zeros(len(MOUTH), np.float32) if values is None else values
