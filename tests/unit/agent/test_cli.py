"""What a person at a terminal, or a script, sees of the command: help, exit codes, one line for each error."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import loguru
import pytest
from typer.testing import CliRunner

from agent.cli import app, run
from tests.unit.agent.command import twin

COMMANDS = [
    ["init"],
    ["serve"],
    ["doctor"],
    ["probe"],
    ["say"],
    ["join"],
    ["worker"],
    ["camera"],
    ["calls", "list"],
    ["calls", "show"],
    ["calls", "export"],
    ["ledger", "verify"],
    ["ledger", "accept"],
    ["operator", "add"],
    ["operator", "list"],
    ["operator", "disable"],
    ["verify"],
    ["enroll", "voice"],
    ["enroll", "face"],
    ["mark", "rotate"],
    ["voices", "list"],
    ["voices", "accept"],
    ["voices", "fetch"],
    ["voices", "train"],
    ["access"],
    ["erase"],
    ["requests", "list"],
    ["requests", "approve"],
    ["requests", "reject"],
    ["retention", "sweep"],
]
NEED_A_HOME = [
    ["serve"],
    ["say", "Hello.", "-o", "hello.wav"],
    ["probe"],
    ["join", "--room", "standup"],
    ["worker"],
    ["camera"],
    ["calls", "list"],
    ["calls", "show", "20261122120000-0123456789abcdef"],
    ["calls", "export", "20261122120000-0123456789abcdef", "-o", "call.json"],
    ["ledger", "verify"],
    ["mark", "rotate"],
    ["operator", "list"],
    ["retention", "sweep"],
]


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with nothing in their home, in a folder of their own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for name in ("TWIN_HOME", "TWIN_DEBUG", "TWIN_LOG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    # As the command's entry does, before Pipecat greets the terminal.
    monkeypatch.setenv("LOGURU_AUTOINIT", "False")
    loguru.logger.remove()
    return tmp_path


def error_of(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr, with nothing on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_that_it_understands(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert f"Example: twin {' '.join(command)}" in result.output


def test_no_command_is_missing_from_this_list() -> None:
    names = [
        [command.name or (command.callback.__name__ if command.callback else "")]
        for command in app.registered_commands
    ]
    for group in app.registered_groups:
        assert group.typer_instance is not None
        for command in group.typer_instance.registered_commands:
            assert command.callback is not None
            names.append([group.name or "", command.name or command.callback.__name__])
    assert sorted(names) == sorted(COMMANDS)


def test_without_arguments_it_shows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "serve" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong",
    [["serve", "--prt", "1"], ["serve", "--port", "70000"], ["dance"], ["calls"], ["say", "Hello."], ["init"]],
)
def test_a_command_written_wrongly_is_one_line_and_exit_code_2(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(wrong) == 2
    error_of(capsys)


def test_a_command_written_wrongly_points_to_the_help_of_just_that_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["calls"])
    assert "(twin calls --help)" in error_of(capsys)
    run(["ledger", "verify", "--knwon", "1:0"])
    assert "(twin ledger verify --help)" in error_of(capsys)


def test_init_writes_a_home_that_loads_and_says_what_to_do_next(
    user: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from agent.settings import Settings, load
    from persona.home import load as persona

    assert run(["init", "mine"]) == 0
    assert "twin serve --home mine" in capsys.readouterr().out
    assert load(user / "mine") == Settings()
    assert persona(user / "mine").profile.name == "Your Name"
    assert (user / "mine").stat().st_mode & 0o777 == 0o700


def test_init_leaves_what_is_there_alone(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (user / "facts.toml").write_text("mine")
    assert run(["init", str(user)]) == 1
    assert "already exists" in error_of(capsys)
    assert [path.name for path in user.iterdir()] == ["facts.toml"]


@pytest.mark.parametrize("command", NEED_A_HOME, ids=lambda command: command[0])
def test_a_home_that_is_not_there_is_one_line(
    command: list[str], user: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--home", "nowhere"]) == 1
    assert "twin init nowhere" in error_of(capsys)


@pytest.mark.parametrize("command", NEED_A_HOME, ids=lambda command: command[0])
@pytest.mark.parametrize("text", ["[server]\nprot = 1\n", "[server\n", "\xff", "[server]\nport = 'much'\n"])
def test_broken_settings_are_one_line_that_names_the_file(
    command: list[str], text: str, user: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (user / "twin.toml").write_text(text, encoding="latin-1")
    assert run([*command, "--home", str(user)]) == 1
    assert "twin.toml" in error_of(capsys)


def test_a_persona_that_cannot_be_read_is_one_line_that_names_the_line(
    user: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "mine"]) == 0
    capsys.readouterr()
    (user / "mine" / "facts.toml").write_text('[[fact]]\nabout = "a"\n')
    assert run(["serve", "--home", "mine", "--port", "0"]) == 1
    assert "facts.toml:" in error_of(capsys)


def test_a_port_in_use_is_one_line(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(["serve", "--port", str(taken.getsockname()[1])]) == 1
    assert "--port" in error_of(capsys)


def test_an_address_of_another_machine_is_one_line(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--host", "192.0.2.1", "--port", "0"]) == 1
    assert "--host" in error_of(capsys)


def test_a_missing_key_is_one_line_that_names_it(user: Path) -> None:
    assert twin(["init", str(user / "own")], user).code == 0
    (user / "own" / "twin.toml").write_text('[brain]\nengine = "openai"\n')
    result = twin(["serve", "--port", "0", "--home", str(user / "own")], user)
    assert result.code == 1
    assert "OPENAI_API_KEY" in result.err
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err + result.out


def test_debug_shows_where_an_error_comes_from(user: Path) -> None:
    result = twin(["calls", "list", "--home", "nowhere"], user, TWIN_DEBUG="1")
    assert result.code == 1
    assert "Traceback" in result.err


def test_calls_of_a_twin_that_had_none(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calls", "list"]) == 0
    assert "No calls yet" in capsys.readouterr().out
    assert run(["calls", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run(["calls", "show", "20261122120000-0123456789abcdef"]) == 1
    assert "twin calls list" in error_of(capsys)


def test_a_kind_of_file_that_it_does_not_write_is_refused_in_one_line(
    user: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["say", "Hello.", "-o", "hello.avi"]) == 1
    assert "only WAV and MP4" in error_of(capsys)
