"""How much of what a meeting comes down to the digest finds by its rules, on scripted meetings.

`tuning` and `scoring` are what the rules were written and widened on; `unseen` was written afterwards. After its
first run three labels were mended and the rule for promises changed: no set is a hold-out any more.
"""

from __future__ import annotations

from typing import Any

from tests.bench import report
from tests.unit.agent.meeting.minutes.scripted import meetings, score

SETS = ("tuning", "scoring", "unseen")
KINDS = ("question", "decision", "action", "promise", "statement", "unknown")


async def measure() -> dict[str, Any]:
    """Recall and precision of each kind in each set, as a table and as numbers."""
    rows: list[dict[str, Any]] = []
    for which in SETS:
        listed = meetings(which)
        done = score(listed)
        for kind in KINDS:
            rows.append(
                {
                    "set": which,
                    "meetings": len(listed),
                    "what": kind,
                    "there": done.wanted[kind],
                    "found": done.found[kind],
                    "right": done.right[kind],
                    "recall": round(done.recall(kind), 2),
                    "precision": round(done.precision(kind), 2),
                }
            )
    report.show("the digest of a meeting, by rules", rows)
    return {"rows": rows}
