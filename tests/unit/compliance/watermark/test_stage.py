"""The outlet's last stage: marked sound leaves, or nothing does."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest

from channels.outlet import State
from channels.spoken import Spoken
from compliance.errors import WatermarkError
from compliance.watermark.layout import RATES_HZ
from compliance.watermark.stage import Samples, Tally, Watermark, check, make_embedder, mark
from tests.doubles.mark import PlainEmbedder
from tests.doubles.wire import Door, counting

RATE_HZ = 16_000
CHUNK = 320
KEY = bytes(32)
DISCLOSURE = Spoken(0, 0, counting(3 * CHUNK, start=100), last=True)
APOLOGY = counting(CHUNK, start=9_000)


class Clock:
    """Nanoseconds that pass only while an embedder works."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


class Slow(PlainEmbedder):
    """One whose chunks take as long as is said."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(KEY, 0, RATE_HZ)
        self.clock = clock
        self.takes_ms = 0.1

    def process(self, samples: Samples, position: int | None = None) -> Samples:
        self.clock.ns += round(self.takes_ms * 1_000_000)
        return super().process(samples, position)


class Broken(PlainEmbedder):
    def process(self, samples: Samples, position: int | None = None) -> Samples:
        raise ZeroDivisionError


def sound(samples: int = CHUNK) -> Samples:
    return np.frombuffer(counting(samples), np.int16)


def begun(embedder: PlainEmbedder | None = None, tally: Tally | None = None) -> Watermark:
    stage = Watermark(RATE_HZ, tally)
    stage.begin(embedder or PlainEmbedder(KEY, 0, RATE_HZ))
    return stage


def test_until_it_begins_only_silence_leaves() -> None:
    tally = Tally()
    stage = Watermark(RATE_HZ, tally)
    silence = np.zeros(CHUNK, np.int16)
    assert not stage.process(silence, 0).any()
    with pytest.raises(WatermarkError, match="without it nothing may leave"):
        stage.process(sound(), CHUNK)
    assert (tally.samples, tally.closed) == (0, 1)
    stage.begin(PlainEmbedder(KEY, 0, RATE_HZ))
    assert np.array_equal(stage.process(sound(), CHUNK), sound() + 1)


def test_the_embedder_is_told_where_in_the_stream_each_chunk_begins() -> None:
    embedder = PlainEmbedder(KEY, 0, RATE_HZ)
    stage = begun(embedder)
    for position in (960, 1_280, 1_600):
        stage.process(sound(), position)
    assert embedder.positions == [960, 1_280, 1_600]


def test_what_was_marked_is_counted() -> None:
    tally, clock = Tally(), Clock()
    stage = Watermark(RATE_HZ, tally, now_ns=clock)
    stage.begin(Slow(clock))
    for number in range(100):
        stage.process(sound(), number * CHUNK)
    assert (tally.samples, tally.closed) == (100 * CHUNK, 0)
    assert tally.sounded_s == pytest.approx(2.0)
    assert tally.worked_s == pytest.approx(0.01)


@pytest.mark.parametrize("chunk", [1, 7, 320, 5_000, 40_000])
def test_slower_than_the_sound_for_a_second_closes_the_door(chunk: int) -> None:
    clock = Clock()
    embedder, stage = Slow(clock), Watermark(RATE_HZ, now_ns=clock)
    stage.begin(embedder)
    embedder.takes_ms = 1_000 * chunk / RATE_HZ * 1.1
    passed = 0

    def go_on() -> None:
        nonlocal passed
        while passed < 200_000:
            stage.process(sound(chunk), passed)
            passed += chunk

    with pytest.raises(WatermarkError, match="longer than the sound lasts"):
        go_on()
    assert RATE_HZ - chunk <= passed <= RATE_HZ + chunk


def test_as_fast_as_the_sound_is_fast_enough() -> None:
    clock = Clock()
    embedder, stage = Slow(clock), Watermark(RATE_HZ, now_ns=clock)
    stage.begin(embedder)
    embedder.takes_ms = 20.0
    for number in range(500):
        stage.process(sound(), number * CHUNK)


@pytest.mark.parametrize("at", [0, 49, 50, 333])
def test_one_hiccup_however_long_closes_nothing(at: int) -> None:
    clock = Clock()
    embedder, stage = Slow(clock), Watermark(RATE_HZ, now_ns=clock)
    stage.begin(embedder)
    for number in range(400):
        embedder.takes_ms = 60_000.0 if number == at else 10.0
        stage.process(sound(), number * CHUNK)


def test_hiccups_in_one_second_that_last_longer_than_it_close_the_door() -> None:
    clock = Clock()
    embedder, stage = Slow(clock), Watermark(RATE_HZ, now_ns=clock)
    stage.begin(embedder)
    for number in range(120):
        embedder.takes_ms = 800.0 if number in (100, 110) else 1.0
        stage.process(sound(), number * CHUNK)
    embedder.takes_ms = 800.0
    with pytest.raises(WatermarkError):
        stage.process(sound(), 120 * CHUNK)


def test_what_cannot_be_loaded_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "compliance.watermark.embedder", None)
    with pytest.raises(WatermarkError, match="cannot be made"):
        make_embedder(KEY, 0, RATE_HZ)
    with pytest.raises(WatermarkError):
        mark(make_embedder, KEY, 0, RATE_HZ, counting(CHUNK))


def test_prepared_sound_is_marked_from_its_first_sample_on() -> None:
    made: list[PlainEmbedder] = []

    def make(key: bytes, call_token: int, rate_hz: int) -> PlainEmbedder:
        made.append(PlainEmbedder(key, call_token, rate_hz))
        return made[-1]

    marked = mark(make, KEY, 0b101, RATE_HZ, counting(CHUNK))
    assert np.array_equal(np.frombuffer(marked, np.int16), sound() + 3)
    assert made[0].positions == [0]
    assert (made[0].call_token, made[0].rate_hz) == (0b101, RATE_HZ)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda samples: samples[:-1],
        lambda samples: samples.astype(np.float32),
        lambda samples: samples / 0,
    ],
    ids=["shorter", "floats", "raises"],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_prepared_sound_that_comes_back_wrong_is_refused(wrong: Callable[[Samples], Samples]) -> None:
    class Wrong(PlainEmbedder):
        def process(self, samples: Samples, position: int | None = None) -> Samples:
            return wrong(samples)

    with pytest.raises(WatermarkError):
        mark(Wrong, KEY, 0, RATE_HZ, counting(CHUNK))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_one_that_marks_passes_the_check(rate_hz: int) -> None:
    assert 0 <= check(PlainEmbedder, rate_hz) < 1


def test_one_that_changes_nothing_fails_the_check() -> None:
    class Idle(PlainEmbedder):
        def process(self, samples: Samples, position: int | None = None) -> Samples:
            return samples

    with pytest.raises(WatermarkError, match="as it was"):
        check(Idle, RATE_HZ)


def test_one_that_breaks_silence_fails_the_check() -> None:
    class Loud(PlainEmbedder):
        def process(self, samples: Samples, position: int | None = None) -> Samples:
            return samples + np.int16(1)

    with pytest.raises(WatermarkError, match="silence"):
        check(Loud, RATE_HZ)


# ---- in a door


class Kept:
    """A tap that keeps what it was handed."""

    def __init__(self) -> None:
        self.pcm = b""

    def process(self, samples: Samples, position: int) -> Samples:
        self.pcm += samples.tobytes()
        return samples


def test_disclosure_and_speech_leave_marked_and_what_left_is_what_is_kept() -> None:
    tap = Kept()
    door = Door(RATE_HZ, mark=begun(), tap=tap)
    door.outlet.disclose(DISCLOSURE)
    door.tick(5)
    assert door.outlet.state is State.OPEN
    door.outlet.say(Spoken(1, 0, counting(2 * CHUNK), last=True))
    door.tick(4)
    sent = door.wire.sent
    assert sent[sent != 0].tolist() == [
        *(np.frombuffer(DISCLOSURE.pcm, np.int16) + 1).tolist(),
        *(sound(2 * CHUNK) + 1).tolist(),
    ]
    assert tap.pcm == sent.tobytes()


@pytest.mark.parametrize("stage", [Watermark(RATE_HZ), begun(Broken(KEY, 0, RATE_HZ))], ids=["none", "broken"])
def test_without_a_mark_silence_leaves_and_then_the_apology_that_was_marked_before(stage: Watermark) -> None:
    stage.apology = APOLOGY
    door = Door(RATE_HZ, mark=stage)
    door.outlet.disclose(DISCLOSURE)
    door.tick(5)
    assert len(door.failures) == 1
    assert not door.wire.sent.any()
    door.outlet.apologise()
    door.tick(5)
    sent = door.wire.sent
    assert sent[sent != 0].tobytes() == APOLOGY


def test_without_even_a_marked_apology_only_silence_leaves() -> None:
    door = Door(RATE_HZ, mark=Watermark(RATE_HZ))
    door.outlet.disclose(DISCLOSURE)
    door.tick(3)
    door.outlet.apologise()
    door.tick(20)
    assert door.outlet.state is State.FAILED
    assert not door.wire.sent.any()


def test_one_that_breaks_in_a_sentence_cuts_it_there() -> None:
    embedder = PlainEmbedder(KEY, 0, RATE_HZ)
    stage = begun(embedder)
    door = Door(RATE_HZ, mark=stage).open(DISCLOSURE)
    door.outlet.say(Spoken(1, 0, counting(10 * CHUNK), last=True))
    door.tick(2)
    heard = len(door.wire.sent)
    stage.begin(Broken(KEY, 0, RATE_HZ))
    door.tick(8)
    assert door.failures == ["ZeroDivisionError"]
    assert not door.wire.sent[heard:].any()
