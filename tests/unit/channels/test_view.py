"""The frames that leave with the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import pytest

from avatar.picture import Picture
from avatar.timeline import Part, Phone, Said
from channels.clock import Clock
from channels.pending import Span
from channels.spoken import Phoneme, Spoken, Word
from channels.view import MAX_TOLD, Face, Film, View
from tests.doubles.face import BRIGHT, DARK, Lamp, luma

RATE_HZ = 48_000


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1, thread_name_prefix="asyncio_test") as executor:
        yield executor


@pytest.fixture
def clock() -> Clock:
    return Clock(RATE_HZ)


def view_of(clock: Clock, pool: Executor, *faces: Face | None) -> View:
    waiting = list(faces)
    return View(clock, lambda: waiting.pop(0), pool, Film())


def test_a_face_is_told_in_order_once_it_is_drawn(clock: Clock, pool: Executor) -> None:
    lamp = Lamp()
    view = view_of(clock, pool, lamp)
    word, phoneme = Word("Hello", 0, 400), Phoneme("h", 0, 60)
    view.expected(Spoken(5, 0, bytes(1_920), words=(word,), phonemes=(phoneme,), exact=True, last=True))
    view.sounded(960, [Span(0, 960, 5, 0)])
    view.stopped(1_920)
    view.dropped(1_920, 1)
    clock.left(1_920)
    view.heard("caller", -30.0, True, 0.5)
    assert lamp.told == []

    view.draw(0)

    assert lamp.told == [
        ("expect", 5, 960, (Phone("h", 0, 60),), (Said("Hello", 0, 400),), True, True),
        ("sounded", 960, (Part(0, 960, 5, 0),)),
        ("stopped", 1_920),
        ("dropped", 1_920, 1),
        ("heard", 1_920, "caller", -30, True, 0.5),
    ]


def test_a_frame_shows_what_sounds_at_its_own_sample(clock: Clock, pool: Executor) -> None:
    view = view_of(clock, pool, Lamp())
    view.sounded(1_920, [Span(0, 960, 1, 0), Span(960, 480, 1, 960)])
    shown = [view.draw(number) for number in range(3)]

    assert [frame and (frame.number, frame.position) for frame in shown] == [(0, 0), (1, 1_920), (2, 3_840)]
    assert view.frames == 3


def test_every_frame_carries_the_mark(clock: Clock, pool: Executor) -> None:
    lamp = Lamp(128, 128)
    view = view_of(clock, pool, lamp)
    frame = view.draw(0)

    assert frame is not None
    assert luma(frame.picture.i420) == DARK
    assert np.ptp(frame.picture.y) > 150, "letters, light on dark"


def test_a_raised_hand_is_on_the_frames_until_it_is_lowered(clock: Clock, pool: Executor) -> None:
    view = view_of(clock, pool, Lamp(256, 256))
    shown = []
    for number, raised in enumerate((False, True, False)):
        view.raised = raised
        frame = view.draw(number)
        assert frame is not None
        shown.append(frame.picture.y.copy())
    assert np.array_equal(shown[0], shown[2])
    assert (shown[0] != shown[1]).sum() > 500


class Interrupted(Lamp):
    """While it draws, the twin is interrupted, so many times."""

    def __init__(self, clock: Clock, times: int, on_drop: Callable[[], None]) -> None:
        super().__init__()
        self._clock = clock
        self._left = times
        self._on_drop = on_drop

    def frame_at(self, position: int, epoch: int) -> Picture:
        picture = super().frame_at(position, epoch)
        if self._left:
            self._left -= 1
            self._clock.next_epoch()
            self._on_drop()
        return picture


def test_a_new_epoch_while_it_is_drawn_has_the_frame_drawn_again(clock: Clock, pool: Executor) -> None:
    lamp = Interrupted(clock, 1, lambda: view.dropped(0, clock.epoch))
    view = view_of(clock, pool, lamp)
    frame = view.draw(3)

    assert frame is not None
    assert frame.epoch == clock.epoch == 1
    assert lamp.asked == [(5_760, 0), (5_760, 1)]
    assert ("dropped", 0, 1) in lamp.told, "and the face knew of it"
    assert (view.frames, view.redrawn) == (1, 1)


def test_a_clock_gone_wild_does_not_draw_for_ever(clock: Clock, pool: Executor) -> None:
    lamp = Interrupted(clock, 1_000, lambda: None)
    view = view_of(clock, pool, lamp)

    assert view.draw(0) is not None
    assert len(lamp.asked) == 3


class Glass(Lamp):
    """A face that breaks."""

    def frame_at(self, position: int, epoch: int) -> Picture:
        raise RuntimeError("what it was told must not be logged")


class Deaf(Lamp):
    """A face that breaks at what it is told."""

    def stopped(self, position: int) -> None:
        raise ValueError


@pytest.mark.parametrize("kind", [Glass, Deaf])
def test_a_face_that_breaks_is_replaced_once_by_one_that_only_idles(
    clock: Clock, pool: Executor, kind: type[Lamp], caplog: pytest.LogCaptureFixture
) -> None:
    idle = Lamp()
    view = view_of(clock, pool, kind(), idle)
    view.sounded(0, [Span(0, 960, 1, 0)])
    view.stopped(960)

    assert view.draw(0) is None
    view.stopped(1_920)
    frame = view.draw(1)

    assert frame is not None
    assert luma(frame.picture.i420) == DARK
    assert idle.told == []
    assert not view.broken
    assert "must not be logged" not in caplog.text
    assert len(caplog.records) == 1


def test_when_that_one_breaks_too_no_frame_follows(clock: Clock, pool: Executor) -> None:
    view = view_of(clock, pool, Glass(), Glass(), Lamp())

    assert [view.draw(number) for number in range(5)] == [None] * 5
    assert view.broken
    assert view.failures == 2


def test_a_face_that_is_not_there_yet_learns_of_the_call_when_it_is(clock: Clock, pool: Executor) -> None:
    lamp = Lamp()
    view = view_of(clock, pool, None, None, lamp)
    view.sounded(0, [Span(0, 960, 1, 0)])

    assert view.draw(0) is None
    assert view.draw(0) is None
    frame = view.draw(0)
    assert frame is not None
    assert luma(frame.picture.i420) == BRIGHT
    assert view.failures == 0


def test_what_waits_to_be_told_is_bounded(clock: Clock, pool: Executor) -> None:
    lamp = Lamp()
    view = view_of(clock, pool, lamp)
    for number in range(2 * MAX_TOLD):
        view.sounded(number * 960, [])
    view.draw(0)

    assert len(lamp.told) == MAX_TOLD
    assert lamp.told[-1] == ("sounded", (2 * MAX_TOLD - 1) * 960, ())


def test_it_says_what_a_frame_took(clock: Clock, pool: Executor) -> None:
    took: list[float] = []
    view = View(clock, Lamp, pool, Film(), on_drawn=took.append)
    view.draw(0)

    assert len(took) == 1
    assert took[0] > 0
