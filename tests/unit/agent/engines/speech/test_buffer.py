"""The audio of one turn."""

from __future__ import annotations

from agent.engines.speech.buffer import PRE_ROLL_S, TurnAudio

RATE_HZ = 1000


def audio(samples: int) -> bytes:
    return bytes(2 * samples)


def test_silence_before_the_first_word_is_let_go_but_for_a_little() -> None:
    turn = TurnAudio(RATE_HZ, max_s=60)
    turn.feed(audio(30_000))
    turn.onset()
    turn.feed(audio(1_000))

    assert turn.start == 30_000 - int(PRE_ROLL_S * RATE_HZ)
    assert turn.end == 31_000


def test_a_breath_does_not_let_go_of_the_words_before_it() -> None:
    turn = TurnAudio(RATE_HZ, max_s=60)
    turn.onset()
    turn.feed(audio(5_000))
    turn.offset()
    turn.feed(audio(500))
    turn.onset()

    assert turn.start == 0


def test_a_decode_covers_the_turn_when_only_silence_followed() -> None:
    turn = TurnAudio(RATE_HZ, max_s=60)
    turn.onset()
    turn.feed(audio(1_000))
    assert not turn.covered_by(1_000)
    turn.offset()
    turn.feed(audio(700))

    assert turn.covered_by(1_000)
    assert not turn.covered_by(999)
    turn.onset()
    assert not turn.covered_by(1_700)


def test_what_is_fed_after_the_end_belongs_to_the_next_turn() -> None:
    turn = TurnAudio(RATE_HZ, max_s=60)
    turn.onset()
    turn.feed(audio(1_000))
    turn.offset()
    turn.feed(audio(200))
    turn.onset()
    turn.feed(audio(300))
    turn.finish(1_000)

    assert len(turn.read()) == 2 * 500
    assert turn.speech


def test_memory_is_bounded() -> None:
    turn = TurnAudio(RATE_HZ, max_s=2)
    turn.onset()
    for _ in range(100):
        turn.feed(audio(100))

    assert len(turn.read()) == 2 * 2_000
    assert (turn.start, turn.end) == (8_000, 10_000)
