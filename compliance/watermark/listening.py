"""Whether the twin's mark is in the sound of a file: listened for in a process of its own, after all calls.

    python -m compliance.watermark.listening SOUND CPU_S MEMORY_BYTES < keys > found

`SOUND` is the number of the open pipe that the blocks come through. The keys of the days come as JSON through the
input, since arguments and environments of processes can be read by others; none goes out again. Each channel is
listened to by itself, and their mix where no channel by itself has the mark. The chance of a mistake in a result
is one over all keys and all channels: the smallest found, times the number of channels listened to.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import BinaryIO, Protocol

import numpy as np

from compliance.confined import Bounds, confine
from compliance.watermark.blocks import RATE_HZ, Block, Ending, Sound, read_blocks

MISTAKE = 1e-6
"""A mark counts as found when chance would do as well at most so often, over the whole search."""
MOST_PLACES = 500
"""Places told of one file, the surest first chosen."""
_LOUDEST = 32.0
"""Broken files hold numbers beyond all sound, which would drown the rest."""
_FAINTEST = 1.0 / 65_536
_SAME = 1e-4


class Region(Protocol):
    """As the detector tells it: `compliance.watermark.detector.Region`."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def p_value(self) -> float: ...
    @property
    def day(self) -> date: ...
    @property
    def generation(self) -> int: ...
    @property
    def short(self) -> int | None: ...
    @property
    def full(self) -> int | None: ...
    @property
    def speed(self) -> float: ...
    @property
    def tempo(self) -> float: ...


class Finding(Protocol):
    """As the detector tells it: `compliance.watermark.detector.Finding`."""

    @property
    def p_value(self) -> float: ...
    @property
    def regions(self) -> Sequence[Region]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where the mark was found."""

    start_s: float
    end_s: float
    p_value: float
    """The chance that sound without the mark would do as well, over the whole search."""
    day: date
    """UTC; the day whose key it was made with."""
    generation: int
    short: int | None
    """The high 16 bits of the call's token; None where too little was heard to tell."""
    full: int | None
    """All 32 of them."""
    speed: float
    """1.0 as spoken; 1.02 is played faster and higher."""
    tempo: float
    """1.0 as spoken; 1.02 is stretched to be faster at the same pitch."""
    where: str
    """The channel: empty for the only one, `left`, `right`, `both`, `channel 3`; of several tracks also which."""


