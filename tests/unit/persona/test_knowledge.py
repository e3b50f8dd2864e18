from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from persona.caller import STRANGER, Caller
from persona.documents import Passage
from persona.facts import Fact, Ledger
from persona.home import Persona
from persona.knowledge import Knowledge
from persona.profile import Profile
from persona.source import Source
from persona.statements import Statement
from tests.unit.persona.generated import material

DAY = date(2026, 5, 5)
FACTS = Ledger(
    [
        Fact(about="price of a tuning", say="It costs ninety pounds.", recorded=date(2024, 1, 1)),
        Fact(about="price of a tuning", say="It costs a hundred.", valid_from=date(2026, 1, 1)),
        Fact(
            about="price of a tuning ",
            say="It costs more.",
            valid_from=date(2025, 1, 1),
            recorded=date(2025, 1, 1),
        ),
        Fact(about="alarm", say="The code is four one.", tell="nobody"),
        Fact(about="rehearsal", say="We rehearse on Thursday.", tell=("Anna Berg",)),
    ]
).facts
PERSONA = Persona(
    Profile(name="Ada Marsh", languages=("en", "de")),
    FACTS,
    (
        Statement(about="old pianos", text="An old piano wants to be played."),
        Statement(about="Holzboden", text="Auf einem Holzboden klingt jeder Flügel besser als auf Teppich."),
    ),
    (Passage("How we work", "Before a tuning", "Please close the windows an hour before I come.", file="a.md"),),
)
KNOWLEDGE = Knowledge(PERSONA)


def texts(question: str, caller: Caller = STRANGER, today: date = DAY, limit: int = 5) -> list[str]:
    found = KNOWLEDGE.search(question, today=today, caller=caller, limit=limit)
    return [KNOWLEDGE.source(each.entry).text for each in found]


def test_facts_statements_and_documents_are_found_in_other_words() -> None:
    assert texts("what is the fee when you tune")[0] == "It costs more."
    assert texts("do you like ancient pianos")[0] == "An old piano wants to be played."
    assert texts("should I shut the window")[0] == "Please close the windows an hour before I come."


def test_a_persona_of_two_languages_is_asked_in_both() -> None:
    assert texts("Was ist mit Böden aus Holz?")[0].startswith("Auf einem Holzboden")
    assert texts("wie klingt es auf dem Teppich")[0].startswith("Auf einem Holzboden")


def test_what_is_superseded_is_found_only_for_its_days() -> None:
    question = "what does a tuning cost"
    assert texts(question, today=date(2024, 5, 5))[0] == "It costs ninety pounds."
    assert texts(question)[0] == "It costs more."
    assert not {"It costs ninety pounds.", "It costs a hundred."} & set(texts(question))


def test_only_who_may_hear_it_finds_it() -> None:
    assert texts("what is the code of the alarm", Caller(known=True, person="Anna Berg")) == []
    assert texts("when is the rehearsal") == []
    assert texts("when is the rehearsal", Caller(known=True, person="Anna Berg")) == ["We rehearse on Thursday."]


def test_every_kind_of_entry_has_its_source() -> None:
    assert KNOWLEDGE.source(PERSONA.documents[0]) == Source(
        "document", "How we work: Before a tuning", "Please close the windows an hour before I come."
    )
    assert KNOWLEDGE.source(PERSONA.statements[0]).kind == "statement"
    assert KNOWLEDGE.source(FACTS[3]).kind == "fact"


def test_scores_fall_and_stay_between_zero_and_one() -> None:
    found = KNOWLEDGE.search("price of a tuning of an old piano", today=DAY, caller=STRANGER)
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_nothing_is_found_for_nothing() -> None:
    assert texts("") == []
    assert texts("the quantum chromodynamics lecture") == []
    empty = Knowledge(Persona(Profile(name="Ada Marsh")))
    assert empty.search("anything", today=DAY, caller=STRANGER) == ()


class ByFirstLetter:
    """An embedder that finds alike what begins alike."""

    name, dims, in_ram = "first letter", 26, True

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dims), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row, ord(text[0].lower()) - ord("a")] = 1
        return vectors


def test_what_an_embedder_finds_near_is_mixed_in_for_those_who_may_hear_it() -> None:
    mixed = Knowledge(PERSONA, embedder=ByFirstLetter())
    found = [each.entry for each in mixed.search("axolotl", today=DAY, caller=STRANGER, limit=9)]
    assert found
    assert FACTS[3] not in found
    (first, *_) = mixed.search("the price", today=DAY, caller=STRANGER)
    assert KNOWLEDGE.source(first.entry).text == "It costs more."


@pytest.mark.parametrize("language", ["en", "de"])
def test_nine_of_ten_paraphrased_questions_find_their_statement_among_five_thousand(language: str) -> None:
    made = material(language, questions=300)
    assert len(made.persona.statements) == 5000
    knowledge = Knowledge(made.persona)
    found = 0
    for question in made.of("scoring"):
        best = knowledge.search(question.text, today=DAY, caller=STRANGER, limit=5)
        found += any(each.entry is made.persona.statements[question.entry] for each in best)
    assert found >= 0.9 * len(made.of("scoring"))


def test_the_material_is_the_same_every_time_and_its_halves_share_nothing() -> None:
    made = material("en", statements=400, questions=40)
    assert made == material("en", statements=400, questions=40)
    tuned, scored = (
        {made.persona.statements[q.entry].about for q in made.of(half)} for half in ("tuning", "scoring")
    )
    assert not tuned & scored
    for question in made.questions:
        asked, said = question.text.lower(), made.persona.statements[question.entry].text.lower()
        assert said.rstrip(".") not in asked
