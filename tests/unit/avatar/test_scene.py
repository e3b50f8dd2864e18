"""What a face knows of the conversation."""

from __future__ import annotations

import pytest

from avatar.scene import Mode, Scene
from avatar.timeline import Said
from tests.unit.avatar.talk import SENTENCES, said, silence, sounds


def test_the_twin_speaks_while_its_words_sound() -> None:
    scene = Scene()
    scene.phrase(1, 1_000.0, [Said("Hello", 0.0, 400.0)])
    assert [scene.mode(t) for t in (900.0, 1_100.0, 3_000.0)] == [Mode.IDLE, Mode.SPEAKING, Mode.IDLE]
    assert scene.moment(1_000.0).speaking == 0.0
    assert scene.moment(1_350.0).speaking == 1.0
    assert scene.moment(3_000.0).speaking == 0.0


def test_who_listens_listens_even_while_speaking() -> None:
    scene = Scene()
    scene.phrase(1, 0.0, said(SENTENCES))
    sounds(scene, 1_000, 3_000)
    assert scene.mode(2_000.0) is Mode.LISTENING
    assert scene.moment(2_000.0).listening > 0.9
    assert scene.mode(6_000.0) is Mode.SPEAKING


def test_nothing_of_a_phrase_shows_before_it_was_told() -> None:
    scene = Scene()
    scene.phrase(1, 1_000.0, said(SENTENCES), told_ms=700.0)
    assert not scene.moment(699.0).clauses
    assert scene.moment(701.0).clauses


def test_sentences_long_commas_and_pauses_split() -> None:
    scene = Scene()
    scene.phrase(1, 0.0, said("Yes, I know. After a very long introduction, here it is: one"))
    scene.phrase(2, 20_000.0, [Said("one", 0.0, 300.0), Said("two", 900.0, 1_200.0)])
    assert [clause.utterance for clause in reversed(scene.moment(7_000.0).clauses)] == [1, 1, 1]
    assert len(scene.moment(21_000.0).clauses) == 2


@pytest.mark.parametrize("cumulative", [True, False])
def test_words_that_come_piece_by_piece_are_taken_once(cumulative: bool) -> None:
    words = said("Good morning. How are you? I am well.")
    whole, pieces = Scene(), Scene()
    whole.phrase(1, 500.0, words)
    for index in range(2, len(words) + 1, 2):
        pieces.phrase(1, 500.0, words[:index] if cumulative else words[index - 2 : index])
    seen = [(clause.start_ms, clause.end_ms) for clause in whole.moment(4_000.0).clauses]
    again = [(clause.start_ms, clause.end_ms) for clause in pieces.moment(4_000.0).clauses]
    assert seen[-1][0] == again[-1][0]
    assert seen[0][1] == again[0][1]
    assert sum(end - start for start, end in again) == pytest.approx(
        sum(end - start for start, end in seen), abs=200.0
    )


def test_silenced_the_twin_no_longer_speaks_and_eases_out() -> None:
    scene = Scene()
    scene.phrase(1, 0.0, said(SENTENCES))
    scene.silenced(2_000.0)
    assert scene.mode(2_500.0) is Mode.IDLE
    assert scene.moment(2_000.0).speaking == 1.0
    assert scene.moment(2_400.0).speaking == 0.0
    assert all(clause.start_ms < 3_000.0 for clause in scene.moment(9_000.0).clauses)


def test_after_a_hold_it_goes_on_where_it_was() -> None:
    scene, words = Scene(), said(SENTENCES)
    scene.phrase(1, 0.0, words)
    scene.silenced(2_000.0)
    scene.phrase(1, 1_500.0, words, told_ms=3_500.0)
    going_on = [clause for clause in scene.moment(5_000.0).clauses if clause.cut_ms > 1e9]
    assert going_on[-1].start_ms == 3_500.0
    assert all(clause.zero_ms == 1_500.0 for clause in going_on)
    assert scene.mode(3_600.0) is Mode.SPEAKING
    assert scene.mode(1_500.0 + words[-1].end_ms - 10.0) is Mode.SPEAKING


def test_a_phrase_that_starts_later_than_told_moves() -> None:
    scene, words = Scene(), said("Good morning everybody.")
    scene.phrase(1, 1_000.0, words, told_ms=500.0)
    scene.phrase(1, 3_000.0, words, told_ms=900.0)
    assert scene.mode(1_500.0) is Mode.IDLE
    assert scene.mode(3_300.0) is Mode.SPEAKING
    assert len([clause for clause in scene.moment(3_300.0).clauses if clause.cut_ms > 1e9]) == 1


def test_a_mood_that_is_given_replaces_that_of_the_words() -> None:
    scene = Scene()
    scene.phrase(1, 0.0, said("This is wonderful."), mood=-3.0)
    assert scene.moment(500.0).clauses[0].tone.valence == -1.0


def test_no_words_are_nothing() -> None:
    scene = Scene()
    scene.phrase(1, 0.0, [])
    scene.silenced(10.0)
    assert scene.moment(10.0).clauses == []
    assert scene.mode(10.0) is Mode.IDLE


def test_a_question_is_known_by_its_mark() -> None:
    scene = Scene()
    scene.phrase(1, 0.0, said("Are you there? I am here."))
    assert [clause.question for clause in reversed(scene.moment(1_500.0).clauses)] == [True, False]


def test_a_day_of_talk_takes_bounded_memory() -> None:
    scene, words = Scene(), said("Good morning. How are you?")
    for utterance in range(3_000):
        scene.phrase(utterance, utterance * 10_000.0, words)
        sounds(scene, utterance * 10_000 + 4_000, utterance * 10_000 + 4_300)
        silence(scene, utterance * 10_000 + 5_000, utterance * 10_000 + 5_040)
    assert len(scene._clauses) < 40
    assert len(scene._floor.turns) < 40
