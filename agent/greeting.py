"""What the terminal shows of a twin that serves: who, where, with what, and what would make it better."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Column, Table
from rich.text import Text

from agent.engines.lineup import Lineup, ModelState
from agent.home import Home
from agent.house import House
from agent.settings import Settings

LOOK_EVERY_S = 0.5
PLAIN_STEP = 0.25
"""A terminal that cannot redraw gets a line for each quarter of a model."""
MEGABYTE = 1_000_000


class Terminal:
    """Where it is written; lines on a terminal that can redraw, plain lines anywhere else."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)

    def ready(self, house: House, home: Home, address: str, *, phone: bool, nobody: bool) -> None:
        """One block, once the first call could come; `nobody`: there is none who may sign in to the console."""
        self._head(house.persona.profile.name, address, house.settings)
        names = house.lineup.names
        rows = [
            ("listens", names["speech"], _speech_hint(house)),
            ("thinks", names["brain"], _brain_hint(house.settings)),
            ("speaks", names["voice"], ""),
            ("phone", *_phone(phone, house.settings)),
            ("console", "/console", _console_hint(home, nobody=nobody)),
            ("home", str(home.path), _home_hint(home)),
        ]
        self._rows(rows)

    def workers_ready(
        self, name: str, home: Home, address: str, settings: Settings, *, phone: bool, nobody: bool
    ) -> None:
        """The same for several processes, each with engines of its own."""
        self._head(name, address, settings)
        each = settings.limits.max_calls
        self._rows(
            [
                ("workers", str(settings.server.workers), f"each carries {each} calls"),
                ("engines", f"{settings.speech.engine}, {settings.brain.engine}, {settings.voice.engine}", ""),
                ("phone", *_phone(phone, settings)),
                ("console", "/console", _console_hint(home, nobody=nobody)),
                ("home", str(home.path), _home_hint(home)),
            ]
        )

    async def models(self, lineup: Lineup) -> None:
        """Show models as they arrive, until none is on its way."""
        await asyncio.sleep(0)
        coming = [model for model in lineup.models if model.state in ("absent", "fetching", "loading")]
        for model in coming:
            if self._console.is_terminal:
                await self._bar(model)
            else:
                await self._lines(model)
            self._console.print(_outcome(model))

    def _head(self, name: str, address: str, settings: Settings) -> None:
        self._console.print(
            f"\n  [bold]{name}[/bold]'s AI twin is ready: [bold]{address}[/bold]   (Ctrl-C stops it)\n"
        )
        if not is_loopback(settings.server.host):
            self._console.print(
                f"  [yellow]warning:[/yellow] it listens on {settings.server.host}: others can reach it, "
                "unencrypted. Browsers give the\n  microphone only to https or localhost: put a TLS proxy in "
                "front, and list its address in \\[web] allowed_origins.\n"
            )

    def _rows(self, rows: list[tuple[str, str, str]]) -> None:
        wide = max(len(value) for what, value, _ in rows if what != "home")
        for what, value, hint in rows:
            row = Text.assemble(f"  {what:<9} {value:<{wide}}  ", (hint, "dim"))
            row.rstrip()
            if self._console.is_terminal and what != "home":
                # A hint is folded below itself; a path has the rest of the line, and stays whole to be copied.
                grid = Table.grid(Column(no_wrap=True), Column())
                grid.add_row(f"  {what:<9} {value:<{wide}}  ", Text(hint, "dim"))
                self._console.print(grid, soft_wrap=False)
            else:
                self._console.print(row)
        self._console.print()

    async def _bar(self, model: ModelState) -> None:
        columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(f"fetching Whisper {model.name}", total=None)
            await _follow(
                model, lambda: progress.update(task, completed=model.done_bytes, total=model.total_bytes)
            )

    async def _lines(self, model: ModelState) -> None:
        shown = -1.0

        def show() -> None:
            nonlocal shown
            done = model.done_bytes / model.total_bytes if model.total_bytes else 0.0
            if (model.state == "fetching" and done - max(shown, 0.0) >= PLAIN_STEP) or shown < 0:
                shown = done
                total = f" of {model.total_bytes / MEGABYTE:.0f}" if model.total_bytes else ""
                self._console.print(
                    f"  fetching Whisper {model.name}: {model.done_bytes / MEGABYTE:.0f}{total} MB"
                )

        await _follow(model, show)


async def _follow(model: ModelState, show: Callable[[], None]) -> None:
    while model.state in ("absent", "fetching", "loading"):
        show()
        await asyncio.sleep(LOOK_EVERY_S)


def _outcome(model: ModelState) -> str:
    if model.state == "ready":
        return f"  Whisper {model.name} is here and serves from the next call on"
    return f"  Whisper could not be fetched, what listens now goes on: {model.why}"


def is_loopback(host: str) -> bool:
    """True when only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _speech_hint(house: House) -> str:
    states = {model.state for model in house.lineup.models}
    if "absent" in states and not house.settings.speech.fetch:
        return "short, clear English; the Whisper model is not here, and [speech] fetch is off"
    if states & {"absent", "fetching", "loading"}:
        return "short, clear English; Whisper is being fetched and serves from the next call on"
    if "failed" in states:
        return "the Whisper model could not be loaded: twin doctor says why"
    return ""


def _brain_hint(settings: Settings) -> str:
    if settings.brain.engine == "grounded":
        return "from the owner's facts only; a language model is one setting away: twin doctor"
    return f"{settings.brain.model}; grounded when it fails".lstrip("; ")


def _phone(connected: bool, settings: Settings) -> tuple[str, str]:
    if connected:
        return "Twilio", settings.twilio.public_url
    return "not connected", "set TWILIO_AUTH_TOKEN; README.md walks through buying a number"


def _console_hint(home: Home, *, nobody: bool) -> str:
    return f"nobody may sign in yet: {home.command('twin operator add NAME --role owner')}" if nobody else ""


def _home_hint(home: Home) -> str:
    return "the built-in demo; make your own: twin init ~/.twin" if home.demo else ""
