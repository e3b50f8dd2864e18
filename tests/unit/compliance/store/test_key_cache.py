"""Opened keys are few and short-lived."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.store.key_cache import CACHED_S, KeyCache

KEY = AESGCM(bytes(32))


class Steady:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def steady() -> Steady:
    return Steady()


def test_a_key_goes_when_its_time_is_over_however_often_it_is_used(steady: Steady) -> None:
    cache = KeyCache(steady)
    cache.put("a", KEY)
    for _ in range(4):
        steady.now_s += CACHED_S / 4 - 0.01
        assert cache.get("a") is KEY
    steady.now_s += 0.05
    assert cache.get("a") is None
    assert len(cache) == 0


def test_of_too_many_the_oldest_goes(steady: Steady) -> None:
    cache = KeyCache(steady, most=3)
    for name in "abcd":
        cache.put(name, KEY)
    assert [name for name in "abcd" if cache.get(name)] == ["b", "c", "d"]


def test_a_key_read_again_counts_as_new(steady: Steady) -> None:
    cache = KeyCache(steady, most=2)
    for name in "aba":
        cache.put(name, KEY)
    cache.put("c", KEY)
    assert [name for name in "abc" if cache.get(name)] == ["a", "c"]


def test_dropped_keys_are_gone_at_once(steady: Steady) -> None:
    cache = KeyCache(steady)
    for name in "abc":
        cache.put(name, KEY)
    cache.drop("a")
    cache.drop("nobody")
    assert (cache.get("a"), len(cache)) == (None, 2)
    cache.clear()
    assert len(cache) == 0
