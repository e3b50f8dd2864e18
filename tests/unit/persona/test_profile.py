from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from compliance.errors import PersonaError
from persona import profile
from persona.caller import STRANGER, Caller
from persona.profile import Manners, Profile


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
    with pytest.raises(PersonaError, match="not a file"):
        profile.load(tmp_path / "profile.toml")


TALKATIVE = """
name = "Jonas Feld"
languages = ["de", "en"]
greeting = "Ja, bitte?"

[talk]
fillers = ["also", "na ja"]
phrases = ["das kriegen wir hin"]
avoid = ["zeitnah"]
sentence_words = 9

[formality]
strangers = "formal"
friend = "casual"

[[greetings]]
to = "friend"
say = "Na, was gibt's?"

[[greetings]]
to = "Anna Berg"
say = "Anna! Erzähl."

[[greetings]]
language = "en"
say = "Hello there, what is it about?"
"""
ANNA = Caller("Anna", known=True, person="Anna Berg", relation="friend")
FRIEND = Caller("Tom", known=True, person="Tom Reed", relation="friend")


def test_how_the_owner_talks_and_to_whom_how_formally_can_be_written_down(tmp_path: Path) -> None:
    owner = profile.load(write(tmp_path, TALKATIVE))
    assert owner.talk.fillers == ("also", "na ja")
    assert (owner.talk.sentence_words, owner.talk.avoid) == (9, ("zeitnah",))
    assert owner.formality_with(STRANGER) == "formal"
    assert owner.formality_with(FRIEND) == "casual"


def test_what_is_set_for_a_relation_comes_before_the_person_and_both_before_strangers() -> None:
    owner = Profile(name="Ada", formality=Manners(friend="casual"))
    assert owner.formality_with(FRIEND, "formal") == "casual"
    client = Caller("Eve", known=True, person="Eve Hart", relation="client")
    assert owner.formality_with(client, "casual") == "casual"
    assert owner.formality_with(client) == "formal"


def test_the_closest_greeting_is_said(tmp_path: Path) -> None:
    owner = profile.load(write(tmp_path, TALKATIVE))
    assert owner.greeting_for(ANNA, "de") == "Anna! Erzähl."
    assert owner.greeting_for(FRIEND, "de-AT") == "Na, was gibt's?"
    assert owner.greeting_for(STRANGER, "de") == "Ja, bitte?"
    assert owner.greeting_for(FRIEND, "en") == "Hello there, what is it about?"


def test_a_greeting_is_never_said_in_another_language_where_we_have_one() -> None:
    owner = Profile(name="Ada", greeting="What's up?", languages=("en", "de"))
    assert owner.greeting_for(STRANGER, "de") == "Was kann ich für Sie tun?"
    assert owner.greeting_for(FRIEND, "de", "casual") == "Was kann ich für dich tun?"
    assert owner.greeting_for(STRANGER, "en-GB") == "What's up?"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('name = "A"\n[talk]\nfillers = ["well"]\nsentence_words = 900\n', ":4: 'sentence_words': input should"),
        ('name = "A"\n\n[talk]\n# so\nfilers = ["well"]\n', ":5: unknown key 'filers'; the keys are: fillers,"),
        ('name = "A"\n[talk]\nfillers = [""]\n', ":3: 'fillers': string should have at least 1"),
        ('name = "A"\n[formality]\nfriend = "rude"\n', ":3: 'friend': input should be 'casual' or 'formal'"),
        ('name = "A"\n[formality]\nmum = "formal"\n', ":3: unknown key 'mum'; the keys are: strangers,"),
        ('name = "A"\n[[greetings]]\nsay = "x"\n[[greetings]]\nto = "y"\n', ":4: 'say' is missing; add it"),
        ('name = "A"\ngreetings = "x"\n', ":2: write [[greetings]] with two brackets"),
        ('name = "A"\ntalk = "x"\n', ":2: 'talk' is a table; write [talk]"),
    ],
)
def test_a_mistake_in_a_table_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(PersonaError) as error:
        profile.load(path)
    assert error.value.message.startswith(f"{path}{complaint}")
