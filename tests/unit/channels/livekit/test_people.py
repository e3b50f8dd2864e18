from __future__ import annotations

import random

from channels.livekit.people import LEFT_S, SETTLE_S, Came, Left, Muted, People, Renamed, Seat, Shares
from channels.room import Person


def sits(key: str, *, identity: str = "", name: str = "", muted: bool = False, shares: bool = False) -> Seat:
    return Seat(key, Person(identity or key, name), muted, shares)


def settled(*seats: Seat) -> People:
    people = People()
    people.look(seats, 0.0)
    people.look(seats, SETTLE_S)
    return people


def test_somebody_has_come_when_they_get_the_sound() -> None:
    people = People()
    anna = sits("anna")
    assert people.look([anna], 10.0) == []
    assert people.look([anna], 10.0 + SETTLE_S) == [Came(anna)]
    assert people.here == (anna,)


def test_somebody_who_is_gone_for_a_moment_has_not_left() -> None:
    anna = sits("anna")
    people = settled(anna)
    assert people.look([], 1.0) == []
    assert people.look([anna], 1.0 + LEFT_S / 2) == []
    assert people.look([], 5.0) == []
    assert people.look([], 5.0 + LEFT_S) == [Left(anna)]
    assert people.here == ()


def test_nobody_leaves_while_the_own_connection_is_made_anew() -> None:
    anna = sits("anna")
    people = settled(anna)
    assert people.look([], 1.0, steady=False) == []
    assert people.look([], 100.0, steady=False) == []
    assert people.look([anna], 101.0) == []


def test_changes_are_told_once() -> None:
    people = settled(sits("anna", name="Anna"))
    other = sits("anna", name="Ann", muted=True, shares=True)
    assert people.look([other], 2.0) == [Renamed(other), Muted(other), Shares(other)]
    assert people.look([other], 3.0) == []


def test_two_telephones_of_one_number_are_two_people() -> None:
    first, second = sits("sip_1", identity="+15550100"), sits("sip_2", identity="+15550100")
    people = settled(first, second)
    assert [seat.person.identity for seat in people.here] == ["+15550100", "sip_2"]
    assert people.key("+15550100") == "sip_1"


def test_whoever_is_called_like_the_number_of_a_telephone_is_not_who_calls_from_it() -> None:
    people = settled(sits("sip_1", identity="+15550100"), sits("+15550100"))
    assert [seat.person.identity for seat in people.here] == ["+15550100", "+15550100 2"]


def test_the_subject_of_somebody_stays_the_same_in_a_call() -> None:
    people = settled(sits("sip_1"))
    people.look([sits("sip_1", identity="+15550100")], 2.0)
    assert [seat.person.identity for seat in people.here] == ["sip_1"]


def test_random_rooms_are_told_in_order() -> None:
    chance = random.Random(6)
    people = People()
    told: set[str] = set()
    now = 0.0
    for _ in range(3_000):
        now += chance.random()
        seats = [sits(key, muted=chance.random() < 0.5) for key in "abcdef" if chance.random() < 0.7]
        for change in people.look(seats, now, steady=chance.random() < 0.8):
            key = change.seat.key
            assert (key in told) is not isinstance(change, Came)
            if isinstance(change, Came):
                told.add(key)
            elif isinstance(change, Left):
                told.remove(key)
        assert told == {seat.key for seat in people.here}
