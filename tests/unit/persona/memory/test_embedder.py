"""The embedder that needs no model: what is alike for it, in English and German."""

from __future__ import annotations

import numpy as np
import pytest

from persona.memory.embedder import DIMS, LocalEmbedder, words

EMBEDDER = LocalEmbedder()


def alike(one: str, other: str) -> float:
    first, second = EMBEDDER.embed([one, other])
    return float(first @ second)


def test_vectors_have_length_one_and_an_empty_text_none() -> None:
    vectors = EMBEDDER.embed(["Anna's daughter starts school.", "Über die Schule", "", "?!"])
    assert vectors.shape == (4, DIMS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 0, 0], atol=1e-6)


def test_no_texts_are_no_vectors() -> None:
    assert EMBEDDER.embed([]).shape == (0, DIMS)


def test_the_same_text_is_the_same_vector_whatever_is_beside_it() -> None:
    alone = EMBEDDER.embed(["Her dog is called Rex."])[0]
    among = EMBEDDER.embed(["Rex Rex Rex", "Her dog is called Rex.", "dog"])[1]
    assert np.array_equal(alone, among)


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("How is your daughter?", "Anna's daughter starts school in August.", "Anna's dog is called Rex."),
        ("Does the school begin?", "Her daughter visited two schools.", "Her daughter is called Mia."),
        ("Wie geht es der Tochter?", "Annas Töchter gehen zur Schule.", "Annas Hund heißt Rex."),
        ("Und die Versicherung?", "Sie hat eine Haftpflichtversicherung.", "Sie hat ein blaues Auto."),
        ("the adress of the dentist", "The dentist's address is Elm Street.", "The plumber came on Monday."),
    ],
)
def test_endings_compounds_and_slips_of_the_pen_are_found(question: str, right: str, wrong: str) -> None:
    assert alike(question, right) > alike(question, wrong) + 0.08


def test_small_words_do_not_make_sentences_alike() -> None:
    assert alike("What is it that you have in the cellar?", "What is it that she has in the attic?") < 0.2


def test_words_are_read_without_case_accents_and_marks() -> None:
    assert words("Grüße, O'Neil & Straße_7!") == ["grusse", "o", "neil", "strasse", "7"]
