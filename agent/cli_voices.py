"""`twin voices`: what cloned voices need. Thin, as `cli.py`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from agent.cli_archive import HomeOption, JsonOption, home_of

app = typer.Typer(help="The models of cloned voices: their licences, fetching them, training one of your own.")

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A name from `twin voices list`.")]
_MB = 1_000_000


@app.command("list", epilog="Example: twin voices list")
def list_(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Which models there are, on what terms, and which are here."""
    from agent import voices

    typer.echo(voices.as_json(home_of(home)) if as_json else voices.listed(home_of(home)))


@app.command(epilog="Example: twin voices accept xtts_v2")
def accept(model: ModelArgument, home: HomeOption = None) -> None:
    """Accept a model's licence, once you have read it; nothing is fetched before."""
    from agent import voices

    typer.echo(voices.accept(home_of(home), model))


@app.command(epilog="Example: twin voices fetch xtts_v2")
def fetch(model: ModelArgument, home: HomeOption = None) -> None:
    """Fetch a model; interrupted, it goes on where it stopped."""
    from agent import voices

    def told(done: int, total: int | None) -> None:
        of = f" of {total / _MB:.0f}" if total else ""
        typer.echo(f"\r{done / _MB:.0f}{of} MB", nl=False, err=True)

    folder = asyncio.run(voices.fetch(home_of(home), model, told))
    typer.echo(f"\n{model} is here: {folder}")


@app.command(epilog="Example: twin voices train --language en")
def train(
    home: HomeOption = None,
    dataset: Annotated[
        Path, typer.Option(metavar="DIR", help="LJSpeech form. Default: the recordings of `twin enroll voice`.")
    ] = Path(),
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the model goes. Default: with the enrolled clone.")
    ] = Path(),
    kind: Annotated[Literal["vits", "xtts"], typer.Option(help="What is trained.")] = "vits",
    language: Annotated[str, typer.Option(help="Of the recordings.")] = "en",
    base: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A model to start from; without one it takes days.")
    ] = None,
    trainer: Annotated[
        Path | None, typer.Option(metavar="DIR", help="For xtts: the folder of xtts_v2_trainer.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Times through the recordings.")] = 100,
    batch: Annotated[int, typer.Option(min=1, help="Recordings at once; less needs less memory.")] = 8,
    python: Annotated[
        str, typer.Option(help="An interpreter with coqui-tts. Default: that of `make voices`.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Train a Coqui model on recordings; stopped, the same command goes on from its last save."""
    from agent import voices
    from compliance.errors import SettingsError
    from persona.voice.finetune import Plan

    if dataset != Path() and out == Path():
        raise SettingsError("name the model's folder too: --out DIR")
    plan = Plan(dataset, out, kind=kind, language=language, base=base, trainer=trainer, epochs=epochs, batch=batch)
    folder = voices.run(home_of(home), plan, python=python, as_lines=as_json)
    if as_json:
        typer.echo(json.dumps({"model": str(folder)}))
    else:
        engine = "coqui" if kind == "vits" else "xtts"
        typer.echo(f'set in twin.toml: [voice] engine = "{engine}", model = "{folder}"')
