"""The curves of the mouth over sentences in nine languages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

from avatar.gestures import COLUMNS
from avatar.mouth import pose
from avatar.speech import Speech
from avatar.visemes import CLOSES, CLOSURES, MOUTH, TARGETS, shapes_of
from tests.unit.avatar.saying import CHUNK, RATE, Door, Sentence, curve, say, sentences

STEP_MS = 5
STEP = RATE * STEP_MS // 1000
BEFORE = 40
"""Steps of a curve before the first sample."""
PER_FRAME = 40 // STEP_MS
JAW, PUCKER, FUNNEL, WIDE, PRESS, TUCK, UPPER, LOWER, *_ = range(len(MOUTH))

Curve = npt.NDArray[np.float32]


@cache
def curves() -> list[tuple[Sentence, Curve]]:
    """Each fourth sentence and what the mouth does from 200 ms before it to 400 ms after."""
    found = []
    for sentence in sentences()[::4]:
        speech = Speech(RATE)
        door = Door(speech)
        door.tick(20)
        say(speech, door, 1, sentence)
        waiting, door.waiting = door.waiting, []
        door.tick(5)  # it is known 100 ms before it sounds
        begin, door.waiting = door.position, waiting
        door.tick(sentence.samples // CHUNK + 25)
        found.append((sentence, curve(speech, begin - BEFORE * STEP, begin + sentence.samples + 80 * STEP, STEP)))
    return found


def movements(sentence: Sentence) -> Iterator[tuple[int, int, int]]:
    """Shape, first step and last step of each movement."""
    for phone in sentence.phones:
        at_ms = phone.start_ms
        for shape, share in shapes_of(phone.ipa):
            end_ms = at_ms + share * (phone.end_ms - phone.start_ms)
            yield shape, BEFORE + round(at_ms / STEP_MS), BEFORE + round(end_ms / STEP_MS)
            at_ms = end_ms


def frames_of(whole: Curve, begin: int, end: int, phase: int) -> Curve:
    """What a video at 25 fps shows of these steps, one frame early at most."""
    steps = [step for step in range(max(0, begin - 6), end + 4) if step % PER_FRAME == phase]
    return whole[steps]


def test_lips_meet_for_every_p_b_and_m() -> None:
    chance = random.Random(1)
    met = []
    for sentence, whole in curves():
        phase = chance.randrange(PER_FRAME)
        for shape, begin, end in movements(sentence):
            if CLOSES[shape] == CLOSURES.index("lips"):
                seen = frames_of(whole, begin, end, phase)
                met.append(bool((seen[:, [JAW, FUNNEL, UPPER, LOWER]].max(1) < 0.02).any()))
    assert len(met) > 400
    assert np.mean(met) >= 0.99


def test_teeth_meet_the_lip_for_every_f_and_v() -> None:
    chance = random.Random(2)
    met = []
    for sentence, whole in curves():
        phase = chance.randrange(PER_FRAME)
        for shape, begin, end in movements(sentence):
            if CLOSES[shape] == CLOSURES.index("teeth"):
                seen = frames_of(whole, begin, end, phase)
                met.append(bool(((seen[:, TUCK] > 0.95) & (seen[:, JAW] < 0.1)).any()))
    assert len(met) > 120
    assert np.mean(met) >= 0.99


def test_the_mouth_is_shut_in_silence() -> None:
    for sentence, whole in curves():
        sounding = np.zeros(len(whole), bool)
        for _, begin, end in movements(sentence):
            sounding[max(0, begin - 24) : end + 24] = True
        assert not whole[~sounding].any()
        assert not whole[: BEFORE - 24].any()
        assert not whole[-20:].any()


def test_nothing_moves_faster_than_a_mouth_can() -> None:
    for _, whole in curves():
        per_10_ms = np.abs(np.diff(whole, axis=0)).max(0) * 10 / STEP_MS
        assert per_10_ms[JAW] < 0.2
        assert per_10_ms.max() < 0.55
        assert per_10_ms[[PUCKER, FUNNEL, WIDE]].max() < 0.35


def test_lips_are_ahead_of_the_sound() -> None:
    ahead_ms = []
    for sentence, whole in curves():
        _, begin, _ = next(movements(sentence))
        moved = np.flatnonzero(whole.max(1) > 0.004)
        ahead_ms.append((begin - moved[0]) * STEP_MS)
    assert 60 <= np.mean(ahead_ms) <= 120
    assert min(ahead_ms) >= 20


def test_the_jaw_is_in_time_with_the_phones() -> None:
    offsets_ms = []
    for sentence, whole in curves():
        wanted = np.zeros(len(whole), np.float32)
        for shape, begin, end in movements(sentence):
            wanted[begin:end] = TARGETS[shape, JAW]
        offsets_ms.append(offset_ms(whole[:, JAW], wanted))
    assert abs(np.mean(offsets_ms)) < 5.0
    assert np.percentile(np.abs(offsets_ms), 90) < 15.0


def offset_ms(late: Curve, early: Curve) -> float:
    """By how much one curve is later than another: the peak of their cross-correlation."""
    late, early = late - late.mean(), early - early.mean()
    shifts = range(-12, 13)
    alike = [float(np.dot(late[12:-12], early[12 - shift : len(early) - 12 - shift])) for shift in shifts]
    best = int(np.argmax(alike[1:-1])) + 1
    before, peak, after = alike[best - 1 : best + 2]
    return (best - 12 + (before - after) / (2 * (before - 2 * peak + after))) * STEP_MS


def test_open_vowels_open_and_round_ones_round() -> None:
    peaks: dict[str, list[float]] = {"a": [], "i": [], "u": []}
    rounded: dict[str, list[float]] = {"a": [], "i": [], "u": []}
    for sentence, whole in curves():
        for phone in sentence.phones:
            vowel = phone.ipa.strip("ˈˌː")
            if vowel in peaks and phone.end_ms - phone.start_ms > 90:
                middle = BEFORE + round((phone.start_ms + phone.end_ms) / 2 / STEP_MS)
                peaks[vowel].append(whole[middle, JAW])
                rounded[vowel].append(whole[middle, PUCKER])
    assert np.mean(peaks["a"]) > 0.4
    assert np.mean(peaks["a"]) > 1.8 * np.mean(peaks["i"])
    assert np.mean(rounded["u"]) > 0.5
    assert np.mean(rounded["i"]) < 0.15


def test_nothing_around_leaves_it_shut() -> None:
    assert pose(np.zeros((0, COLUMNS))) is None
