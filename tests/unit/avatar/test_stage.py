from __future__ import annotations

import math
import random

import numpy as np
import pytest

from avatar.controls import SIGNED, Control, Controls
from avatar.picture import Picture
from avatar.stage import Stage
from avatar.temper import Temper
from avatar.timeline import Part, Phone, Said
from avatar.visemes import MOUTH
from tests.unit.avatar.saying import CHUNK, FRAME, RATE, Door, sentences


class Brush:
    """A rig that keeps what it was told to draw."""

    name = "brush"
    width = height = 32

    def __init__(self) -> None:
        self.drawn: list[Controls] = []

    def blank(self) -> Picture:
        return Picture(self.width, self.height)

    def draw(self, controls: Controls, picture: Picture) -> None:
        self.drawn.append(controls.copy())
        picture.y.fill(16 + int(200 * controls[Control.JAW_OPEN]))


def stage(seed: int = 4) -> tuple[Stage, Door]:
    face = Stage(Brush(), rate_hz=RATE, seed=seed)
    return face, Door(face)


def speak(face: Stage, door: Door, utterance: int = 1, number: int = 0) -> None:
    sentence = sentences()[number]
    words = [Said(text, 150.0 * i, 150.0 * i + 140) for i, text in enumerate(sentence.text.split())]
    face.expect(utterance, sentence.pcm, sentence.phones, words, exact=True, last=True)
    door.say(utterance, sentence.samples)


def open_mouth(face: Stage, position: int) -> float:
    return float(face.controls_at(position)[list(MOUTH)].max())


def test_a_frame_is_drawn_from_the_controls_of_its_sample() -> None:
    face, door = stage()
    speak(face, door)
    door.tick(20)
    position = door.position - CHUNK
    picture = face.frame_at(position, 0)
    assert isinstance(face.rig, Brush)
    assert np.array_equal(face.rig.drawn[-1], face.controls_at(position))
    assert face.drawn == 1
    assert face.frame_at(position + FRAME, 0) is picture
    assert face.drawn == 2


def test_the_same_told_is_the_same_shown() -> None:
    first, second = stage(), stage()
    for face, door in (first, second):
        speak(face, door)
        door.tick(25)
        face.heard(door.position, "anna", -25.0, True, 0.4)
        face.stopped(door.position)
        door.tick(5)
    for position in range(0, 30 * CHUNK, 777):
        assert np.array_equal(first[0].controls_at(position), second[0].controls_at(position))


def test_asking_changes_nothing() -> None:
    asked, silent = stage(), stage()
    for face, door in (asked, silent):
        speak(face, door)
        for _ in range(30):
            door.tick()
            if face is asked[0]:
                for ahead in (0, 9_000, -3_000):
                    face.controls_at(max(0, door.position + ahead))
    for position in range(0, 30 * CHUNK, 333):
        assert np.array_equal(asked[0].controls_at(position), silent[0].controls_at(position))


def test_another_seed_moves_differently_with_the_same_mouth() -> None:
    shown = []
    for seed in (1, 2):
        face, door = stage(seed)
        speak(face, door)
        door.tick(40)
        shown.append(np.array([face.controls_at(position) for position in range(0, 40 * CHUNK, 400)]))
    jaw = int(Control.JAW_OPEN)
    assert np.array_equal(shown[0][:, jaw], shown[1][:, jaw])
    assert not np.array_equal(shown[0], shown[1])


def test_an_old_epoch_is_no_error_and_shows_what_is_true_now() -> None:
    face, door = stage()
    speak(face, door)
    door.tick(20)
    face.dropped(door.position, 3)
    later = door.position + FRAME * 2
    assert face.epoch == 3
    assert np.array_equal(face.frame_at(later, 1).y, face.frame_at(later, 3).y)
    assert open_mouth(face, later) == 0


