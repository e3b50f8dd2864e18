"""What somebody learns of a day's pattern from recordings of that day, without its key.

    python -m tests.bench.watermark.attack

The signs are estimated with our own ear from other calls of that day after mu-law, whose places in the pattern are
known; then they are taken off marked speech, and put on speech without a mark, with our own filters.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from compliance.watermark.detector import Detector
from compliance.watermark.ear import FRAMES_PER_SLOT, HOP, RATE_HZ
from compliance.watermark.embedder import STRENGTH_DB, Embedder
from compliance.watermark.layout import BANDS, PERIOD_SLOTS, PRESENCE, layers, slot_samples
from compliance.watermark.pattern import presence
from compliance.watermark.search import slotted
from tests.bench import report
from tests.bench.watermark import corpus
from tests.bench.watermark.conditions import CONDITIONS
from tests.bench.watermark.marks import day_key

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

PIECE = 10 * RATE_HZ
HELD = 8
"""Minutes that are attacked; the others are what is known."""
PIECES = 5
"""Of each of them."""
KNOWN_S = (25, 37, 60, 180, 300, 600, 1200)
DAY = day_key("attack")
_LONGEST_S = 600
_DRAWN = np.random.default_rng(7)


@dataclass(frozen=True, slots=True)
class Piece:
    """10 s of a call."""

    plain: Samples
    marked: Samples
    position: int


def main() -> int:
    calls = [corpus.resampled(clip.samples, clip.rate_hz, RATE_HZ) for clip in corpus.scoring(minutes=2)]
    random.Random(7).shuffle(calls)
    pieces = [piece for call in calls[:HELD] for piece in _pieces(call)]
    detector = Detector([DAY])
    rows = [_row("nothing", np.zeros((PERIOD_SLOTS, BANDS)), pieces, detector)]
    sums = np.zeros((PERIOD_SLOTS, BANDS))
    known, wanted = 0, list(KNOWN_S)
    for call in calls[HELD:]:
        while wanted and known < wanted[0] * RATE_HZ and len(call):
            part = min(len(call), wanted[0] * RATE_HZ - known)
            if part >= slot_samples(RATE_HZ) * 4:
                _learn(sums, call[:part], detector)
            known, call = known + part, call[part:]
            if known >= wanted[0] * RATE_HZ:
                rows.append(_row(f"{wanted.pop(0)} s", sums, pieces, detector))
                print(rows[-1], flush=True)
    rows.append(_row("the key", presence(DAY.key).astype(np.float64), pieces, detector))
    report.show(f"Watermark: attacked without the key ({len(pieces)} clips of 10 s after mu-law)", rows)
    print(f"saved {report.save('watermark_attack', {'rows': rows})}")
    return 0


def _pieces(call: Samples) -> list[Piece]:
    found = []
    for plain in corpus.pieces(call, PIECE, PIECES):
        position = int(_DRAWN.integers(_LONGEST_S * RATE_HZ))
        marked = Embedder(DAY.key, int(_DRAWN.integers(1 << 32)), RATE_HZ).process(plain, position)
        found.append(Piece(plain, marked, position))
    return found


def _learn(sums: npt.NDArray[np.float64], call: Samples, detector: Detector) -> None:
    """Adds what the ear hears of one more call of that day to each cell of the pattern."""
    slot = int(_DRAWN.integers(PERIOD_SLOTS))
    marked = Embedder(DAY.key, int(_DRAWN.integers(1 << 32)), RATE_HZ).process(call, slot * slot_samples(RATE_HZ))
    features = detector.features(_heard(marked), RATE_HZ)
    slots = features.frames * HOP // slot_samples(RATE_HZ)
    np.add.at(
        sums, (slot + np.arange(slots)) % PERIOD_SLOTS, slotted(features.sums, 0, slots, float(FRAMES_PER_SLOT))
    )


def _row(known: str, sums: npt.NDArray[np.float64], pieces: Sequence[Piece], detector: Detector) -> dict[str, str]:
    present = layers() == PRESENCE
    signs = np.where(present, np.sign(sums), 0)
    right = (signs[present] == presence(DAY.key)[present]).mean()
    off = sum(
        _found(_with(signs, -STRENGTH_DB).process(piece.marked, piece.position), detector) for piece in pieces
    )
    put = sum(_found(_with(signs, STRENGTH_DB).process(piece.plain, piece.position), detector) for piece in pieces)
    return {
        "known of that day": known,
        "signs of presence right": f"{100 * right:.0f} %" if signs.any() else "",
        "taken off: still found": f"{off} of {len(pieces)}",
        "put on other speech: found": f"{put} of {len(pieces)}",
    }


def _with(signs: npt.NDArray[np.float64], strength_db: float) -> Embedder:
    embedder = Embedder(bytes(32), 0, RATE_HZ, strength_db=strength_db)
    embedder._signs = signs.astype(np.int8)
    embedder._kernels.clear()
    return embedder


def _heard(sound: Samples) -> Floats:
    return CONDITIONS["mu-law"].apply(corpus.floats(sound), RATE_HZ, 1).samples


def _found(sound: Samples, detector: Detector) -> bool:
    return detector.detect(_heard(sound), RATE_HZ).found


if __name__ == "__main__":
    sys.exit(main())
