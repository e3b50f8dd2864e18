"""Numbers to tables and files."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path("bench-results")


def quantile(values: Sequence[float], q: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else float("nan")


def summary(values: Sequence[float]) -> dict[str, float]:
    """P50, P95, P99 and how many."""
    spread = {f"p{round(q * 100)}": round(quantile(values, q), 1) for q in (0.5, 0.95, 0.99)}
    return {**spread, "n": len(values)}


def show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """A plain table, one row a line."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(len(column), *(len(line[i]) for line in cells)) for i, column in enumerate(columns)]
    print(f"\n{title}")
    print("  ".join(column.ljust(width) for column, width in zip(columns, widths, strict=True)))
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def save(name: str, result: dict[str, Any]) -> Path:
    """The result as JSON, with what it was measured on."""
    FOLDER.mkdir(exist_ok=True)
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
        "load_before": os.getloadavg()[0],
    }
    path = FOLDER / f"{name}.json"
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    path.write_text(json.dumps({"name": name, "at": at, "machine": machine, **result}, indent=2) + "\n", "utf-8")
    return path
