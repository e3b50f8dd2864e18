"""Where in its period the pattern of a key is, in a stretch of evidence that may run fast or slow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from compliance.watermark.ear import FRAMES_PER_SLOT, Evidence
from compliance.watermark.layout import BANDS, LAYER_SLOTS, PERIOD_SLOTS, PRESENCE, layers
from compliance.watermark.pattern import presence

LONGEST_SLOTS = PERIOD_SLOTS - LAYER_SLOTS
"""A window is shorter than a period: in a longer one the same toss would count twice."""
_KEYS_AT_ONCE = 64
"""What they need at once stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Match:
    """The best place of one key's pattern."""

    z: float
    key: int
    """Which of the keys."""
    first_frame: float
    """Where the first whole slot of the window begins, in frames of the evidence."""
    slot: int
    """Which slot of the period that one is."""
    slots: int
    """How many there are."""
    slot_frames: float
    """How long one is, in frames."""


class Keyring:
    """The patterns of the candidate keys, ready to be looked for."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.keys = tuple(keys)
        self._spectra = [
            _spectra(self.keys[first : first + _KEYS_AT_ONCE]) for first in range(0, len(self.keys), _KEYS_AT_ONCE)
        ]

    def best(self, sums: NDArray[np.float64], first: int, last: int, pace: float = 1.0) -> tuple[Match, int]:
        """The best match of any key, and how many places were looked at. See `scores`."""
        z, cut = self.scores(sums, first, last, pace)
        if z.size == 0:
            return Match(0.0, 0, 0.0, 0, 0, 1.0), 0
        key, phase, slot = (int(i) for i in np.unravel_index(int(np.argmax(z)), z.shape))
        start, slots = cut.starts[phase]
        return Match(float(z[key, phase, slot]), key, start, slot, slots, cut.slot_frames), z.size

    def scores(
        self, sums: NDArray[np.float64], first: int, last: int, pace: float = 1.0
    ) -> tuple[NDArray[np.float32], Cut]:
        """The z of every key, phase within a slot, and slot of the period; shape (keys, phases, PERIOD_SLOTS).

        `sums` are the running sums of the evidence (`running`), of which frames `first` to `last` are looked at;
        `pace` is how much faster than spoken they run.
        """
        cut = Cut.of(first, last, pace)
        if not cut.starts or not self.keys:
            return np.zeros((len(self.keys), 0, PERIOD_SLOTS), dtype=np.float32), cut
        told = _told(sums, cut)
        tiled = np.tile(_sizes(told), PERIOD_SLOTS // LAYER_SLOTS)
        z = np.concatenate([matched.transpose(2, 1, 0) / tiled for matched in self._matched(told)])
        return z.astype(np.float32, copy=False), cut

    def highest(
        self, sums: NDArray[np.float64], first: int, last: int, pace: float = 1.0
    ) -> tuple[NDArray[np.float32], int]:
        """The highest z of each key, and how many places were looked at for it: `scores` without its memory."""
        cut = Cut.of(first, last, pace)
        if not cut.starts or not self.keys:
            return np.zeros(len(self.keys), dtype=np.float32), 0
        told = _told(sums, cut)
        sizes = _sizes(told).T[:, :, None]
        found = []
        for matched in self._matched(told):
            # Places that are a whole number of LAYER_SLOTS apart are divided by the same.
            highest = matched.reshape(-1, LAYER_SLOTS, *matched.shape[1:]).max(axis=0)
            found.append((highest / sizes).max(axis=(0, 1)))
        return np.concatenate(found).astype(np.float32, copy=False), PERIOD_SLOTS * len(cut.starts)

    def _matched(self, told: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """The evidence with the patterns of some keys, at every slot; shapes (PERIOD_SLOTS, phases, keys)."""
        spectra = np.ascontiguousarray(np.conj(np.fft.rfft(told, axis=1)).transpose(1, 0, 2))
        for patterns in self._spectra:
            # (bins, phases, BANDS) by (bins, BANDS, keys): one small matrix product per bin.
            product = np.matmul(spectra, patterns)
            yield np.fft.irfft(product, PERIOD_SLOTS, axis=0).astype(np.float32, copy=False)


def _spectra(keys: Sequence[bytes]) -> NDArray[np.complex64]:
    """Of their patterns; shape (bins, BANDS, keys)."""
    found = np.empty((PERIOD_SLOTS // 2 + 1, BANDS, len(keys)), dtype=np.complex64)
    for number, key in enumerate(keys):
        found[:, :, number] = np.fft.rfft(presence(key).astype(np.float32), axis=0)
    return found


@dataclass(frozen=True, slots=True)
class Cut:
    """How a stretch of frames is cut into slots, once for every phase."""

    slot_frames: float
    starts: tuple[tuple[float, int], ...]
    """The first frame of a phase's first slot, and how many whole slots follow."""

    @classmethod
    def of(cls, first: int, last: int, pace: float) -> Cut:
        """Phases are a frame apart."""
        length = FRAMES_PER_SLOT / pace
        starts = []
        for phase in range(FRAMES_PER_SLOT):
            start = first + phase / pace
            slots = min(int((last - start) / length), LONGEST_SLOTS)
            if slots > 0:
                starts.append((start, slots))
        return cls(length, tuple(starts))


def running(evidence: Evidence) -> NDArray[np.float64]:
    """Running sums over frames, with a row of zeros first: the sum of any stretch is a difference of two rows."""
    sums = np.zeros((len(evidence) + 1, evidence.shape[1]))
    np.cumsum(evidence, axis=0, out=sums[1:])
    return sums


def slotted(sums: NDArray[np.float64], start: float, slots: int, slot_frames: float) -> NDArray[np.float32]:
    """The evidence of so many slots from a frame on; shape (slots, BANDS)."""
    edges = np.rint(start + slot_frames * np.arange(slots + 1)).astype(np.int64)
    found: NDArray[np.float32] = np.diff(sums[np.clip(edges, 0, len(sums) - 1)], axis=0).astype(np.float32)
    return found


def _told(sums: NDArray[np.float64], cut: Cut) -> NDArray[np.float32]:
    """The evidence of each phase, and nothing after its end; shape (phases, PERIOD_SLOTS, BANDS)."""
    told = np.zeros((len(cut.starts), PERIOD_SLOTS, BANDS), dtype=np.float32)
    for phase, (start, slots) in enumerate(cut.starts):
        told[phase, :slots] = slotted(sums, start, slots, cut.slot_frames)
    return told


def _sizes(told: NDArray[np.float32]) -> NDArray[np.float32]:
    """What z is divided by, per phase and slot modulo LAYER_SLOTS: only cells of presence count."""
    squares = np.square(told).reshape(len(told), -1, LAYER_SLOTS, BANDS).sum(axis=1)
    sizes = np.sqrt(np.einsum("pkb,skb->ps", squares, _present()))
    # Beside cells a hundred times as large, what the transform rounds off would pass for a match.
    least = np.maximum(np.sqrt(squares.sum(axis=(1, 2))) / 100, 1e-9)
    found: NDArray[np.float32] = np.maximum(sizes, least[:, None]).astype(np.float32)
    return found


@lru_cache(maxsize=1)
def _present() -> NDArray[np.float32]:
    """Whether a cell is one of presence, when a window's first slot is slot `s` of the period; (s, slot, band)."""
    present = (layers()[:LAYER_SLOTS] == PRESENCE).astype(np.float32)
    return np.stack([np.roll(present, -shift, axis=0) for shift in range(LAYER_SLOTS)])
