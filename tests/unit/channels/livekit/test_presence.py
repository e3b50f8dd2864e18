from __future__ import annotations

from channels.livekit.presence import Presence


def presence() -> Presence:
    return Presence(100.0, first_s=60, alone_s=20, lost_s=10)


def test_a_room_into_which_nobody_comes_is_left() -> None:
    waits = presence()
    assert waits.leaves(159) is None
    assert waits.leaves(160) == "nobody_came"


def test_a_room_that_everybody_left_is_left() -> None:
    waits = presence()
    waits.people(2, 150)
    waits.people(0, 500)
    waits.people(0, 510)
    assert waits.leaves(519) is None
    assert waits.leaves(520) == "alone"


def test_somebody_who_comes_back_keeps_it_there() -> None:
    waits = presence()
    waits.people(1, 150)
    waits.people(0, 500)
    waits.people(1, 515)
    assert waits.leaves(10_000) is None


def test_a_lost_connection_is_given_up_and_nobody_counts_as_gone_meanwhile() -> None:
    waits = presence()
    waits.people(1, 150)
    waits.connected(False, 200)
    waits.people(0, 200)
    assert waits.leaves(209) is None
    assert waits.leaves(210) == "connection_lost"
    waits.connected(True, 209)
    assert waits.leaves(219) is None
