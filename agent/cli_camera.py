"""`twin camera`. Thin, as `cli.py`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from agent.cli_archive import HomeOption


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(epilog="Example: twin camera --home ~/.twin")(camera)


def camera(
    home: HomeOption = None,
    now: Annotated[bool, typer.Option("--now", help="Begin at once, without waiting for Enter.")] = False,
) -> None:
    """Be this machine's camera and microphone in a video meeting, until q."""
    from agent.camera import camera as run
    from agent.camera_window import Window
    from agent.serve import plan

    reason = asyncio.run(run(plan(home), Window(), now=now))
    typer.echo(f"left: {reason}" if reason else "left before it began")
