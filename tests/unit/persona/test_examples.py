from __future__ import annotations

import json
from pathlib import Path

import pytest

from compliance.errors import PersonaError
from persona import examples
from persona.caller import STRANGER, Caller
from persona.examples import Example, Examples

ANNA = Caller("Anna", known=True, person="Anna Berg", relation="friend")
FRIEND = Caller("Tom", known=True, person="Tom Reed", relation="friend")
CLIENT = Caller("Eve", known=True, relation="client")

TALKS = (
    Example(they="Can you finish the roof by Friday?", me="Friday's tight. Monday, first thing.", to="client"),
    Example(they="Fancy a pint tonight?", me="Go on then, eight?", to="friend"),
    Example(they="How was the hospital?", me="Grim, but I'm out now.", to="Anna Berg"),
    Example(they="Fancy a pint on Sunday?", me="Always, love.", to="Anna Berg"),
    Example(they="Are you there?", me="Just about."),
    Example(they="Kommst du heute Abend?", me="Klar, um acht.", to="friend", language="de"),
)


def write(folder: Path, *lines: str) -> Path:
    path = folder / "examples.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_one_exchange_stands_on_each_line_and_empty_lines_do_not_count(tmp_path: Path) -> None:
    path = write(
        tmp_path, json.dumps({"they": "Hi\n there", "me": "Yo", "to": "friend"}), "", '{"they":"a","me":"b"}'
    )
    assert examples.load(path) == (Example(they="Hi there", me="Yo", to="friend"), Example(they="a", me="b"))


def test_without_the_file_there_are_no_examples(tmp_path: Path) -> None:
    assert examples.load(tmp_path / "examples.jsonl") == ()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"they": "a"', "broken JSON; write one"),
        ("[" * 100_000, "broken JSON; write one"),
        ('["a", "b"]', "no JSON object; write"),
        ('{"they": "a"}', "'me' is missing; add it"),
        ('{"they": "a", "me": "b", "too": "c"}', "unknown key 'too'; the keys are: they, me, to, language"),
        ('{"they": "a", "me": " "}', "'me': string should have at least 1 character"),
        ('{"they": 1, "me": "b"}', "'they': input should be a valid string"),
    ],
)
def test_a_broken_line_is_named_with_its_number(tmp_path: Path, line: str, complaint: str) -> None:
    path = write(tmp_path, '{"they": "a", "me": "b"}', "", line)
    with pytest.raises(PersonaError) as error:
        examples.load(path)
    assert error.value.message.startswith(f"{path}:3: {complaint}")
    assert "\n" not in error.value.message


def test_too_many_are_refused_at_the_line_where_it_is_too_much(tmp_path: Path) -> None:
    path = write(tmp_path, *['{"they": "a", "me": "b"}'] * (examples.MAX_EXAMPLES + 1))
    with pytest.raises(PersonaError, match=f":{examples.MAX_EXAMPLES + 1}: more than"):
        examples.load(path)


def test_a_huge_file_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(PersonaError, match="larger than"):
        examples.load(path)


def test_those_to_the_same_person_come_first_then_to_the_same_kind_then_to_anybody() -> None:
    found = Examples(TALKS).find("fancy a pint later?", ANNA, "en", limit=4)
    assert [example.me for example in found] == [
        "Always, love.",
        "Grim, but I'm out now.",
        "Go on then, eight?",
        "Just about.",
    ]


def test_within_a_kind_the_similar_one_comes_first() -> None:
    more = (Example(they="What do you charge for a roof?", me="Depends.", to="client"), *TALKS)
    found = Examples(more).find("is the roof done by friday", CLIENT, "en", limit=1)
    assert [example.me for example in found] == ["Friday's tight. Monday, first thing."]


def test_what_was_said_to_one_person_or_kind_is_shown_to_no_other() -> None:
    pool = Examples(TALKS)
    for caller, strange in ((FRIEND, {"Anna Berg", "client"}), (CLIENT, {"Anna Berg", "friend"})):
        assert not strange & {one.to for one in pool.find("hospital pint roof", caller, "en", limit=9)}
    assert {one.to for one in pool.find("hospital pint roof", STRANGER, "en", limit=9)} == {""}


def test_a_name_that_was_only_claimed_is_not_the_person() -> None:
    assert all(one.to == "" for one in Examples(TALKS).find("pint?", Caller("Anna Berg"), "en", limit=9))


def test_strangers_can_be_spoken_to_like_one_kind_of_people() -> None:
    pool = Examples(TALKS, strangers="client")
    assert [one.to for one in pool.find("", STRANGER, "en", limit=9)] == ["client", ""]
    assert "client" not in {one.to for one in pool.find("", ANNA, "en", limit=9)}


def test_only_the_language_of_the_call_or_none_is_used() -> None:
    pool = Examples(TALKS)
    assert "Klar, um acht." in {one.me for one in pool.find("", FRIEND, "de-AT", limit=9)}
    assert "Klar, um acht." not in {one.me for one in pool.find("kommst du heute", FRIEND, "en", limit=9)}


def test_similar_words_are_found_in_german_too() -> None:
    talks = [
        Example(they="Was kosten die Treppen?", me="Kommt drauf an.", language="de"),
        Example(they="Wann kommst du?", me="Um acht.", language="de"),
    ]
    found = Examples(talks, languages=("de",)).find("Und die Kosten der Treppe?", STRANGER, "de", limit=1)
    assert [one.me for one in found] == ["Kommt drauf an."]


def test_no_more_than_the_limit_are_found() -> None:
    assert len(Examples(TALKS).find("pint", ANNA, "en", limit=2)) == 2
    assert Examples(TALKS).find("pint", ANNA, "en", limit=0) == ()
    assert Examples().find("pint", ANNA, "en") == ()
