"""Vectors as they are stored: alike where they were alike, and meaningless without the secret."""

from __future__ import annotations

import numpy as np

from persona.memory.embedder import LocalEmbedder
from persona.memory.turned import Turn

EMBEDDER = LocalEmbedder()
STORED = [0.43924657, -0.6250567, 0.6029205, -0.00184056, 0.05601234, 0.22296342]
SENTENCES = ["Her daughter starts school in August.", "The school year begins.", "His dog is called Rex.", "Rex"]


def test_angles_within_one_person_stay_exactly() -> None:
    vectors = EMBEDDER.embed(SENTENCES)
    turned = Turn(b"a" * 32, EMBEDDER.dims).turned(vectors)
    assert np.allclose(turned @ turned.T, vectors @ vectors.T, atol=1e-5)


def test_the_same_sentence_of_two_people_has_nothing_in_common() -> None:
    vectors = EMBEDDER.embed(SENTENCES)
    hers, his = (Turn(secret * 32, EMBEDDER.dims).turned(vectors) for secret in (b"a", b"b"))
    assert np.abs((hers * his).sum(axis=1)).max() < 0.25
    assert np.abs((hers * vectors).sum(axis=1)).max() < 0.25


def test_a_vector_of_one_word_does_not_show_in_its_numbers() -> None:
    vector = EMBEDDER.embed(["Rex"])
    assert np.count_nonzero(vector) < 20
    assert np.count_nonzero(np.abs(Turn(b"a" * 32, EMBEDDER.dims).turned(vector)) > 1e-6) > 0.95 * EMBEDDER.dims


def test_what_was_stored_once_fits_for_ever() -> None:
    # Numbers of the first version: a change of them makes every stored vector useless.
    turned = Turn(bytes(range(32)), 6).turned(np.eye(6, dtype=np.float32)[:1])
    assert np.allclose(turned[0], STORED, atol=1e-6), turned[0].tolist()
