from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from persona import canned
from persona.caller import STRANGER, Caller
from persona.canned import Canned, Sentence
from persona.examples import Example
from persona.facts import Fact
from persona.home import Persona
from persona.people import People, Person
from persona.profile import Profile
from persona.prompt import Prompt, Turn, compose
from persona.settings import PersonaSettings
from persona.source import Memory, Provenance
from persona.tool import Exchange, Tool, ToolCall

TODAY = date(2026, 5, 5)
OPEN = Fact(about="hours", say="We open at nine.")
KEY = Fact(about="key", say="The key is under the pot.", tell="known")
SAID = (Sentence("We open at nine.", "fact"),)
ANNA = Caller("Anna", known=True, person="Anna Berg", relation="friend")
TOLD = Memory("1", "Anna is ill.", int(datetime(2026, 4, 1, tzinfo=UTC).timestamp() * 1000))


def asked(
    *facts: Fact, question: str = "When are you open?", before: tuple[Turn, ...] = (), **more: Any
) -> Prompt:
    """The prompt for a question to a twin that knows these facts."""
    people = People([Person(name="Anna Berg", relation="friend")])
    persona = Persona(Profile(name="Ada Marsh"), facts or (OPEN, KEY), people=people)
    return compose(persona, (*before, Turn("caller", question)), **{"today": TODAY, **more})


def again(cache: Canned, prompt: Prompt) -> tuple[Sentence, ...] | None:
    return cache.get(canned.key(prompt))


@pytest.fixture
def cache() -> Canned:
    """It has answered when the office opens."""
    made = Canned()
    assert made.put(asked(), SAID)
    return made


def test_the_same_question_gets_the_same_answer_however_it_is_written(cache: Canned) -> None:
    for question in ("When are you open?", "when are you open", "  WHEN are you, open!"):
        assert again(cache, asked(question=question)) == SAID
    assert again(cache, asked(caller=Caller("Tom", "+441632960112"))) == SAID
    assert again(cache, asked(question="When do you close?")) is None
    assert (cache.hits, cache.misses) == (4, 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ist es schon da?", "Ist es schön da?"),
        ("Is it 1.5?", "Is it 15?"),
        ("Is it 5 %?", "Is it 5?"),
        ("Now?", "How?"),
    ],
)
def test_words_that_are_nearly_the_same_are_another_question(one: str, other: str) -> None:
    assert canned.key(asked(question=one)) != canned.key(asked(question=other))


# ---- the old answer is never said again


@pytest.mark.parametrize(
    "facts",
    [
        (Fact(about="hours", say="We open at ten."), KEY),
        (KEY,),
        (OPEN.model_copy(update={"tell": "known"}), KEY),
        (OPEN.model_copy(update={"tell": "nobody"}), KEY),
        (OPEN.model_copy(update={"tell": ("Anna Berg",)}), KEY),
        (OPEN.model_copy(update={"valid_to": date(2026, 5, 4)}), KEY),
        (OPEN.model_copy(update={"valid_from": date(2026, 5, 6)}), KEY),
        (
            OPEN.model_copy(update={"valid_to": date(2026, 5, 4)}),
            Fact(about="hours", say="We open at ten.", valid_from=TODAY),
        ),
        (OPEN, KEY, Fact(about="strike", say="Today we are closed.")),
    ],
    ids=["changed", "removed", "known", "nobody", "named", "expired", "not_yet", "superseded", "another_fact"],
)
def test_after_a_fact_changed_the_old_answer_is_gone(cache: Canned, facts: tuple[Fact, ...]) -> None:
    assert again(cache, asked(*facts)) is None
    assert again(cache, asked(*facts, caller=ANNA)) is None


def test_an_answer_ends_at_midnight_with_the_fact_it_rests_on() -> None:
    cache, sale = Canned(), Fact(about="sale", say="There is a sale.", valid_to=TODAY)
    assert cache.put(asked(sale), (Sentence("There is a sale.", "fact"),))
    assert again(cache, asked(sale)) is not None
    assert again(cache, asked(sale, today=TODAY + timedelta(days=1))) is None


def test_what_was_found_for_the_question_counts_as_much_as_what_always_stands_there() -> None:
    cache, small = Canned(), PersonaSettings(facts_tokens=0)
    one, other = Fact(about="a", say="A costs ten."), Fact(about="a", say="A costs twelve.")
    assert cache.put(asked(one, settings=small, found=(one,)), SAID)
    assert again(cache, asked(one, settings=small, found=(one,))) == SAID
    assert again(cache, asked(other, settings=small, found=(other,))) is None
    assert again(cache, asked(one, settings=small)) is None
    private = one.model_copy(update={"tell": "nobody"})
    assert again(cache, asked(private, settings=small, found=(private,))) is None


