"""What is told of somebody whose microphone gives back the twin."""

from __future__ import annotations

import pytest

from agent.meeting.events import HallEvent
from agent.meeting.hearing.own import OwnVoice
from agent.meeting.hearing.take import Take
from agent.meeting.hearing.teller import ECHOES_MS, Teller
from channels.clock import Clock
from channels.pending import Span
from channels.spoken import Spoken, Word

HZ = 48_000
WORDS = ["please", "tell", "him", "that", "the", "meeting", "moves", "to", "Monday", "at", "nine"]
EACH_MS = 300


class Scene:
    """The twin says a sentence; Anna's microphone is open."""

    def __init__(self, *, known: bool = True) -> None:
        self.clock = Clock(HZ)
        self.events: list[HallEvent] = []
        self.own = OwnVoice(self.clock, 16_000)
        self.teller = Teller(self.events.append, self.own, self.clock)
        words = tuple(Word(word, i * EACH_MS, (i + 1) * EACH_MS) for i, word in enumerate(WORDS))
        self.own.expected(Spoken(3, 0, bytes(2 * HZ * EACH_MS * len(WORDS) // 1000), words=words, last=True))
        self.said_ms = 0
        if known:
            self.teller.echoed("anna")

    def twin(self, ms: int) -> None:
        """It goes on speaking for so long."""
        self.own.sounded(self.clock.position, [Span(0, HZ * ms // 1000, 3, HZ * self.said_ms // 1000)])
        self.said_ms += ms
        self.passes(ms)

    def passes(self, ms: int) -> None:
        self.clock.left(HZ * ms // 1000)

    def begins(self) -> Take:
        take = Take("anna", self.clock.position, rate_hz=16_000)
        self.teller.began(take, take.start)
        return take

    def ends(self, take: Take) -> None:
        take.speaking, take.end = False, self.clock.position
        self.teller.fell(take, take.end, 192.0)
        take.over.set()

    @property
    def told(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


def test_somebody_whose_microphone_is_fine_is_told_at_once() -> None:
    scene = Scene(known=False)
    scene.twin(500)
    take = scene.begins()
    assert scene.told == ["Began"]
    scene.ends(take)
    scene.teller.unheard(take, crowded=False)
    assert scene.told == ["Began", "Fell", "Unheard"]


def test_a_known_echo_is_not_told_at_all() -> None:
    scene = Scene()
    scene.twin(500)
    take = scene.begins()
    scene.twin(900)
    scene.teller.guessed(take, "tell him that the")
    scene.ends(take)
    scene.teller.unheard(take, crowded=False)
    assert scene.told == []


def test_other_words_are_theirs_and_told_from_their_beginning() -> None:
    scene = Scene()
    scene.twin(500)
    take = scene.begins()
    scene.twin(900)
    scene.teller.guessed(take, "wait")
    assert scene.told == []
    scene.teller.guessed(take, "wait I have a question")
    assert scene.told == ["Began", "Guessed"]
    scene.ends(take)
    take.text = "wait I have a question"
    scene.teller.uttered(take)
    assert scene.told == ["Began", "Guessed", "Fell", "Uttered"]


def test_few_words_are_told_when_they_are_final() -> None:
    scene = Scene()
    scene.twin(500)
    take = scene.begins()
    scene.twin(500)
    take.text = "stop"
    scene.ends(take)
    scene.teller.uttered(take)
    assert scene.told == ["Began", "Fell", "Uttered"]


def test_who_goes_on_when_the_twin_is_silent_is_believed() -> None:
    scene = Scene()
    scene.twin(500)
    take = scene.begins()
    scene.passes(500)
    scene.teller.look(take)
    assert scene.told == []
    scene.passes(500)
    scene.teller.look(take)
    assert scene.told == ["Began"]


def test_while_the_twin_is_silent_nobody_is_doubted() -> None:
    scene = Scene()
    scene.passes(2_000)
    scene.begins()
    assert scene.told == ["Began"]


@pytest.mark.parametrize("forgotten", ["by time", "by leaving"])
def test_it_is_not_held_against_them_for_ever(forgotten: str) -> None:
    scene = Scene()
    if forgotten == "by time":
        scene.passes(ECHOES_MS)
    else:
        scene.teller.forget("anna")
    scene.twin(500)
    scene.begins()
    assert scene.told == ["Began"]
