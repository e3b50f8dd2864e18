"""What is listened to, how sure the answer is over all of it, and what is told once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest

from compliance.watermark.blocks import Block, Ending, Sound
from compliance.watermark.listening import Place, Result, gathered, listen, of_json, signals, to_json

DAY = date(2026, 11, 22)
PLACE = Place(1.0, 11.0, 1e-9, DAY, 1, 0x1234, None, 1.0, 1.0, "")


@dataclass(frozen=True)
class Found:
    p_value: float
    regions: tuple[Place, ...] = ()


def noise(seed: int, samples: int = 800) -> Sound:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, samples).astype(np.float32)


class Ears:
    """Finds the mark in the sounds it is told of, and remembers all it was given."""

    def __init__(self, *marked: tuple[Sound, Found]) -> None:
        self.marked = marked
        self.given = list[Sound]()

    def __call__(self, sound: Sound) -> Found:
        self.given.append(sound)
        for known, found in self.marked:
            if np.array_equal(known, sound):
                return found
        return Found(0.3)


def test_one_channel_is_listened_to_once() -> None:
    sound = noise(1)
    ears = Ears((sound, Found(1e-9, (PLACE,))))
    assert listen([[sound]], ears) == (1e-9, (PLACE,))
    assert len(ears.given) == 1


def test_each_channel_is_heard_by_itself_and_the_chance_covers_all_of_them() -> None:
    left, right = noise(1), noise(2)
    ears = Ears((right, Found(1e-9, (PLACE,))))
    p_value, places = listen([[left, right]], ears)
    assert p_value == pytest.approx(3e-9)
    (place,) = places
    assert place.where == "right"
    assert place.p_value == pytest.approx(3e-9)
    assert len(ears.given) == 2, "the mix is not needed"


def test_the_mix_is_heard_where_no_channel_has_the_mark() -> None:
    left, right = noise(1), noise(2)
    mix = left / np.float32(2) + right / np.float32(2)
    ears = Ears((mix, Found(1e-9, (PLACE,))))
    _, (place,) = listen([[left, right]], ears)
    assert place.where == "both"
    assert len(ears.given) == 3


def test_what_is_sure_for_one_channel_may_not_be_sure_over_three() -> None:
    left, right = noise(1), noise(2)
    ears = Ears((left, Found(5e-7, (replace(PLACE, p_value=5e-7),))))
    p_value, places = listen([[left, right]], ears)
    assert places == ()
    assert p_value == pytest.approx(1.5e-6)


def test_a_mark_in_both_channels_is_told_once_as_the_surest_has_it() -> None:
    left, right = noise(1), noise(2)
    ears = Ears(
        (left, Found(1e-9, (PLACE,))),
        (right, Found(1e-12, (replace(PLACE, p_value=1e-12, start_s=1.5, full=0x1234_5678),))),
    )
    _, places = listen([[left, right]], ears)
    assert [(place.where, place.full) for place in places] == [("right", 0x1234_5678)]


def test_two_calls_in_one_file_are_told_apart() -> None:
    sound = noise(1)
    later = replace(PLACE, start_s=20.0, end_s=30.0, short=0x4321)
    at_once = replace(PLACE, start_s=2.0, end_s=9.0, short=0x9999, p_value=1e-8)
    ears = Ears((sound, Found(1e-9, (later, PLACE, at_once))))
    assert listen([[sound]], ears)[1] == (PLACE, at_once, later)


def test_several_tracks_are_named() -> None:
    first, second = noise(1), noise(2)
    ears = Ears((second, Found(1e-9, (PLACE,))))
    _, (place,) = listen([[first], [second]], ears)
    assert place.where == "track 2"


def test_silence_and_copies_are_not_listened_to() -> None:
    sound = noise(1)
    silence = np.zeros(800, dtype=np.float32)
    assert [signal.where for signal in signals([sound, sound * np.float32(1.00001)])] == [""]
    assert [signal.where for signal in signals([silence, sound])] == ["right"]
    assert [signal.where for signal in signals([noise(n) for n in range(3)])] == [
        "channel 1", "channel 2", "channel 3",
    ]  # fmt: skip
    assert signals([silence]) == ()
    assert signals([np.zeros(0, dtype=np.float32)]) == ()
    assert listen([[silence]], Ears()) == (1.0, ())


def test_three_channels_are_mixed_too() -> None:
    ears = Ears()
    listen([[noise(n) for n in range(3)]], ears)
    assert len(ears.given) == 4


def test_blocks_become_channels_without_what_is_no_sound() -> None:
    wild = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0.5], dtype=np.float32)
    tracks, ending = gathered([
        Block(0, 0, wild), Block(0, 1, noise(1, 4)), Block(0, 0, noise(2, 4)), Block(1, 0, noise(3, 2)),
        Ending.DAMAGED,
    ])  # fmt: skip
    assert ending is Ending.DAMAGED
    assert [[len(channel) for channel in track] for track in tracks] == [[10, 4], [2]]
    assert tracks[0][0][:6].tolist() == [0.0, 0.0, 0.0, 32.0, -32.0, 0.5]


def test_a_stream_without_an_ending_broke_off() -> None:
    assert gathered([Block(0, 0, noise(1))])[1] is Ending.HEAVY


def test_a_result_comes_through_the_pipe_as_it_was() -> None:
    result = Result(Ending.DAMAGED, 12.5, 1e-9, (PLACE, replace(PLACE, full=0xFFFF_FFFF, where="left")))
    assert of_json(to_json(result)) == result


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"ending": 99, "places": []}', '{"places": [{"day": 1}]}'])
def test_what_is_no_result_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        of_json(text)
