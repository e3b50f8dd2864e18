"""`twin probe`: a synthetic caller by phone and by browser, through every stage, with a verdict for each.

The sockets, the codecs and the doors are the real ones, on loopback. By default it calls a twin of its own,
made of the same home and settings, whose records go to a folder that is deleted afterwards: a probe is
no call of the owner's.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.course import PhoneCourse, Stage, WebCourse
from agent.home import find
from agent.line import PhoneLine, WebLine
from agent.opening import KEPT
from agent.probed import names, probed
from agent.serve import Plan
from agent.settings import environment, load
from compliance.disclosure import disclosure, languages
from compliance.errors import TwinError

REQUEST_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Report:
    """The whole probe."""

    stages: tuple[Stage, ...]

    @property
    def passed(self) -> bool:
        return bool(self.stages) and all(stage.verdict == "passed" for stage in self.stages)


async def probe(named: Path | None, url: str | None) -> Report:
    """Call the twin at `url`, or one of its own. Raises `TwinError` when the home cannot be read."""
    home = find(named, os.environ)
    settings, variables = load(home.path), environment(home.path)
    if url is not None:
        return await _probe_there(url.rstrip("/"), Plan(home, settings, variables))
    with tempfile.TemporaryDirectory(prefix="twin-probe-") as folder:
        stages: list[Stage] = []
        try:
            async with probed(Plan(home, settings, variables), Path(folder)) as (house, base_url, token):
                stages.append(Stage("house", "ready", "passed", house.ready_ms, names(house)))
                stages += await PhoneCourse(PhoneLine(base_url, token), house).run()
                stages += await WebCourse(WebLine(base_url), house).run()
        except (TwinError, TimeoutError) as error:
            what = error.message if isinstance(error, TwinError) else "it took too long"
            stages.append(Stage("house", "ready" if not stages else "stopped", "failed", None, what))
        return Report(tuple(stages))


async def _probe_there(url: str, chosen: Plan) -> Report:
    token = chosen.environment.get("TWILIO_AUTH_TOKEN", "")
    stages: list[Stage] = []
    if token:
        stages += await PhoneCourse(PhoneLine(url, token, chosen.settings.twilio.public_url), None).run()
    else:
        stages.append(
            Stage("phone", "answered", "skipped", None, "set TWILIO_AUTH_TOKEN to the one the twin uses")
        )
    stages += await WebCourse(WebLine(url), None, texts=await _disclosures(url)).run()
    return Report(tuple(stages))


async def _disclosures(url: str) -> tuple[str, ...]:
    """What the twin at `url` has to say first, in any of its languages; nothing when it does not say who it is."""
    try:
        async with httpx.AsyncClient(timeout=REQUEST_LIMIT_S, trust_env=False) as client:
            name = str((await client.get(f"{url}/status.json")).json()["name"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return ()
    return tuple(disclosure(code, owner=name, kept=kept).text for code in languages() for kept in KEPT)


def report(result: Report, *, as_json: bool, console: Console | None = None) -> int:
    """Print it; the exit code: 0 when every stage passed."""
    console = console or Console(highlight=False)
    if as_json:
        value: dict[str, Any] = {"passed": result.passed, "stages": [asdict(stage) for stage in result.stages]}
        console.print(json.dumps(value, ensure_ascii=False, indent=2), markup=False, soft_wrap=True)
        return int(not result.passed)
    colours = {"passed": "green", "failed": "bold red", "skipped": "yellow"}
    table = Table("channel", "stage", "verdict", "ms", "", box=None, header_style="bold")
    for stage in result.stages:
        ms = "" if stage.ms is None else f"{stage.ms:.0f}"
        verdict = Text(stage.verdict, style=colours[stage.verdict])
        table.add_row(stage.channel, stage.name, verdict, Text(ms, justify="right"), Text(stage.detail))
    console.print(table)
    return int(not result.passed)
