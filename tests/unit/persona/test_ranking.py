from __future__ import annotations

import random

import pytest

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


GERMAN = Index(
    [
        Document(("Dachfenster",), "Das Dachfenster im Arbeitszimmer ist undicht."),
        Document(("Küche",), "In der Küche wurde der Herd ausgetauscht."),
        Document(("Straßenlaterne",), "Die Straßenlaterne brennt seit Mai nicht mehr."),
        Document(("Versicherung",), "Das Haus ist gegen Hochwasser versichert."),
    ],
    languages=("de",),
)


@pytest.mark.parametrize(
    ("question", "entry"),
    [
        ("was ist mit dem Fenster im Dach", 0),
        ("tropft es im Zimmer zum Arbeiten durchs Fenster", 0),
        ("Kuechenherd", 1),
        ("die Laterne auf der Strasse", 2),
        ("Überschwemmungsversicherung", 3),
    ],
)
def test_german_compounds_umlauts_and_inflections_meet(question: str, entry: int) -> None:
    assert GERMAN.search(question, broad=True)[0].entry == entry


def test_a_broad_search_follows_words_of_near_meaning_and_a_strict_one_does_not() -> None:
    index = Index(
        [Document(("boat",), "The boat lies in the harbour."), Document(("horse",), "The horse is brown.")]
    )
    assert index.search("vessel") == []
    assert [match.entry for match in index.search("vessel", broad=True)] == [0]


def test_a_word_itself_comes_before_one_of_near_meaning() -> None:
    index = Index([Document(("sofa",), "The sofa is green."), Document(("couch",), "The couch is green.")])
    assert [match.entry for match in index.search("green couch", broad=True)] == [1, 0]


def test_only_those_that_are_asked_for_are_ranked() -> None:
    assert [match.entry for match in INDEX.search("opening hours", among=lambda entry: entry != 0)] == []
    documents = [Document((f"price {number}",), "It costs ninety.") for number in range(200)]
    found = Index(documents).search("what is the price", limit=3, among=lambda entry: entry > 150)
    assert [match.entry for match in found] == [151, 152, 153]


def test_a_language_that_is_not_described_is_searched_as_it_is_written() -> None:
    index = Index(
        [Document(("horaires",), "Le cabinet ouvre à neuf heures."), Document(("adresse",), "Rue des Lilas.")],
        languages=("fr",),
    )
    assert index.search("à quelle heure ouvre le cabinet")[0].entry == 0
    chinese = Index(
        [Document(("營業時間",), "我們九點開門"), Document(("地址",), "百合街十四號")], languages=("zh",)
    )
    assert chinese.search("你們幾點開門")[0].entry == 0


def test_only_the_first_words_of_a_page_are_looked_up() -> None:
    page = " ".join(f"word{number}" for number in range(5000))
    assert INDEX.search(f"{page} address", broad=True) == []
    assert [match.entry for match in INDEX.search(f"address {page}", broad=True)] == [2]
