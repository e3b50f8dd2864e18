"""The commands about what is kept and proved: calls, requests, erasure, ledger, operators. Thin, as `cli.py`."""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from agent.home import Home

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", help="The twin's home. Default: $TWIN_HOME, else ~/.twin, else the built-in demo twin."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For scripts: JSON on stdout.")]
CALL = "20261122120000-0123456789abcdef"
REQUEST = "R-7K3M-2Q9D"

calls = typer.Typer(help="The calls that were made, as they were heard.")
ledger = typer.Typer(help="The ledger that proves what the twin said and was told.")
requests = typer.Typer(help="What people asked about their data.")
retention = typer.Typer(help="How long things are kept.")
operator = typer.Typer(help="Who may sign in to the console.")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the twin's."""
    app.add_typer(calls, name="calls")
    app.add_typer(ledger, name="ledger")
    app.add_typer(operator, name="operator")
    app.add_typer(retention, name="retention")
    app.add_typer(requests, name="requests")
    app.command(epilog="Example: twin verify voicemail.mp3")(verify)
    app.command(epilog="Example: twin access --subject +493012345 -o access.zip")(access)
    app.command(epilog="Example: twin erase --subject +493012345 --yes --receipt erased.json")(erase)


def home_of(named: Path | None) -> Home:
    from agent.home import find

    return find(named, os.environ)


@calls.command("list", epilog="Example: twin calls list --limit 10")
def list_calls(
    home: HomeOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the calls, the newest first."""
    from rich.console import Console

    from agent import calls as stored

    found = asyncio.run(stored.listed(home_of(home), limit))
    if as_json:
        typer.echo(stored.as_json(found))
    else:
        stored.print_list(Console(), found)


@calls.command(epilog=f"Example: twin calls show {CALL}")
def show(call: Annotated[str, typer.Argument()], home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show one call: the transcript as it was heard, and what happened."""
    from rich.console import Console

    from agent import calls as stored

    found = asyncio.run(stored.shown(home_of(home), call))
    if as_json:
        typer.echo(stored.as_json(found))
    else:
        stored.print_call(Console(), found)


@calls.command(epilog=f"Example: twin calls export {CALL} -o call.json")
def export(
    call: Annotated[str, typer.Argument()],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="The file: .json, or .wav or .m4a for the sound."),
    ],
    home: HomeOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write one call into a JSON file, or what was recorded of it into a signed sound file."""
    from agent import calls as stored

    if output.suffix.lower() in (".wav", ".m4a"):
        from agent import call_sound

        for written in asyncio.run(call_sound.export(home_of(home), call, output, force=force)):
            typer.echo(f"wrote {written}")
        return
    stored.export(asyncio.run(stored.shown(home_of(home), call)), output, force=force)
    typer.echo(f"wrote {output}")


@requests.command("list", epilog="Example: twin requests list")
def list_requests(
    home: HomeOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the requests with their deadlines, the newest first."""
    from rich.console import Console

    from agent import requests as asked

    found = asyncio.run(asked.listed(home_of(home), limit=limit))
    if as_json:
        typer.echo(asked.as_json(found))
    else:
        asked.print_list(Console(), found, now=time.time)


@requests.command(epilog=f"Example: twin requests approve {REQUEST}")
def approve(
    request: Annotated[str, typer.Argument(metavar="NUMBER")],
    home: HomeOption = None,
    reason: Annotated[str, typer.Option(help="Why, where nobody has verified who asks.")] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.zip", help="Where an access package goes.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Approve a request and carry it out."""
    from rich.console import Console

    from agent import requests as asked
    from compliance.forgetting.erasure_receipt import ErasureReceipt

    found, done = asyncio.run(asked.approve(home_of(home), request, reason=reason, output=output))
    if as_json:
        typer.echo(asked.as_json(done))
    elif isinstance(done, ErasureReceipt):
        asked.print_receipt(Console(), done)
    else:
        typer.echo(f"wrote {done.path} for {found.number}")
    raise typer.Exit(1 if isinstance(done, ErasureReceipt) and not done.done else 0)


@requests.command(epilog=f'Example: twin requests reject {REQUEST} --reason "We could not verify who asks."')
def reject(
    request: Annotated[str, typer.Argument(metavar="NUMBER")],
    reason: Annotated[str, typer.Option(help="What the person is told.")],
    home: HomeOption = None,
) -> None:
    """Refuse a request, with the reason that the person is told."""
    from agent import requests as asked

    typer.echo(f"{asyncio.run(asked.reject(home_of(home), request, reason=reason)).number} is rejected")


@ledger.command("verify", epilog="Example: twin ledger verify")
def verify_ledger(
    home: HomeOption = None,
    known: Annotated[
        str, typer.Option(metavar="SIZE:ROOT", help="A head that you noted down elsewhere, to compare with.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Check every entry, signature and head: finds any change, deletion, reordering, truncation or roll-back."""
    from agent.settings import load
    from compliance.proofs.audit import verify_home

    path = home_of(home).path
    report = verify_home(path, load(path).store, known=known)
    typer.echo(json.dumps(report.as_json(), indent=2) if as_json else "\n".join(report.lines))
    raise typer.Exit(0 if report.ok else 1)


@ledger.command("accept", epilog="Example: twin ledger accept --yes")
def accept_ledger(
    home: HomeOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="You did restore a backup, and know what it lacks.")] = False,
) -> None:
    """After a backup was restored: let the older ledger go on, and say for ever that it did."""
    from agent.archive import accept_restored

    if not yes:
        typer.confirm("Was a backup restored, so that the ledger is older than its mirror?", abort=True)
    typer.echo(asyncio.run(accept_restored(home_of(home))))


