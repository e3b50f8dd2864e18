"""What an onlooker is told of the way out, and that it cannot get in its way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from channels.clock import Clock
from channels.gate import Samples
from channels.heard import HeardWord
from channels.outlet import Outlet, State
from channels.pending import Span
from channels.spoken import Spoken
from tests.doubles.host import tone
from tests.doubles.mark import NoMark

RATE_HZ = 48_000
CHUNK = 960


class Wire:
    rate_hz = RATE_HZ

    def __init__(self) -> None:
        self.pcm = b""

    @property
    def bytes_sent(self) -> int:
        return len(self.pcm)

    def send(self, pcm: bytes) -> None:
        self.pcm += pcm

    def clear(self) -> int:
        return len(self.pcm) // 2

    async def close(self, reason: str) -> None: ...


class Listener:
    def disclosed(self, position: int) -> None: ...

    def heard(self, words: list[HeardWord]) -> None: ...

    def speaking(self, speaking: bool, position: int) -> None: ...

    def failed(self, reason: str) -> None: ...

    def room(self) -> None: ...


class Watcher:
    """An onlooker that keeps what it was told, without the silent chunks."""

    def __init__(self, raises_at: str = "") -> None:
        self.told: list[tuple[object, ...]] = []
        self.chunks: list[int] = []
        self._raises_at = raises_at

    def expected(self, spoken: Spoken) -> None:
        self._keep("expected", spoken.utterance)

    def sounded(self, position: int, spans: Sequence[Span]) -> None:
        self.chunks.append(position)
        if spans:
            self._keep("sounded", position, *spans)

    def stopped(self, position: int) -> None:
        self._keep("stopped", position)

    def dropped(self, position: int, epoch: int) -> None:
        self._keep("dropped", position, epoch)

    def _keep(self, *what: object) -> None:
        self.told.append(what)
        if what[0] == self._raises_at:
            raise RuntimeError("a face made of glass")


class BrokenStage:
    broken = False

    def process(self, samples: Samples, position: int) -> Samples:
        if self.broken:
            raise RuntimeError
        return samples


class Door:
    def __init__(self, watcher: Watcher, stage: BrokenStage | None = None) -> None:
        self.wire = Wire()
        self.clock = Clock(RATE_HZ)
        mark = NoMark(apology=tone(RATE_HZ, milliseconds=20))
        self.outlet = Outlet(self.clock, self.wire, Listener(), [stage] if stage else [], mark=mark)
        self.outlet.watch(watcher)
        self.outlet.disclose(Spoken(0, 0, tone(RATE_HZ, milliseconds=20), last=True))

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.outlet.tick()
            self.outlet.played(self.clock.position)

    def say(self, utterance: int, milliseconds: int) -> None:
        pcm = tone(RATE_HZ, milliseconds=milliseconds)
        assert self.outlet.say(Spoken(utterance, self.clock.epoch, pcm, last=True))


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


def test_it_is_told_of_the_disclosure_and_of_every_chunk(watcher: Watcher) -> None:
    door = Door(watcher)
    door.ticks(3)

    assert watcher.told == [("expected", 0), ("sounded", 0, Span(0, CHUNK, 0, 0))]
    assert watcher.chunks == [0, CHUNK, 2 * CHUNK]


def test_held_speech_stops_and_goes_on_where_it_sounds_again(watcher: Watcher) -> None:
    door = Door(watcher)
    door.ticks(1)
    door.say(1, 60)
    door.ticks(1)
    watcher.told.clear()
    door.outlet.hold()
    door.ticks(2)
    door.outlet.resume()
    door.ticks(1)

    assert watcher.told == [("stopped", 2 * CHUNK), ("sounded", 4 * CHUNK, Span(0, CHUNK, 1, CHUNK))]


def test_speech_after_silence_waits_a_tick_while_somebody_watches(watcher: Watcher) -> None:
    door = Door(watcher)
    door.ticks(3)
    before = len(door.wire.pcm)
    door.say(1, 40)
    door.ticks(2)
    door.say(2, 20)
    door.ticks(3)

    spoken = tone(RATE_HZ, milliseconds=40) + tone(RATE_HZ, milliseconds=20)
    assert door.wire.pcm[before:] == bytes(2 * CHUNK) + spoken + bytes(2 * CHUNK), "once, and to the sample"
    assert watcher.told[2:4] == [("expected", 1), ("sounded", 4 * CHUNK, Span(0, CHUNK, 1, 0))]


def test_speech_nobody_watches_waits_for_nothing(watcher: Watcher) -> None:
    door = Door(watcher)
    door.ticks(3)
    door.outlet.unwatch(watcher)
    before = len(door.wire.pcm)
    door.say(1, 20)
    door.ticks(1)

    assert door.wire.pcm[before:] == tone(RATE_HZ, milliseconds=20)


def test_what_is_held_and_let_go_at_once_waits_for_nothing(watcher: Watcher) -> None:
    door = Door(watcher)
    door.ticks(3)
    door.say(1, 40)
    door.ticks(2)
    door.outlet.hold()
    door.outlet.resume()
    door.ticks(2)

    assert watcher.told[-1] == ("sounded", 6 * CHUNK, Span(0, CHUNK, 1, CHUNK)), "after the fade"


def test_a_new_epoch_comes_with_where_the_old_one_was_cut(watcher: Watcher) -> None:
    door = Door(watcher)
    door.ticks(1)
    door.say(1, 60)
    door.ticks(1)
    watcher.told.clear()
    epoch = door.outlet.drop()
    door.ticks(3)

    assert watcher.told == [("stopped", 2 * CHUNK), ("dropped", 2 * CHUNK, epoch)]


def test_the_disclosure_goes_on_when_a_turn_is_given_up_and_nobody_is_told_otherwise(watcher: Watcher) -> None:
    door = Door(watcher)
    door.outlet.drop()
    door.ticks(1)

    assert watcher.told[-1][0] == "sounded"
    assert "dropped" not in [told[0] for told in watcher.told]


def test_refused_and_stale_speech_is_never_expected(watcher: Watcher) -> None:
    door = Door(watcher)
    door.ticks(1)
    door.say(1, 19_990)
    assert not door.outlet.say(Spoken(2, 0, tone(RATE_HZ, milliseconds=100)))
    assert door.outlet.say(Spoken(3, 7, tone(RATE_HZ, milliseconds=100)))

    assert [told for told in watcher.told if told[0] == "expected"] == [("expected", 0), ("expected", 1)]


def test_a_broken_stage_drops_what_waited_and_the_apology_is_watched_too(watcher: Watcher) -> None:
    stage = BrokenStage()
    door = Door(watcher, stage)
    door.ticks(1)
    door.say(1, 100)
    stage.broken = True
    door.ticks(1)
    door.outlet.apologise()
    door.ticks(1)

    assert door.outlet.state is State.FAILED
    assert watcher.told[-3:] == [
        ("dropped", CHUNK, 0),
        ("expected", -1),
        ("sounded", 2 * CHUNK, Span(0, CHUNK, -1, 0)),
    ]


@pytest.mark.parametrize("what", ["expected", "sounded", "stopped", "dropped"])
def test_one_that_raises_is_told_no_more_and_the_sound_goes_on(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    watcher, other = Watcher(raises_at=what), Watcher()
    door = Door(watcher)
    door.outlet.watch(other)
    door.ticks(1)
    door.say(1, 60)
    door.ticks(1)
    door.outlet.drop()
    door.say(2, 40)
    door.ticks(3)

    assert [told[0] for told in watcher.told].count(what) == 1
    assert watcher.told[-1][0] == what, "nothing more was told after it"
    assert ("sounded", 4 * CHUNK, Span(0, CHUNK, 2, CHUNK)) in other.told
    assert np.frombuffer(door.wire.pcm, np.int16)[3 * CHUNK : 5 * CHUNK].any()
    errors = [record for record in caplog.records if "onlooker" in record.getMessage()]
    assert len(errors) == 1
    assert "glass" not in caplog.text


def test_one_that_leaves_is_told_no_more(watcher: Watcher) -> None:
    door = Door(watcher)
    door.outlet.unwatch(watcher)
    door.outlet.unwatch(watcher)
    door.ticks(1)

    assert watcher.chunks == []
