"""Strength against quality: how loud the mark may be and how long its filters, and what that finds.

python -m tests.bench.watermark.frontier [DB@MS ...]
"""

from __future__ import annotations

import sys
from collections import defaultdict
from functools import partial

import numpy as np

from compliance.watermark.embedder import STRENGTH_DB, TAPS_MS, Embedder
from tests.bench import report
from tests.bench.watermark import quality, trials
from tests.bench.watermark.intervals import Share
from tests.bench.watermark.marks import Ours
from tests.bench.watermark.voices import TUNING

POINTS = (
    (2.15, 15),
    (2.35, 15),
    (2.35, 12),
    (2.7, 12),
    (2.35, TAPS_MS),
    (STRENGTH_DB, TAPS_MS),
    (2.7, 8),
    (3.0, 8),
)
ASKED = (
    ("mu-law", 3.0),
    ("phone chain", 3.0),
    ("GSM-FR", 5.0),
    ("AMR-NB 4.75", 10.0),
    ("white noise 10 dB", 10.0),
)
"""What a softer mark loses first."""
MINUTES, CLIPS = 5, 2
"""Of each voice, and of each minute and condition."""


def at(strength_db: float, taps_ms: int) -> dict[str, object]:
    """One point of the curve, by the voices that the design may be fitted to."""
    mark = Ours(embedder=partial(Embedder, strength_db=strength_db, taps_ms=taps_ms))
    asks = [trials.Asked(condition, seconds, CLIPS) for condition, seconds in ASKED]
    of = trials.sources(TUNING, MINUTES)
    found: dict[tuple[str, float], list[bool]] = defaultdict(list)
    for one in trials.run(mark, of, asks):
        found[one.condition, one.seconds].append(one.told.found)
    heard = quality.run(mark, of)
    shares = {
        f"{condition} {seconds:g} s": Share(sum(told), len(told)).percent()
        for (condition, seconds), told in found.items()
    }
    return {
        "dB": strength_db,
        "filter, ms": taps_ms,
        "PESQ mean": f"{quality.mean(heard)[0]:.3f}",
        "worst": f"{min(one.pesq_narrow for one in heard):.3f}",
        "speech to change, dB": f"{np.mean([one.snr_db for one in heard]):.1f}",
        **shares,
    }


def point(told: str) -> tuple[float, int]:
    """`2.35@15`, or `2.35` with the filter that is used."""
    strength_db, _, taps_ms = told.partition("@")
    return float(strength_db), int(taps_ms or TAPS_MS)


def main() -> int:
    rows = []
    for strength_db, taps_ms in [point(each) for each in sys.argv[1:]] or POINTS:
        rows.append(at(strength_db, taps_ms))
        print(rows[-1], flush=True)
    report.show("Watermark: strength against quality", rows)
    print(f"saved {report.save('watermark_frontier', {'rows': rows})}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