@operator.command("add", epilog="Example: twin operator add martin --role owner")
def add_operator(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    role: Annotated[
        Literal["owner", "reviewer"],
        typer.Option(help="An owner may do everything; a reviewer reads redacted transcripts."),
    ],
    home: HomeOption = None,
    make_up: Annotated[bool, typer.Option("--make-up", help="Ask for nothing: make up a passphrase.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let somebody sign in; prints, once, the passphrase and the QR code for their authenticator app."""
    from rich.console import Console

    from agent import operators

    passphrase = ""
    if not make_up and not as_json:
        passphrase = operators.ask_passphrase(
            name, lambda question: typer.prompt(question, hide_input=True, default="", show_default=False)
        )
    added = asyncio.run(operators.add(home_of(home), name, role, passphrase))
    if as_json:
        typer.echo(operators.as_json(added))
    else:
        operators.print_added(Console(), added)


@operator.command("list", epilog="Example: twin operator list")
def list_operators(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List who may sign in."""
    from rich.console import Console

    from agent import operators

    found = asyncio.run(operators.listed(home_of(home)))
    if as_json:
        typer.echo(operators.as_json(found))
    else:
        operators.print_list(Console(), found)


@operator.command("disable", epilog="Example: twin operator disable martin")
def disable_operator(name: Annotated[str, typer.Argument()], home: HomeOption = None) -> None:
    """Refuse somebody from now on, and end their sessions."""
    from agent import operators

    typer.echo(f"{asyncio.run(operators.disable(home_of(home), name)).name} may not sign in any more")


@retention.command("sweep", epilog="Example: twin retention sweep --dry-run")
def sweep(
    home: HomeOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete what is past its date; a twin that serves does it by itself."""
    from agent import retention as keeping

    swept = asyncio.run(keeping.sweep(home_of(home), dry_run=dry_run))
    raise typer.Exit(keeping.report(swept, dry_run=dry_run, as_json=as_json))


SubjectOption = Annotated[
    str,
    typer.Option(
        "--subject", help="A phone number (+493012345), an e-mail address, an identity, or call:ID for a call."
    ),
]


def access(
    subject: SubjectOption,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.zip", help="The file to write.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what is kept about a person into a ZIP for them: their words and the twin's, nobody else's."""
    from agent import requests as asked

    package = asyncio.run(asked.access(home_of(home), subject, output))
    typer.echo(asked.as_json(package) if as_json else f"wrote {package.path} ({package.calls} calls)")


def erase(
    subject: SubjectOption,
    home: HomeOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it only what would go is shown.")] = False,
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Where the signed receipt is written.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a person everywhere, and prove it with a signed receipt. Exits 0 only when nothing is left."""
    from rich.console import Console

    from agent import requests as asked

    if receipt is not None:
        asked.vacant(receipt)
    if not yes:
        found = asyncio.run(asked.preview(home_of(home), subject))
        typer.echo(asked.as_json(found) if as_json else asked.in_words(found))
        raise typer.Exit(1)
    done, signed = asyncio.run(asked.erase(home_of(home), subject))
    if receipt is not None:
        asked.save(signed, receipt)
    if as_json:
        typer.echo(asked.as_json(done))
    else:
        asked.print_receipt(Console(), done)
    raise typer.Exit(0 if done.done else 1)


def verify(
    file: Annotated[Path, typer.Argument(help="A sound or video file: WAV, MP3, Opus, M4A, MP4, WebM, FLAC, ...")],
    home: HomeOption = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Try the keys of all days from then on. Default: the newest 400 days."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether this twin made a file: by the watermark in its sound, and by what the file says of itself.

    Exits 0 when it was found by either and nothing contradicts it, 1 when not, 2 when the file cannot be read.
    """
    from agent.verify import CODES, report
    from agent.verify import verify as answer
    from compliance.errors import ProvenanceError, WatermarkError

    day = since.date() if since else None
    try:
        raise typer.Exit(report(asyncio.run(answer(file, home_of(home), since=day)), as_json=as_json))
    except (ProvenanceError, WatermarkError) as error:
        typer.echo(f"error: {error.message}", err=True)
        raise typer.Exit(CODES["unreadable"]) from None
