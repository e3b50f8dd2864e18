"""Against the values of ITU-T G.711, and the standard library's own coder where it still exists."""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np
import pytest

from channels.twilio import mulaw

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32_768, 32_768, dtype=np.int16).tobytes()


def standard_coder() -> ModuleType | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            import audioop
        except ImportError:
            return None
        return audioop


def one(code: int) -> int:
    return int(np.frombuffer(mulaw.decode(bytes([code])), np.int16)[0])


@pytest.mark.parametrize(
    ("code", "magnitude"),
    [
        (0xFF, 0),
        (0xFE, 2),
        (0xF0, 30),
        (0xEF, 33),
        (0xE0, 93),
        (0xCF, 231),
        (0xBF, 495),
        (0x8F, 4191),
        (0x80, 8031),
    ],
)
def test_decoder_outputs_of_the_standards_table(code: int, magnitude: int) -> None:
    assert one(code) == 4 * magnitude
    assert one(code & 0x7F) == -4 * magnitude


def test_every_code_survives_a_round_trip() -> None:
    expected = EVERY_CODE.replace(b"\x7f", b"\xff")  # there are two zeros
    assert mulaw.encode(mulaw.decode(EVERY_CODE)) == expected


def test_no_sample_is_off_by_more_than_half_a_step() -> None:
    samples = np.frombuffer(EVERY_SAMPLE, np.int16).astype(np.int32)
    back = np.frombuffer(mulaw.decode(mulaw.encode(EVERY_SAMPLE)), np.int16).astype(np.int32)
    clipped = np.clip(samples, -32_635, 32_635)
    half_step = 2 ** (np.floor(np.log2(np.abs(clipped) + 132)).astype(np.int32) - 5)

    assert np.all(np.abs(back - clipped) <= half_step)
    assert np.all(np.diff(back) >= 0)


def test_silence_is_the_idle_code() -> None:
    assert mulaw.encode(bytes(4)) == b"\xff\xff"
    assert mulaw.decode(b"\xff") == bytes(2)


def test_it_agrees_with_the_standard_library() -> None:
    audioop = standard_coder()
    if audioop is None:
        return
    assert mulaw.decode(EVERY_CODE) == audioop.ulaw2lin(EVERY_CODE, 2)
    ours = np.frombuffer(mulaw.decode(mulaw.encode(EVERY_SAMPLE)), np.int16).astype(np.int32)
    theirs = np.frombuffer(audioop.ulaw2lin(audioop.lin2ulaw(EVERY_SAMPLE, 2), 2), np.int16).astype(np.int32)
    samples = np.frombuffer(EVERY_SAMPLE, np.int16).astype(np.int32)
    # It rounds negative samples down before it takes their size; where we differ, ours is the nearer one.
    assert np.array_equal(ours[samples >= 0], theirs[samples >= 0])
    assert np.all(np.abs(ours - samples) <= np.abs(theirs - samples))
