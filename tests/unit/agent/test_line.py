"""The probe's ear: when something sounded, and whether it is what it should be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import soxr

from agent.line import Ear, likeness, question

RATE_HZ = 8_000


@dataclass(frozen=True, slots=True)
class Piece:
    pcm: bytes
    at: float


def speech(seed: int, seconds: float, rate_hz: int = RATE_HZ) -> bytes:
    """Noise whose loudness moves as that of speech does: syllables and pauses."""
    rng = np.random.default_rng(seed)
    syllables = rng.choice([0.0, 0.2, 0.6, 1.0], size=int(seconds * 6))
    syllables[0] = 1.0
    loudness = np.repeat(syllables, rate_hz // 6)
    return (loudness * rng.normal(0, 3_000, loudness.size)).clip(-32_000, 32_000).astype(np.int16).tobytes()


def heard(ear: Ear, *loud: tuple[float, float]) -> None:
    """20 ms pieces over 3 s, loud within the given spans."""
    for piece in range(150):
        at = piece * 0.02
        sounds = any(start <= at < end for start, end in loud)
        ear.hear(Piece(np.full(160, 2_000 if sounds else 0, np.int16).tobytes(), at))


def test_it_knows_when_a_sound_began_and_ended() -> None:
    ear = Ear()
    heard(ear, (0.5, 1.0), (2.0, 2.5))
    assert ear.first_after(0) == pytest.approx(0.5)
    assert ear.first_after(1.2) == pytest.approx(2.0)
    assert ear.first_after(2.6) is None
    assert ear.quiet_from(0.7) == pytest.approx(0.98)
    assert ear.quiet_from(2.2) == pytest.approx(2.48)
    assert ear.quiet_from(2.9) is None


def test_a_short_pause_is_part_of_the_speech() -> None:
    ear = Ear()
    heard(ear, (0.5, 1.0), (1.2, 1.5))
    assert ear.quiet_from(0.7) == pytest.approx(1.48)


def test_the_same_speech_is_alike_through_another_rate_and_a_late_start() -> None:
    said = speech(1, 4.0)
    other_rate = soxr.resample(np.frombuffer(said, np.int16), RATE_HZ, 48_000).astype(np.int16).tobytes()
    assert likeness(bytes(1_600) + said + bytes(8_000), RATE_HZ, said, RATE_HZ) > 0.99
    assert likeness(bytes(9_600) + other_rate, 48_000, said, RATE_HZ) > 0.9


def test_other_speech_or_half_of_it_is_not_alike() -> None:
    said = speech(1, 4.0)
    assert likeness(speech(2, 4.0), RATE_HZ, said, RATE_HZ) < 0.6
    assert likeness(said[: len(said) // 2], RATE_HZ, said, RATE_HZ) == 0.0
    assert likeness(speech(3, 1.0) + said, RATE_HZ, said, RATE_HZ) < 0.9
    assert likeness(b"", RATE_HZ, said, RATE_HZ) == 0.0


@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_the_recorded_question_is_short_speech_at_any_rate(rate_hz: int) -> None:
    asked = question(rate_hz)
    assert 1.0 < asked.sound_s <= asked.duration_s < 3.0
