"""Speech that waits, and what may have to come back."""

from __future__ import annotations

import random

import pytest

from channels.pending import Pending
from channels.spoken import Spoken
from tests.doubles.wire import counting


def pending(*, limit: int = 1_000, history: int = 200) -> Pending:
    return Pending(limit_samples=limit, history_samples=history)


def piece(pcm: bytes, utterance: int = 1) -> Spoken:
    return Spoken(utterance, 0, pcm)


def test_what_goes_in_comes_out() -> None:
    queue = pending()
    queue.add(piece(counting(100)))
    queue.add(piece(counting(50, start=101)))
    assert queue.samples == 150
    assert queue.read(120)[0] + queue.read(120)[0] == counting(150)
    assert queue.samples == 0


def test_spans_say_which_part_of_which_utterance() -> None:
    queue = pending()
    queue.add(piece(counting(100), utterance=1))
    queue.add(piece(counting(60), utterance=1))
    queue.add(piece(counting(40), utterance=2))
    queue.read(90)
    _, spans = queue.read(90)
    assert [(s.at, s.samples, s.utterance, s.offset) for s in spans] == [
        (0, 10, 1, 90),
        (10, 60, 1, 100),
        (70, 20, 2, 0),
    ]


def test_a_full_queue_refuses_and_takes_again_after_a_read() -> None:
    queue = pending(limit=100)
    assert queue.add(piece(counting(80)))
    assert not queue.add(piece(counting(21)))
    assert queue.add(piece(counting(20)))
    assert not queue.room
    queue.read(30)
    assert queue.room
    assert queue.add(piece(counting(30)))


def test_an_empty_queue_takes_a_piece_of_any_length() -> None:
    queue = pending(limit=10)
    assert queue.add(piece(counting(5_000)))
    assert queue.read(5_000)[0] == counting(5_000)


def test_a_refused_piece_leaves_no_trace() -> None:
    queue = pending(limit=100)
    queue.add(piece(counting(90)))
    queue.add(piece(counting(90, start=91)))
    queue.read(90)
    queue.add(piece(counting(90, start=91)))
    assert queue.read(90)[1][0].offset == 90


def test_what_was_read_last_can_be_given_back_over_pieces() -> None:
    queue = pending()
    queue.add(piece(counting(30)))
    queue.add(piece(counting(30, start=31)))
    queue.add(piece(counting(30, start=61)))
    queue.read(75)
    assert queue.back(50) == 50
    pcm, spans = queue.read(1_000)
    assert pcm == counting(65, start=26)
    assert spans[0].offset == 25


def test_only_the_history_can_be_given_back() -> None:
    queue = pending(limit=10_000, history=50)
    for start in range(1, 1_001, 10):
        queue.add(piece(counting(10, start=start)))
    queue.read(1_000)
    given = queue.back(500)
    assert 50 <= given < 70
    assert queue.read(1_000)[0] == counting(given, start=1_001 - given)


def test_dropping_forgets_also_what_was_read() -> None:
    queue = pending()
    queue.add(piece(counting(100)))
    queue.read(60)
    assert queue.drop() == 40
    assert queue.back(60) == 0
    assert queue.read(10) == (b"", [])
    queue.add(piece(counting(10)))
    assert queue.read(10)[1][0].offset == 0


@pytest.mark.parametrize("seed", range(50))
def test_however_it_is_cut_the_bytes_are_the_same(seed: int) -> None:
    chance = random.Random(seed)
    queue = pending(limit=100_000, history=400)
    total, said, read, furthest = 5_000, 0, 0, 0
    whole = counting(total)
    spans_read: list[tuple[int, int]] = []
    while read < total:
        match chance.choice(("add", "read", "read", "back")):
            case "add":
                size = min(chance.randrange(0, 300), total - said)
                assert queue.add(piece(whole[said * 2 : (said + size) * 2]))
                said += size
            case "read":
                wanted = chance.randrange(1, 400)
                pcm, spans = queue.read(wanted)
                size = len(pcm) // 2
                assert size == min(wanted, said - read)
                assert pcm == whole[read * 2 : (read + size) * 2]
                assert [s.offset for s in spans] == [read + s.at for s in spans]
                assert sum(s.samples for s in spans) == size
                spans_read += [(s.offset, s.samples) for s in spans]
                read += size
                furthest = max(furthest, read)
            case "back":
                wanted = chance.randrange(0, 400)
                given = queue.back(wanted)
                kept = read - max(0, furthest - 400)
                assert min(wanted, kept) <= given <= min(wanted, read)
                read -= given
        assert queue.samples == said - read
    assert len(spans_read) > 10
