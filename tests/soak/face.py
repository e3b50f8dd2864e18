"""The face's mouth, counted: interruptions at random, and hours of speech without drift.

    python -m tests.soak.face --count 10000 --hours 8

It fails (exit 1) when a mouth is not shut 60 ms after an interruption, when anything of the old turn is seen after
it, when the speech that follows is not in sync with its samples, or when the mouth is ever late in all the hours.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from avatar.speech import Speech
from tests.unit.avatar.interruptions import interrupt, undisturbed
from tests.unit.avatar.saying import CHUNK, RATE, Door, mouth, say, sentences

SLACK = 1e-4
PER_CALL = 1_000


def interruptions(count: int) -> bool:
    """Whether so many in calls of a thousand each go well."""
    begun = time.monotonic()
    total, moving, stale, out_of_sync, worst = 0, 0, 0, 0, 0.0
    for seed in range(-(-count // PER_CALL)):
        tally = interrupt(min(PER_CALL, count - total), seed)
        total += tally.interruptions
        moving, stale = moving + tally.moving, stale + tally.stale
        out_of_sync, worst = out_of_sync + tally.out_of_sync, max(worst, tally.worst)
    print(f"{total} interruptions in {time.monotonic() - begun:.0f} s: {moving} mouths not shut after 60 ms, "
          f"{stale} stale, {out_of_sync} out of sync (a control off by {worst:.1g} at most)")  # fmt: skip
    return not (moving or stale or out_of_sync)


def drift(hours: float) -> bool:
    """Whether the mouth is still in time at the end of a call that never stops talking."""
    speech = Speech(RATE)
    door = Door(speech)
    worst, utterance = 0.0, 0
    while door.position < hours * 3_600 * RATE:
        sentence = sentences()[utterance % len(sentences())]
        utterance += 1
        begin = say(speech, door, utterance, sentence)
        now = 31 * CHUNK + utterance % CHUNK
        door.tick(33)
        worst = max(worst, float(np.abs(mouth(speech, begin + now) - undisturbed(sentence, now)).max()))
        door.tick((begin + sentence.samples - door.position) // CHUNK + 11)
    print(f"{utterance} sentences in {door.position / RATE / 3600:.1f} h: off by {worst:.1g} at most")
    return worst < SLACK


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=8.0)
    arguments = parser.parse_args()
    held = [interruptions(arguments.count), drift(arguments.hours)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
