"""Proofs from the ledger: that an entry is under a signed head, and that today's ledger continues an older one.

A proof is JSON that anybody checks with the public key; it needs neither the ledger nor the twin.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from compliance.errors import LedgerError
from compliance.ledger import ENTRIES, HEADS
from compliance.proofs.chain import Entry, Head, Leaf, read_entry, read_head, tree_leaf
from compliance.proofs.merkle import HASH_BYTES, Tree, verify_consistency, verify_inclusion
from compliance.proofs.signing import PublicKey

_LONGEST_PATH = 64
_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an entry is in the ledger: its line, a signed head's line, and the hashes between them."""

    entry: str
    head: str
    path: tuple[str, ...]

    def check(self, public: PublicKey) -> Entry | None:
        """The entry, when everything fits together under that key; else None."""
        line = self.entry.encode("utf-8", "replace")
        entry, head = read_entry(line), read_head(self.head.encode("utf-8", "replace"))
        path = _hashes(self.path)
        if entry is None or head is None or path is None:
            return None
        root = bytes.fromhex(head.root)
        holds = (
            entry.hash_holds
            and entry.signed_by(public)
            and head.signed_by(public)
            and verify_inclusion(tree_leaf(line), entry.seq, head.size, path, root)
        )
        return entry if holds else None

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return {"entry": self.entry, "head": self.head, "path": list(self.path)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """What `as_json` gave. Raises `LedgerError`."""
        match value:
            case {"entry": str(entry), "head": str(head), "path": [*path]} if _all_text(path):
                return cls(entry, head, tuple(path))
        raise LedgerError("This is not a proof of the ledger.")


@dataclass(frozen=True, slots=True)
class Consistency:
    """That a newer head's ledger begins with all of an older one's."""

    old: str
    new: str
    path: tuple[str, ...]

    def check(self, public: PublicKey) -> bool:
        """Whether both heads are signed by that key and the newer continues the older."""
        old, new = (read_head(line.encode("utf-8", "replace")) for line in (self.old, self.new))
        path = _hashes(self.path)
        if old is None or new is None or path is None or not (old.signed_by(public) and new.signed_by(public)):
            return False
        roots = bytes.fromhex(old.root), bytes.fromhex(new.root)
        return verify_consistency(old.size, roots[0], new.size, roots[1], path)

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return {"old": self.old, "new": self.new, "path": list(self.path)}


class Proofs:
    """Makes proofs from a ledger's files, which others may append to. Blocks; safe from several threads.

    It keeps some 200 bytes an entry in memory, read when they are first needed. It trusts the files: `audit`
    finds out whether they may be trusted, and a proof from changed ones does not check.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet."""
        self._folder = folder
        self._guard = threading.Lock()
        self._forget()

    def leaves(self, hashes: Iterable[str]) -> dict[str, Entry]:
        """The entries with these hashes; without those the ledger does not have. Raises `LedgerError`."""
        with self._guard:
            self._read()
            found: dict[str, Entry] = {}
            for digest in hashes:
                index = self._places.get(bytes.fromhex(digest))
                entry = read_entry(self._line(index)) if index is not None else None
                if entry is not None and entry.hash == digest and entry.hash_holds:
                    found[digest] = entry
            return found

    def inclusion(self, leaf: Leaf | str) -> Inclusion:
        """The proof for an entry by its hash, under the newest head. Raises `LedgerError` when there is none."""
        digest = leaf if isinstance(leaf, str) else leaf.hash
        with self._guard:
            line, head = self._up_to_date()
            index = self._places.get(bytes.fromhex(digest))
            if index is None or index >= head.size:
                raise LedgerError("The ledger has no entry with that hash under a signed head.")
            path = self._tree.inclusion(index, head.size)
            return Inclusion(self._line(index).decode("ascii"), line, tuple(part.hex() for part in path))

    def consistency(self, old: str) -> Consistency:
        """The proof that today's ledger continues that of an older head (its line). Raises `LedgerError`."""
        with self._guard:
            line, head = self._up_to_date()
            older = read_head(old.encode("utf-8", "replace"))
            if older is None or not 0 < older.size <= head.size:
                raise LedgerError("The ledger has no such older head.")
            path = self._tree.consistency(older.size, head.size)
            return Consistency(old, line, tuple(part.hex() for part in path))

    def _forget(self) -> None:
        self._tree = Tree()
        self._places: dict[bytes, int] = {}
        self._begins: list[int] = []
        self._end = 0

    def _up_to_date(self) -> tuple[str, Head]:
        self._read()
        line, head = self._newest_head()
        if self._tree.root(head.size).hex() != head.root:
            # What was read under no head may have been cut off since, and written anew.
            self._forget()
            self._read()
            line, head = self._newest_head()
            if self._tree.root(head.size).hex() != head.root:
                raise LedgerError("The ledger was changed; run `twin ledger verify`.")
        return line, head

    def _read(self) -> None:
        try:
            with (self._folder / ENTRIES).open("rb") as file:
                file.seek(self._end)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    entry = read_entry(line[:-1])
                    if entry is None:
                        raise LedgerError("The ledger was changed; run `twin ledger verify`.")
                    self._places[bytes.fromhex(entry.hash)] = self._tree.size
                    self._tree.add(tree_leaf(line[:-1]))
                    self._begins.append(self._end)
                    self._end += len(line)
        except FileNotFoundError:
            raise LedgerError("There is no ledger here yet.") from None
        except OSError as error:
            raise LedgerError(f"The ledger cannot be read ({error.strerror}).") from error

    def _line(self, index: int) -> bytes:
        with (self._folder / ENTRIES).open("rb") as file:
            file.seek(self._begins[index])
            return file.readline().removesuffix(b"\n")

    def _newest_head(self) -> tuple[str, Head]:
        """The newest head that covers no more than was read."""
        try:
            with (self._folder / HEADS).open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                # The one that is wanted is nearly always among the last.
                for size in (_TAIL_BYTES, end):
                    file.seek(max(0, end - size))
                    for line in reversed(file.read(min(size, end)).split(b"\n")):
                        head = read_head(line)
                        if head is not None and head.size <= self._tree.size:
                            return line.decode("ascii"), head
        except OSError as error:
            raise LedgerError(f"The ledger's heads cannot be read ({error.strerror}).") from error
        raise LedgerError("The ledger has no signed head yet.")


def _hashes(path: tuple[str, ...]) -> list[bytes] | None:
    if len(path) > _LONGEST_PATH:
        return None
    try:
        found = [bytes.fromhex(part) for part in path]
    except ValueError:
        return None
    return found if all(len(part) == HASH_BYTES for part in found) else None


def _all_text(parts: list[Any]) -> bool:
    return all(isinstance(part, str) for part in parts)
