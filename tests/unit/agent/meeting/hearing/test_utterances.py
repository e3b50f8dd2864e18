"""Where one person's utterances begin and end."""

from __future__ import annotations

from agent.meeting.hearing.utterances import LONG_MS, LONGEST_MS, Begin, End, Fall, Step, Utterances
from agent.turns.settings import TurnSettings

HZ = 48_000
WINDOW_MS = 32
TURNS = TurnSettings()


class Person:
    """Speaks and is silent for so many milliseconds."""

    def __init__(self) -> None:
        self.utterances = Utterances(TURNS, rate_hz=HZ, window_ms=WINDOW_MS)
        self.at = 0
        self.steps: list[tuple[int, Step]] = []

    def goes(self, ms: int, probability: float) -> None:
        for _ in range(ms // WINDOW_MS):
            self.at += WINDOW_MS * HZ // 1000
            self.steps += [(self.ms, step) for step in self.utterances.on(probability, self.at)]

    @property
    def ms(self) -> int:
        return self.at * 1000 // HZ

    def speaks(self, ms: int) -> None:
        self.goes(ms, 0.9)

    def pauses(self, ms: int) -> None:
        self.goes(ms, 0.1)

    @property
    def kinds(self) -> list[str]:
        return [type(step).__name__ for _, step in self.steps]


def test_an_utterance_begins_with_speech_and_ends_with_silence() -> None:
    anna = Person()
    anna.pauses(320)
    anna.speaks(960)
    anna.pauses(960)
    assert [step for _, step in anna.steps] == [
        Begin(320 * 48, first=True),
        Fall(1_280 * 48, 192.0),
        End(1_280 * 48),
    ]
    told_ms = [ms for ms, _ in anna.steps]
    assert told_ms[1] == 1_280 + 192
    assert TURNS.end_of_turn_ms <= told_ms[2] - 1_280 < TURNS.end_of_turn_ms + WINDOW_MS


def test_a_breath_does_not_end_it() -> None:
    anna = Person()
    for _ in range(3):
        anna.speaks(960)
        anna.pauses(384)
    anna.pauses(640)
    assert anna.kinds == ["Begin", "Fall", "Begin", "Fall", "Begin", "Fall", "End"]
    assert [step.first for _, step in anna.steps if isinstance(step, Begin)] == [True, False, False]


def test_words_that_end_like_a_sentence_need_less_silence() -> None:
    anna = Person()
    anna.speaks(960)
    anna.utterances.complete = True
    anna.pauses(960)
    assert TURNS.complete_ms <= anna.steps[-1][0] - 960 < TURNS.end_of_turn_ms
    assert not anna.utterances.complete


def test_a_long_one_ends_at_the_first_breath() -> None:
    anna = Person()
    anna.speaks(LONG_MS)
    anna.pauses(256)
    assert anna.kinds == ["Begin", "Fall", "End"]


def test_one_without_a_breath_is_cut_and_goes_on() -> None:
    anna = Person()
    anna.speaks(LONGEST_MS + 2_000)
    anna.pauses(960)
    assert anna.kinds == ["Begin", "End", "Begin", "Fall", "End"]
    first, second = anna.steps[1][1], anna.steps[2][1]
    assert isinstance(first, End)
    assert second == Begin(first.at, first=True)


def test_a_click_is_nobody() -> None:
    anna = Person()
    anna.speaks(64)
    anna.pauses(960)
    assert anna.kinds == []


def test_who_is_muted_in_the_middle_has_ended() -> None:
    anna = Person()
    anna.speaks(960)
    steps = anna.utterances.stop(anna.at)
    assert steps == [Fall(anna.at, 0.0), End(anna.at)]
    assert not anna.utterances.open
    assert anna.utterances.stop(anna.at) == []


def test_who_is_muted_in_a_pause_has_ended_where_they_last_sounded() -> None:
    anna = Person()
    anna.speaks(960)
    anna.pauses(320)
    assert anna.utterances.stop(anna.at) == [End(960 * 48)]


def test_positions_never_go_back_where_a_line_delivers_late_and_all_at_once() -> None:
    anna = Person()
    anna.speaks(960)
    anna.pauses(960)
    ended = anna.at - 960 * 48
    anna.at = ended
    anna.speaks(320)
    begun = anna.steps[-1][1]
    assert isinstance(begun, Begin)
    assert begun.at >= ended
