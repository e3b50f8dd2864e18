"""Windows in which patterns were found become stretches of sound: what belongs together, where it is."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from compliance.watermark.chance import of_looks
from compliance.watermark.ear import FRAMES_PER_SLOT, HOP, RATE_HZ
from compliance.watermark.keys import DayKey
from compliance.watermark.layout import BANDS, PERIOD_SLOTS
from compliance.watermark.pattern import whole
from compliance.watermark.regions import Hit, Region, gather
from compliance.watermark.search import Keyring, running

DAYS = (
    DayKey(date(2026, 11, 22), 2, bytes(range(32))),
    DayKey(date(2026, 11, 21), 1, bytes(range(32, 64))),
)
FRAMES_PER_S = RATE_HZ / HOP
WINDOW = 750
"""Frames; 6 s."""

Evidence = NDArray[np.float32]


class Heard:
    """Evidence with patterns in it, and a search as simple as can be: windows that overlap by half."""

    def __init__(self, frames: int, *, noise: float = 1.0, pace: float = 1.0, pitch: float = 1.0) -> None:
        self.evidence = (noise * np.random.default_rng(3).standard_normal((frames, BANDS))).astype(np.float32)
        self.pace, self.pitch = pace, pitch
        self.asked: set[float] = set()

    def say(self, day: DayKey, token: int, first: int, last: int, *, slot: int = 0, loud: float = 1.5) -> Heard:
        """A call's pattern in the frames from `first` to before `last`, from a slot of it on."""
        at = np.floor((np.arange(last - first) + 0.5) * self.pace / FRAMES_PER_SLOT).astype(np.int64)
        self.evidence[first:last] += np.float32(loud) * whole(day.key, token)[(slot + at) % PERIOD_SLOTS]
        return self

    def at(self, first: int, last: int, pitch: float) -> Evidence:
        self.asked.add(pitch)
        return self.evidence[first:last]

    def hits(self, windows: list[tuple[int, int]]) -> list[Hit]:
        ring, sums = Keyring([day.key for day in DAYS]), running(self.evidence)
        found = []
        for first, last in windows:
            match, looks = ring.best(sums, first, last, self.pace)
            found.append(Hit(match, self.pace, self.pitch, of_looks(match.z, looks * len(windows))))
        return [hit for hit in found if hit.p_value < 1e-6]

    def gathered(self, *windows: int) -> tuple[Region, ...]:
        """From windows of these lengths, in frames, everywhere."""
        frames = len(self.evidence)
        places = [
            (at, at + wide)
            for wide in windows or (WINDOW,)
            for at in (*range(0, frames - wide, wide // 2), frames - wide)
        ]
        return gather(self.hits(places), self.at, DAYS)


def seconds(frames: float) -> float:
    return frames / FRAMES_PER_S


def test_nothing_found_is_no_region() -> None:
    assert Heard(3000).gathered() == ()


def test_windows_over_one_call_are_one_region_with_all_that_is_known_of_it() -> None:
    (region,) = Heard(6000).say(DAYS[0], 0xBEEF1234, 0, 6000, slot=77).gathered()
    assert (region.day, region.generation) == (DAYS[0].day, 2)
    assert (region.short, region.full) == (0xBEEF, 0xBEEF1234)
    assert (region.speed, region.tempo) == (1.0, 1.0)
    assert region.start_s == pytest.approx(0, abs=0.2)
    assert region.end_s == pytest.approx(seconds(6000), abs=0.2)
    assert 0 < region.p_value < 1e-20


@pytest.mark.parametrize("noise", [1.0, 0.0])
@pytest.mark.parametrize(("first", "last"), [(1000, 1900), (333, 2222), (2100, 2990), (10, 700)])
def test_a_region_is_no_wider_than_what_is_marked(first: int, last: int, noise: float) -> None:
    """Also where it was found in windows of 24 s only, and where there is silence beside it."""
    for windows in ((WINDOW,), (2900,), (400, WINDOW, 2900)):
        (region,) = Heard(3000, noise=noise).say(DAYS[0], 7, first, last, slot=300).gathered(*windows)
        assert region.start_s == pytest.approx(seconds(first), abs=0.5)
        assert region.end_s == pytest.approx(seconds(last), abs=0.5)


def test_a_chance_agreement_beyond_a_silence_is_not_taken_in() -> None:
    heard = Heard(2900).say(DAYS[0], 7, 1900, 2900, slot=99)
    heard.evidence[700:1900] = 0
    slot = (99 - (1900 - 690) // FRAMES_PER_SLOT) % PERIOD_SLOTS
    heard.evidence[688:700] = 3 * np.repeat(whole(DAYS[0].key, 7)[[slot, slot + 1]], FRAMES_PER_SLOT, axis=0)
    (region,) = heard.gathered(2900)
    assert region.start_s == pytest.approx(seconds(1900), abs=0.5)


def test_a_pause_within_a_call_does_not_end_it() -> None:
    # The pattern went on while nothing was said.
    heard = Heard(3000).say(DAYS[0], 7, 200, 2800)
    heard.evidence[1000:1600] = 0
    (region,) = heard.gathered()
    assert region.start_s == pytest.approx(seconds(200), abs=0.5)
    assert region.end_s == pytest.approx(seconds(2800), abs=0.5)


def test_two_calls_one_after_the_other_are_two_regions_with_two_tokens() -> None:
    heard = Heard(6000).say(DAYS[0], 0xAAAA0001, 0, 3000, slot=40).say(DAYS[0], 0x5555FFFF, 3000, 6000, slot=222)
    first, second = heard.gathered()
    assert (first.full, second.full) == (0xAAAA0001, 0x5555FFFF)
    assert first.end_s == pytest.approx(seconds(3000), abs=0.5)
    assert second.start_s == pytest.approx(seconds(3000), abs=0.5)


@pytest.mark.parametrize("second", [DAYS[0], DAYS[1]])
def test_two_calls_are_two_regions_also_where_one_window_holds_both(second: DayKey) -> None:
    heard = Heard(2900).say(DAYS[0], 1, 0, 1500, loud=1.5).say(second, 2, 1500, 2900, slot=222, loud=1.0)
    one, other = heard.gathered(WINDOW, 2900)
    assert (one.day, other.day) == (DAYS[0].day, second.day)
    assert one.end_s == pytest.approx(seconds(1500), abs=0.5)
    assert other.start_s == pytest.approx(seconds(1500), abs=0.5)


def test_two_days_are_two_regions_by_time_however_sure_each_is() -> None:
    heard = Heard(6000).say(DAYS[1], 1, 200, 2500, loud=0.4).say(DAYS[0], 2, 3200, 5900, loud=2.0)
    first, second = heard.gathered()
    assert [first.day, second.day] == [DAYS[1].day, DAYS[0].day]
    assert [first.generation, second.generation] == [1, 2]
    assert first.p_value > second.p_value
    assert first.end_s <= second.start_s


def test_marked_stretches_far_apart_are_regions_of_their_own() -> None:
    heard = Heard(9000)
    for first in (0, 4000, 8000):
        heard.say(DAYS[0], 9, first, first + 1000, slot=first // FRAMES_PER_SLOT)
    regions = heard.gathered()
    assert len(regions) == 3
    assert all(one.end_s < other.start_s for one, other in pairwise(regions))


def test_what_was_found_worse_in_the_same_sound_is_dropped() -> None:
    heard = Heard(1500).say(DAYS[0], 1, 0, 1500)
    hits = heard.hits([(0, 750), (375, 1125), (750, 1500)])
    best = min(hits, key=lambda hit: hit.p_value)
    aslant = Hit(
        Keyring([DAYS[0].key, DAYS[1].key]).best(running(heard.evidence), 0, 1500, 0.96)[0], 0.96, 1.0, 1e-7
    )
    (region,) = gather([aslant, *hits], heard.at, DAYS)
    assert region.p_value == best.p_value
    assert (region.speed, region.tempo) == (1.0, 1.0)


@pytest.mark.parametrize("pace", [0.97, 1.03])
def test_faster_at_the_same_pitch_is_tempo_and_faster_and_higher_is_speed(pace: float) -> None:
    (stretched,) = Heard(2500, pace=pace).say(DAYS[0], 5, 0, 2500).gathered()
    assert (stretched.speed, stretched.tempo) == (1.0, pace)
    (played,) = Heard(2500, pace=pace, pitch=1.03).say(DAYS[0], 5, 0, 2500).gathered()
    assert (played.speed, played.tempo) == (pace, 1.0)
    assert stretched.full == played.full == 5


def test_a_token_is_read_at_the_pitch_at_which_its_pattern_was_found() -> None:
    heard = Heard(2500, pitch=0.99).say(DAYS[0], 5, 0, 2500)
    heard.gathered()
    assert heard.asked == {0.99}


def test_a_pace_between_those_that_were_tried_still_gives_the_token() -> None:
    heard = Heard(2500, pace=1.021).say(DAYS[0], 0xCAFE0123, 0, 2500, slot=500)
    heard.pace = 1.02
    (region,) = heard.gathered(2400)
    assert region.full == 0xCAFE0123


def test_too_little_for_a_token_is_a_region_without_one() -> None:
    (region,) = Heard(210).say(DAYS[0], 0xBEEF1234, 0, 210, loud=0.21).gathered(210)
    assert (region.short, region.full) == (None, None)
    assert region.day == DAYS[0].day


@pytest.mark.parametrize("slots", [3, 5, 7])
def test_a_region_of_a_few_slots_is_one_too(slots: int) -> None:
    """Only evidence as clear as none in a telephone's is found so soon; it must not be an error."""
    frames = slots * FRAMES_PER_SLOT
    heard = Heard(frames, noise=0.0).say(DAYS[0], 5, 0, frames, slot=44)
    match, _ = Keyring([day.key for day in DAYS]).best(running(heard.evidence), 0, frames)
    (region,) = gather([Hit(match, 1.0, 1.0, 1e-9)], heard.at, DAYS)
    assert region.start_s == 0
    assert region.end_s == pytest.approx(seconds(frames), abs=0.001)


def test_the_order_in_which_hits_come_does_not_matter() -> None:
    heard = Heard(6000).say(DAYS[0], 1, 0, 2500).say(DAYS[1], 2, 3000, 6000)
    hits = heard.hits([(at, at + WINDOW) for at in range(0, 6000 - WINDOW, WINDOW // 2)])
    expected = gather(hits, heard.at, DAYS)
    for seed in range(5):
        mixed = [hits[n] for n in np.random.default_rng(seed).permutation(len(hits))]
        assert gather(mixed, heard.at, DAYS) == expected
