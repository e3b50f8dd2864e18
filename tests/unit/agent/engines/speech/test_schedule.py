"""Who is decoded next, on a turned clock."""

from __future__ import annotations

from agent.engines.speech.schedule import Schedule


def test_a_call_is_decoded_twice_a_second_however_often_it_asks() -> None:
    schedule = Schedule(every_s=0.5)
    begun = []
    for tick in range(100):  # 2 s of 20 ms
        now_s = tick * 0.02
        schedule.want(1, now_s)
        if schedule.next(now_s):
            begun.append(round(now_s, 2))

    assert begun == [0.5, 1.0, 1.5]


def test_the_end_of_speech_is_decoded_at_once_and_before_all_others() -> None:
    schedule = Schedule(every_s=0.5)
    schedule.want(1, 0.0)
    schedule.want(2, 0.0)
    schedule.want(2, 0.6, final=True)

    assert [schedule.next(0.6), schedule.next(0.6), schedule.next(0.6)] == [(2, True), (1, False), None]


def test_nothing_queues_while_the_model_is_busy() -> None:
    schedule = Schedule(every_s=0.5)
    for tick in range(500):  # ten seconds in which nothing was decoded
        schedule.want(1, tick * 0.02)

    assert schedule.next(10.0) == (1, False)
    assert schedule.next(10.0) is None


def test_calls_take_turns_when_the_model_is_slow() -> None:
    schedule = Schedule(every_s=0.5)
    order = []
    for tick in range(1, 13):
        now_s = float(tick)
        for call in (1, 2, 3):
            schedule.want(call, now_s - 0.9 + call / 100)
        turn = schedule.next(now_s)
        assert turn is not None
        order.append(turn[0])

    assert sorted(order) == [1] * 4 + [2] * 4 + [3] * 4


def test_it_tells_how_long_nothing_is_due() -> None:
    schedule = Schedule(every_s=0.5)
    assert schedule.due_in(0.0) is None
    schedule.want(1, 0.0)

    assert schedule.due_in(0.2) == 0.3
    assert schedule.due_in(0.9) == 0.0


def test_a_call_that_left_is_forgotten() -> None:
    schedule = Schedule()
    schedule.want(1, 0.0, final=True)
    schedule.drop(1)

    assert schedule.next(1.0) is None
    assert schedule.due_in(1.0) is None
