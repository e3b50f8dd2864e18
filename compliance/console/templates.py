"""HTML from templates: escaped always, rendered off the event loop, where a long page would cut into calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

BASE = "/console"
"""Where the console is mounted; every link and cookie of it begins here."""


class Templates:
    """The templates in `pages/` of these packages; earlier packages come first, the console's layout last."""

    def __init__(self, *packages: str) -> None:
        folders = [Path(str(resources.files(name))) / "pages" for name in (*packages, "compliance.console")]
        # StrictUndefined: a value that a page forgot is an error, not an empty place in a legal text.
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["base"] = BASE
        self._environment.filters |= {
            "when": when,
            "day": day,
            "clock": clock,
            "iso": iso,
            "lasting": lasting,
            "thousands": thousands,
        }

    async def render(self, template: str, values: Mapping[str, Any]) -> str:
        """The text of `pages/<template>` with these values."""
        return await asyncio.to_thread(lambda: self._environment.get_template(template).render(values))


def when(ms: int | None) -> str:
    """`22 Nov 2026, 14:03` in this machine's time zone; a dash for None."""
    return "–" if ms is None else _local(ms).strftime("%-d %b %Y, %H:%M")


def day(ms: int | None) -> str:
    """`22 Nov 2026`."""
    return "–" if ms is None else _local(ms).strftime("%-d %b %Y")


def clock(ms: int | None) -> str:
    """`14:03:09`."""
    return "–" if ms is None else _local(ms).strftime("%H:%M:%S")


def iso(ms: int) -> str:
    """`2026-11-22T14:03:09Z`, for machines."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lasting(ms: int | None) -> str:
    """`3 min 07 s`; a dash for None."""
    if ms is None:
        return "–"
    minutes, seconds = divmod(max(0, ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def thousands(number: int) -> str:
    """`12 345`, with a space that does not break."""
    return f"{number:,}".replace(",", "\u202f")


def _local(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone()
