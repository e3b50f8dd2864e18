from __future__ import annotations

import json
import zlib

import numpy as np
import pytest

from avatar.errors import FaceMissing
from avatar.flesh.bake import bake
from avatar.flesh.storage import MAGIC, MOST_BYTES, from_bytes, to_bytes
from avatar.puppet import Puppet
from tests.unit.avatar.flesh.heads import head


@pytest.fixture(scope="module")
def puppet() -> Puppet:
    return bake(head(), "plain")


@pytest.fixture(scope="module")
def stored(puppet: Puppet) -> bytes:
    return to_bytes(puppet)


def test_a_puppet_comes_back_as_it_was(puppet: Puppet, stored: bytes) -> None:
    back = from_bytes(stored)
    assert back.name == puppet.name
    assert back.mouth == puppet.mouth
    assert np.array_equal(back.plate, puppet.plate)
    for one, other in zip(back.layers, puppet.layers, strict=True):
        assert (one.name, one.box, one.origin, one.grid_px) == (other.name, other.box, other.origin, other.grid_px)
        assert (one.controls, one.opacity, one.early) == (other.controls, other.opacity, other.early)
        assert np.array_equal(one.image, other.image)
        assert np.abs(one.fields - other.fields).max(initial=0) < 0.05
        assert np.abs(one.rigid - other.rigid).max() < 0.05


def test_storing_twice_gives_the_same_bytes(puppet: Puppet, stored: bytes) -> None:
    assert to_bytes(puppet) == stored
    assert to_bytes(from_bytes(stored)) == stored


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", MAGIC[:-1], MAGIC, MAGIC + b"\xff" * 40])
def test_what_is_no_puppet_is_refused(data: bytes) -> None:
    with pytest.raises(FaceMissing, match="bake the face again"):
        from_bytes(data)


def test_another_version_is_refused(stored: bytes) -> None:
    other = bytearray(stored)
    other[len(MAGIC) - 1] ^= 0x40
    with pytest.raises(FaceMissing, match="version"):
        from_bytes(bytes(other))


def test_half_a_puppet_is_refused(stored: bytes) -> None:
    for share in (0.001, 0.1, 0.5, 0.999):
        with pytest.raises(FaceMissing):
            from_bytes(stored[: int(len(stored) * share)])
    with pytest.raises(FaceMissing):
        from_bytes(stored + b"more")


def test_bytes_that_were_changed_are_refused_or_harmless(stored: bytes) -> None:
    """Never another error, whatever byte it is; most of them lie in the head here, where they do most."""
    chance = np.random.default_rng(5)
    head_ends = len(MAGIC) + 4 + int.from_bytes(stored[len(MAGIC) : len(MAGIC) + 4], "little")
    for trial in range(150):
        data = bytearray(stored)
        end = head_ends if trial % 5 else len(stored)
        for at in chance.integers(len(MAGIC), end, 3):
            data[at] = int(chance.integers(256))
        try:
            back = from_bytes(bytes(data))
        except FaceMissing:
            continue
        assert back.width == 256


def _forged(change: dict[str, object], body: bytes = b"") -> bytes:
    told = {"name": "x", "mouth": [0, 0, 2, 2], "layers": [], "arrays": [["u1", [16, 16, 3]]], **change}
    text = json.dumps(told).encode()
    return MAGIC + len(text).to_bytes(4, "little") + text + zlib.compress(body or bytes(16 * 16 * 3))


def test_the_forgery_itself_would_be_read() -> None:
    assert from_bytes(_forged({})).width == 16


@pytest.mark.parametrize(
    "change",
    [
        {"arrays": [["u1", [16384, 16384, 3]]]},
        {"arrays": [["u1", [-1, 16, 3]]]},
        {"arrays": [["O", [16, 16, 3]]]},
        {"arrays": [["u1", [1 << 40, 16, 3]]]},
        {"arrays": [["u1", [16, 16, 3]]] * 1000},
        {"arrays": 7},
        {"layers": [{}] * 100},
        {"layers": [{}]},
        {"mouth": [0, 0, 200, 200]},
        {"mouth": [1, 0, 2, 2]},
        {"mouth": [True, 0, 2, 2]},
    ],
)
def test_heads_that_promise_too_much_or_nonsense_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(FaceMissing):
        from_bytes(_forged(change))


def test_a_bomb_is_not_unpacked() -> None:
    assert MOST_BYTES < 1 << 30
    with pytest.raises(FaceMissing):
        from_bytes(_forged({}, body=bytes(50_000_000)))


def test_fields_that_are_not_numbers_are_refused(puppet: Puppet) -> None:
    fields = puppet.layers[-1].rigid.copy()
    puppet.layers[-1].rigid[...] = np.nan
    try:
        with pytest.raises(FaceMissing):
            from_bytes(to_bytes(puppet))
    finally:
        puppet.layers[-1].rigid[...] = fields
