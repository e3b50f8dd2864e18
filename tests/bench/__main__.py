"""`python -m tests.bench [NAME ...]`: all benchmarks or the named ones; tables here, JSON in bench-results/."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from tests.bench import (
    capacity,
    erase,
    fault,
    guard,
    hold,
    knowledge,
    ledger,
    outlet,
    persona,
    ready,
    recall,
    record,
    report,
    turn,
    vault,
    voices,
)

BENCHES: dict[str, Callable[[], Coroutine[Any, Any, dict[str, Any]]]] = {
    "ready": ready.measure,
    "turn": turn.measure,
    "hold": hold.measure,
    "fault": fault.measure,
    "capacity": capacity.measure,
    "outlet": outlet.measure,
    "knowledge": knowledge.measure,
    "recall": recall.measure,
    "guard": guard.measure,
    "persona": persona.measure,
    "record": record.measure,
    "ledger": ledger.measure,
    "vault": vault.measure,
    "erase": erase.measure,
    "voices": voices.measure,
}


def main() -> int:
    names = sys.argv[1:] or list(BENCHES)
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
