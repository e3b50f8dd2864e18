"""The example `twin.toml` is made from the settings, so it must say all of them, rightly."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from agent.example import text, write
from agent.opening import texts_of
from agent.settings import Settings, load
from compliance.errors import SettingsError


def uncommented() -> str:
    """The example with every setting switched on."""
    return re.sub(r"^# (?=\w+ = )", "", text(), flags=re.MULTILINE)


def test_as_it_is_written_it_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "twin.toml").write_text(text())
    assert load(tmp_path) == Settings()
    assert set(tomllib.loads(text())) == set(Settings.model_fields)


def test_every_setting_is_there_with_its_default(tmp_path: Path) -> None:
    values = tomllib.loads(uncommented())
    for name, field in Settings.model_fields.items():
        assert set(values[name]) == set(type(field.get_default()).model_fields), name
    (tmp_path / "twin.toml").write_text(uncommented())
    assert load(tmp_path) == Settings()


def test_every_setting_says_what_it_means() -> None:
    lines = text().splitlines()
    for before, line in pairwise(lines):
        if re.match(r"# \w+ = ", line):
            assert re.match(r"# \S", before), line
            assert not re.match(r"# \w+ = ", before), f"no meaning above: {line}"


def test_the_wording_it_shows_is_one_that_is_accepted(tmp_path: Path) -> None:
    shown = [line.removeprefix("#     ") for line in text().splitlines() if line.startswith("#     ")]
    (tmp_path / "disclosure").mkdir()
    (tmp_path / "disclosure" / "en.toml").write_text("\n".join(shown))
    said = texts_of(tmp_path, "en", "Martin Alder")["words"].short
    assert said.startswith("This is an AI, the digital twin of Martin Alder. ")


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "twin.toml").write_text("mine")
    with pytest.raises(SettingsError, match="already exists"):
        write(tmp_path)
    assert (tmp_path / "twin.toml").read_text() == "mine"
    assert not (tmp_path / "profile.toml").exists()
