from __future__ import annotations

import numpy as np
import pytest

from avatar.ahead import Ahead, Drawn, Label, Lead
from avatar.picture import Picture
from avatar.stage import Stage
from tests.unit.avatar.elsewhere import CHUNK, COVER, FRAME, IDLE, RATE, Grey, Kept, Shown, drawn

SECOND = RATE


def settled(call: Shown) -> int:
    """The luma once a change of faces is over."""
    for _ in range(10):
        call.tick()
        luma = call.look()
    return luma


def test_the_stage_covers_until_pictures_are_there() -> None:
    call = Shown()
    call.say(1, 2 * SECOND)
    call.tick(10)
    assert call.look() == COVER
    call.deliver(1, 0, 2 * SECOND)
    assert settled(call) == 200


def test_the_picture_is_the_one_of_the_sample_that_leaves_in_whatever_order_they_came() -> None:
    call = Shown(Lead(fade_ms=0))
    call.say(1, SECOND)
    offsets = list(range(0, SECOND, FRAME))
    np.random.default_rng(3).shuffle(offsets)
    for offset in offsets:
        call.face.take(drawn(1, offset, luma=100 + offset // FRAME))
    seen = []
    for _ in range(49):
        call.tick()
        seen.append(call.look())
    # A picture every two chunks, and the nearest one between them.
    wanted = [100 + round(number / 2 - 0.25) for number in range(49)]
    assert max(abs(got - want) for got, want in zip(seen[2:], wanted[2:], strict=True)) <= 1
    assert seen[2::2] == [100 + number // 2 for number in range(2, 49, 2)]


def test_the_stage_covers_for_pictures_that_do_not_come_in_time() -> None:
    call = Shown(Lead(fade_ms=0))
    call.say(1, 2 * SECOND)
    call.deliver(1, 0, SECOND)
    call.tick(5)
    assert call.look() == 200
    call.tick(50)
    assert call.look() == COVER
    # Single pictures do not bring it back, for it would go again at once.
    now = call.position
    call.deliver(1, now, now + FRAME + 1)
    assert call.look() == COVER
    call.deliver(1, now, 2 * SECOND)
    call.tick(2)
    assert call.look() == 200


def test_faces_fade_into_each_other() -> None:
    call = Shown()
    call.say(1, 2 * SECOND)
    call.tick()
    assert call.look() == COVER
    call.deliver(1, 0, 2 * SECOND)
    seen = []
    for _ in range(8):
        call.tick()
        seen.append(call.look())
    assert seen == sorted(seen)
    assert COVER < seen[0] < 100
    assert seen[-1] == 200
    assert len(set(seen)) > 4


def test_after_an_interruption_no_picture_of_the_old_epoch_is_shown() -> None:
    call = Shown()
    call.say(1, 2 * SECOND)
    call.deliver(1, 0, 2 * SECOND)
    assert settled(call) == 200
    call.drop()
    assert call.look() == COVER
    call.deliver(1, 0, 2 * SECOND, epoch=0)
    call.face.take(drawn(None, epoch=0))
    for _ in range(20):
        call.tick()
        assert call.look() == COVER
    assert call.renderer.cleared == [1]
    assert call.face.refused["stale"] == 2 * SECOND // FRAME + 1


def test_an_epoch_that_nobody_told_of_yet_is_covered_until_the_speech_proves_to_go_on() -> None:
    call = Shown()
    call.say(1, 2 * SECOND)
    call.deliver(1, 0, 2 * SECOND)
    assert settled(call) == 200
    call.epoch = 1
    assert call.look() < 200
    assert settled(call) == 200


def test_a_hold_cuts_to_the_cover_and_a_resume_goes_on_with_the_same_pictures() -> None:
    call = Shown(Lead(fade_ms=0))
    call.say(1, 2 * SECOND)
    call.deliver(1, 0, 2 * SECOND)
    call.tick(20)
    assert call.look() == 200
    # The wire throws away 60 ms that were not heard yet.
    call.held = True
    call.waiting[0][1] -= 3 * CHUNK
    call.face.stopped(call.position - 3 * CHUNK)
    assert call.look() == COVER
    call.tick(10)
    assert call.look() == COVER
    call.held = False
    call.tick(3)
    assert call.look() == 200
    assert not call.face.refused["late"]


def test_idle_pictures_are_shown_in_silence_while_they_are_fresh() -> None:
    call = Shown(Lead(fade_ms=0))
    call.face.take(drawn(None, luma=IDLE))
    call.tick()
    call.look()
    call.tick(2)
    assert call.look() == IDLE
    call.tick(15)
    assert call.look() == COVER


def test_idle_pictures_are_not_shown_while_speech_sounds() -> None:
    call = Shown(Lead(fade_ms=0))
    call.say(1, SECOND)
    for _ in range(20):
        call.face.take(drawn(None, luma=IDLE))
        call.tick()
        assert call.look() == COVER


def test_a_renderer_gets_all_speech_in_order_but_not_too_early() -> None:
    call = Shown(Lead(ahead_ms=500))
    call.say(1, SECOND)
    call.say(2, SECOND)
    assert sum(spoken[2] for spoken in call.renderer.spoken) == SECOND // 2
    call.tick(200)
    spoken = call.renderer.spoken
    assert [sum(s[2] for s in spoken if s[0] == utterance) for utterance in (1, 2)] == [SECOND, SECOND]
    for utterance in (1, 2):
        ends = [s[1] + s[2] for s in spoken if s[0] == utterance]
        assert [s[1] for s in spoken if s[0] == utterance] == [0, *ends[:-1]]
        assert [s[4] for s in spoken if s[0] == utterance] == [False] * (len(ends) - 1) + [True]


def test_the_end_of_an_utterance_is_told_without_sound() -> None:
    call = Shown()
    call.say(1, 1_000, last=False)
    call.say(1, 0, last=True)
    assert call.renderer.spoken == [(1, 0, 1_000, 0, False), (1, 1_000, 0, 0, True)]


def test_speech_of_a_new_epoch_is_told_with_it() -> None:
    call = Shown()
    call.say(1, SECOND)
    call.drop()
    call.say(2, SECOND)
    assert call.renderer.spoken[0] == (2, 0, SECOND, 1, True)


def test_pictures_that_cannot_be_used_are_counted_by_why() -> None:
    call = Shown()
    call.say(1, 3 * SECOND)
    call.tick(100)
    call.face.take(drawn(7, 0))
    call.face.take(drawn(1, 9 * SECOND))
    call.face.take(drawn(1, SECOND))
    call.face.take(drawn(1, 2 * SECOND + 640, side=64))
    assert dict(call.face.refused) == {"unknown": 2, "late": 1, "size": 1}


def test_the_store_keeps_what_sounds_next_when_it_is_full() -> None:
    call = Shown(Lead(store_mib=10 * 32 * 32 * 1.5 / (1 << 20), fade_ms=0))
    call.say(1, 2 * SECOND)
    for offset in reversed(range(0, 2 * SECOND, FRAME)):
        call.face.take(drawn(1, offset))
    assert call.face.refused["full"] == 2 * SECOND // FRAME - 10
    call.tick(6)
    assert call.look() == 200


def test_speech_may_wait_until_its_first_pictures_are_there_but_not_for_a_renderer_that_is_gone() -> None:
    call = Shown()
    assert call.face.ready
    call.say(1, SECOND)
    assert not call.face.ready
    call.deliver(1, 0, FRAME)
    assert not call.face.ready
    call.deliver(1, 0, SECOND // 2)
    assert call.face.ready
    call.tick(40)
    assert not call.face.ready
    call.face.lost()
    assert call.face.ready


def test_a_long_call_keeps_little() -> None:
    call = Shown()
    for utterance in range(600):
        call.say(utterance, SECOND)
        call.deliver(utterance, 0, SECOND)
        call.tick(60)
        call.look()
    assert len(call.face._store) < 60
    assert len(call.face._script._pieces) < 5
    assert len(call.face._script._lengths) < 5
    assert len(call.face._parts) < 60


def test_no_stale_picture_in_a_thousand_interruptions_and_the_next_speech_is_in_step() -> None:
    rng = np.random.default_rng(11)
    call = Shown(Lead(fade_ms=0))
    old: list[Drawn] = []
    for turn in range(1_000):
        luma = 100 + turn % 2 * 100
        call.say(turn, SECOND)
        pictures = [drawn(turn, offset, epoch=call.epoch, luma=luma) for offset in range(0, SECOND, FRAME)]
        for late in old:
            call.face.take(late)
        here = int(rng.integers(0, len(pictures)))
        for picture in pictures[:here]:
            call.face.take(picture)
        for _ in range(int(rng.integers(1, 40))):
            call.tick()
            assert call.look() in (COVER, luma)
        old = pictures[here:]
        call.drop()
        for late in old[::2]:
            call.face.take(late)
        assert call.look() == COVER
        call.tick()
        assert call.look() == COVER
    assert call.face.shown["speech"] > 5_000


def test_a_likeness_that_may_not_be_shown_any_more_is_gone_with_the_next_frame_and_for_good() -> None:
    call = Shown()
    allowed = [True]
    call.face = Ahead(call.face._stage, call.renderer, rate_hz=RATE, allowed=lambda: allowed[0])
    call.say(1, 2 * SECOND)
    call.deliver(1, 0, 2 * SECOND)
    assert settled(call) == 200
    allowed[0] = False
    assert call.look() == COVER
    allowed[0] = True
    told = len(call.renderer.spoken)
    call.say(2, SECOND)
    assert settled(call) == COVER
    assert len(call.renderer.spoken) == told
    assert call.face.ready


def test_what_it_is_given_is_checked() -> None:
    for bad in ({"ahead_ms": 0.0}, {"steady_ms": 5_000.0}, {"fresh_ms": -1.0}, {"history_ms": -1.0}):
        with pytest.raises(ValueError, match="got Lead"):
            Lead(**bad)


def test_the_returned_picture_may_be_drawn_upon() -> None:
    face = Ahead(Stage(Grey(), rate_hz=RATE, seed=1), Kept(), rate_hz=RATE)
    idle = Picture(32, 32)
    idle.y.fill(IDLE)
    face.take(Drawn(Label(0), idle))
    for position in (0, RATE // 10, RATE // 10 + FRAME):
        face.frame_at(position, 0).y.fill(255)
    assert int(idle.y.min()) == IDLE
