"""Whether anybody changed the ledger: every line, every hash, every signature, the tree and the mirror.

It needs the public key and the files, and nothing of the process that wrote them; a ledger in use is checked as it
is at one moment.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.errors import LedgerError
from compliance.forgetting.layout import mirror_of
from compliance.ledger import ENTRIES, HEADS, LOCK, OPENED, REPAIRS, key_hash
from compliance.proofs.chain import NO_HASH, Entry, Head, line_hash, read_entry, read_head, tree_leaf
from compliance.proofs.journal import locked
from compliance.proofs.merkle import Frontier
from compliance.proofs.signing import PublicKey
from compliance.settings import StoreSettings

SETTLE_S = 3.0
"""Entries of a moment ago come under a head so soon; the vault's longest batch and a slow disk are in it."""
_SETTLE_RETRY_S = 0.1
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was written."""

    where: str
    """File and line, as `entries.jsonl:17`, or the file."""
    what: str


@dataclass(frozen=True, slots=True)
class Repair:
    """Something the ledger mended by itself, or an operator accepted, and wrote down."""

    seq: int
    at_ms: int
    kind: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was found; `ok` when there is no problem."""

    entries: int
    heads: int
    head: Head | None
    """The newest good one. Noted down elsewhere, it shows a roll-back that took the mirror along (`known`)."""
    problems: tuple[Problem, ...]
    """At most the first hundred; the last then says how many more there are."""
    repairs: tuple[Repair, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was changed."""
        return not self.problems

    @property
    def lines(self) -> tuple[str, ...]:
        """For people: one line for each problem, or one that says what holds."""
        mended = tuple(f"note: entry {repair.seq}, {_utc(repair.at_ms)}: {repair.kind}" for repair in self.repairs)
        if not self.ok:
            return (*(f"{problem.where}: {problem.what}" for problem in self.problems), *mended)
        assert self.head is not None
        return (
            f"ok: {self.entries} entries under {self.heads} signed heads, the mirror agrees",
            f"newest head: {self.head.size}:{self.head.root} of {_utc(self.head.at_ms)}, key {self.head.key_id}",
            *mended,
        )

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        head = self.head
        return {
            "ok": self.ok,
            "entries": self.entries,
            "heads": self.heads,
            "head": {"size": head.size, "root": head.root, "at_ms": head.at_ms, "key": head.key_id}
            if head
            else None,
            "problems": [{"where": problem.where, "what": problem.what} for problem in self.problems],
            "repairs": [
                {"seq": repair.seq, "at_ms": repair.at_ms, "kind": repair.kind} for repair in self.repairs
            ],
        }


def verify(
    folder: Path,
    mirror: Path,
    public: PublicKey | str | bytes,
    *,
    known: str = "",
    signatures: bool = True,
    settle_s: float = SETTLE_S,
) -> Report:
    """Check the ledger in `folder` against its `mirror` and the public key (PEM). Blocks; ~0.1 ms an entry.

    `known` is a head that was noted down elsewhere, as `SIZE:ROOT`. Without `signatures` those of the entries and
    of all heads but the newest are not checked one by one, which is some ten times as fast and finds the same:
    the newest head's signature covers every byte. Entries under no head are given `settle_s`, in which a twin that
    runs signs them. Raises `LedgerError` when the files cannot be read.
    """
    key = public if isinstance(public, PublicKey) else PublicKey.load(public)
    noted = _noted(known)
    deadline = time.monotonic() + settle_s
    while True:
        try:
            audit = _Audit(folder, mirror / HEADS, key, noted, signatures=signatures)
            report = audit.run()
        except OSError as error:
            raise LedgerError(f"The ledger in {folder} cannot be read ({error.strerror}).") from error
        if not audit.unsealed or len(report.problems) > 1 or time.monotonic() > deadline:
            return report
        # A twin that runs is about to sign them.
        time.sleep(_SETTLE_RETRY_S)


def verify_home(home: Path, store: StoreSettings, *, known: str = "") -> Report:
    """`twin ledger verify`: the ledger of a twin's home. Raises `LedgerError` when there is none."""
    return verify(home / "ledger", mirror_of(home, store), PublicKey.read(home), known=known)


class _Audit:
    """One pass over the three files."""

    def __init__(
        self, folder: Path, mirror: Path, key: PublicKey, noted: tuple[int, str] | None, *, signatures: bool
    ) -> None:
        self._folder = folder
        self._mirror = mirror
        self._key = key
        self._noted = noted
        self._signatures = signatures
        self._problems: list[Problem] = []
        self._more = 0
        self._repairs: list[Repair] = []
        self.unsealed = 0
        """Entries that stand after the newest head."""

    def run(self) -> Report:
        with _still(self._folder):
            ours, copy = _bytes(self._folder / HEADS), _bytes(self._mirror)
            end = _size(self._folder / ENTRIES)
        heads = self._heads(ours)
        self._compare(ours, copy)
        entries = self._entries(end, heads)
        if self._more:
            self._problems.append(Problem(ENTRIES, f"{self._more} more problems"))
        return Report(
            entries=entries,
            heads=ours.count(b"\n"),
            head=heads[-1] if heads else None,
            problems=tuple(self._problems),
            repairs=tuple(self._repairs),
        )

    def _found(self, where: str, what: str) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(Problem(where, what))
        else:
            self._more += 1

    def _heads(self, data: bytes) -> list[Head]:
        """The good ones, in order."""
        *lines, rest = data.split(b"\n")
        if rest:
            self._found(
                f"{HEADS}:{len(lines) + 1}", "half a line; the twin mends it when it starts, if it was killed"
            )
        good: list[Head] = []
        before = NO_HASH
        for number, line in enumerate(lines, start=1):
            head, last = read_head(line), number == len(lines)
            where = f"{HEADS}:{number}"
            if head is None:
                self._found(where, "not a head")
            elif head.key_id != self._key.key_id:
                self._found(where, f"signed by another key ({head.key_id})")
            elif (self._signatures or last) and not head.signed_by(self._key):
                self._found(where, "the signature does not fit")
            elif head.prev != before:
                self._found(where, "does not follow the head before it")
            elif good and head.size <= good[-1].size:
                self._found(where, "covers no more entries than the head before it")
            else:
                good.append(head)
            before = line_hash(line)
        if not lines:
            self._found(HEADS, "there is no signed head")
        return good

    def _compare(self, ours: bytes, copy: bytes) -> None:
        if ours == copy:
            return
        mine, theirs = ours.split(b"\n"), copy.split(b"\n")
        if ours.startswith(copy):
            what = f"lacks the last {len(mine) - len(theirs) or 1} heads" if copy else "is missing or empty"
            self._found(f"mirror/{HEADS}", what)
        elif copy.startswith(ours):
            many = len(theirs) - len(mine) or 1
            self._found(HEADS, f"{many} signed heads in the mirror are missing here: it was rolled back or cut")
        else:
            number = next(n for n, pair in enumerate(zip(mine, theirs, strict=False), 1) if pair[0] != pair[1])
            self._found(f"mirror/{HEADS}:{number}", f"differs from {HEADS}:{number}")

    def _entries(self, end: int, heads: list[Head]) -> int:
        """How many there are."""
        roots = {head.size: head.root for head in heads}
        noted = dict([self._noted] if self._noted else [])
        frontier, before, torn = Frontier(), NO_HASH, False
        for line, whole in _lines(self._folder / ENTRIES, end):
            if not whole:
                torn = True
                break
            entry = self._entry(frontier.size, line, before)
            before = entry.hash if entry is not None else ""
            frontier.add(tree_leaf(line))
            for known, whose in ((roots, "that were signed"), (noted, "of the head that was noted down")):
                root = known.pop(frontier.size, None)
                if root is not None and root != frontier.root().hex():
                    self._found(f"{ENTRIES}:{frontier.size}", f"the entries up to here are not those {whose}")
        count = frontier.size
        if torn:
            self._found(
                f"{ENTRIES}:{count + 1}", "half a line; the twin mends it when it starts, if it was killed"
            )
        if not count:
            self._found(ENTRIES, "is missing or empty")
        for known, whose in ((roots, "a signed head"), (noted, "the head that was noted down")):
            if known:
                self._found(ENTRIES, f"{max(known) - count} entries under {whose} are missing")
        self.unsealed = max(0, count - (heads[-1].size if heads else 0))
        if self.unsealed:
            why = "the twin was killed there, or heads were removed"
            self._found(ENTRIES, f"{self.unsealed} entries stand after the last signed head: {why}")
        return count

    def _entry(self, index: int, line: bytes, before: str) -> Entry | None:
        where = f"{ENTRIES}:{index + 1}"
        entry = read_entry(line)
        if entry is None:
            self._found(where, "not an entry")
            return None
        if entry.seq != index:
            self._found(where, f"entry {entry.seq} stands in the place of entry {index}")
        if before and entry.prev != before:
            self._found(where, "does not follow the entry before it")
        if not entry.hash_holds:
            self._found(where, "was changed: the hash does not fit")
        elif self._signatures and not entry.signed_by(self._key):
            self._found(where, "was changed: the signature does not fit")
        if index == 0 and (entry.kind != OPENED or entry.commitment != key_hash(self._key)):
            self._found(where, "the ledger does not begin with this key")
        if entry.kind in REPAIRS:
            self._repairs.append(Repair(entry.seq, entry.at_ms, entry.kind))
        return entry


@contextlib.contextmanager
def _still(folder: Path) -> Iterator[None]:
    """Hold still whoever appends. A copy of a ledger needs no lock file."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        with locked(handle, shared=True):
            yield
    finally:
        os.close(handle)


def _lines(path: Path, end: int) -> Iterator[tuple[bytes, bool]]:
    """The lines of the first `end` bytes without their ends, and whether each was whole."""
    if not end:
        return
    with path.open("rb") as file:
        left = end
        while left > 0 and (line := file.readline(left)):
            left -= len(line)
            yield line.removesuffix(b"\n"), line.endswith(b"\n")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _noted(known: str) -> tuple[int, str] | None:
    if not known:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", known)
    if found is None:
        raise LedgerError("A known head is SIZE:ROOT, as `twin ledger verify` prints it.")
    return int(found[1]), found[2]


def _utc(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at_ms / 1000))
