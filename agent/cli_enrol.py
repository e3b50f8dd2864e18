"""`twin enroll`: give recordings and the spoken consent, or take it back. Thin, as `cli.py`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from agent.cli_archive import HomeOption, JsonOption, home_of
from compliance.errors import SettingsError

if TYPE_CHECKING:
    from agent.enrol import Enrolled, Wish
    from agent.home import Home
    from compliance.likeness.statement import Challenge, Likeness
    from persona.voice.recordings import Recordings
    from persona.voice.sound import Sound

app = typer.Typer(help="The owner's consent to a cloned voice or face; nothing is said or shown in it without.")

RevokeOption = Annotated[
    bool, typer.Option("--revoke", help="Take the consent back: silent within a second, also at providers.")
]
READ_ALOUD = "Read the following aloud, word for word, in the voice of the recordings:"


@app.command(epilog="Example: twin enroll voice monday.wav tuesday.m4a --record")
def voice(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Recordings of the owner alone: WAV, FLAC, MP3, OGG, M4A, WebM.")
    ] = None,
    home: HomeOption = None,
    record: Annotated[bool, typer.Option("--record", help="Record from the microphone, too.")] = False,
    challenge: Annotated[
        bool, typer.Option("--challenge", help="Only print the statement to be read, and its id; for scripts.")
    ] = False,
    statement: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The statement as it was read aloud, within ten minutes.")
    ] = None,
    challenge_id: Annotated[str, typer.Option(metavar="ID", help="Of the statement that was read.")] = "",
    engine: Annotated[
        str,
        typer.Option(
            help="Who clones it; elevenlabs, cartesia, resemble get the recordings. Default: espeak, here."
        ),
    ] = "",
    uses: Annotated[
        str, typer.Option(help="What the clone may do, by commas: calls, meetings, messages, videos.")
    ] = "calls,meetings,messages",
    months: Annotated[int, typer.Option(min=1, max=24, help="How long the consent holds.")] = 12,
    language: Annotated[str, typer.Option(help="Of the statement. Default: the twin's.")] = "",
    transcribe: Annotated[
        bool, typer.Option(help="Write down what the clips say; training a voice of its own needs it.")
    ] = True,
    anyway: Annotated[bool, typer.Option("--anyway", help="Go on with recordings that are not good.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    revoke: RevokeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check recordings, hear the owner's consent, and keep what the clone is made of."""
    if revoke:
        _revoke(home, "voice", as_json=as_json)
        return
    from agent import enrol

    where, wish = home_of(home), _wish(uses, months, language, engine)
    if challenge:
        _print_challenge(where, asyncio.run(enrol.draw(where, wish)), as_json=as_json)
        return
    if (statement is None) != (not challenge_id):
        raise SettingsError("--statement and --challenge-id belong together; --challenge prints an id")
    recordings = _looked_at(files or [], record=record, anyway=anyway, as_json=as_json)
    if enrol.leaves(engine) and not yes:
        question = f"These recordings are sent to {engine}, which clones the voice. Go on?"
        typer.confirm(question, abort=True, err=as_json)
    if statement is not None:
        from persona.voice.sound import read

        spoken = read(statement)
    else:
        drawn = asyncio.run(enrol.draw(where, wish))
        challenge_id = drawn.id
        typer.echo(f"\n{READ_ALOUD}\n\n  {drawn.text}\n", err=as_json)
        spoken = _recorded(err=as_json)
    told = asyncio.run(
        enrol.enrol(
            where, recordings, spoken, challenge_id, wish, transcribe=transcribe,
            progress=lambda done, total: typer.echo(f"\rclip {done} of {total}", nl=done == total, err=True),
        )
    )  # fmt: skip
    _print_enrolled(told, recordings, as_json=as_json)


@app.command(epilog="Example: twin enroll face --revoke")
def face(home: HomeOption = None, revoke: RevokeOption = False, as_json: JsonOption = False) -> None:
    """Take the consent to a cloned face back."""
    if not revoke:
        from agent import enrol

        enrol.give("face")
    _revoke(home, "face", as_json=as_json)


