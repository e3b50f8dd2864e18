"""The twin's own voice, back through somebody's microphone."""

from __future__ import annotations

import numpy as np
import pytest

from agent.meeting.events import Guessed
from agent.meeting.hearing.copies import Taken
from agent.meeting.hearing.own import MOST_UTTERANCES, OwnVoice
from channels.spoken import Spoken, Word
from tests.doubles.wire import Door
from tests.speech.make import TABLE
from tests.unit.agent.meeting.hearing.people import knowing, people
from tests.unit.agent.meeting.hearing.rooms import RATE_HZ, Sound, far, in_room, pcm, speech

HZ = 48_000
LINE = "take_message"
TEXT = TABLE[LINE].text


def spoken(name: str, utterance: int = 7, *, epoch: int = 0) -> Spoken:
    """A recorded line as the twin would say it, its words evenly over it."""
    sound = speech(name)
    wide = np.interp(np.arange(len(sound) * 3) / 3, np.arange(len(sound)), sound)
    words = TABLE[name].text.split()
    each_ms = len(sound) * 1000 / RATE_HZ / len(words)
    times = tuple(Word(word, i * each_ms, (i + 1) * each_ms) for i, word in enumerate(words))
    return Spoken(utterance, epoch, pcm(wide), words=times, last=True)


class Twin:
    """Speaks at 48 kHz through its outlet."""

    def __init__(self) -> None:
        self.door = Door(HZ)
        self.own = OwnVoice(self.door.clock, RATE_HZ)
        self.door.outlet.watch(self.own)
        self.door.open(Spoken(1, 0, pcm(np.full(HZ // 2, 3_000.0)), last=True))

    def says(self, name: str, *, ms: int | None = None) -> tuple[int, int]:
        """Where it sounded, the recording's own silence included."""
        line = spoken(name, epoch=self.door.clock.epoch)
        assert self.door.outlet.say(line)
        begin = self.door.clock.position
        self.door.tick((ms or len(line.pcm) * 1000 // 2 // HZ) // 20 + 1)
        return begin, self.door.clock.position


def through(
    name: str, begin: int, end: int, text: str, *, late_ms: int = 250, sound: Sound | None = None
) -> Taken:
    """What a microphone in another room gives of it."""
    late = late_ms * HZ // 1000
    heard = far(in_room(speech(name) if sound is None else sound, seed=3), delay_ms=0)
    return Taken("anna", begin + late, end + late, text, -40.0, pcm(heard), RATE_HZ, begin + late)


@pytest.mark.parametrize("late_ms", [60, 250, 600])
def test_what_it_just_said_is_its_echo(late_ms: int) -> None:
    twin = Twin()
    begin, end = twin.says(LINE)
    assert twin.own.echoes(through(LINE, begin, end, TEXT, late_ms=late_ms))


def test_misheard_echoes_are_echoes() -> None:
    twin = Twin()
    begin, end = twin.says(LINE)
    assert twin.own.echoes(through(LINE, begin, end, "tell them the meeting moose to some day at nine"))


def test_words_of_somebody_who_speaks_over_it_are_theirs() -> None:
    twin = Twin()
    begin, end = twin.says(LINE)
    other = through("stop", begin, end, TABLE["stop"].text)
    assert not twin.own.echoes(other)
    both = speech(LINE).copy() * 0.2
    both[: len(speech("stop"))] += speech("stop")[: len(both)]
    mixed = through(LINE, begin, end, "stop I have another question please tell him", sound=both)
    assert not twin.own.echoes(mixed)


def test_who_repeats_its_words_afterwards_is_a_person() -> None:
    twin = Twin()
    _, end = twin.says(LINE)
    twin.door.tick(150)
    repeated = through(LINE, end + HZ // 4, end + 2 * HZ, "the meeting moves to Monday")
    assert not twin.own.echoes(repeated)


def test_a_word_that_both_say_is_an_echo_only_when_it_sounds_like_one() -> None:
    twin = Twin()
    begin, end = twin.says(LINE)
    assert twin.own.echoes(through(LINE, begin, end, "meeting"))
    assert not twin.own.echoes(through("stop", begin, end, "please"))


def test_what_was_never_heard_has_no_echo() -> None:
    twin = Twin()
    begin, end = twin.says(LINE, ms=600)
    twin.door.outlet.hold()
    twin.door.outlet.drop()
    twin.door.tick(200)
    late = through(LINE, end + HZ // 2, end + 2 * HZ, "the meeting moves to Monday at nine")
    assert not twin.own.echoes(late)
    assert not twin.own.may_be("the meeting moves to Monday at nine", begin, begin + 2 * HZ)


def test_it_remembers_a_bounded_past() -> None:
    own = OwnVoice(Door(HZ).clock, RATE_HZ)
    for number in range(MOST_UTTERANCES * 3):
        own.expected(Spoken(number, 0, bytes(9_600), last=True))
    assert own.utterances <= MOST_UTTERANCES


async def test_a_microphone_that_gives_back_the_twin_is_nobody() -> None:
    line = spoken(LINE)
    echo = pcm(far(in_room(speech(LINE), seed=3), delay_ms=0))
    engine = knowing()
    words = TEXT.split()
    engine.knows = lambda sound: " ".join(words[: len(words) * (len(sound) - RATE_HZ) // len(echo)])
    async with people(engine) as here:
        here.hall.own.expected(line)
        begin = here.clock.position
        here.sounds(begin, len(line.pcm) // 2, line.utterance)
        await here.hear(1_500, anna=(200, echo))
        await here.until(lambda: here.unheard)
        assert here.uttered == []
        assert here.unheard == [("anna", False)]
        assert not any(isinstance(event, Guessed) for event in here.events)


@pytest.mark.parametrize("understood", [True, False])
async def test_a_microphone_that_gives_back_the_twin_disturbs_it_once(understood: bool) -> None:
    line = spoken(LINE)
    echo = pcm(far(in_room(speech(LINE), seed=3), delay_ms=0))
    engine = knowing()
    words = TEXT.split()
    engine.knows = lambda sound: " ".join(words[: understood * len(words) * (len(sound) - RATE_HZ) // len(echo)])
    async with people(engine) as here:
        for _ in range(3):
            here.hall.own.expected(line)
            here.sounds(here.clock.position, len(line.pcm) // 2, line.utterance)
            await here.hear(1_500, anna=(200, echo))
            await here.until(lambda: not here.hall.unsettled)
        assert here.course("anna") == ["Began", "Fell", "Unheard"]
        engine.knows = lambda sound: TABLE["stop"].text
        await here.hear(1_500, anna=pcm(speech("stop")))
        await here.until(lambda: here.uttered)
        assert here.course("anna")[3] == "Began"
