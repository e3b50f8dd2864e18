"""Which words were heard."""

from __future__ import annotations

from channels.heard import HeardTrack, HeardWord
from channels.pending import Span
from channels.spoken import Spoken, Word

RATE_HZ = 1_000
"""A sample is a millisecond."""


def words(*texts: str, each_ms: int = 100) -> tuple[Word, ...]:
    return tuple(Word(text, i * each_ms, (i + 1) * each_ms) for i, text in enumerate(texts))


def spoken(samples: int, *said: Word, utterance: int = 1, last: bool = True, exact: bool = True) -> Spoken:
    return Spoken(utterance, 0, bytes(samples * 2), words=said, last=last, exact=exact, provenance="fact")


def track(*pieces: Spoken) -> HeardTrack:
    track = HeardTrack(RATE_HZ)
    for piece in pieces:
        track.expect(piece)
    return track


def texts(heard: list[HeardWord]) -> list[str]:
    return [word.text for word in heard]


def test_a_word_is_heard_when_half_of_it_was() -> None:
    heard = track(spoken(300, *words("one", "two", "three")))
    heard.sounded(1_000, [Span(0, 300, 1, 0)])
    assert texts(heard.heard(1_049)) == []
    assert texts(heard.heard(1_050)) == ["one"]
    assert texts(heard.heard(1_149)) == []
    assert texts(heard.heard(1_250)) == ["two", "three"]


def test_each_word_says_where_it_sounded_and_where_it_comes_from() -> None:
    heard = track(spoken(200, *words("one", "two")))
    heard.sounded(500, [Span(0, 200, 1, 0)])
    assert heard.heard(700) == [
        HeardWord(1, "one", 500, 600, True, "fact"),
        HeardWord(1, "two", 600, 700, True, "fact"),
    ]


def test_a_word_that_its_voice_puts_after_the_sound_is_heard_at_the_end() -> None:
    heard = track(spoken(200, Word("one", 0, 100), Word("late", 190, 400)))
    heard.sounded(0, [Span(0, 200, 1, 0)])
    assert texts(heard.heard(199)) == ["one"]
    assert texts(heard.heard(200)) == ["late"]


def test_words_may_come_after_their_sound_was_heard() -> None:
    heard = track(spoken(200, last=False))
    heard.sounded(40, [Span(0, 200, 1, 0)])
    assert heard.heard(300) == []
    heard.expect(spoken(0, *words("one", "two")))
    assert [(w.text, w.start) for w in heard.heard(300)] == [("one", 40), ("two", 140)]
    assert heard.heard(400) == []


def test_a_last_piece_without_sound_or_words_ends_the_utterance() -> None:
    heard = track(spoken(200, Word("one", 0, 100), Word("late", 190, 400), last=False))
    heard.sounded(0, [Span(0, 200, 1, 0)])
    assert texts(heard.heard(200)) == ["one"]
    heard.expect(spoken(0, exact=False))
    assert [(w.text, w.exact) for w in heard.heard(200)] == [("late", True)]


def test_what_the_wire_threw_away_is_not_heard_and_later_heard_once() -> None:
    heard = track(spoken(300, *words("one", "two", "three")))
    heard.sounded(0, [Span(0, 300, 1, 0)])
    assert texts(heard.heard(120)) == ["one"]
    assert heard.unheard(120) == 180
    assert heard.heard(1_000) == []
    heard.sounded(1_000, [Span(0, 180, 1, 120)])
    again = heard.heard(1_180)
    assert [(w.text, w.start, w.end) for w in again] == [("two", 980, 1_080), ("three", 1_080, 1_180)]


def test_unhearing_counts_speech_and_not_the_silence_between() -> None:
    heard = track(spoken(100, utterance=1), spoken(100, utterance=2))
    heard.sounded(0, [Span(0, 100, 1, 0)])
    heard.sounded(500, [Span(0, 100, 2, 0)])
    assert heard.unheard(50) == 150
    assert heard.unheard(50) == 0


def test_a_chunk_may_hold_the_end_of_one_sentence_and_the_start_of_the_next() -> None:
    heard = track(spoken(150, *words("one"), utterance=1), spoken(150, *words("two"), utterance=2))
    heard.sounded(0, [Span(0, 100, 1, 0)])
    heard.sounded(100, [Span(0, 50, 1, 100), Span(50, 50, 2, 0)])
    assert texts(heard.heard(150)) == ["one"]
    assert [(w.text, w.utterance, w.start) for w in heard.heard(200)] == [("two", 2, 150)]


def test_what_was_given_up_is_forgotten_but_not_what_already_sounded() -> None:
    heard = track(spoken(200, *words("one", "two"), utterance=1), spoken(100, *words("three"), utterance=2))
    heard.sounded(0, [Span(0, 200, 1, 0)])
    heard.heard(60)
    heard.forget()
    assert texts(heard.heard(200)) == ["two"]
    heard.sounded(200, [Span(0, 100, 2, 0)])
    assert heard.heard(300) == []
