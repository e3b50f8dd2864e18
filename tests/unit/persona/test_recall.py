"""Finding in RAM what a caller told before, by what they say now, in English and German."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from persona.memory.embedder import LocalEmbedder
from persona.recall import Recall, of_person
from persona.source import Memory

EMBEDDER = LocalEmbedder()
ENGLISH = {
    "Anna's daughter Mia starts school in August.": "My daughter had her first school day.",
    "Anna's dog is called Rex.": "I have to walk the dog now.",
    "Anna works as a nurse at Saint Mary hospital.": "How is it going at the hospital?",
    "Anna is allergic to peanuts.": "Can you recommend a restaurant, with my allergy?",
    "Anna's mother was ill in spring.": "Mother is feeling better again.",
    "Anna wants to buy a house in Potsdam.": "We found a house!",
    "Anna's car is a blue Volvo.": "The car broke down on the way.",
    "Anna plays the violin in an orchestra.": "We have a concert, the violin part is hard.",
    "Anna's husband Tom is a baker.": "Tom says hello.",
    "Anna's birthday is on the third of May.": "I am having a birthday party.",
    "Anna prefers to be called in the evening.": "When would you call me? In the evening?",
    "Anna is planning a trip to Norway with her sister.": "Norway was wonderful.",
    "Anna's invoice number 4711 is still open.": "It is about invoice 4711.",
    "Anna's garden fence was broken in the storm.": "Could you look at the fence?",
    "Anna's son has piano lessons on Tuesdays.": "Is Tuesday a bad day?",
    "Anna is writing a book about lighthouses.": "The book is finished!",
}
GERMAN = {
    "Annas Tochter Mia kommt im August in die Schule.": "Meine Tochter hatte ihren ersten Schultag.",
    "Annas Hund heißt Rex.": "Ich muss jetzt mit dem Hund raus.",
    "Anna arbeitet als Krankenschwester in der Charité.": "In der Charité ist viel los.",
    "Anna hat eine Erdnussallergie.": "Kann ich das essen, mit meiner Allergie?",
    "Annas Mutter war im Frühjahr krank.": "Der Mutter geht es besser.",
    "Anna möchte ein Haus in Potsdam kaufen.": "Wir haben ein Haus gefunden!",
    "Annas Auto ist ein blauer Volvo.": "Das Auto ist liegengeblieben.",
    "Anna spielt Geige in einem Orchester.": "Unser Orchester gibt ein Konzert.",
    "Annas Mann Tom ist Bäcker.": "Tom lässt grüßen.",
    "Annas Geburtstag ist am dritten Mai.": "Ich feiere meinen Geburtstag.",
    "Anna möchte am liebsten abends angerufen werden.": "Rufen Sie mich bitte wieder abends an.",
    "Anna plant mit ihrer Schwester eine Reise nach Norwegen.": "Norwegen war wunderbar.",
    "Annas Rechnung 4711 ist noch offen.": "Es geht um die Rechnung 4711.",
    "Annas Gartenzaun ist im Sturm kaputtgegangen.": "Können Sie sich den Zaun ansehen?",
    "Annas Sohn hat dienstags Klavierunterricht.": "Ist Dienstag ein schlechter Tag?",
    "Anna schreibt ein Buch über Leuchttürme.": "Das Buch ist fertig!",
}
THINGS = ("ladder", "kettle", "parcel", "window", "printer", "balcony", "umbrella", "cupboard",
          "Leiter", "Drucker", "Fenster", "Paket", "Balkon", "Regenschirm", "Schrank", "Teppich")  # fmt: skip
DEEDS = ("bought {} number {}.", "asked about {} number {}.", "hat {} Nummer {} bestellt.", "sucht {} Nummer {}.")


class Slow(LocalEmbedder):
    """An embedder on a server: it must never be asked within a call."""

    in_ram = False

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError("asked within a call")


def others(count: int) -> list[Memory]:
    return [
        Memory(f"o{at}", "Anna " + DEEDS[at % 4].format(THINGS[at // 4 % 16], at), at_ms=at) for at in range(count)
    ]


def recall_of(told: Sequence[str], more: int = 0) -> Recall:
    memories = [Memory(f"m{at}", text, at_ms=at * 1000) for at, text in enumerate(told)]
    return Recall([*memories, *others(more)], embedder=EMBEDDER)


@pytest.mark.parametrize("pairs", [ENGLISH, GERMAN], ids=["en", "de"])
def test_what_was_told_is_found_among_two_thousand_others(pairs: dict[str, str]) -> None:
    recall = recall_of([*ENGLISH, *GERMAN], more=2_000)
    missed = [said for told, said in pairs.items() if told not in [found.text for found in recall.find(said)]]
    assert len(missed) <= 0.1 * len(pairs), missed


@pytest.mark.parametrize("pairs", [ENGLISH, GERMAN], ids=["en", "de"])
def test_with_few_memories_the_right_one_comes_first(pairs: dict[str, str]) -> None:
    recall = recall_of(list(pairs))
    missed = [said for told, said in pairs.items() if [m.text for m in recall.find(said, limit=1)] != [told]]
    assert len(missed) <= 0.1 * len(pairs), missed


@pytest.mark.parametrize("said", ["Hello, who is this?", "Und was ist mit dem?", "", "?!", "Yes, please."])
def test_what_is_about_nothing_finds_nothing(said: str) -> None:
    assert recall_of([*ENGLISH, *GERMAN]).find(said) == ()


def test_who_told_nothing_is_found_nothing() -> None:
    recall = Recall((), embedder=EMBEDDER)
    assert (len(recall), recall.find("dog"), recall.latest()) == (0, (), ())
    assert recall.of("Eva").find("dog") == ()


def test_of_what_is_equally_good_the_newer_comes_first() -> None:
    same = [Memory(f"m{at}", "She has an appointment on Monday.", at_ms=at) for at in (3, 1, 9, 5)]
    found = Recall(same, embedder=EMBEDDER).find("my appointment on Monday", limit=3)
    assert [memory.at_ms for memory in found] == [9, 5, 3]


def test_the_latest_come_newest_first() -> None:
    assert [memory.at_ms for memory in recall_of(list(ENGLISH)).latest(2)] == [15_000, 14_000]


def test_no_more_are_found_than_asked_for() -> None:
    recall = Recall(others(50), embedder=EMBEDDER)
    assert len(recall.find("the ladder", limit=3)) == 3
    assert recall.find("the ladder", limit=0) == ()


def test_vectors_that_are_known_are_not_made_again() -> None:
    memories = [Memory("b", "She has two cats.", 2), Memory("a", "Her dog is called Rex.", 1)]
    vectors = EMBEDDER.embed([memory.text for memory in memories])
    known = Recall(memories, embedder=Slow(), vectors=vectors)
    assert [memory.id for memory in known.find("the puppy", vector=EMBEDDER.embed(["her dog"])[0])] == ["a"]


def test_a_slow_embedder_is_not_asked_and_words_find_it_all_the_same() -> None:
    memories = [Memory("a", "Her dog is called Rex.", 1), Memory("b", "She has two cats.", 2)]
    assert [memory.id for memory in Recall(memories, embedder=Slow()).find("How is your dog?")] == ["a"]


def test_on_a_shared_line_nobody_hears_what_another_told() -> None:
    memories = [
        Memory("a", "Eva's dog is called Rex.", 1, person="Eva"),
        Memory("b", "Jan's dog is called Luna.", 2, person="Jan"),
        Memory("c", "The dog of somebody is called Max.", 3),
    ]
    recall = Recall(memories, embedder=EMBEDDER)
    assert [memory.id for memory in recall.of("eva").find("the dog")] == ["a"]
    assert [memory.id for memory in recall.of("Jan").find("the dog")] == ["b"]
    assert recall.of("Kim").find("the dog") == ()


def test_on_ones_own_line_what_was_told_before_the_name_is_theirs() -> None:
    memories = [Memory("a", "Her dog is called Rex.", 1), Memory("b", "She has two cats.", 2, person="Eva")]
    assert [memory.id for memory in of_person(memories, "Eva")] == ["a", "b"]
    assert of_person(memories, "Jan") == ()
