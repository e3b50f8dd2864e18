"""Who has a recogniser."""

from __future__ import annotations

import random

from agent.meeting.hearing.places import Deal, Give, Places, Withdraw


def test_as_many_as_there_are_places_are_given_one_at_once() -> None:
    places = Places(2, warm_ms=1_000)
    assert places.wants("anna") == [Give("anna")]
    assert places.wants("bert") == [Give("bert")]
    assert places.wants("carl") == []
    assert places.waits("carl")


def test_asking_again_changes_nothing() -> None:
    places = Places(1, warm_ms=1_000)
    places.wants("anna")
    places.wants("bert")
    assert places.wants("anna") == []
    assert places.wants("bert") == []


def test_who_has_waited_longest_is_next() -> None:
    places = Places(1, warm_ms=1_000)
    for who in ("anna", "bert", "carl"):
        places.wants(who)
    assert places.rests("anna", 0) == [Withdraw("anna"), Give("bert")]
    assert places.wants("anna") == []
    assert places.rests("bert", 0) == [Withdraw("bert"), Give("carl")]
    assert places.rests("carl", 0) == [Withdraw("carl"), Give("anna")]


def test_who_rests_keeps_a_warm_place_that_nobody_else_needs() -> None:
    places = Places(2, warm_ms=1_000)
    places.wants("anna")
    assert places.rests("anna", 0) == []
    assert places.wants("anna") == [Give("anna")]


def test_of_warm_places_the_one_that_rests_longest_is_taken() -> None:
    places = Places(2, warm_ms=1_000)
    for who in ("anna", "bert"):
        places.wants(who)
    places.rests("bert", 0)
    places.rests("anna", 10)
    assert places.wants("carl") == [Withdraw("bert"), Give("carl")]


def test_a_warm_place_grows_cold() -> None:
    places = Places(2, warm_ms=1_000)
    places.wants("anna")
    places.rests("anna", 0)
    assert places.tick(999) == []
    assert places.tick(1_000) == [Withdraw("anna")]
    assert places.tick(2_000) == []


def test_who_leaves_makes_room() -> None:
    places = Places(1, warm_ms=1_000)
    places.wants("anna")
    places.wants("bert")
    places.wants("carl")
    assert places.gone("bert") == []
    assert places.gone("anna") == [Withdraw("anna"), Give("carl")]


def test_whatever_happens_the_limit_holds_and_everybody_gets_a_turn() -> None:
    chance = random.Random(1)
    for _ in range(200):
        limit, now = chance.randint(1, 4), 0.0
        places, having, got = Places(limit, warm_ms=500), dict[str, bool](), set[str]()

        def deal(deals: list[Deal], having: dict[str, bool] = having, got: set[str] = got) -> None:
            for each in deals:
                if isinstance(each, Withdraw):
                    assert having.pop(each.who) is False
                else:
                    having[each.who] = True
                    got.add(each.who)

        for _ in range(100):
            now += chance.random() * 200
            who = chance.choice("abcdef")
            if having.get(who):
                having[who] = False
                deal(places.rests(who, now))
            else:
                deal(places.wants(who))
            deal(places.tick(now))
            assert len(having) <= limit
        for who in "abcdef":
            deal(places.wants(who))
        while any(having.values()):
            who = next(who for who, busy in having.items() if busy)
            having[who] = False
            deal(places.rests(who, now))
        assert got == set("abcdef")