def test_a_held_door_shuts_the_mouth_and_the_next_parts_open_it() -> None:
    face, door = stage()
    sentence = sentences()[0]
    speak(face, door)
    door.tick(30)
    stop = door.position
    face.stopped(stop)
    door.held = True
    door.tick(10)
    assert open_mouth(face, stop + RATE * 60 // 1000) == 0
    door.held = False
    again = door.position
    door.tick(40)
    offset = 30 * CHUNK
    reference, other = stage()
    speak(reference, other)
    other.tick(70)
    for now in range(offset + RATE // 5, sentence.samples - 15 * CHUNK, 500):
        assert np.allclose(
            face.controls_at(again - offset + now)[list(MOUTH)],
            reference.controls_at(now)[list(MOUTH)],
            atol=1e-4,
        )


def test_every_control_stays_within_its_limits() -> None:
    face, door = stage()
    for utterance in range(3):
        speak(face, door, utterance, utterance * 40)
    door.tick(300)
    for position in range(0, 300 * CHUNK, FRAME):
        controls = face.controls_at(position)
        assert controls.dtype == np.float32
        assert np.all(np.isfinite(controls))
        for control in Control:
            assert (-1 if control in SIGNED else 0) <= controls[control] <= 1


def test_it_lives_without_being_told_anything() -> None:
    face = Stage(Brush(), rate_hz=RATE, seed=1, temper=Temper())
    shown = np.array([face.controls_at(second * RATE // 4) for second in range(80)])
    assert not shown[:, list(MOUTH)].any()
    assert shown[:, Control.BREATH].max() > 0
    assert shown[:, Control.BLINK_LEFT].max() > 0 or shown[:, Control.HEAD_YAW].any()


def test_it_says_when_the_mouth_is_guessed() -> None:
    face, door = stage()
    t = np.arange(RATE) / RATE
    pcm = (9_000 * np.sin(2 * np.pi * 700 * t)).astype(np.int16).tobytes()
    face.expect(1, pcm, [], [], exact=False, last=True)
    door.say(1, RATE)
    door.tick(10)
    assert face.estimates
    face.expect(1, b"", [Phone("a", 0, 1_000)], [], exact=False, last=True)
    assert not face.estimates


def test_the_words_are_told_to_whoever_moves_the_head() -> None:
    face, door = stage()
    speak(face, door)
    door.tick(50)
    quiet, other = stage()
    other.tick(50)
    head = [Control.HEAD_YAW, Control.HEAD_PITCH, Control.HEAD_ROLL, Control.BROW_INNER_UP]
    apart = [
        np.abs(face.controls_at(p)[head] - quiet.controls_at(p)[head]).max() for p in range(0, 50 * CHUNK, FRAME)
    ]
    assert max(apart) > 0.01


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_levels_and_bearings_that_are_no_numbers_do_no_harm(number: float) -> None:
    face, door = stage()
    for _ in range(40):
        face.heard(door.position, "anna", number, None, number)
        door.tick()
        assert np.all(np.isfinite(face.controls_at(door.position)))


def test_parts_of_nothing_are_ignored() -> None:
    face, _ = stage()
    face.sounded(0, [Part(0, CHUNK, 9, 0), Part(0, 0, 1, 0)])
    assert open_mouth(face, 100) == 0


class Reel(Brush):
    """A rig that goes on by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.times_ms: list[float] = []

    def draw_at(self, controls: Controls, picture: Picture, t_ms: float) -> None:
        self.times_ms.append(t_ms)


def test_a_clip_is_shown_by_the_time_of_the_clock() -> None:
    reel = Reel()
    face = Stage(reel, rate_hz=RATE, seed=1)
    for position in (0, RATE, 2 * RATE):
        face.frame_at(position, 0)
    assert reel.times_ms == [0.0, 1_000.0, 2_000.0]
    assert not reel.drawn


ODD_MS = (math.nan, math.inf, -math.inf, -1e12, 1e12, 1e300, -5.0, 0.0, 3.0, 100.0, 900.0)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_times_a_service_sends_all_controls_are_numbers_within_limits(seed: int) -> None:
    chance = random.Random(seed)
    rate_hz = chance.choice((8_000, 16_000, 24_000, 44_100, 48_000))
    chunk, position = rate_hz // 50, 0
    face = Stage(Brush(), rate_hz=rate_hz, seed=seed)
    for step in range(40):
        utterance = step // 4
        phones = [
            Phone(chance.choice(("a", "p", "", "ǃ", "˥", "日本", "\0", "ʷ")), *chance.choices(ODD_MS, k=2))
            for _ in range(chance.randrange(5))
        ]
        words = [
            Said(chance.choice(("great!", "", "no?", "日本")), *chance.choices(ODD_MS, k=2)) for _ in range(3)
        ]
        pcm = chance.randbytes(chance.choice((0, 1, 3, 2 * chunk + 1, 6 * chunk)))
        face.expect(utterance, pcm, phones, words, exact=chance.random() < 0.5, last=chance.random() < 0.5)
        face.heard(position, "anna", chance.choice(ODD_MS), None, chance.choice(ODD_MS))
        face.sounded(position, [Part(0, chunk, utterance, step % 4 * chunk)])
        controls = face.controls_at(position)
        assert np.isfinite(controls).all()
        assert controls.max() <= 1.0
        position += chunk


def test_a_pause_that_was_booked_on_a_sound_is_silent() -> None:
    face, door = stage()
    face.expect(1, b"\0" * 2 * 5 * RATE, [Phone("a", 0.0, 5_000.0)], [], exact=True, last=True)
    door.say(1, 5 * RATE)
    door.tick(150)
    assert open_mouth(face, door.position) == 0.0
