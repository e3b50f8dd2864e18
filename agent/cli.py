"""The `twin` command. Thin: every subcommand calls one function elsewhere, loaded only when it is called.

Exit codes: 0 done, 1 not done (one line on stderr says why), 2 the command was written wrongly.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from agent import cli_archive, cli_camera, cli_enrol, cli_mark, cli_rooms, cli_voices, logs
from agent.cli_archive import HomeOption, JsonOption
from compliance.errors import TwinError

app = typer.Typer(
    help="An AI twin that answers your phone and sits in your meetings, and never hides that it is a machine.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
cli_archive.add_to(app)
cli_camera.add_to(app)
cli_rooms.add_to(app)
app.add_typer(cli_enrol.app, name="enroll")
app.add_typer(cli_mark.app, name="mark")
app.add_typer(cli_voices.app, name="voices")


@app.command(epilog="Example: twin init ~/.twin")
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]) -> None:
    """Write a commented example of a twin's home."""
    from agent.example import write

    for file in write(folder.expanduser()):
        typer.echo(f"wrote {file}")
    typer.echo(f"\nNext: edit these files, check them with `twin doctor --home {folder}`,")
    typer.echo(f"and let the twin answer with `twin serve --home {folder}`.")


@app.command(epilog="Example: twin serve --home ~/.twin --port 8080")
def serve(
    home: HomeOption = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Default: 7860. 0: a free one.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes that share the port.")] = None,
) -> None:
    """Answer calls: the talk page, the phone, until Ctrl-C."""
    from agent.greeting import Terminal
    from agent.serve import plan
    from agent.serve import serve as run

    logs.setup(os.environ)
    run(plan(home, host=host, port=port, workers=workers), Terminal())


@app.command(epilog="Example: twin doctor --home ~/.twin")
def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Check what is installed, configured and reachable, and name what mends each."""
    from agent.doctor import examine, report

    raise typer.Exit(report(asyncio.run(examine(home)), as_json=as_json))


@app.command(epilog="Example: twin probe --json")
def probe(
    home: HomeOption = None,
    url: Annotated[
        str | None,
        typer.Option(help="A twin that serves already, as http://127.0.0.1:7860. Default: one of its own."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Call the twin as a synthetic caller, by phone and by browser, and judge every stage."""
    from agent.probe import probe as run
    from agent.probe import report

    raise typer.Exit(report(asyncio.run(run(home, url)), as_json=as_json))


@app.command(epilog='Example: twin say "The office is closed today." -o closed.mp4')
def say(
    text: Annotated[str, typer.Argument(help="What the twin says.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file: .wav or .mp4.")],
    home: HomeOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Say a text into a WAV file or a film, with the twin's voice and face: the disclosure comes first."""
    from agent.say import say as run

    def progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            typer.echo(f"\rsentence {done} of {total}", nl=done == total, err=True)

    seconds = asyncio.run(run(text, output, home, force=force, progress=progress))
    typer.echo(f"wrote {output} ({seconds:.1f} s)")


def main() -> None:
    """The command's entry: an error is one line and exit code 1; `TWIN_DEBUG=1` shows where it came from."""
    logs.setup(os.environ, level=logging.WARNING)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    debug = os.environ.get("TWIN_DEBUG", "") not in ("", "0")
    try:
        code = app(arguments or ["--help"], standalone_mode=False, prog_name="twin")
    except TwinError as error:
        if debug:
            raise
        return _fail(error.message)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted")
    except OSError as error:
        if debug:
            raise
        return _fail(f"{error.filename or 'the system'}: {error.strerror or type(error).__name__}")
    except Exception as error:
        # Whatever it is, a person at a terminal gets one line.
        wrong = getattr(error, "format_message", None)
        if wrong is not None:
            where = getattr(getattr(error, "ctx", None), "command_path", None) or "twin"
            return _fail(f"{wrong()} ({where} --help)", 2)
        if debug:
            raise
        return _fail(f"unexpected {type(error).__name__}; TWIN_DEBUG=1 shows where it comes from")
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int = 1) -> int:
    typer.echo("error: " + " ".join(message.split()), err=True)
    return code


if __name__ == "__main__":
    main()
