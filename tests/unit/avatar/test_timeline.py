from __future__ import annotations

from avatar.timeline import Part, Run, Timeline

RATE = 16_000
CHUNK = 320
REACH = 1_600


def leave(timeline: Timeline, position: int, utterance: int, offset: int, chunks: int = 1) -> int:
    """Let whole chunks of an utterance leave; returns the position after them."""
    for _ in range(chunks):
        timeline.sounded(position, [Part(0, CHUNK, utterance, offset)])
        position += CHUNK
        offset += CHUNK
    return position


def only(timeline: Timeline, position: int) -> Run:
    ((_, (run,)),) = timeline.around(position, REACH)
    return run


def test_what_sounds_lies_where_it_left() -> None:
    timeline = Timeline(RATE)
    timeline.expect(7, 10 * CHUNK)
    timeline.sounded(0, [])
    leave(timeline, CHUNK, 7, 0, 5)
    run = only(timeline, 3 * CHUNK)
    assert (run.utterance, run.start, run.begin) == (7, CHUNK, CHUNK)


def test_what_waits_follows_without_a_gap() -> None:
    timeline = Timeline(RATE)
    timeline.expect(1, 3 * CHUNK)
    timeline.expect(2, 5 * CHUNK)
    leave(timeline, 0, 1, 0)
    ((_, runs),) = timeline.around(3 * CHUNK, REACH)
    assert [(run.utterance, run.start, run.end) for run in runs] == [(1, 0, 3 * CHUNK), (2, 3 * CHUNK, 8 * CHUNK)]


def test_two_utterances_in_one_chunk_begin_at_their_own_samples() -> None:
    timeline = Timeline(RATE)
    timeline.expect(1, 100)
    timeline.expect(2, CHUNK)
    timeline.sounded(640, [Part(0, 100, 1, 0), Part(100, 220, 2, 0)])
    assert timeline.start_of(1) == 640
    assert timeline.start_of(2) == 740


def test_what_waits_before_any_sound_is_about_to_begin() -> None:
    timeline = Timeline(RATE)
    timeline.sounded(0, [])
    timeline.expect(1, CHUNK)
    assert timeline.start_of(1) == CHUNK
    assert only(timeline, 5 * CHUNK).start == 5 * CHUNK


def test_nothing_waits_at_a_door_that_is_held() -> None:
    timeline = Timeline(RATE)
    timeline.expect(1, 10 * CHUNK)
    position = leave(timeline, 0, 1, 0, 2)
    timeline.stopped(position)
    assert timeline.held
    assert timeline.start_of(1) is None
    assert all(era.stop == position for era, _ in timeline.around(position + 10, REACH))


def test_speech_goes_on_from_the_very_sample() -> None:
    timeline = Timeline(RATE)
    timeline.expect(1, 10 * CHUNK)
    position = leave(timeline, 0, 1, 0, 4)
    timeline.stopped(position)
    again = position + 50 * CHUNK
    leave(timeline, again, 1, 2 * CHUNK + 17)
    run = only(timeline, again + 5)
    assert run.start == again - 2 * CHUNK - 17
    assert (run.begin, run.known) == (again, again)


def test_a_hold_may_take_back_the_end_of_the_utterance_before() -> None:
    timeline = Timeline(RATE)
    timeline.expect(1, 2 * CHUNK)
    timeline.expect(2, 4 * CHUNK)
    position = leave(timeline, 0, 1, 0, 2)
    position = leave(timeline, position, 2, 0)
    timeline.stopped(position - 2 * CHUNK)
    leave(timeline, position, 1, CHUNK)
    assert timeline.start_of(2) == position + CHUNK


def test_what_was_dropped_never_sounds() -> None:
    timeline = Timeline(RATE)
    timeline.expect(1, 10 * CHUNK)
    timeline.expect(2, 10 * CHUNK)
    position = leave(timeline, 0, 1, 0, 3)
    timeline.dropped(position)
    timeline.expect(3, CHUNK)
    assert [
        run.utterance for era, runs in timeline.around(position, REACH) if era.stop is None for run in runs
    ] == [3]
    assert timeline.sounded(position, [Part(0, CHUNK, 2, 0)]) == []


def test_a_dry_queue_breaks_an_utterance_off() -> None:
    timeline = Timeline(RATE)
    timeline.expect(1, CHUNK)
    timeline.sounded(0, [Part(0, CHUNK, 1, 0)])
    assert only(timeline, 10).whole
    timeline.sounded(CHUNK, [])
    assert not only(timeline, 10).whole
    timeline.expect(1, CHUNK)
    leave(timeline, 2 * CHUNK, 1, CHUNK)
    ((_, runs),) = timeline.around(CHUNK, REACH)
    assert [(run.begin, run.end) for run in runs] == [(0, CHUNK), (2 * CHUNK, 3 * CHUNK)]


def test_eight_hours_do_not_move_it_by_a_sample() -> None:
    timeline = Timeline(44_100)
    position = 0
    for utterance in range(6_000):
        samples = 44_100 * 4 + utterance % 7
        timeline.expect(utterance, samples)
        for offset in range(0, samples, 22_050):
            part = Part(0, min(22_050, samples - offset), utterance, offset)
            timeline.sounded(position + offset, [part])
        assert timeline.start_of(utterance) == position
        position += samples + 37_044
        timeline.sounded(position - 882, [])
    assert position > 8 * 3_600 * 44_100


def test_a_long_call_takes_no_more_memory() -> None:
    timeline = Timeline(RATE)
    position = 0
    for utterance in range(2_000):
        timeline.expect(utterance, 3 * CHUNK)
        position = leave(timeline, position, utterance, 0, 2)
        if utterance % 3 == 0:
            timeline.stopped(position)
        if utterance % 5 == 0:
            timeline.dropped(position)
    assert len(timeline.alive) < 250
    assert sum(len(runs) for _, runs in timeline.around(position, 10**9)) < 250