@dataclass(frozen=True, slots=True)
class Result:
    """All that leaves the process."""

    ending: Ending
    heard_s: float
    """How much sound there was."""
    p_value: float = 1.0
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing to listen to."""

    where: str
    sound: Sound


def listen(
    tracks: Sequence[Sequence[Sound]], detect: Callable[[Sound], Finding]
) -> tuple[float, tuple[Place, ...]]:
    """Search every channel of every track; the smallest chance of a mistake, and the places by time."""
    prefixes = [f"track {number + 1} " if len(tracks) > 1 else "" for number in range(len(tracks))]
    groups = [signals(track, prefix) for track, prefix in zip(tracks, prefixes, strict=True)]
    searched = sum(len(group) + (len(group) > 1) for group in groups)
    smallest, places = 1.0, list[Place]()
    for group, prefix in zip(groups, prefixes, strict=True):
        here = list[Place]()
        for signal in group:
            finding = detect(signal.sound)
            smallest = min(smallest, finding.p_value * searched)
            here += _places(finding, signal.where, searched)
        if len(group) > 1 and not here:
            finding = detect(_mix(group))
            smallest = min(smallest, finding.p_value * searched)
            here += _places(finding, prefix + ("both" if len(group) == 2 else "all channels"), searched)
        places += here
    return smallest, tuple(sorted(_once(places), key=lambda place: (place.start_s, place.end_s)))


def signals(channels: Sequence[Sound], prefix: str = "") -> tuple[Signal, ...]:
    """The channels of a track that hold sound, each once."""
    names = ("left", "right") if len(channels) == 2 else tuple(f"channel {n + 1}" for n in range(len(channels)))
    found = list[Signal]()
    copies = len(channels) == 1
    for sound, name in zip(channels, names, strict=True):
        if not len(sound) or float(np.max(np.abs(sound))) < _FAINTEST:
            continue
        if any(_is_same(sound, other.sound) for other in found):
            copies = True
            continue
        found.append(Signal(prefix + name, sound))
    if len(found) == 1 and copies:
        # The same on all channels is one channel to whoever listens.
        return (Signal(prefix.strip(), found[0].sound),)
    return tuple(found)


def _mix(group: Sequence[Signal]) -> Sound:
    shortest = min(len(signal.sound) for signal in group)
    mix = np.zeros(shortest, dtype=np.float32)
    for signal in group:
        mix += signal.sound[:shortest] / len(group)
    return mix


def _is_same(sound: Sound, other: Sound) -> bool:
    if len(sound) != len(other):
        return False
    loudest = max(float(np.max(np.abs(other))), _FAINTEST)
    return float(np.max(np.abs(sound - other))) <= _SAME * loudest


def _places(finding: Finding, where: str, searched: int) -> Iterator[Place]:
    for region in finding.regions:
        p_value = region.p_value * searched
        if p_value <= MISTAKE:
            yield Place(
                region.start_s,
                region.end_s,
                p_value,
                region.day,
                region.generation,
                region.short,
                region.full,
                region.speed,
                region.tempo,
                where,
            )


def _once(places: Iterable[Place]) -> list[Place]:
    """A mark that several channels have is told once, as the surest of them has it."""
    kept = list[Place]()
    for place in sorted(places, key=lambda place: place.p_value):
        if not any(_is_within(place, other) for other in kept):
            kept.append(place)
    return kept[:MOST_PLACES]


def _is_within(place: Place, other: Place) -> bool:
    overlap_s = min(place.end_s, other.end_s) - max(place.start_s, other.start_s)
    same_key = (place.day, place.generation) == (other.day, other.generation)
    differ = None not in (place.short, other.short) and place.short != other.short
    return same_key and not differ and overlap_s > 0.5 * (place.end_s - place.start_s)


def gathered(blocks: Iterable[Block | Ending]) -> tuple[list[list[Sound]], Ending]:
    """The channels of each track in full, made fit to be listened to, and how the reading ended."""
    kept: dict[tuple[int, int], bytearray] = {}
    ending = Ending.HEAVY
    for block in blocks:
        if isinstance(block, Ending):
            ending = block
        else:
            kept.setdefault((block.track, block.channel), bytearray()).extend(block.samples.tobytes())
    tracks: dict[int, list[Sound]] = {}
    for (track, _), data in sorted(kept.items()):
        tracks.setdefault(track, []).append(_sane(np.frombuffer(data, dtype="<f4")))
    return list(tracks.values()), ending


def _sane(sound: Sound) -> Sound:
    np.nan_to_num(sound, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    np.clip(sound, -_LOUDEST, _LOUDEST, out=sound)
    return sound


def to_json(result: Result) -> str:
    """A result for the pipe."""
    return json.dumps(asdict(result), default=lambda day: day.isoformat())


def of_json(text: str | bytes) -> Result:
    """A result from the pipe. Raises `ValueError`, `KeyError` or `TypeError` for what is none."""
    value = json.loads(text)
    places = tuple(Place(**{**place, "day": date.fromisoformat(place["day"])}) for place in value["places"])
    return replace(Result(**{**value, "ending": Ending(value["ending"])}), places=places)


def main() -> None:
    """The process. All that it needs is imported before it is bound."""
    source, cpu_s, memory_bytes = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    stream = io.BufferedReader(io.FileIO(source), 1 << 16)
    detect = _detecting(json.load(sys.stdin))
    confine(Bounds(cpu_s, memory_bytes))
    try:
        result = _heard(stream, detect)
    except MemoryError:
        result = Result(Ending.HEAVY, 0.0)
    sys.stdout.write(to_json(result))
    sys.stdout.flush()
    os._exit(0)


def _detecting(given: Sequence[tuple[str, int, str]]) -> Callable[[Sound], Finding] | None:
    if not given:
        return None
    from compliance.watermark.detector import Detector
    from compliance.watermark.keys import DayKey

    keys = [DayKey(date.fromisoformat(day), number, bytes.fromhex(key)) for day, number, key in given]
    detector = Detector(keys)
    # Whatever it loads at first use is loaded now, while files can be opened.
    detector.detect(np.zeros(4 * RATE_HZ, dtype=np.float32), RATE_HZ)
    return lambda sound: detector.detect(sound, RATE_HZ)


def _heard(stream: BinaryIO, detect: Callable[[Sound], Finding] | None) -> Result:
    tracks, ending = gathered(read_blocks(stream))
    heard_s = max((len(channel) / RATE_HZ for track in tracks for channel in track), default=0.0)
    if detect is None or ending not in (Ending.WHOLE, Ending.DAMAGED):
        return Result(ending, heard_s)
    p_value, places = listen(tracks, detect)
    return Result(ending, heard_s, p_value, places)


if __name__ == "__main__":
    main()
