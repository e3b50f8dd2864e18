"""Hours of a caller whose clock is not ours, over a network that is often late: the recording must not drift.

    python -m tests.soak.drift --hours 8

Every piece of the caller's sound is laid as in a call; where the next frame is laid is compared with the truth. It
fails (exit 1) when that is ever off by more than a tick of the outlet's clock, or when sound was lost or cut.
"""

from __future__ import annotations

import argparse
import random
import sys

import numpy as np

from compliance.sound.tracks import CallerTrack

RATE = 8_000
TICK = 160
TICK_S = 0.02
LIMIT_MS = 20.0
SETTLED_TICKS = 500


def worst_ms(ppm: int, hours: float, *, jitter_ms: float = 15.0) -> tuple[float, CallerTrack]:
    """How far the track was from the truth at worst, and the track."""
    late = random.Random(ppm)
    track = CallerTrack(caller_hz=RATE, rate_hz=RATE)
    piece = np.zeros(TICK, np.int16)
    worst = 0.0
    for number in range(1, int(hours * 3_600 / TICK_S)):
        sent_s = number * TICK_S * (1 + ppm / 1e6)
        now = int((sent_s + abs(late.gauss(0, jitter_ms / 1_000))) / TICK_S) * TICK
        track.add(piece, now)
        if number % 5 == 0:
            track.take(now)
            lag = track.lag
            if lag is not None and number > SETTLED_TICKS:
                # The clock is read between two ticks: on average it is half a tick behind.
                worst = max(worst, abs(lag - (sent_s * RATE - number * TICK - TICK / 2)))
    return worst * 1_000 / RATE, track


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    hours = parser.parse_args().hours
    failed = False
    for ppm in (-200, 0, 200):
        worst, track = worst_ms(ppm, hours)
        failed = failed or worst > LIMIT_MS or track.frames_lost > 0 or track.frames_cut > 0
        print(f"{ppm:+d} ppm, {hours:g} h: {worst:.1f} ms off at worst, "
              f"{track.frames_lost} frames lost, {track.frames_cut} cut")  # fmt: skip
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
