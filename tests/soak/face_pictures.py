"""A twin interrupted again and again, counted on its pictures.

    python -m tests.soak.face_pictures --count 10000

It fails (exit 1) when a picture of an old epoch is handed out, or shows an open mouth later than 80 ms after an
interruption.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from tests.bench.face import people, takes, talk
from tests.bench.face.interrupting import LIMIT_MS, Conversation
from tests.bench.face.mouths import Mouths
from tests.faces import faces_cache


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    count: int = parser.parse_args().count
    begun = time.monotonic()
    said = asyncio.run(talk.spoken(takes.RATE_HZ))
    talks = Conversation(people.drawn(), said, {}, Mouths(faces_cache()), seed=2)
    try:
        found = talks.run(count)
    finally:
        talks.close()
    latest = max(found.shut_ms, default=0.0)
    took_s = time.monotonic() - begun
    print(
        f"{found.interruptions} interruptions in {took_s:.0f} s, {len(found.shut_ms)} of an open mouth: "
        f"{found.stale} stale pictures, {found.late_open} of {found.late} open after {LIMIT_MS:.0f} ms; "
        f"the latest shut after {latest:.0f} ms"
    )
    return 0 if not found.stale and not found.late_open and latest <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
