"""Nothing sounds before the disclosure."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from channels.gate import DisclosureGate
from compliance.errors import DoorClosed

DISCLOSURE = np.array([5, 0, 0, 0, -7, 8, 0, 9], dtype=np.int16)


def samples(*values: int) -> NDArray[np.int16]:
    return np.array(values, dtype=np.int16)


def gate() -> DisclosureGate:
    gate = DisclosureGate()
    gate.expect(DISCLOSURE.tobytes())
    return gate


def play(gate: DisclosureGate, sound: NDArray[np.int16] = DISCLOSURE, size: int = 3) -> None:
    for start in range(0, len(sound), size):
        chunk = np.zeros(size, dtype=np.int16)
        chunk[: len(sound[start : start + size])] = sound[start : start + size]
        gate.process(chunk, 100 + start)


def test_silence_passes_before_the_disclosure_was_given() -> None:
    assert not DisclosureGate().process(samples(0, 0), 0).any()


def test_sound_does_not() -> None:
    with pytest.raises(DoorClosed):
        DisclosureGate().process(samples(0, 1), 0)


def test_the_disclosure_passes_in_chunks_also_where_it_is_silent() -> None:
    checked = gate()
    play(checked)
    assert checked.sounded
    assert checked.end == 108


def test_silence_may_come_before_and_after_it() -> None:
    checked = gate()
    checked.process(samples(0, 0, 0), 0)
    play(checked)
    checked.process(samples(0, 0, 0), 0)
    assert checked.sounded


@pytest.mark.parametrize("at", range(len(DISCLOSURE)))
def test_one_wrong_sample_anywhere_is_refused(at: int) -> None:
    wrong = DISCLOSURE.copy()
    wrong[at] += 1
    with pytest.raises(DoorClosed):
        play(gate(), wrong)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_an_order_of_its_own_is_refused(size: int) -> None:
    with pytest.raises(DoorClosed):
        play(gate(), DISCLOSURE[::-1].copy(), size)


def test_a_pause_within_it_is_refused() -> None:
    checked = gate()
    checked.process(samples(5, 0), 0)
    checked.process(samples(0, 0), 2)
    with pytest.raises(DoorClosed):
        checked.process(samples(0, 0), 4)


def test_other_sound_in_its_last_chunk_is_refused() -> None:
    checked = gate()
    with pytest.raises(DoorClosed):
        checked.process(np.append(DISCLOSURE, samples(0, 1)), 0)


def test_it_cannot_be_lifted_before_it_has_left() -> None:
    checked = gate()
    with pytest.raises(DoorClosed):
        checked.lift()
    checked.process(DISCLOSURE[:-1], 0)
    with pytest.raises(DoorClosed):
        checked.lift()


def test_left_but_not_lifted_lets_only_silence_through() -> None:
    checked = gate()
    play(checked)
    checked.process(samples(0, 0), 0)
    with pytest.raises(DoorClosed):
        checked.process(samples(0, 1), 0)


def test_lifted_it_lets_all_through() -> None:
    checked = gate()
    play(checked)
    checked.lift()
    assert checked.process(samples(1, 2, 3), 0).tolist() == [1, 2, 3]


@pytest.mark.parametrize("pcm", [b"", bytes(2), samples(0, 5).tobytes()])
def test_a_disclosure_that_begins_silent_is_refused(pcm: bytes) -> None:
    with pytest.raises(DoorClosed):
        DisclosureGate().expect(pcm)


def test_it_is_given_once() -> None:
    with pytest.raises(DoorClosed):
        gate().expect(DISCLOSURE.tobytes())
