"""The watermark's long counts: false alarms over millions of pairs, and thousands of clips of the first goals.

    python -m tests.soak.watermark --hours 14 --pairs 4000000 --clips 3000

With no false alarm among 3.7 million pairs a rate above 1 in a million is excluded with 95 % confidence.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

from tests.bench import report
from tests.bench.face.rows import Row
from tests.bench.watermark import alarms, trials
from tests.bench.watermark.goals import GOALS
from tests.bench.watermark.measure import Amount, measured
from tests.bench.watermark.rows import alarm_rows
from tests.bench.watermark.voices import SCORING, TUNING, Engine

_BATCH = 20
"""Minutes after which the count so far is printed."""


def count(hours: float, pairs: int) -> list[Row]:
    """False alarms in so many hours of speech, nobody's twice."""
    voices = [voice for voice in (*SCORING, *TUNING) if voice.at_hand]
    synthetic = [voice for voice in voices if voice.engine is not Engine.PERSON]
    minutes = math.ceil(hours * 60 / max(1, len(synthetic)))
    of = trials.sources(voices, 2) + [one for one in trials.sources(synthetic, minutes) if one.number >= 2]
    keys = math.ceil(pairs / (len(of) * alarms.CLIPS))
    found = alarms.Alarms()
    for begin in range(0, len(of), _BATCH):
        batch = alarms.run(of[begin : begin + _BATCH], keys)
        found.unmarked.join(batch.unmarked)
        found.marked.join(batch.marked)
        both = found.unmarked.pairs + found.marked.pairs
        seconds = found.unmarked.seconds + found.marked.seconds
        false = found.unmarked.alarms + found.marked.alarms
        print(f"{seconds / 3600:.2f} h, {both} pairs, {false} false alarms", flush=True)
    return alarm_rows(found)


def detection(clips: int) -> list[Row]:
    """The first goals, with enough clips to tell 99.9 % from 99.7 %."""
    goals = tuple(goal for goal in GOALS if goal.often)
    voices = tuple(voice for voice in SCORING if voice.at_hand)
    result = measured(Amount(math.ceil(clips / 2), voices, goals, keys=0), ["detection"])
    return [Row(**row) for row in result["rows"]]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--hours",
        type=float,
        default=14.0,
        help="of speech for the false alarms, three quarters unmarked",
    )
    parser.add_argument("--pairs", type=int, default=4_000_000, help="of a clip and a wrong key")
    parser.add_argument("--clips", type=int, default=3_000, help="for each of the first goals; 0 for none")
    asked = parser.parse_args(arguments)
    rows = count(asked.hours, asked.pairs) if asked.pairs else []
    rows += detection(asked.clips) if asked.clips else []
    report.show("Watermark, long counts", [row.cells() for row in rows])
    print(f"saved {report.save('watermark_soak', {'rows': [row.cells() for row in rows]})}")
    return 1 if any(row.holds is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
