"""A pattern is found wherever it begins and however fast it runs; and what is computed is what is said."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from compliance.watermark.chance import threshold
from compliance.watermark.ear import FRAMES_PER_SLOT
from compliance.watermark.layout import BANDS, PERIOD_SLOTS, PRESENCE, layers
from compliance.watermark.pattern import presence, whole
from compliance.watermark.search import LONGEST_SLOTS, Cut, Keyring, running, slotted

KEYS = tuple(bytes([number]) * 32 for number in range(1, 6))
Evidence = NDArray[np.float32]


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def noise(frames: int, seed: int) -> Evidence:
    return rng(seed).standard_normal((frames, BANDS)).astype(np.float32)


def planted(
    key: bytes, frames: int, *, slot: int, late: float = 0.0, pace: float = 1.0, loud: float = 1.0, seed: int = 1
) -> Evidence:
    """Noise of variance 1, and from frame `late` on, at a pace, the pattern of a key from a slot on."""
    at = (np.arange(frames) + 0.5 - late) * pace / FRAMES_PER_SLOT
    signs = whole(key, 0x12345678)[(slot + np.floor(at).astype(np.int64)) % PERIOD_SLOTS]
    return (noise(frames, seed) + loud * signs * (at >= 0)[:, None]).astype(np.float32)


def test_a_place_scores_what_a_plain_sum_says() -> None:
    """Every key, phase and slot of the period, against the definition, in loops."""
    evidence, keys = noise(75, 3), KEYS[:2]
    sums = running(evidence)
    scores, cut = Keyring(keys).scores(sums, 2, 73, 1.03)
    assert scores.shape == (2, len(cut.starts), PERIOD_SLOTS)
    for (number, key), (phase, (start, slots)) in product(enumerate(keys), enumerate(cut.starts)):
        told = slotted(sums, start, slots, cut.slot_frames).astype(np.float64)
        for slot in (*range(20), 333, PERIOD_SLOTS - slots, PERIOD_SLOTS - 1):
            signs = presence(key)[(slot + np.arange(slots)) % PERIOD_SLOTS]
            expected = (told * signs).sum() / np.sqrt(np.square(told[signs != 0]).sum())
            assert scores[number, phase, slot] == pytest.approx(expected, abs=1e-4)


def test_slots_are_sums_of_their_frames() -> None:
    evidence = noise(100, 4)
    told = slotted(running(evidence), 7, 12, FRAMES_PER_SLOT)
    frames = evidence[7 : 7 + 12 * FRAMES_PER_SLOT].reshape(12, FRAMES_PER_SLOT, BANDS)
    np.testing.assert_allclose(told, frames.sum(axis=1), atol=1e-4)


def test_slots_beyond_the_sound_are_empty() -> None:
    told = slotted(running(noise(30, 4)), -2 * FRAMES_PER_SLOT, 20, FRAMES_PER_SLOT)
    assert told.shape == (20, BANDS)
    assert not told[:2].any()
    assert not told[2 + 30 // FRAMES_PER_SLOT :].any()


@pytest.mark.parametrize("pace", [0.95, 0.97, 1.0, 1.004, 1.05])
@pytest.mark.parametrize("seed", range(6))
def test_it_is_found_at_any_slot_phase_and_pace(pace: float, seed: int) -> None:
    slot, late = int(rng(seed).integers(PERIOD_SLOTS)), float(rng(seed + 50).uniform(0, FRAMES_PER_SLOT))
    key = KEYS[seed % len(KEYS)]
    evidence = planted(key, 900, slot=slot, late=late, pace=pace, loud=0.5, seed=seed)
    match, looks = Keyring(KEYS).best(running(evidence), 0, 900, pace)
    assert KEYS[match.key] == key
    assert match.z > threshold(1e-9, looks)
    assert match.slot_frames == pytest.approx(FRAMES_PER_SLOT / pace)
    period = PERIOD_SLOTS * match.slot_frames
    apart = (match.first_frame - match.slot * match.slot_frames) - (late - slot * match.slot_frames)
    apart -= period * round(apart / period)
    assert abs(apart) <= 1.0


@pytest.mark.parametrize(("first", "last"), [(0, 400), (100, 500), (333, 700), (650, 1000)])
def test_only_the_frames_that_are_asked_about_count(first: int, last: int) -> None:
    evidence = planted(KEYS[0], 1000, slot=100, loud=1.0)
    match, _ = Keyring(KEYS).best(running(evidence), first, last)
    alone, _ = Keyring(KEYS).best(running(evidence[first:last]), 0, last - first)
    assert first <= match.first_frame < first + FRAMES_PER_SLOT
    assert match.first_frame + match.slots * match.slot_frames <= last
    assert (match.slot, match.slots) == (alone.slot, alone.slots)
    assert match.z == pytest.approx(alone.z, rel=1e-4)


def test_with_another_key_it_is_not() -> None:
    match, looks = Keyring(KEYS[1:]).best(running(planted(KEYS[0], 1200, slot=9, loud=0.5)), 0, 1200)
    assert match.z < threshold(1e-3, looks)


@pytest.mark.parametrize("pace", [0.96, 0.99, 1.01, 1.04])
def test_at_another_pace_less_of_it_is(pace: float) -> None:
    sums = running(planted(KEYS[0], 1200, slot=9, loud=0.5))
    assert Keyring(KEYS).best(sums, 0, 1200, pace)[0].z < 0.7 * Keyring(KEYS).best(sums, 0, 1200)[0].z


def test_a_perfect_pattern_scores_the_root_of_its_cells_and_nothing_scores_more() -> None:
    slots = 40
    evidence = np.repeat(presence(KEYS[0])[7 : 7 + slots], FRAMES_PER_SLOT, axis=0).astype(np.float32)
    match, _ = Keyring(KEYS).best(running(evidence), 0, len(evidence))
    cells = np.count_nonzero(layers()[7 : 7 + slots] == PRESENCE)
    assert (match.slot, match.first_frame, match.slots) == (7, 0, slots)
    assert match.z == pytest.approx(np.sqrt(cells), rel=1e-4)


@pytest.mark.parametrize("factor", [1e-4, 0.5, 30.0, 1e5])
def test_how_large_the_evidence_is_does_not_matter(factor: float) -> None:
    evidence = planted(KEYS[0], 500, slot=9)
    before, _ = Keyring(KEYS).scores(running(evidence), 0, 500)
    after, _ = Keyring(KEYS).scores(running(np.float32(factor) * evidence), 0, 500)
    np.testing.assert_allclose(after, before, atol=1e-3)


def test_every_place_that_is_looked_at_is_counted() -> None:
    scores, cut = Keyring(KEYS).scores(running(noise(300, 1)), 0, 300)
    _, looks = Keyring(KEYS).best(running(noise(300, 1)), 0, 300)
    assert looks == scores.size == len(KEYS) * len(cut.starts) * PERIOD_SLOTS
    assert len(cut.starts) == FRAMES_PER_SLOT


@pytest.mark.parametrize("pace", [0.97, 1.0, 1.03])
def test_the_highest_of_each_key_is_the_highest_of_its_scores(pace: float) -> None:
    sums = running(planted(KEYS[1], 1300, slot=300, loud=0.3))
    scores, _ = Keyring(KEYS).scores(sums, 5, 1290, pace)
    highest, looks = Keyring(KEYS).highest(sums, 5, 1290, pace)
    np.testing.assert_allclose(highest, scores.max(axis=(1, 2)), rtol=1e-5)
    assert looks == scores[0].size


@pytest.mark.parametrize("frames", [0, 1, FRAMES_PER_SLOT - 1])
def test_less_than_a_slot_is_no_place(frames: int) -> None:
    match, looks = Keyring(KEYS).best(running(noise(frames, 1)), 0, frames)
    assert (match.z, looks) == (0.0, 0)


def test_without_keys_there_is_nothing_to_look_for() -> None:
    _, looks = Keyring([]).best(running(noise(300, 1)), 0, 300)
    assert looks == 0


@pytest.mark.parametrize("frames", [10, 200, 600])
def test_no_evidence_is_no_match(frames: int) -> None:
    scores, _ = Keyring(KEYS).scores(running(np.zeros((frames, BANDS), np.float32)), 0, frames)
    assert not scores.any()


@pytest.mark.parametrize("pace", [0.9, 1.0, 1.1])
def test_no_window_is_so_long_that_a_toss_would_count_twice(pace: float) -> None:
    cut = Cut.of(0, 100_000, pace)
    assert LONGEST_SLOTS < PERIOD_SLOTS
    assert {slots for _, slots in cut.starts} == {LONGEST_SLOTS}


@pytest.mark.parametrize("frames", [6, 7, 13, 40, 400])
@pytest.mark.parametrize("rest", [0.0, 1e-6, 1e-3])
def test_a_few_huge_cells_make_no_match_of_what_is_rounded_off(frames: int, rest: float) -> None:
    """All of the evidence in one band of one slot: at most that one cell agrees, and z is hardly more than 1."""
    ring = Keyring([bytes([number]) * 16 for number in range(60)])
    for band in range(0, BANDS, 5):
        evidence = np.float32(rest) * noise(frames, band)
        evidence[:FRAMES_PER_SLOT, band] = 1e6
        match, looks = ring.best(running(evidence), 0, frames)
        assert looks
        # The small cells besides are a few standard deviations of a thousandth.
        assert match.z < 1.2


@pytest.mark.parametrize("kind", ["normal", "heavy", "bands", "steps"])
def test_wrong_keys_score_as_coin_tosses_do_whatever_the_evidence_is(kind: str) -> None:
    evidence = noise(420, 5)
    if kind == "heavy":
        evidence = rng(5).standard_t(1.5, evidence.shape).astype(np.float32)
    elif kind == "bands":
        evidence = evidence * np.geomspace(1, 100, BANDS).astype(np.float32) + 3
    elif kind == "steps":
        evidence = np.repeat(noise(7, 6), 60, axis=0)
    ring = Keyring([rng(number).bytes(32) for number in range(300)])
    scores, _ = ring.scores(running(evidence), 0, 420)
    # One phase and slot for each key: those are independent tosses.
    once = scores[:, 2, ::37].astype(np.float64)
    assert abs(float(once.mean())) < 5 / np.sqrt(once.size)
    assert float(np.square(once).mean()) == pytest.approx(1, abs=0.1)
    assert scores.max() < threshold(1e-6, scores.size)
