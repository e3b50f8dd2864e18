"""Which home a command works in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.home import Home, demo_folder, find
from compliance.errors import PersonaError, SettingsError


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_the_named_one_goes_before_all(user: Path) -> None:
    (user / ".twin").mkdir()
    (user / "named").mkdir()
    (user / "other").mkdir()
    assert find(user / "named", {"TWIN_HOME": str(user / "other")}).path == user / "named"
    assert find(None, {"TWIN_HOME": str(user / "other")}).path == user / "other"
    assert find(None, {}).path == user / ".twin"


def test_without_any_it_is_the_demo_in_a_folder_for_its_user_alone(user: Path) -> None:
    home = find(None, {"XDG_DATA_HOME": str(user / "data")})
    assert home.demo
    assert home.persona().profile.name == "Martin Alder"
    assert home.path.stat().st_mode & 0o777 == 0o700


def test_the_demo_is_known_by_its_folder_in_worker_processes_too(user: Path) -> None:
    first = find(None, {})
    assert find(None, {"TWIN_HOME": str(first.path)}) == first


def test_on_macos_data_lie_where_they_belong(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert demo_folder({}) == user / "Library" / "Application Support" / "ai-twin" / "demo"


def test_a_home_that_was_named_and_is_not_there_is_an_error(user: Path) -> None:
    with pytest.raises(PersonaError, match="twin init"):
        find(user / "nowhere", {})


def test_a_folder_that_cannot_be_made_is_an_error(user: Path) -> None:
    (user / "data").write_text("a file")
    with pytest.raises(SettingsError, match="--home"):
        find(None, {"XDG_DATA_HOME": str(user / "data")})


def test_a_command_names_the_home_where_it_would_not_be_found_by_itself(user: Path) -> None:
    assert Home(user / ".twin").command("twin doctor") == "twin doctor"
    assert Home(user / "demo", demo=True).command("twin doctor") == "twin doctor"
    assert Home(user / "my twin").command("twin doctor") == f"twin doctor --home '{user / 'my twin'}'"