def test_what_a_known_caller_was_told_no_stranger_is() -> None:
    cache = Canned()
    known = Caller(known=True)
    assert cache.put(asked(caller=known), (Sentence("The key is under the pot.", "fact"),))
    assert again(cache, asked(caller=known)) is not None
    assert again(cache, asked(caller=STRANGER)) is None
    assert again(cache, asked(caller=replace(known, relation="friend"))) is None
    assert again(cache, asked(caller=ANNA)) is None


def test_another_language_is_another_answer(cache: Canned) -> None:
    assert again(cache, asked(language="de")) is None


def test_the_same_words_after_other_words_are_another_question() -> None:
    cache = Canned()
    before = (Turn("caller", "Is the shop in Leeds?"), Turn("twin", "It is."))
    assert cache.put(asked(question="And on Sunday?", before=before), SAID)
    assert again(cache, asked(question="And on Sunday?", before=before)) == SAID
    assert again(cache, asked(question="And on Sunday?")) is None
    other = (before[0], replace(before[1], cut=True))
    assert again(cache, asked(question="And on Sunday?", before=other)) is None


# ---- what is not kept


@pytest.mark.parametrize("provenance", ["memory", "general", "guess"])
def test_only_what_the_owner_said_or_a_courtesy_is_kept(provenance: Provenance) -> None:
    cache = Canned()
    assert not cache.put(asked(), (*SAID, Sentence("Probably.", provenance)))
    assert not cache.put(asked(), ())
    assert cache.put(asked(), (*SAID, Sentence("Is there anything else?", "notice")))


@pytest.mark.parametrize(
    "more",
    [
        {"memories": (TOLD,)},
        {"summary": "The caller is ill."},
        {"live": "Ada is on a roof."},
        {"before": (Turn("caller", "My name is Tom Reed."), Turn("twin", "Hello Tom."))},
        {
            "before": (
                Turn("twin", "Who may I say is calling?"),
                Turn("caller", "Tom Reed"),
                Turn("twin", "Hello."),
            )
        },
        {"question": "Can you ring 01632 960 144 when you are open?"},
        {"question": "?"},
        {"question": "word " * 1000},
        {"before": (Turn("caller", "Hm."), Turn("twin", "Yes?")) * 3},
    ],
)
def test_nothing_is_kept_or_found_where_something_is_about_this_caller(more: dict[str, Any]) -> None:
    cache, prompt = Canned(), asked(**more)
    assert not cache.put(prompt, SAID)
    assert again(cache, prompt) is None
    assert len(cache) == cache.misses == 0


def test_an_answer_with_the_callers_name_or_number_is_said_to_nobody_else() -> None:
    cache = Canned()
    tom = asked(caller=Caller("Tom Reed", "+441632960112"))
    for text in ("We open at nine, Tom.", "We call you on 01632 960112.", "Is it nine six oh one one two?"):
        assert not cache.put(tom, (Sentence(text, "notice"),))
    assert cache.put(tom, SAID)


def test_an_example_or_a_note_for_one_person_keeps_the_answer_theirs() -> None:
    people = People([Person(name="Anna Berg", note="Her father is ill.")])
    noted = Persona(Profile(name="Ada"), (OPEN,), people=people)
    example = Persona(Profile(name="Ada"), (OPEN,), examples=(Example(they="a", me="b", to="anna berg"),))
    for persona in (noted, example):
        assert canned.key(compose(persona, (Turn("caller", "Open?"),), today=TODAY, caller=ANNA)) == ""


def test_nothing_is_kept_where_a_tool_was_used_and_tools_count() -> None:
    tool = Tool("transfer", "Put the caller through.")
    used = replace(asked(), tools=(tool,), exchanges=(Exchange((ToolCall("1", "transfer", "{}"),), ("done",)),))
    cache = Canned()
    assert not cache.put(used, SAID)
    assert cache.put(replace(asked(), tools=(tool,)), SAID)
    assert again(cache, asked()) is None


def test_a_prompt_that_was_not_composed_is_never_answered_from_memory() -> None:
    cache, prompt = Canned(), Prompt("system", (Turn("caller", "Hi"),))
    assert not cache.put(prompt, SAID)
    assert again(cache, prompt) is None


# ---- how much


def test_the_longest_unused_goes_first() -> None:
    cache = Canned(2)
    one, two, three = (asked(question=f"What about {word}?") for word in ("roofs", "walls", "doors"))
    cache.put(one, SAID)
    cache.put(two, SAID)
    again(cache, one)
    cache.put(three, SAID)
    assert [again(cache, prompt) is not None for prompt in (one, two, three)] == [True, False, True]
    assert len(cache) == 2


def test_no_words_of_a_caller_are_kept(cache: Canned) -> None:
    assert "open" not in canned.key(asked())
    assert len(canned.key(asked())) == 64
    cache.clear()
    assert again(cache, asked()) is None
