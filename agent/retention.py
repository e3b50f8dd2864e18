"""`twin retention sweep`: delete what is past its date, or say what would go; and the sweeper of a service."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from agent.archive import opened
from agent.home import Home
from compliance.forgetting.sweeper import Swept
from compliance.retention import KINDS, Kind

NAMES: dict[Kind, str] = {
    "recording": "recordings",
    "words": "calls' words",
    "message": "messages",
    "consent": "consents",
    "evidence": "evidence",
    "request_words": "requests' words",
    "request": "requests",
    "erasure": "erasures",
    "session": "sessions",
    "token": "tokens",
    "call": "calls",
    "name": "names",
    "subject": "people",
}


async def sweep(home: Home, *, dry_run: bool) -> Swept:
    """Delete what is past its date, or only say what would go. Raises `TwinError`."""
    async with opened(home) as archive:
        return await archive.sweeper.sweep(dry_run=dry_run)


def report(swept: Swept, *, dry_run: bool, as_json: bool, console: Console | None = None) -> int:
    """Print what went or would go; the exit code: 0 unless something could not be deleted."""
    console = console or Console(highlight=False)
    if as_json:
        shown = {"dry_run": dry_run, **swept.to_json()}
        console.print(json.dumps(shown, ensure_ascii=False, indent=2), markup=False, soft_wrap=True)
        return 1 if swept.failed else 0
    entries = swept.due if dry_run else swept.gone
    if entries:
        table = Table("What", "How many", "Why", box=None)
        for kind in KINDS:
            of_kind = [entry for entry in entries if entry.kind == kind]
            if of_kind:
                table.add_row(NAMES[kind], str(len(of_kind)), of_kind[0].why)
        console.print("These would go:" if dry_run else "These are gone:")
        console.print(table)
    else:
        console.print("Nothing is past its date." if not swept.failed else "Nothing was deleted.")
    for line in swept.failed:
        console.print(f"not deleted: {line}", style="bold red", markup=False)
    return 1 if swept.failed else 0
