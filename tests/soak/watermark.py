"""The watermark's long counts: false alarms and wrong tokens by the million, the first goal by the thousand.

    python -m tests.soak.watermark --hours 14 --pairs 3750000 --clips 3700 --readings 3750000

With no false alarm among 3.7 million pairs, 1 in a million is outside the two-sided 95 % interval, and so it is
with readings of tokens; with no miss among 3,700 clips, 99.9 % is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from compliance import watermark
from tests.bench import report
from tests.bench.face.rows import Row
from tests.bench.watermark import alarms, trials, words
from tests.bench.watermark.goals import GOALS
from tests.bench.watermark.measure import Amount, measured
from tests.bench.watermark.rows import alarm_rows, word_rows
from tests.bench.watermark.voices import SCORING, TUNING, Engine

_BATCH = 20
"""Minutes after which the count so far is printed and kept."""
_KEPT = report.FOLDER / "watermark_count.json"
_NEAR = 0.999
_COUNTED = (
    "chance.py", "detector.py", "ear.py", "ear.npz", "embedder.py", "layout.py", "pattern.py", "search.py",
)  # fmt: skip
"""Another count begins when one of these changes."""


def count(hours: float, pairs: int) -> list[Row]:
    """False alarms in so many hours of speech, nobody's twice. One that was ended goes on where it was."""
    voices = [voice for voice in (*SCORING, *TUNING) if voice.at_hand]
    synthetic = [voice for voice in voices if voice.engine is not Engine.PERSON]
    minutes = math.ceil(hours * 60 / max(1, len(synthetic)))
    of = trials.sources(voices, 2) + [one for one in trials.sources(synthetic, minutes) if one.number >= 2]
    keys = math.ceil(pairs / (len(of) * alarms.CLIPS))
    what = _what(of, keys)
    done, found = _kept(what)
    for begin in range(done, len(of), _BATCH):
        batch = alarms.run(of[begin : begin + _BATCH], keys)
        found.unmarked.join(batch.unmarked)
        found.marked.join(batch.marked)
        kinds = {"unmarked": _told(found.unmarked), "marked": _told(found.marked)}
        report.FOLDER.mkdir(exist_ok=True)
        part = _KEPT.with_suffix(".part")
        part.write_text(json.dumps({"of": what, "done": begin + _BATCH, **kinds}), "utf-8")
        part.replace(_KEPT)
        both = found.unmarked.pairs + found.marked.pairs
        seconds = found.unmarked.seconds + found.marked.seconds
        false = found.unmarked.alarms + found.marked.alarms
        print(f"{seconds / 3600:.2f} h, {both} pairs, {false} false alarms", flush=True)
    return alarm_rows(found)


def _what(of: Sequence[trials.Source], keys: int) -> str:
    """What is counted: the program, and in what."""
    told = hashlib.sha256(repr((keys, [(one.voice.name, one.number) for one in of])).encode())
    for name in _COUNTED:
        told.update((Path(watermark.__file__).parent / name).read_bytes())
    return told.hexdigest()


def _kept(what: str) -> tuple[int, alarms.Alarms]:
    """How many minutes of speech were counted before, and what was found in them."""
    if not _KEPT.exists():
        return 0, alarms.Alarms()
    before = json.loads(_KEPT.read_text("utf-8"))
    if before["of"] != what:
        return 0, alarms.Alarms()
    return before["done"], alarms.Alarms(_read(before["unmarked"]), _read(before["marked"]))


def _told(one: alarms.Counted) -> dict[str, Any]:
    return {**asdict(one), "at_most": one.at_most.tolist()}


def _read(one: dict[str, Any]) -> alarms.Counted:
    return alarms.Counted(**{**one, "at_most": np.array(one["at_most"], np.int64)})


def detection(clips: int) -> list[Row]:
    """The goals so near to 1 that it takes thousands of clips to tell them from a little less, so many of each."""
    goals = tuple(goal for goal in GOALS if goal.least and goal.least >= _NEAR)
    voices = tuple(voice for voice in SCORING if voice.at_hand)
    engines = sum(voice.engine is not Engine.PERSON for voice in voices)
    # Each of these goals takes twice the amount, and of people there are a few minutes only.
    amount = math.ceil(clips / 2 * len(voices) / max(1, engines))
    result = measured(Amount(amount, voices, goals, keys=0), ["detection"])
    return [Row(**row) for row in result["rows"]]


def tokens(readings: int) -> list[Row]:
    """Words that nobody put on."""
    voices = [voice for voice in SCORING if voice.at_hand and voice.engine is not Engine.PERSON]
    each = math.ceil(words.minutes(readings) / max(1, len(voices)))
    return word_rows(*words.run(trials.sources(voices, each)))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--hours",
        type=float,
        default=14.0,
        help="of speech for the false alarms, three quarters unmarked",
    )
    parser.add_argument("--pairs", type=int, default=3_750_000, help="of a clip and a wrong key")
    parser.add_argument("--clips", type=int, default=3_700, help="for each goal of 99.9 %%; 0 for none")
    parser.add_argument("--readings", type=int, default=3_750_000, help="of a clip for tokens that are not there")
    asked = parser.parse_args(arguments)
    rows = count(asked.hours, asked.pairs) if asked.pairs else []
    rows += detection(asked.clips) if asked.clips else []
    rows += tokens(asked.readings) if asked.readings else []
    report.show("Watermark, long counts", [row.cells() for row in rows])
    print(f"saved {report.save('watermark_soak', {'rows': [row.cells() for row in rows]})}")
    return 1 if any(row.holds is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
