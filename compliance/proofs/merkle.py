"""The Merkle tree of RFC 9162: one hash for a list, short proofs that an item is in it and that it only grew.

Everything here is arithmetic on SHA-256 hashes of 32 bytes; nobody is trusted and nothing is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of an item; the prefix keeps it apart from the hash of a node."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: its root at any time, in as many hashes as the size has ones in binary."""

    def __init__(self) -> None:
        self.size = 0
        """How many leaves were added."""
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Append the hash of an item."""
        size = self.size
        while size & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            size >>= 1
        self._peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of what was added so far."""
        return _bag(self._peaks)

    def copy(self) -> Frontier:
        """Another one at the same place."""
        other = Frontier()
        other.size, other._peaks = self.size, self._peaks.copy()
        return other


class Tree:
    """A whole tree in memory (64 bytes a leaf), for proofs."""

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0]) // HASH_BYTES

    def add(self, leaf: bytes) -> None:
        """Append the hash of an item."""
        level = 0
        while True:
            if level == len(self._levels):
                self._levels.append(bytearray())
            hashes = self._levels[level]
            hashes += leaf
            if len(hashes) % (2 * HASH_BYTES):
                return
            leaf = node_hash(bytes(hashes[-2 * HASH_BYTES : -HASH_BYTES]), leaf)
            level += 1

    def leaf(self, index: int) -> bytes:
        """The hash of the item at `index`."""
        return self._node(0, index)

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves (all of them without)."""
        return self._range(0, self._checked(size))

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The hashes that lead from the leaf at `index` to the root of the first `size` leaves."""
        size = self._checked(size)
        if not 0 <= index < size:
            raise ValueError("There is no leaf at that index in a tree of that size.")
        path: list[bytes] = []
        begin, end = 0, size
        while end - begin > 1:
            middle = begin + _split(end - begin)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(begin, middle))
                begin = middle
        return tuple(reversed(path))

    def consistency(self, old: int, size: int | None = None) -> tuple[bytes, ...]:
        """The hashes that show the first `old` leaves to be the beginning of the first `size`."""
        size = self._checked(size)
        if not 0 < old <= size:
            raise ValueError("The older tree has at least one leaf and no more than the newer one.")
        path: list[bytes] = []
        begin, end, whole = 0, size, True
        while old != end:
            middle = begin + _split(end - begin)
            if old <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(begin, middle))
                begin, whole = middle, False
        if not whole:
            path.append(self._range(begin, end))
        return tuple(reversed(path))

    def _checked(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise ValueError("The tree is not that large.")
        return size

    def _node(self, level: int, index: int) -> bytes:
        at = index * HASH_BYTES
        return bytes(self._levels[level][at : at + HASH_BYTES])

    def _range(self, begin: int, end: int) -> bytes:
        """The root of the leaves from `begin` to `end`: full subtrees are kept, so it is a few hashes."""
        peaks: list[bytes] = []
        while begin < end:
            level = (begin & -begin).bit_length() - 1 if begin else (end - begin).bit_length() - 1
            level = min(level, (end - begin).bit_length() - 1)
            peaks.append(self._node(level, begin >> level))
            begin += 1 << level
        return _bag(peaks)


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` leads from the leaf hash at `index` to the `root` of a tree of `size` leaves."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(other, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, other)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` shows the tree of `old` leaves to be the beginning of the one of `size`."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not path and old_root == root
    hashes = [*path] if old & (old - 1) else [old_root, *path]
    if not hashes:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    older = newer = hashes[0]
    for other in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            older, newer = node_hash(other, older), node_hash(other, newer)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            newer = node_hash(newer, other)
        at, last = at >> 1, last >> 1
    return last == 0 and older == old_root and newer == root


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _bag(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root
