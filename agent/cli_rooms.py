"""`twin join` and `twin worker`: meetings in LiveKit rooms. Thin, as `cli.py`."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated, Literal

import typer

from agent import logs
from agent.cli_archive import HomeOption


def add_to(app: typer.Typer) -> None:
    """Register both commands."""
    app.command(epilog="Example: twin join --url wss://livekit.example.org --room standup")(join)
    app.command(epilog="Example: twin worker --home ~/.twin")(worker)


def join(
    home: HomeOption = None,
    url: Annotated[str, typer.Option(help="Of the LiveKit server. Default: LIVEKIT_URL.")] = "",
    room: Annotated[str, typer.Option(help="The room's name.")] = "",
    token: Annotated[
        str, typer.Option(help="A ticket to the room. Default: one is made with LIVEKIT_API_KEY and its secret.")
    ] = "",
    name: Annotated[
        str, typer.Option(help="Shown in the list of people, before the words that say that it is an AI twin.")
    ] = "",
    mode: Annotated[
        Literal["silent", "on_request", "active"] | None, typer.Option(help="Default: [meeting] mode.")
    ] = None,
) -> None:
    """Join one meeting, until it is over, the twin is sent away, or Ctrl-C."""
    from agent.fleet.in_process import Invitation
    from agent.fleet.in_process import join as run
    from agent.home import find

    logs.setup(os.environ)
    invitation = Invitation(url=url, room=room, token=token, name=name, mode=mode)
    reason = asyncio.run(run(find(home, os.environ), invitation))
    typer.echo(f"left: {reason}")


def worker(home: HomeOption = None) -> None:
    """Serve the rooms that send for the twin, each in a process of its own, until Ctrl-C or SIGTERM."""
    from agent.fleet.access import Access
    from agent.fleet.worker import work
    from agent.home import find
    from agent.settings import environment, load

    logs.setup(os.environ)
    found = find(home, os.environ)
    asyncio.run(work(found, load(found.path), Access.of(environment(found.path))))
