from __future__ import annotations

from dataclasses import dataclass

from compliance.console.lines import MARGIN_S, Piece, audible, lines
from compliance.entries import TurnEntry, WordEntry

HZ = 1_000


@dataclass(frozen=True)
class Span:
    kind: str
    start: int
    end: int


def heard(text: str, *words: tuple[str, int, int], sequence: int = 0, cut: bool = False) -> TurnEntry:
    """A turn of the twin, with times in milliseconds."""
    return TurnEntry(
        sequence=sequence,
        who="twin",
        text=text,
        start_samples=words[0][1],
        end_samples=words[-1][2],
        rate_hz=HZ,
        cut=cut,
        provenance="fact-model",
        words=tuple(WordEntry(*word) for word in words),
    )


def said(text: str, start: int, end: int, sequence: int = 1) -> TurnEntry:
    """A turn of the caller, which has no times of words."""
    return TurnEntry(sequence, "caller", text, start, end, HZ)


CALL_ME = heard("Call me, Ada.", ("Call", 0, 300), ("me,", 300, 500), ("Ada.", 500, 900))


def test_every_word_knows_when_it_sounded_and_the_text_is_whole() -> None:
    (line,) = lines([CALL_ME], None)

    assert line.pieces == (Piece("Call ", 0.0, 0.3), Piece("me, ", 0.3, 0.5), Piece("Ada.", 0.5, 0.9))
    assert line.text == "Call me, Ada."
    assert line.provenance == ("fact", "model")


def test_what_is_hidden_is_nowhere_in_the_line_and_its_neighbours_stay() -> None:
    (line,) = lines([CALL_ME], {0: [Span("person", 9, 12)]})

    assert line.pieces[-2:] == (Piece("", 0.5, 0.9, masked="person"), Piece(".", 0.5, 0.9))
    assert line.text == "Call me, [person]."
    assert "Ada" not in repr(line)


def test_a_secret_of_several_words_is_one_bar() -> None:
    turn = heard("It is one two three.", ("It", 0, 100), ("is", 100, 200), ("one", 200, 300),
                 ("two", 300, 400), ("three.", 400, 500))  # fmt: skip
    (line,) = lines([turn], {0: [Span("phone_number", 6, 19)]})

    assert line.pieces[2:] == (Piece("", 0.2, 0.5, masked="phone_number"), Piece(".", 0.4, 0.5))


def test_two_secrets_beside_each_other_stay_two_when_they_differ() -> None:
    (line,) = lines([said("Ada 555", 0, 100)], {1: [Span("person", 0, 3), Span("phone_number", 4, 7)]})

    assert [piece.masked for piece in line.pieces] == ["person", "", "phone_number"]


def test_words_that_are_not_in_the_text_give_no_times_rather_than_wrong_ones() -> None:
    (line,) = lines([heard("twenty", ("20", 0, 100))], None)

    assert line.pieces == (Piece("twenty", None, None),)


def test_lines_stand_in_the_order_in_which_they_were_begun() -> None:
    shown = lines([said("later", 500, 900, sequence=0), said("sooner", 0, 400, sequence=1)], None)

    assert [line.text for line in shown] == ["sooner", "later"]


def test_no_words_and_no_text_are_shown_as_nothing() -> None:
    (line,) = lines([said("", 0, 0)], {1: []})

    assert line.pieces == ()
    assert line.text == ""


def test_without_masks_the_recording_sounds_where_somebody_speaks() -> None:
    shown = lines([CALL_ME, said("Yes.", 800, 1_500), said("No.", 3_000, 4_000, sequence=2)], None)

    assert audible(shown) == ((0.0, 1.5), (3.0, 4.0)), "what no line covers nobody has looked through"


def test_a_masked_word_is_silent_with_a_margin_on_both_sides() -> None:
    shown = lines([CALL_ME], {0: [Span("x", 5, 7)]})

    assert audible(shown) == ((0.0, 0.3 - MARGIN_S), (0.5 + MARGIN_S, 0.9))


def test_a_masked_word_without_a_time_silences_its_whole_line() -> None:
    shown = lines(
        [CALL_ME, said("My number is 555", 2_000, 4_000), said("Yes", 5_000, 6_000, sequence=2)],
        {1: [Span("phone_number", 13, 16)]},
    )

    assert audible(shown) == ((0.0, 0.9), (5.0, 6.0))


def test_what_one_side_hides_the_other_side_s_channel_does_not_sound_either() -> None:
    shown = lines([CALL_ME, said("555", 100, 800)], {1: [Span("phone_number", 0, 3)]})

    assert all(end <= 0.1 or start >= 0.8 for start, end in audible(shown))
