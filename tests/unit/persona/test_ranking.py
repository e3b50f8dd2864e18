from __future__ import annotations

import random

from persona.ranking import Document, Index

INDEX = Index(
    [
        Document(("opening hours", "when are you open", "are you open on saturday"), "We open at nine."),
        Document(("price of a consultation", "how much does a consultation cost"), "It costs ninety pounds."),
        Document(("address", "where are you"), "Fourteen Lantern Lane."),
        Document(("who Ada is", "who is ada marsh"), "Ada is a tuner."),
    ],
    names=("Ada Marsh",),
)


def best(question: str) -> int:
    matches = INDEX.search(question)
    return matches[0].entry if matches else -1


def test_the_entry_that_is_asked_for_comes_first() -> None:
    assert best("are you open on saturdays") == 0
    assert best("what is the price of a consultation") == 1
    assert best("where are you") == 2


def test_one_of_its_ways_of_asking_scores_one() -> None:
    assert INDEX.search("How much does a consultation cost?")[0].score > 0.98


def test_a_misheard_word_is_found_by_its_letters() -> None:
    assert best("how much does a constultation") == 1
    assert INDEX.search("consulation fee")[0].score > 0.5


def test_a_word_nobody_knows_lowers_the_score() -> None:
    known = INDEX.search("when are you open")[0].score
    assert INDEX.search("when is the museum open")[0].score < known - 0.2


def test_a_question_about_nothing_that_is_known_finds_nothing() -> None:
    assert INDEX.search("what is the capital of mongolia") == []
    assert INDEX.search("") == []
    assert INDEX.search("the and of") == []


def test_the_owners_name_alone_is_no_subject() -> None:
    assert INDEX.search("does ada like jazz") == []


def test_an_empty_index_finds_nothing() -> None:
    assert Index([]).search("anything") == []


def test_five_thousand_entries_are_found_again_with_a_word_wrong() -> None:
    chance = random.Random(1)
    syllables = [a + b for a in "bdfgklmnprstvw" for b in "aeiou"]
    vocabulary = ["".join(chance.choices(syllables, k=chance.randrange(2, 5))) for _ in range(4000)]
    asked = [" ".join(chance.choices(vocabulary, k=5)) for _ in range(5000)]
    index = Index([Document((way,), " ".join(chance.choices(vocabulary, k=12))) for way in asked])
    found = 0
    for entry in range(0, 5000, 50):
        words = asked[entry].split()
        words[chance.randrange(5)] = chance.choice(vocabulary)
        found += entry in [match.entry for match in index.search(" ".join(words), limit=5)]
    assert found >= 95
