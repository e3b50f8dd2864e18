"""The way out: the disclosure first, then speech that can be held, resumed and dropped to the sample."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from channels.outlet import PENDING_MS, Outlet, State
from channels.spoken import Spoken, Word
from compliance.errors import DoorClosed
from tests.doubles.mark import NoMark
from tests.doubles.wire import Door, counting

RATE_HZ = 16_000
CHUNK = 320
FADE = 160
DISCLOSURE = Spoken(0, 0, counting(5 * CHUNK + 50, start=20_000), (Word("Hello.", 0, 90),), last=True)
Samples = NDArray[np.int16]


def speech(samples: int, *, start: int = 1, epoch: int = 0, utterance: int = 2, last: bool = False) -> Spoken:
    return Spoken(utterance, epoch, counting(samples, start=start), last=last)


def sentence(*texts: str, epoch: int = 0, utterance: int = 2, each_ms: int = 100) -> Spoken:
    """Words of 100 ms each; the signal counts."""
    words = tuple(Word(text, i * each_ms, (i + 1) * each_ms) for i, text in enumerate(texts))
    pcm = counting(len(texts) * each_ms * RATE_HZ // 1000)
    return Spoken(utterance, epoch, pcm, words, exact=True, last=True, provenance="fact")


def opened(*, lead_chunks: int = 0) -> Door:
    return Door(RATE_HZ, lead_chunks=lead_chunks).open(DISCLOSURE)


def sound(samples: Samples) -> list[int]:
    """The samples that are not silence; the counting signal never is."""
    return [int(sample) for sample in samples if sample]


def texts(door: Door) -> list[str]:
    return [word.text for word in door.words]


class TestDisclosure:
    """Law one: nothing sounds before it has played."""

    def test_before_it_is_given_there_is_silence(self) -> None:
        door = Door(RATE_HZ)
        door.tick(20)
        assert len(door.wire.samples) == 20 * CHUNK
        assert not door.wire.samples.any()
        assert door.outlet.state is State.WAITING

    def test_it_leaves_whole_and_opens_the_door_when_it_was_heard(self) -> None:
        door = Door(RATE_HZ, lead_chunks=3)
        door.tick(2)
        door.outlet.disclose(DISCLOSURE)
        door.tick(6)
        assert door.disclosed_at == []  # it has left, but the last 60 ms are still with the wire
        door.tick(3)
        assert door.outlet.state is State.OPEN
        assert door.disclosed_at == [2 * CHUNK + 5 * CHUNK + 50]
        assert np.array_equal(
            door.wire.samples[2 * CHUNK :][: 5 * CHUNK + 50], np.frombuffer(DISCLOSURE.pcm, np.int16)
        )
        assert texts(door) == ["Hello."]

    def test_nothing_may_be_said_before_it_was_heard(self) -> None:
        door = Door(RATE_HZ, lead_chunks=3)
        for ticks in (1, 6):
            with pytest.raises(DoorClosed):
                door.outlet.say(speech(CHUNK))
            if ticks == 1:
                door.outlet.disclose(DISCLOSURE)
            door.tick(ticks)

    def test_neither_hold_nor_drop_nor_resume_touches_it(self) -> None:
        door = Door(RATE_HZ, lead_chunks=3)
        door.outlet.disclose(DISCLOSURE)
        for _ in range(12):
            if not door.disclosed_at:
                door.outlet.hold()
                assert not door.outlet.held
            door.outlet.drop()
            door.outlet.resume()
            door.tick()
        assert sound(door.wire.samples) == np.frombuffer(DISCLOSURE.pcm, np.int16).tolist()
        assert sound(door.wire.sent) == sound(door.wire.samples)
        assert door.outlet.state is State.OPEN

    def test_it_is_given_once(self) -> None:
        door = Door(RATE_HZ)
        door.outlet.disclose(DISCLOSURE)
        with pytest.raises(DoorClosed):
            door.outlet.disclose(DISCLOSURE)

    def test_another_rate_is_refused_and_nothing_leaves(self) -> None:
        door = opened()
        with pytest.raises(DoorClosed, match="16000 Hz, not at 8000"):
            door.outlet.write(bytes(320), 8_000)
        assert not door.wire.ear


class TestClosedDoor:
    """A stage that fails closes the door and never opens it."""

    def test_bytes_pushed_past_the_queue_never_sound(self) -> None:
        door = Door(RATE_HZ)
        door.outlet.disclose(DISCLOSURE)
        for _ in range(10):
            door.outlet.write(counting(CHUNK), RATE_HZ)
            door.tick()
        assert not door.wire.samples.any()
        assert door.failures == ["door_closed"]
        assert door.outlet.state is State.FAILED
        assert door.disclosed_at == []

    def test_the_right_bytes_through_the_wrong_way_do_not_open_it_early(self) -> None:
        door = Door(RATE_HZ, lead_chunks=3)
        door.outlet.disclose(DISCLOSURE)
        for start in range(0, len(DISCLOSURE.pcm), CHUNK * 2):
            door.outlet.write(DISCLOSURE.pcm[start : start + CHUNK * 2], RATE_HZ)
        door.outlet.played(door.wire.played)
        assert door.outlet.state is State.DISCLOSING

    @pytest.mark.parametrize(
        "broken",
        [
            lambda samples: samples[:-1],
            lambda samples: np.append(samples, samples[:1]),
            lambda samples: samples.astype(np.float32),
            lambda samples: samples.reshape(2, -1),
            lambda samples: 1 / 0,
            lambda samples: None,
        ],
        ids=["shorter", "longer", "floats", "two-dimensional", "raises", "nothing"],
    )
    def test_a_stage_that_breaks_leaves_silence_and_then_only_the_apology(
        self, broken: Callable[[Samples], Samples], caplog: pytest.LogCaptureFixture
    ) -> None:
        stage, apology = Breakable(), counting(CHUNK, start=9_000)
        door = Door(RATE_HZ, stages=(stage,), mark=NoMark(apology)).open(DISCLOSURE)
        door.outlet.say(speech(10 * CHUNK))
        door.tick(2)
        stage.step = broken
        with caplog.at_level(logging.CRITICAL):
            door.tick(3)
        stage.step = lambda samples: samples
        assert len(door.failures) == 1
        with pytest.raises(DoorClosed):
            door.outlet.say(speech(CHUNK))
        door.outlet.write(counting(CHUNK), RATE_HZ)
        door.tick(3)
        assert sound(door.wire.samples) == list(range(2, 2 * CHUNK + 2))
        door.outlet.apologise()
        door.tick(3)
        assert sound(door.wire.samples)[2 * CHUNK :] == list(range(9_001, 9_001 + CHUNK))

    def test_a_fade_that_was_under_way_does_not_leave_unchecked(self) -> None:
        stage = Breakable()
        door = Door(RATE_HZ, stages=(stage,)).open(DISCLOSURE)
        door.outlet.say(speech(10 * CHUNK))
        door.tick()
        door.outlet.hold()
        stage.step = lambda samples: samples[:0]
        door.outlet.write(bytes(2 * CHUNK), RATE_HZ)
        heard = len(sound(door.wire.samples))
        door.tick(5)
        assert len(sound(door.wire.samples)) == heard

    def test_words_of_the_chunk_that_was_silenced_were_not_heard(self) -> None:
        stage = Breakable()
        door = Door(RATE_HZ, stages=(stage,)).open(DISCLOSURE)
        stage.step = lambda samples: samples[:0]
        door.outlet.say(sentence("One", "two", each_ms=20))
        door.tick(5)
        assert texts(door) == []

    def test_a_door_that_failed_takes_no_disclosure_any_more(self) -> None:
        door = Door(RATE_HZ)
        door.outlet.write(counting(CHUNK), RATE_HZ)
        with pytest.raises(DoorClosed):
            door.outlet.disclose(DISCLOSURE)
        assert door.outlet.state is State.FAILED

    def test_no_apology_through_an_open_door(self) -> None:
        with pytest.raises(DoorClosed):
            opened().outlet.apologise()


class TestHold:
    """Silence at once, and then on from the very sample."""

    @pytest.mark.parametrize("lead_chunks", [0, 1, 3])
    def test_it_is_silent_after_a_fade_of_10_ms_within_one_chunk(self, lead_chunks: int) -> None:
        door = opened(lead_chunks=lead_chunks)
        door.outlet.say(speech(100 * CHUNK))
        door.tick(10)
        heard = len(door.wire.ear) // 2
        door.outlet.hold()
        door.tick(5 + lead_chunks)
        after = door.wire.samples[heard:]
        assert after[FADE - 10 :].max() < after[0] / 10
        assert not after[FADE:].any()

    @pytest.mark.parametrize("lead_chunks", [0, 1, 3])
    def test_it_goes_on_from_the_very_sample(self, lead_chunks: int) -> None:
        door = opened(lead_chunks=lead_chunks)
        door.outlet.say(speech(50 * CHUNK))
        door.tick(10)
        heard = sound(door.wire.samples)
        door.outlet.hold()
        door.tick(7 + lead_chunks)
        before = len(door.wire.ear) // 2
        door.outlet.resume()
        door.tick(60 + lead_chunks)
        assert heard == list(range(2, len(heard) + 2))
        # Ramped up over 10 ms from the sample that would have come next, and exact from there on.
        on = door.wire.samples[before + lead_chunks * CHUNK :]
        following = np.arange(len(heard) + 2, 50 * CHUNK + 2)
        assert np.array_equal(on[FADE : len(following)], following[FADE:])
        assert (np.diff(on[:FADE].astype(int) / following[:FADE]) > 0).all()
        assert not on[len(following) :].any()

    def test_held_twice_in_a_row_loses_nothing(self) -> None:
        door = opened(lead_chunks=3)
        door.outlet.say(speech(30 * CHUNK))
        door.tick(8)
        for ticks in (0, 1, 2):
            door.outlet.hold()
            door.outlet.hold()
            door.tick(ticks)
            door.outlet.resume()
            door.outlet.resume()
        door.tick(60)
        ear = door.wire.samples
        whole = np.isin(np.arange(2, 30 * CHUNK + 2), ear)
        assert (~whole).sum() <= FADE  # only what was ramped up at the one place where it went on

    def test_held_before_a_sentence_begins_nothing_of_it_leaks(self) -> None:
        door = opened(lead_chunks=3)
        door.tick(10)
        door.outlet.say(speech(10 * CHUNK, start=1_000))
        door.outlet.hold()
        door.tick(10)
        assert not door.wire.samples.any()
        door.outlet.resume()
        door.tick(15)
        on = sound(door.wire.samples)
        assert on[-(10 * CHUNK - FADE) :] == list(range(FADE + 1_001, 10 * CHUNK + 1_001))
        assert len(on) >= 10 * CHUNK - 1  # the ramp begins at nothing

    def test_speech_that_comes_while_held_waits(self) -> None:
        door = opened()
        door.outlet.hold()
        door.outlet.say(speech(10 * CHUNK, start=1_000))
        door.tick(5)
        assert not door.wire.samples.any()
        door.outlet.resume()
        door.tick(12)
        assert len(sound(door.wire.samples)) >= 10 * CHUNK - 1

    def test_held_between_two_sentences(self) -> None:
        door = opened(lead_chunks=2)
        door.outlet.say(speech(4 * CHUNK, utterance=2, last=True))
        door.outlet.say(speech(4 * CHUNK, start=4 * CHUNK + 1, utterance=3, last=True))
        door.tick(6)  # the ear is at the boundary
        assert len(sound(door.wire.samples)) == 4 * CHUNK
        door.outlet.hold()
        door.tick(5)
        door.outlet.resume()
        door.tick(10)
        assert sound(door.wire.samples)[-(4 * CHUNK - FADE) :] == list(range(4 * CHUNK + FADE + 2, 8 * CHUNK + 2))

    def test_a_wire_that_remembers_less_than_it_once_knew_is_not_believed(self) -> None:
        door = opened()
        door.outlet.say(sentence("One", "two", "three"))
        door.tick(10)
        door.wire.played -= 3 * CHUNK
        door.outlet.hold()
        door.tick(2)
        door.outlet.resume()
        door.tick(10)
        assert texts(door) == ["One", "two", "three"]
        assert len(sound(door.wire.samples)) <= 15 * CHUNK + FADE

    def test_the_words_are_reported_once_however_often_it_was_held(self) -> None:
        door = opened(lead_chunks=3)
        door.outlet.say(sentence(*(f"word{i}" for i in range(20))))
        for _ in range(30):
            door.tick(4)
            door.outlet.hold()
            door.tick(2)
            door.outlet.resume()
        door.tick(100)
        assert texts(door) == [f"word{i}" for i in range(20)]
        assert [w.start for w in door.words] == sorted(w.start for w in door.words)


class TestDrop:
    """The twin gives up its turn."""

    def test_a_new_epoch_and_nothing_of_the_old_one_sounds(self) -> None:
        door = opened(lead_chunks=3)
        door.outlet.say(speech(50 * CHUNK))
        door.tick(10)
        heard = len(sound(door.wire.samples))
        assert door.outlet.drop() == 1
        assert door.outlet.say(speech(CHUNK, epoch=0))  # stale: swallowed
        door.tick(10)
        assert len(sound(door.wire.samples)) <= heard + FADE
        assert not door.outlet.speaking

    def test_the_next_answer_begins_clean(self) -> None:
        door = opened(lead_chunks=3)
        door.outlet.say(speech(50 * CHUNK))
        door.tick(10)
        door.outlet.hold()
        door.tick(2)
        door.outlet.resume()
        epoch = door.outlet.drop()
        door.tick(10)
        before = len(door.wire.ear) // 2
        door.outlet.say(speech(2 * CHUNK, start=7_000, epoch=epoch, utterance=3, last=True))
        door.tick(10)
        assert sound(door.wire.samples[before:]) == list(range(7_001, 7_001 + 2 * CHUNK))

    def test_exactly_the_heard_words_are_reported(self) -> None:
        door = opened(lead_chunks=3)
        door.outlet.say(sentence("One", "two", "three", "four"))
        door.tick(3 + 12)  # 240 ms at the ear
        door.outlet.drop()
        door.tick(30)
        assert texts(door) == ["One", "two"]
        begun = door.words[0].start
        assert [(w.start - begun, w.end - begun) for w in door.words] == [(0, 1_600), (1_600, 3_200)]
        assert all(w.exact and w.provenance == "fact" for w in door.words)

    def test_a_word_heard_by_half_counts(self) -> None:
        door = opened()
        door.outlet.say(sentence("One", "two", each_ms=120))
        door.tick(9)
        door.outlet.drop()
        assert texts(door) == ["One", "two"]

    def test_speaking_is_reported_in_pairs(self) -> None:
        door = opened(lead_chunks=2)
        epoch = 0
        for i in range(6):
            door.outlet.say(sentence("One", "two", epoch=epoch, utterance=i + 2))
            door.tick(5)
            if i % 2:
                door.outlet.hold()
                door.tick(2)
                epoch = door.outlet.drop()
            door.tick(20)
        assert [speaking for speaking, _ in door.speaking_events] == [True, False] * 6
        positions = [position for _, position in door.speaking_events]
        assert positions == sorted(positions)

    def test_a_turn_given_up_reports_its_end_in_the_new_epoch(self) -> None:
        """So a listener can tell it from one that was said to its end."""
        door = opened()
        epochs: list[int] = []
        door.speaking = lambda speaking, position: epochs.append(door.clock.epoch)  # type: ignore[method-assign]
        door.outlet.say(speech(10 * CHUNK))
        door.tick(2)
        door.outlet.drop()
        assert epochs == [0, 1]


class TestWords:
    """What is reported as heard."""

    def test_words_that_come_after_their_sound_are_reported_at_once(self) -> None:
        door = opened()
        door.outlet.say(speech(10 * CHUNK))
        door.tick(12)
        door.outlet.say(Spoken(2, 0, b"", (Word("One", 0, 100), Word("two", 100, 200)), last=True))
        assert texts(door) == ["One", "two"]

    def test_an_empty_last_piece_keeps_the_words_exact(self) -> None:
        door = opened()
        said = sentence("One", "two")
        door.outlet.say(Spoken(2, 0, said.pcm, said.words, exact=True))
        door.outlet.say(Spoken(2, 0, b"", last=True))
        door.tick(12)
        assert [w.exact for w in door.words] == [True, True]


class TestRoom:
    """A voice is faster than the ear."""

    def test_a_full_door_refuses_and_then_says_that_there_is_room(self) -> None:
        door = opened()
        second = RATE_HZ
        for _ in range(PENDING_MS // 1000):
            assert door.outlet.say(speech(second))
        assert not door.outlet.has_room
        assert not door.outlet.say(speech(second))
        assert door.rooms == 0
        door.tick()
        assert door.rooms == 1

    def test_a_drop_makes_room(self) -> None:
        door = opened()
        door.outlet.say(speech(RATE_HZ * PENDING_MS // 1000))
        assert not door.outlet.say(speech(RATE_HZ))
        door.outlet.drop()
        door.tick()
        assert door.rooms == 1


class TestCounts:
    """Bytes at the door are bytes on the wire."""

    def test_all_that_left_is_on_the_wire(self) -> None:
        door = opened(lead_chunks=2)
        positions = []
        for i in range(50):
            door.outlet.say(speech(400, epoch=door.clock.epoch))
            if i % 7 == 3:
                door.outlet.hold()
            if i % 7 == 5:
                door.outlet.resume()
            if i % 11 == 10:
                door.outlet.drop()
            door.tick()
            positions.append(door.clock.position)
        assert door.outlet.bytes_out == door.wire.bytes_sent == door.clock.position * 2
        assert np.all(np.diff(positions) == CHUNK)


class Breakable:
    """A stage of the outlet that can be broken."""

    def __init__(self) -> None:
        self.step: Callable[[Samples], Samples] = lambda samples: samples

    def process(self, samples: Samples, position: int) -> Samples:
        return self.step(samples)


class Ear:
    """The simplest thing that says what a person should hear: lists of single samples, and who made them.

    Each sample is (which of the turn, how loud), or None for silence. Silence, tails and speech that the wire
    throws away are gone; of them only speech is said again.
    """

    DOWN = np.linspace(1.0, 0.0, FADE, dtype=np.float32)

    def __init__(self, lead_chunks: int) -> None:
        self.lead_chunks = lead_chunks
        self.said = 0
        self.next = 0
        self.held = False
        self.rising = False
        self.tail: list[tuple[int, float, bool]] = []
        self.wire: list[list[tuple[int, float, bool] | None]] = []
        self.heard: list[tuple[int, float, bool] | None] = []
        self.fresh = False
        """Whether the last sample that left was speech."""

    def tick(self) -> None:
        chunk: list[tuple[int, float, bool] | None] = []
        if self.tail:
            chunk += self.tail
            self.tail = []
        elif not self.held:
            ramp = self.DOWN[::-1].tolist() if self.rising else []
            while len(chunk) < CHUNK and self.next < self.said:
                gain = ramp[len(chunk)] if len(chunk) < len(ramp) else 1.0
                chunk.append((self.next, gain, True))
                self.next += 1
                self.rising = False
        chunk += [None] * (CHUNK - len(chunk))
        self.fresh = _speaks(chunk[-1])
        self.wire.append(chunk)
        while len(self.wire) > self.lead_chunks:
            self.heard += self.wire.pop(0)

    def hold(self) -> None:
        if self.held:
            return
        self.held = True
        lost = [sample for chunk in self.wire for sample in chunk if _speaks(sample)]
        self.wire.clear()
        self.next -= len(lost)
        if lost or self.fresh:
            self.tail = [
                (self.next + i, gain, False) for i, gain in enumerate(self.DOWN[: self.said - self.next].tolist())
            ]
            self.rising = False
        self.fresh = self.fresh and not lost and self.lead_chunks == 0

    def resume(self) -> None:
        if self.held:
            self.held, self.rising = False, True

    def drop(self) -> None:
        self.hold()
        self.held = self.rising = self.fresh = False
        self.said = self.next = 0


def _speaks(sample: tuple[int, float, bool] | None) -> bool:
    return sample is not None and sample[2]


def _walk(chance: random.Random, operations: int) -> None:
    """Anything in any order: the ear hears what the model says, of every turn a prefix without gap or double."""
    door = opened(lead_chunks=chance.choice((0, 1, 3)))
    ear = Ear(door.wire.lead_chunks)
    expected: list[int] = []
    turn = 0
    for _ in range(operations):
        match chance.choices(("tick", "say", "hold", "resume", "drop"), (60, 12, 8, 12, 2))[0]:
            case "tick":
                before = len(ear.heard)
                ear.tick()
                door.tick()
                expected += [_loudness(sample, turn) for sample in ear.heard[before:]]
            case "say":
                size = chance.randrange(1, 1_500)
                pcm = _turn_samples(ear.said, size, turn)
                assert door.outlet.say(Spoken(turn + 2, door.clock.epoch, pcm))
                ear.said += size
            case "hold":
                ear.hold()
                door.outlet.hold()
            case "resume":
                ear.resume()
                door.outlet.resume()
            case "drop":
                ear.drop()
                _assert_unbroken(ear.heard)
                ear.heard.clear()
                # What is left of the old turn is its tail; the ear gets it first.
                door.outlet.drop()
                for _ in range(1 + ear.lead_chunks):
                    ear.tick()
                    door.tick()
                expected += [_loudness(sample, turn) for sample in ear.heard]
                ear.heard.clear()
                turn += 1
    _assert_unbroken(ear.heard)
    assert door.wire.samples.tolist() == expected
    assert door.outlet.bytes_out == door.wire.bytes_sent == door.clock.position * 2
    assert [speaking for speaking, _ in door.speaking_events] == [
        i % 2 == 0 for i in range(len(door.speaking_events))
    ]


def _turn_samples(start: int, size: int, turn: int) -> bytes:
    return ((np.arange(start, start + size) * 7 + turn * 997) % 32_000 + 1).astype(np.int16).tobytes()


def _loudness(sample: tuple[int, float, bool] | None, turn: int) -> int:
    if sample is None:
        return 0
    index, gain, _ = sample
    return int(np.int16(((index * 7 + turn * 997) % 32_000 + 1) * np.float32(gain)))


def _assert_unbroken(heard: list[tuple[int, float, bool] | None]) -> None:
    spoken = [sample[0] for sample in heard if sample is not None and sample[2]]
    assert spoken == list(range(len(spoken)))


@pytest.mark.parametrize("seed", range(int(os.environ.get("TWIN_SOAK_WALKS", "4"))))
def test_a_random_walk_neither_loses_nor_doubles_a_sample(seed: int) -> None:
    _walk(random.Random(seed), operations=2_000)


def test_nothing_sounds_before_the_disclosure_in_any_call() -> None:
    """G1. Calls in which everybody tries everything while the disclosure plays; `make soak` makes 10,000."""
    disclosure = np.frombuffer(DISCLOSURE.pcm, np.int16)
    for seed in range(int(os.environ.get("TWIN_SOAK_CALLS", "200"))):
        chance = random.Random(seed)
        door = Door(RATE_HZ, lead_chunks=chance.randrange(0, 5))
        _assail(door, chance)
        for played in (door.wire.samples, door.wire.sent):
            sounded = played[played != 0]
            assert np.array_equal(sounded, disclosure[: len(sounded)]), f"call {seed}"
        if door.outlet.state is State.OPEN:
            assert len(door.wire.samples[door.wire.samples != 0]) == len(disclosure)
        assert (door.outlet.state is State.FAILED) == bool(door.failures)


def _assail(door: Door, chance: random.Random) -> None:
    outlet = door.outlet
    for at in range(20):
        if at == 2 and outlet.state is State.WAITING:
            outlet.disclose(DISCLOSURE)
        attempt = chance.choice(
            (_say, Outlet.hold, Outlet.resume, Outlet.drop, _clear, _disclose_again, _push, None)
        )
        if attempt is _push and chance.random() < 0.8:
            continue
        if attempt is not None:
            attempt(outlet)
        door.tick(chance.choice((0, 1, 1, 2)))
        if outlet.state is State.OPEN:
            return


def _say(outlet: Outlet) -> None:
    with pytest.raises(DoorClosed):
        outlet.say(speech(CHUNK, epoch=outlet.clock.epoch))


def _clear(outlet: Outlet) -> None:
    outlet.played(0)


def _disclose_again(outlet: Outlet) -> None:
    if outlet.state is not State.WAITING:
        with pytest.raises(DoorClosed):
            outlet.disclose(speech(CHUNK))


def _push(outlet: Outlet) -> None:
    outlet.write(counting(CHUNK), outlet.clock.rate_hz)
