"""twin.toml and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.settings import environment, load
from compliance.errors import SettingsError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import os

    for key in [key for key in os.environ if key.startswith("TWIN_")]:
        monkeypatch.delenv(key)
    return tmp_path


def write(home: Path, text: str) -> None:
    (home / "twin.toml").write_text(text, "utf-8")


def test_without_a_file_there_are_defaults(home: Path) -> None:
    settings = load(home)
    assert settings.server.host == "127.0.0.1"
    assert (settings.speech.engine, settings.brain.engine, settings.voice.engine) == ("auto", "grounded", "espeak")


def test_the_file_is_read(home: Path) -> None:
    write(home, '[brain]\nengine = "openai"\nmodel = "m"\nbase_url = "http://127.0.0.1:1"\n[server]\nport = 0\n')
    settings = load(home)
    assert (settings.brain.engine, settings.brain.model, settings.server.port) == ("openai", "m", 0)


def test_the_environment_is_stronger(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, '[brain]\nengine = "openai"\nmodel = "file"\n[turns]\ndecide_ms = 400\n')
    monkeypatch.setenv("TWIN_BRAIN__MODEL", "environment")
    monkeypatch.setenv("TWIN_SERVER__PORT", "9000")
    settings = load(home)
    assert (settings.brain.engine, settings.brain.model) == ("openai", "environment")
    assert (settings.server.port, settings.turns.decide_ms) == (9_000, 400)


def test_further_keys_of_an_engine_are_its_options(home: Path) -> None:
    write(home, '[voice]\nengine = "kokoro"\nspeed = 1.1\n')
    assert load(home).voice.options == {"speed": "1.1"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[server]\nport = 70000\n", "server.port"),
        ("[server]\nprot = 1\n", "server.prot: is not a setting"),
        ("[sever]\nport = 1\n", "sever: is not a setting"),
        ("[turns]\ncomplete_ms = 5000\n", "turns"),
        ("[server\n", "twin.toml"),
        ("[face]\nengine = 'hologram'\n", "face.engine"),
        ("[face]\nmanner = {smile = 3}\n", "smile: Input should be less than or equal to 1"),
        ("[face]\nmanner = {grin = 1}\n", "grin: Extra inputs are not permitted"),
        ('"a\\nb" = 1\n', "a b: is not a setting"),
        ("a = " + "[" * 5_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(home: Path, text: str, complaint: str) -> None:
    write(home, text)
    with pytest.raises(SettingsError) as caught:
        load(home)
    assert complaint in caught.value.message
    assert "\n" not in caught.value.message


def test_a_wrong_value_in_the_environment_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_SERVER__PORT", "many")
    with pytest.raises(SettingsError, match=r"server\.port"):
        load(home)


def test_a_section_that_is_no_section_is_refused_without_its_value(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWIN_SERVER", "a secret\nin two lines")
    with pytest.raises(SettingsError, match=r'"server".*TWIN_SECTION__KEY') as caught:
        load(home)
    assert "secret" not in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_that_is_no_text(home: Path) -> None:
    (home / "twin.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        load(home)


def test_secrets_come_from_the_homes_env_below_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".env").write_text("OPENAI_API_KEY=from-file\nDEEPGRAM_API_KEY=from-file\nEMPTY=\n", "utf-8")
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    monkeypatch.delenv("DEEPGRAM_API_KEY", raising=False)
    secrets = environment(home)
    assert (secrets["OPENAI_API_KEY"], secrets["DEEPGRAM_API_KEY"]) == ("from-environment", "from-file")
    assert "EMPTY" not in secrets
