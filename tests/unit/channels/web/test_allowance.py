from channels.web.allowance import Allowance


def test_a_burst_is_let_through_and_then_the_average() -> None:
    allowance = Allowance(per_second=2, burst=3)

    assert [allowance.take(1, 10.0) for _ in range(4)] == [True, True, True, False]
    assert allowance.take(1, 10.5)
    assert not allowance.take(1, 10.5)
    assert allowance.refused == 2


def test_waiting_does_not_save_up_more_than_the_burst() -> None:
    allowance = Allowance(per_second=2, burst=3)
    allowance.take(1, 0.0)

    assert [allowance.take(1, 1_000.0) for _ in range(4)] == [True, True, True, False]
