"""What a browser in a LiveKit room sees and hears, by its own clock: picture against sound, interruptions, size.

The twin beeps and shows a code (`tests/behaviour/room_seen.py`), the server and Chromium are real. `ROOM_SECONDS`
and `ROOM_INTERRUPTIONS` change the length. Both kinds of server are measured: one that tells receivers that
picture and sound belong together (`sync_streams`), and one that does not, which is LiveKit's default.
"""

from __future__ import annotations

import os
import statistics
from typing import Any

from tests.behaviour.room_seen import SYNC, Seen, seen
from tests.bench import report

SECONDS = float(os.environ.get("ROOM_SECONDS", "600"))
INTERRUPTIONS = int(os.environ.get("ROOM_INTERRUPTIONS", "40"))
GOAL_MS = 40.0


async def measure() -> dict[str, Any]:
    """Ten minutes with `sync_streams`, and a tenth of it without."""
    rows = [
        row("sync_streams", await seen(seconds=SECONDS, interruptions=INTERRUPTIONS, settings=SYNC)),
        row("without", await seen(seconds=SECONDS / 10, interruptions=INTERRUPTIONS // 10, settings="")),
        row(
            "1280x720",
            await seen(seconds=SECONDS / 10, interruptions=INTERRUPTIONS // 10, settings=SYNC, size=(1280, 720)),
        ),
    ]
    report.show(f"A browser in a room: picture less sound in ms (goal within +-{GOAL_MS:g})", rows)
    return {"rows": rows, "goal_ms": GOAL_MS, "seconds": SECONDS}


def row(name: str, got: Seen) -> dict[str, Any]:
    offsets = sorted(got.offsets_ms)
    video, audio = got.stats.get("video", {}), got.stats.get("audio", {})
    return {
        "server": name,
        "pips": len(offsets),
        "mean": round(statistics.fmean(offsets), 1),
        "p1": round(report.quantile(offsets, 0.01), 1),
        "p99": round(report.quantile(offsets, 0.99), 1),
        "outside": sum(abs(offset) > GOAL_MS for offset in offsets),
        "chromium": round(statistics.fmean(got.playout_ms), 1) if got.playout_ms else "",
        "interruptions": got.epochs,
        "stale": got.stale,
        "backwards": got.backwards,
        "pictures": len(got.witnessed.shown),
        "unread": got.witnessed.unread,
        "sizes": "/".join(size for _, size in got.witnessed.sizes),
        "freezes": video.get("freezeCount", ""),
        "concealed_ms": round(float(str(audio.get("concealedSamples", 0))) / 48),
        "late_beats": got.late_beats,
        "bytes_lost": got.captured - got.sent,
    }
