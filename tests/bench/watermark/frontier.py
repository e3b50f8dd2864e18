"""Strength against quality: how loud the mark may be, and what that finds.

python -m tests.bench.watermark.frontier [DB ...]
"""

from __future__ import annotations

import sys
from collections import defaultdict
from functools import partial

import numpy as np

from compliance.watermark.embedder import Embedder
from tests.bench import report
from tests.bench.watermark import quality, trials
from tests.bench.watermark.intervals import Share
from tests.bench.watermark.marks import Ours
from tests.bench.watermark.measure import amount

STRENGTHS_DB = (0.8, 1.0, 1.2, 1.4, 1.5, 1.6, 1.8, 2.0, 2.5)
CONDITIONS = ("mu-law", "phone chain", "GSM-FR")
SECONDS = (3.0, 5.0, 10.0)


def at(strength_db: float) -> dict[str, object]:
    """One point of the curve."""
    mark = Ours(embedder=partial(Embedder, strength_db=strength_db))
    of = amount()
    asks = [trials.Asked(condition, seconds, 2) for condition in CONDITIONS for seconds in SECONDS]
    found: dict[tuple[str, float], list[bool]] = defaultdict(list)
    for one in trials.run(mark, of.sources(), asks):
        found[one.condition, one.seconds].append(one.told.found)
    heard = quality.run(mark, trials.sources(of.voices, 1))
    narrow = [one.pesq_narrow for one in heard]
    shares = {
        f"{condition} {seconds:g} s": Share(sum(told), len(told)).percent()
        for (condition, seconds), told in found.items()
    }
    return {
        "dB": strength_db,
        "PESQ mean": f"{np.mean(narrow):.3f}",
        "worst": f"{np.min(narrow):.3f}",
        "speech to change, dB": f"{np.mean([one.snr_db for one in heard]):.1f}",
        **shares,
    }


def main() -> int:
    rows = []
    for strength_db in [float(each) for each in sys.argv[1:]] or STRENGTHS_DB:
        rows.append(at(strength_db))
        print(rows[-1], flush=True)
    report.show("Watermark: strength against quality", rows)
    print(f"saved {report.save('watermark_frontier', {'rows': rows})}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
