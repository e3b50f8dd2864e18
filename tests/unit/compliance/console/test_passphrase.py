"""Passphrases: which are taken, and that checking one says nothing but yes or no."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher

from compliance.console.passphrase import LONGEST, Passphrases, normalise_passphrase, suggest, why_weak
from compliance.errors import SignInRefused
from tests.unit.compliance.console.house import cheap_passphrases

GOOD = "vier farbige Enten im Regen"


async def test_a_hash_is_argon2id_salted_and_checked() -> None:
    passphrases = cheap_passphrases()
    one, two = await passphrases.hash(GOOD), await passphrases.hash(GOOD)
    assert one.startswith("$argon2id$")
    assert one != two
    assert await passphrases.check(one, GOOD)
    assert not await passphrases.check(one, GOOD + ".")


def test_the_default_cost_is_what_owasp_asks_for_at_least() -> None:
    stored = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(GOOD)
    assert Passphrases().is_outdated(stored)
    ours = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1).hash(GOOD)
    assert not Passphrases().is_outdated(ours)


async def test_accents_typed_in_either_way_are_the_same() -> None:
    passphrases = cheap_passphrases()
    stored = await passphrases.hash("fünf große Bäume")
    assert await passphrases.check(stored, "fu\u0308nf große Ba\u0308ume")


class Counting(PasswordHasher):
    """Counts how often it works, and on what."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        self.verified.append(str(hash))
        return super().verify(hash, password)


async def test_a_name_that_nobody_has_costs_the_same_work() -> None:
    hasher = Counting()
    passphrases = Passphrases(hasher)
    stored = await passphrases.hash(GOOD)
    await passphrases.check(stored, "wrong")
    assert not await passphrases.check(None, "wrong")
    assert not await passphrases.check(None, GOOD)
    costs = [text.rsplit("$", 2)[0] for text in hasher.verified]
    assert len(costs) == 3
    assert len(set(costs)) == 1


async def test_a_damaged_hash_is_no_match_and_no_error() -> None:
    assert not await cheap_passphrases().check("$argon2id$nonsense", GOOD)


async def test_when_too_many_wait_the_next_is_told_to_come_back() -> None:
    passphrases = cheap_passphrases()
    many = [asyncio.create_task(passphrases.hash(GOOD)) for _ in range(12)]
    done = await asyncio.gather(*many, return_exceptions=True)
    refused = [result for result in done if isinstance(result, SignInRefused)]
    assert len(refused) == 12 - 8
    assert await passphrases.hash(GOOD)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("short", "at least 12"),
        ("", "at least 12"),
        ("aaaaaaaaaaaaaaaa", "repeats"),
        ("121212121212", "repeats"),
        ("x" * LONGEST + "abcdefg", "at most"),
        ("my name is ADALBERT, yes", "contain the name"),
    ],
)
def test_weak_passphrases_are_not_taken(text: str, why: str) -> None:
    assert why in str(why_weak(text, "adalbert"))


def test_long_ones_of_any_script_are_taken() -> None:
    assert why_weak(GOOD, "ada") is None
    assert why_weak("雨の中の四羽のカラフルなアヒル", "ada") is None
    assert normalise_passphrase("ﬁve") == "five"


def test_suggested_ones_are_strong_and_never_the_same() -> None:
    found = {suggest() for _ in range(100)}
    assert len(found) == 100
    assert all(why_weak(text, "ada") is None and len(text) == 23 for text in found)
