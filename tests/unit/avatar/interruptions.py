"""Interruptions at random: the twin is held or gives up its turn, and speaks again. Shared by tests and soak."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from avatar.speech import Speech
from avatar.visemes import Floats
from tests.unit.avatar.saying import CHUNK, FRAME, RATE, Door, Sentence, mouth, say, sentences

SHUT_MS = 60.0
SETTLED_MS = 150.0


@dataclass(slots=True)
class Tally:
    """What went wrong in so many interruptions."""

    interruptions: int = 0
    moving: int = 0
    """Mouths that were not shut 60 ms after, or moved again before the next speech."""
    stale: int = 0
    """Moments at which an old sentence was seen after its end."""
    out_of_sync: int = 0
    """Times after which the mouth was not where it belongs to the sample that sounds."""
    worst: float = 0.0
    """The largest difference of a control from where it belongs."""


def undisturbed(sentence: Sentence, offset: int) -> Floats:
    """The mouth at a sample of a sentence that nothing interrupts."""
    speech = Speech(RATE)
    door = Door(speech)
    door.tick(20)
    begin = say(speech, door, 1, sentence)
    door.tick(offset // CHUNK + 2)
    return mouth(speech, begin + offset)


def interrupt(count: int, seed: int) -> Tally:
    """One long call with so many interruptions."""
    chance = random.Random(seed)
    speech = Speech(RATE)
    door = Door(speech)
    tally = Tally()
    utterance = 0
    for _ in range(count):
        utterance += 1
        sentence = chance.choice(sentences())
        door.tick(chance.randrange(3))
        begin = say(speech, door, utterance, sentence)
        door.tick(chance.randrange(4, sentence.samples // CHUNK - 12))
        heard = door.position - chance.choice((0, 0, 0, CHUNK, 3 * CHUNK, 777))
        offset = min(heard - begin, sentence.samples)
        tally.interruptions += 1
        resumes = chance.random() < 0.4
        if resumes:
            speech.timeline.stopped(heard)
            door.held = True
        else:
            speech.timeline.dropped(heard)
            door.waiting.clear()
        _see_it_shut(speech, door, heard, chance, tally)
        door.tick(chance.randrange(4, 20))
        if resumes:
            door.waiting[0:1] = [(utterance, offset, sentence.samples)]
            door.held = False
            begin = door.position - offset
        else:
            utterance += 1
            sentence = chance.choice(sentences())
            begin = say(speech, door, utterance, sentence)
            offset = 0
        _see_it_in_sync(speech, door, sentence, begin, max(0, offset), tally)
        speech.timeline.dropped(door.position)
        door.waiting.clear()
        door.tick(8)
    return tally


def _see_it_shut(speech: Speech, door: Door, heard: int, chance: random.Random, tally: Tally) -> None:
    shut = heard + round(SHUT_MS * RATE / 1000)
    seen = [mouth(speech, shut + chance.randrange(FRAME)) for _ in range(2)]
    seen.append(mouth(speech, max(shut, door.position + CHUNK)))
    tally.moving += any(values.any() for values in seen)
    tally.stale += any(era.stop is None for era, _ in speech.timeline.around(shut, 0))


def _see_it_in_sync(speech: Speech, door: Door, sentence: Sentence, begin: int, offset: int, tally: Tally) -> None:
    """The first second after speech goes on."""
    settled = offset + round(SETTLED_MS * RATE / 1000)
    for now in range(settled, min(settled + RATE, sentence.samples - 2 * CHUNK), 7 * CHUNK + 11):
        door.tick((begin + now - door.position) // CHUNK + 1)
        apart = float(np.abs(mouth(speech, begin + now) - undisturbed(sentence, now)).max())
        tally.worst = max(tally.worst, apart)
        tally.out_of_sync += apart > 0.01
