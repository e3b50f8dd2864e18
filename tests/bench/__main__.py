"""`python -m tests.bench [NAME ...]`: all benchmarks or the named ones; tables here, JSON in bench-results/.

With `--quick` those that can be are made small (`face`), to see that they work.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from tests.bench import (
    camera,
    capacity,
    erase,
    face_render,
    fault,
    fleet,
    guard,
    hold,
    knowledge,
    ledger,
    meeting,
    minutes,
    outlet,
    persona,
    ready,
    recall,
    record,
    report,
    room,
    turn,
    vault,
    voices,
)
from tests.bench.addressee import measure as addressee
from tests.bench.face import measure
from tests.bench.face.rows import QUICK
from tests.bench.watermark import measure as watermark

BENCHES: dict[str, Callable[[], Coroutine[Any, Any, dict[str, Any]]]] = {
    "ready": ready.measure,
    "turn": turn.measure,
    "hold": hold.measure,
    "fault": fault.measure,
    "fleet": fleet.measure,
    "camera": camera.measure,
    "capacity": capacity.measure,
    "outlet": outlet.measure,
    "meeting": meeting.measure,
    "minutes": minutes.measure,
    "knowledge": knowledge.measure,
    "recall": recall.measure,
    "guard": guard.measure,
    "persona": persona.measure,
    "record": record.measure,
    "ledger": ledger.measure,
    "vault": vault.measure,
    "erase": erase.measure,
    "voices": voices.measure,
    "room": room.measure,
    "face": measure.measure,
    "face_render": face_render.measure,
    "addressee": addressee.measure,
    "watermark": watermark.measure,
}


def main() -> int:
    names = [name for name in sys.argv[1:] if name != "--quick"] or list(BENCHES)
    if "--quick" in sys.argv[1:]:
        os.environ[QUICK] = "1"
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"error: no benchmark {unknown[0]!r}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for name in names:
        result = asyncio.run(BENCHES[name]())
        print(f"saved {report.save(name, result)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
