"""`twin enroll` as a person and a script see it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import typer

from agent import cli_enrol, listening
from compliance.errors import PersonaError, SettingsError, TwinError
from persona.home import write_example
from persona.voice.sound import Sound, read
from tests.doubles.openai_speech import OpenAISpeechServer
from tests.doubles.voice_clouds import VoiceClouds
from tests.unit.agent import enrolling
from tests.unit.persona.voice.voices import in_a_room

twin = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
twin.add_typer(cli_enrol.app, name="enroll")


class Terminal:
    """Somebody at a terminal: the command runs in a thread, as a process of its own would."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], recogniser: OpenAISpeechServer) -> None:
        self.folder = folder
        self.recogniser = recogniser
        self._capture = capture
        self.err = ""

    async def enroll(self, *arguments: str) -> str:
        """What the command printed; raises what it would say in one line."""
        self._capture.readouterr()
        home = ["--home", str(self.folder / "home")]
        code = await asyncio.to_thread(twin, ["enroll", *arguments, *home], standalone_mode=False)
        out, self.err = self._capture.readouterr()
        assert not code
        return out

    async def refused(self, *arguments: str) -> TwinError:
        with pytest.raises(TwinError) as caught:
            await self.enroll(*arguments)
        assert "\n" not in caught.value.message
        return caught.value

    async def challenge(self, *arguments: str) -> str:
        """Draws one, and lets the recogniser hear it; its id."""
        drawn = json.loads(await self.enroll("voice", "--challenge", "--json", *arguments))
        self.recogniser.script.says = lambda asked: drawn["text"] if len(self.recogniser.asked) == 1 else ""
        self.recogniser.asked.clear()
        return str(drawn["challenge"])


@pytest.fixture
async def at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Terminal]:
    monkeypatch.setattr(listening, "PACE", 1_000.0)
    write_example(tmp_path / "home")
    async with OpenAISpeechServer() as recogniser:
        settings = f'[speech]\nengine = "openai"\nbase_url = "{recogniser.url}"\nmodel = "m"\n'
        (tmp_path / "home" / "twin.toml").write_text(settings)
        yield Terminal(tmp_path, capsys, recogniser)


def good(at: Terminal) -> str:
    return str(enrolling.recording(at.folder))


async def said(at: Terminal, *arguments: str) -> tuple[str, ...]:
    return ("--statement", str(enrolling.statement(at.folder)), "--challenge-id", await at.challenge(*arguments))


async def test_in_two_steps_by_hand(at: Terminal) -> None:
    out = await at.enroll("voice", "--challenge")
    assert "I, Martin Alder, agree" in out or "agree that this program" in out
    assert "--challenge-id" in out
    out = await at.enroll("voice", good(at), *await said(at), "--no-transcribe")
    assert "echo" in out
    assert "the consent holds until" in out
    assert "cloned = true" in out
    assert "twin enroll voice --revoke" in out


async def test_in_two_steps_by_a_script(at: Terminal) -> None:
    out = await at.enroll("voice", good(at), *await said(at, "--uses", "calls", "--months", "2"), "--json")
    told: dict[str, Any] = json.loads(out)
    assert told["clips"] > 2
    assert len(told["consent"]) == 32
    assert (told["engine"], told["voice"]) == ("", "")
    assert {check["name"] for check in told["checks"]} >= {"noise", "length", "second voice"}
    assert "clip 1 of" in at.err


async def test_for_an_engine_of_this_machine(at: Terminal) -> None:
    out = await at.enroll("voice", good(at), *await said(at), "--engine", "xtts", "--no-transcribe")
    assert 'engine = "xtts"' in out
    assert "voice =" not in out


async def test_revoking(at: Terminal) -> None:
    await at.enroll("voice", good(at), *await said(at), "--no-transcribe")
    assert "nothing is left" in await at.enroll("voice", "--revoke")
    assert "nothing is left" in await at.enroll("face", "--revoke")
    assert json.loads(await at.enroll("voice", "--revoke", "--json")) == {"revoked": "voice"}


async def test_a_bad_recording_stops_unless_its_owner_insists(at: Terminal) -> None:
    echo = at.folder / "hall.wav"
    echo.write_bytes(in_a_room(enrolling.callers(), echo_s=1.2).wav())
    heard = await said(at)
    error = await at.refused("voice", str(echo), *heard)
    assert "echo" in error.message
    assert "curtains" in error.message
    assert "--anyway" in error.message
    # Refused before the statement was judged, so that the challenge still counts; the same room is no other voice.
    statement = in_a_room(read(enrolling.statement(at.folder)), echo_s=1.2)
    (at.folder / "statement.wav").write_bytes(statement.wav())
    await at.enroll("voice", str(echo), *heard, "--anyway", "--no-transcribe")


async def test_somebody_elses_voice(at: Terminal) -> None:
    other = enrolling.impostor(at.folder)
    error = await at.refused("voice", str(other), str(other), *await said(at), "--anyway")
    assert "not spoken by the person whose recordings" in error.message


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        ((), PersonaError, "--record"),
        (("missing.wav",), PersonaError, "no such file"),
        (("--uses", "everything", "--challenge"), SettingsError, "calls, meetings"),
        (("--uses", "", "--challenge"), SettingsError, "calls, meetings"),
        (("--engine", "azure", "--challenge"), SettingsError, "xtts, coqui, pocket_tts, elevenlabs"),
        (("--challenge-id", "0"), SettingsError, "belong together"),
        (("--language", "xx", "--challenge"), SettingsError, "en, de"),
    ],
)
async def test_what_is_written_wrongly(
    at: Terminal, arguments: tuple[str, ...], kind: type[TwinError], says: str
) -> None:
    error = await at.refused("voice", *arguments)
    assert isinstance(error, kind)
    assert says in error.message


async def test_silence_as_a_sample(at: Terminal) -> None:
    silent = at.folder / "silent.wav"
    silent.write_bytes(Sound(enrolling.callers().samples * 0, 16_000).wav())
    assert "silent" in (await at.refused("voice", str(silent), *await said(at))).message


async def test_a_provider_is_asked_for_only_after_its_owner_agreed(
    at: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with VoiceClouds() as clouds:
        for key, value in clouds.environment("elevenlabs").items():
            monkeypatch.setenv(key, value)
        asked = ("voice", good(at), *await said(at, "--engine", "elevenlabs"), "--engine", "elevenlabs")
        for answer in ("n\n", ""):
            monkeypatch.setattr("sys.stdin", io.StringIO(answer))
            with pytest.raises(typer.Abort):
                await at.enroll(*asked)
        assert clouds.requests == []
        out = await at.enroll(*asked, "--yes", "--no-transcribe")
        assert 'engine = "elevenlabs"' in out
        assert 'voice = "voice1"' in out