def _revoke(home: Path | None, likeness: Likeness, *, as_json: bool) -> None:
    from agent import enrol

    asyncio.run(enrol.revoke(home_of(home), likeness))
    line = f"there is no consent to a cloned {likeness} any more, and nothing is left of the clone"
    typer.echo(json.dumps({"revoked": likeness}) if as_json else line)


def _wish(uses: str, months: int, language: str, engine: str) -> Wish:
    from agent.enrol import Wish, engines
    from compliance.likeness.statement import USES, Use

    named = tuple(dict.fromkeys(use.strip() for use in uses.split(",") if use.strip()))
    if not named or not set(named) <= set(USES):
        raise SettingsError(f"--uses names one or more of {', '.join(USES)}, with commas between them")
    if engine and engine not in engines():
        raise SettingsError(f"--engine {engine}: it clones no voice; these do: {', '.join(engines())}")
    return Wish(cast("tuple[Use, ...]", named), months, language, engine)


def _looked_at(files: list[Path], *, record: bool, anyway: bool, as_json: bool) -> Recordings:
    from persona.voice.recordings import examine
    from persona.voice.sound import UnfitSound

    sounds: list[tuple[Path, Sound | None]] = [(path, None) for path in files]
    if record:
        typer.echo("Read aloud for about a minute, whatever you like.", err=as_json)
        sounds.append((Path("microphone"), _recorded(err=as_json)))
    recordings = examine(sounds)
    if not as_json:
        _print_checks(recordings)
    if recordings.bad and not anyway:
        advice = [check.advice for check in _checks(recordings) if check.verdict == "bad"]
        raise UnfitSound(
            f"not good enough ({', '.join(recordings.bad)}). {advice[0]} --anyway goes on all the same"
        )
    return recordings


def _recorded(*, err: bool) -> Sound:
    from persona.voice.microphone import Recording
    from persona.voice.sound import check_not_silent

    with Recording() as recording:
        typer.prompt("Recording; press Enter when done", default="", show_default=False, err=err)
        sound = recording.sound()
    check_not_silent(sound, "the microphone")
    return sound


def _print_challenge(home: Home, drawn: Challenge, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"challenge": drawn.id, "text": drawn.text, "language": drawn.language}))
        return
    follow = home.command(f"twin enroll voice FILES... --statement STATEMENT.wav --challenge-id {drawn.id}")
    typer.echo(f"{READ_ALOUD}\n\n  {drawn.text}\n\nRecord it, then within ten minutes:\n  {follow}")


def _checks(recordings: Recordings) -> list[Any]:
    return [*(check for recording in recordings.each for check in recording.checks), *recordings.together]


def _print_checks(recordings: Recordings) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("recording", "check", "", "value"):
        table.add_column(column, justify="right" if column == "value" else "left")
    rows = [(recording.path.name, recording.checks) for recording in recordings.each]
    for name, checks in [*rows, ("all together", recordings.together)]:
        for check in checks:
            table.add_row(name, check.name, check.verdict, f"{check.value:.4g} {check.unit}")
            name = ""
    console = Console()
    console.print(table)
    for advice in dict.fromkeys(check.advice for check in _checks(recordings) if check.advice):
        console.print(advice, markup=False, highlight=False)


def _print_enrolled(enrolled: Enrolled, recordings: Recordings, *, as_json: bool) -> None:
    from agent.enrol import next_steps

    if as_json:
        value = {
            "consent": enrolled.consent_id,
            "expires": enrolled.expires,
            "clips": enrolled.clips,
            "seconds": round(enrolled.seconds, 1),
            "engine": enrolled.engine,
            "voice": enrolled.voice_id,
            "checks": [check.as_json() for check in _checks(recordings)],
        }
        typer.echo(json.dumps(value))
        return
    typer.echo(
        f"the consent holds until {enrolled.expires}; kept {enrolled.clips} clips ({enrolled.seconds:.0f} s)"
    )
    typer.echo("Next, in twin.toml:\n")
    for line in next_steps(enrolled):
        typer.echo(f"  {line}")
    typer.echo("\nand take it back at any time with: twin enroll voice --revoke")
