"""`twin mark`: the keys of the watermark. Thin, as `cli.py`."""

from __future__ import annotations

import asyncio

import typer

from agent.cli_archive import HomeOption, home_of

app = typer.Typer(help="The watermark in everything that the twin says.")


@app.callback()
def mark() -> None:
    """The watermark in everything that the twin says."""


@app.command(epilog="Example: twin mark rotate")
def rotate(home: HomeOption = None) -> None:
    """Mark with a new key from now on, e.g. when the old one may be known; what was said before is still found."""
    from agent.marking import rotate as make_new

    typer.echo(f"key {asyncio.run(make_new(home_of(home)))} marks from now on; calls in progress keep theirs")
