from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from compliance.errors import PersonaError
from persona import profile
from persona.profile import Profile


def write(folder: Path, text: str) -> Path:
    path = folder / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_name_is_enough(tmp_path: Path) -> None:
    owner = profile.load(write(tmp_path, 'name = "Ada Marsh"\n'))
    assert (owner.short, owner.they, owner.them) == ("Ada", "they", "them")
    assert owner.languages == ("en",)


def test_what_the_twin_calls_the_owner_and_the_pronouns_can_be_chosen(tmp_path: Path) -> None:
    owner = profile.load(write(tmp_path, 'name = "Ada Marsh"\ncalled = "Miss Marsh"\npronouns = "she/her"\n'))
    assert (owner.short, owner.they, owner.them) == ("Miss Marsh", "she", "her")


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Profile(name="Ada").name = "Eve"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('name = "Ada"\nnmae = "x"\n', ":2: unknown key 'nmae'; the keys are: name, called"),
        ('called = "Ada"\n', ":1: 'name' is missing; add it"),
        ('name = "Ada"\n\ntime_zone = "Mars/Olympus"\n', ":3: 'time_zone': no such time zone"),
        ('name = "Ada"\npronouns = "it"\n', ":2: 'pronouns':"),
        ('name = "Ada"\nlanguages = []\n', ":2: 'languages': name at least one language"),
        ('name = "Ada"\nrole = "x\n', ":2: broken TOML:"),
        ('name = "Ada"\nname = "Eve"\n', ":2: broken TOML: cannot overwrite a value"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(PersonaError) as error:
        profile.load(path)
    assert error.value.message.startswith(f"{path}{complaint}")
    assert "\n" not in error.value.message


def test_a_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_bytes(b'name = "Ada"\nrole = "\xff"\n')
    with pytest.raises(PersonaError, match=r"profile\.toml:2: not UTF-8"):
        profile.load(path)


def test_a_huge_file_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(PersonaError, match="larger than 8 MB"):
        profile.load(path)


def test_a_folder_in_place_of_the_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "profile.toml").mkdir()
    with pytest.raises(PersonaError, match="cannot be read"):
        profile.load(tmp_path / "profile.toml")
