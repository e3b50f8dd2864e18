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
    from agent.enrol_face import EnrolledFace
    from agent.home import Home
    from compliance.likeness.statement import Challenge, Likeness
    from persona.voice.recordings import Recordings
    from persona.voice.sound import Sound

app = typer.Typer(help="The owner's consent to a cloned voice or face; nothing is said or shown in it without.")

RevokeOption = Annotated[
    bool, typer.Option("--revoke", help="Take the consent back: silent within a second, also at providers.")
]
ChallengeOption = Annotated[
    bool, typer.Option("--challenge", help="Only print the statement to be read, and its id; for scripts.")
]
StatementOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The statement as it was read aloud, within ten minutes.")
]
ChallengeIdOption = Annotated[str, typer.Option(metavar="ID", help="Of the statement that was read.")]
MonthsOption = Annotated[int, typer.Option(min=1, max=24, help="How long the consent holds.")]
LanguageOption = Annotated[str, typer.Option(help="Of the statement. Default: the twin's.")]
READ_ALOUD = "Read the following aloud, word for word, in the voice of the recordings:"
STATEMENT = "Read the following aloud, word for word:"


@app.command(epilog="Example: twin enroll voice monday.wav tuesday.m4a --record")
def voice(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Recordings of the owner alone: WAV, FLAC, MP3, OGG, M4A, WebM.")
    ] = None,
    home: HomeOption = None,
    record: Annotated[bool, typer.Option("--record", help="Record from the microphone, too.")] = False,
    challenge: ChallengeOption = False,
    statement: StatementOption = None,
    challenge_id: ChallengeIdOption = "",
    engine: Annotated[
        str,
        typer.Option(
            help="Who clones it; elevenlabs, cartesia, resemble get the recordings. Default: espeak, here."
        ),
    ] = "",
    uses: Annotated[
        str, typer.Option(help="What the clone may do, by commas: calls, meetings, messages, videos.")
    ] = "calls,meetings,messages",
    months: MonthsOption = 12,
    language: LanguageOption = "",
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
        _print_challenge(
            where, asyncio.run(enrol.draw(where, wish)), "twin enroll voice FILES...", as_json=as_json
        )
        return
    _check_pair(statement, challenge_id)
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


@app.command(epilog="Example: twin enroll face portrait.jpg --record --preview looks.png")
def face(
    file: Annotated[
        Path | None, typer.Argument(help="A photo, a short clip, or a 3D head as GLB or VRM, of the owner.")
    ] = None,
    home: HomeOption = None,
    record: Annotated[bool, typer.Option("--record", help="Record the statement from the microphone.")] = False,
    challenge: ChallengeOption = False,
    statement: StatementOption = None,
    challenge_id: ChallengeIdOption = "",
    invented: Annotated[
        bool, typer.Option("--invented", help="A 3D head that is nobody's likeness: no consent is asked.")
    ] = False,
    preview: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Write a sheet of it: talking, blinking, turning."),
    ] = None,
    uses: Annotated[
        str, typer.Option(help="What the face may do, by commas: calls, meetings, messages, videos.")
    ] = "calls,meetings,videos",
    months: MonthsOption = 12,
    language: LanguageOption = "",
    revoke: RevokeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a face of a file, hear the owner's consent, and keep it. With `--preview` alone, only look at it."""
    if revoke:
        _revoke(home, "face", as_json=as_json)
        return
    from agent import enrol, enrol_face

    where, wish = home_of(home), _wish(uses, months, language, "")
    if challenge:
        drawn = asyncio.run(enrol.draw(where, wish, likeness="face"))
        _print_challenge(where, drawn, "twin enroll face FILE", as_json=as_json)
        return
    if file is None:
        raise SettingsError("name a photo, a clip or a 3D head; twin enroll face --help has an example")
    _check_pair(statement, challenge_id)
    candidate = enrol_face.look(where, file, _fetching, preview=preview)
    for line in () if as_json else candidate.about:
        typer.echo(line)
    if invented:
        told = enrol_face.keep_invented(where, candidate)
    elif statement is not None:
        from persona.voice.sound import read

        told = asyncio.run(enrol_face.enrol(where, candidate, read(statement), challenge_id, wish))
    elif record:
        drawn = asyncio.run(enrol.draw(where, wish, likeness="face"))
        typer.echo(f"\n{STATEMENT}\n\n  {drawn.text}\n", err=as_json)
        told = asyncio.run(enrol_face.enrol(where, candidate, _recorded(err=as_json), drawn.id, wish))
    elif preview is not None:
        typer.echo(json.dumps({"kind": candidate.kind}) if as_json else f"wrote {preview}; nothing was enrolled")
        return
    else:
        raise SettingsError("nothing is kept without a spoken consent: add --record, or use --challenge first")
    _print_face(told, as_json=as_json)


def _check_pair(statement: Path | None, challenge_id: str) -> None:
    if (statement is None) != (not challenge_id):
        raise SettingsError("--statement and --challenge-id belong together; --challenge prints an id")


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


def _print_challenge(home: Home, drawn: Challenge, command: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"challenge": drawn.id, "text": drawn.text, "language": drawn.language}))
        return
    follow = home.command(f"{command} --statement STATEMENT.wav --challenge-id {drawn.id}")
    how = READ_ALOUD if drawn.terms.likeness == "voice" else STATEMENT
    typer.echo(f"{how}\n\n  {drawn.text}\n\nRecord it, then within ten minutes:\n  {follow}")


def _fetching(name: str, done: int, total: int) -> None:
    of = f" of {total // 1_000_000}" if total else ""
    typer.echo(f"\rfetching {name}: {done // 1_000_000}{of} MB", nl=bool(total) and done >= total, err=True)


def _print_face(told: EnrolledFace, *, as_json: bool) -> None:
    from agent.enrol_face import next_steps

    if as_json:
        value = {"kind": told.kind, "consent": told.consent_id, "expires": told.expires, "compared": told.compared}
        typer.echo(json.dumps(value))
        return
    if told.consent_id:
        typer.echo(f"the consent holds until {told.expires}")
        if told.compared == "nothing":
            typer.echo("no voice is enrolled to compare the statement's with: its words alone counted")
    typer.echo("Next, in twin.toml:\n")
    for line in next_steps(told):
        typer.echo(f"  {line}")
    typer.echo("\nand take it back at any time with: twin enroll face --revoke")


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
