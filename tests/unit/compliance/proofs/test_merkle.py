"""Roots and proofs of RFC 9162, against its own words taken literally and against the published test vectors."""

from __future__ import annotations

import hashlib
import random

import pytest

from compliance.proofs.merkle import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

# The inputs and roots that Certificate Transparency's own tests use.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
SIZES = range(1, 40)


def literal(leaves: list[bytes]) -> bytes:
    """The definition, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(literal(leaves[:split]), literal(leaves[split:]))


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(str(n).encode()) for n in range(count)]


def tree_of(leaves: list[bytes]) -> Tree:
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree


def test_the_published_roots_come_out() -> None:
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT
    for data, root in zip(INPUTS, ROOTS, strict=True):
        frontier.add(leaf_hash(data))
        assert frontier.root().hex() == root


def test_frontier_and_tree_agree_with_the_definition_at_every_size() -> None:
    leaves = leaves_of(70)
    tree, frontier = tree_of(leaves), Frontier()
    for size in range(71):
        assert tree.root(size) == frontier.root() == literal(leaves[:size])
        if size < 70:
            frontier.add(leaves[size])


def test_every_leaf_of_every_tree_has_a_proof() -> None:
    leaves = leaves_of(SIZES[-1])
    tree = tree_of(leaves)
    for size in SIZES:
        root = tree.root(size)
        for index in range(size):
            path = tree.inclusion(index, size)
            assert len(path) <= (size - 1).bit_length()
            assert verify_inclusion(leaves[index], index, size, path, root)


def test_a_proof_of_inclusion_fits_one_leaf_at_one_place_only() -> None:
    leaves = leaves_of(21)
    tree = tree_of(leaves)
    root, path = tree.root(), tree.inclusion(10)
    assert not verify_inclusion(leaves[11], 10, 21, path, root)
    assert not verify_inclusion(leaves[10], 11, 21, path, root)
    assert not verify_inclusion(leaves[10], 10, 21, path[:-1], root)
    assert not verify_inclusion(leaves[10], 10, 21, (*path, path[0]), root)
    assert not verify_inclusion(leaves[10], 10, 21, path[::-1], root)
    assert not verify_inclusion(leaves[10], 10, 21, path, tree.root(20))
    assert not verify_inclusion(leaves[10], -1, 21, path, root)
    assert not verify_inclusion(leaves[10], 21, 21, path, root)


def test_every_tree_is_shown_to_continue_every_older_one() -> None:
    tree = tree_of(leaves_of(SIZES[-1]))
    for size in SIZES:
        for old in range(1, size + 1):
            path = tree.consistency(old, size)
            assert verify_consistency(old, tree.root(old), size, tree.root(size), path)


def test_a_tree_with_another_past_is_not_shown_to_continue() -> None:
    chance = random.Random(1)
    for _ in range(200):
        size = chance.randrange(2, 40)
        old = chance.randrange(1, size + 1)
        leaves = leaves_of(size)
        true = tree_of(leaves)
        leaves[chance.randrange(old)] = leaf_hash(b"another")
        changed = tree_of(leaves)
        path = changed.consistency(old, size)
        assert not verify_consistency(old, true.root(old), size, changed.root(size), path)
        if old < size and path:
            assert not verify_consistency(old, true.root(old), size, true.root(size), path[:-1])


@pytest.mark.parametrize(("old", "size"), [(0, 5), (6, 5)])
def test_impossible_sizes_are_not_consistent(old: int, size: int) -> None:
    assert not verify_consistency(old, EMPTY_ROOT, size, EMPTY_ROOT, ())
    with pytest.raises(ValueError, match="older tree"):
        tree_of(leaves_of(5)).consistency(old, size)


def test_there_is_no_proof_for_what_is_not_there() -> None:
    tree = tree_of(leaves_of(3))
    with pytest.raises(ValueError, match="no leaf"):
        tree.inclusion(3)
    with pytest.raises(ValueError, match="not that large"):
        tree.root(4)
