from __future__ import annotations

import pytest

from channels.livekit.playout import Playout

RATE = 48_000
CHUNK = 960


def filled(chunks: int, now: float = 10.0) -> Playout:
    playout = Playout(RATE)
    for _ in range(chunks):
        playout.capture(CHUNK, now)
    return playout


def test_what_is_captured_leaves_in_its_own_time() -> None:
    playout = filled(3)
    assert playout.lead_ms(10.0) == pytest.approx(60)
    assert playout.lead_ms(10.025) == pytest.approx(35)
    assert playout.heard(10.025) == 720, "less than the 1,200 samples that may have left"
    assert playout.heard(10.060) == 3 * CHUNK


def test_what_is_heard_never_goes_back() -> None:
    playout = filled(2)
    assert playout.heard(10.04) == 2 * CHUNK
    playout.capture(CHUNK, 10.05)
    assert playout.heard(10.05) == 2 * CHUNK


def test_an_empty_source_begins_anew_with_what_comes_next() -> None:
    playout = filled(1)
    playout.capture(CHUNK, 11.0)
    assert playout.dry == 1
    assert playout.lead_ms(11.0) == pytest.approx(20)
    assert playout.leaves_at(CHUNK, 11.0) == pytest.approx(11.0)


def test_clear_tells_what_left_and_the_next_sample_leaves_at_once() -> None:
    playout = filled(4)
    assert playout.clear(10.03) == 1440
    assert playout.lead_ms(10.03) == 0
    assert playout.heard(10.5) == 1440
    playout.capture(CHUNK, 10.5)
    assert playout.leaves_at(playout.sent - CHUNK, 10.5) == pytest.approx(10.5)
    assert playout.dry == 0


def test_a_source_that_was_slower_is_believed() -> None:
    playout = filled(3)
    playout.full(4_800, 10.1)
    assert playout.lead_ms(10.1) == pytest.approx(60), "no more than was ever captured"
    playout.capture(4_800, 10.1)
    playout.full(4_800, 10.12)
    assert playout.lead_ms(10.12) == pytest.approx(100)


def test_before_anything_was_captured_nothing_is_heard() -> None:
    playout = Playout(RATE)
    assert (playout.heard(5.0), playout.lead_ms(5.0), playout.clear(5.0)) == (0, 0.0, 0)
