"""The ledger: an append-only record of what the twin did, which nobody can change afterwards without being found.

    ledger = Ledger(home / "ledger", signer, mirror=mirror)
    ledger.open()
    leaf = ledger.append("consent_given", commitment)
    ledger.sync()                     # on two disks and under a signed head from here on

It holds kinds, times and salted commitments (see `evidence`), nothing about a person. `chain` says how a line is
spelt, `audit` finds out whether one was changed, `proof` shows that one is in it.

What an attacker without the key can do unnoticed: nothing to entries under a head, as long as the mirror's copy of
the newest head, or a note of it elsewhere, stays out of their reach. Entries between `append` and `sync` (a batch
of the vault, a fraction of a second) are chained and signed, but not under a head: cut off, they are not missed.

Every method blocks; the vault's writer thread makes the calls.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from compliance.errors import LedgerError
from compliance.proofs.chain import (
    NO_HASH,
    Head,
    Leaf,
    line_hash,
    read_entry,
    read_head,
    tree_leaf,
    write_entry,
    write_head,
)
from compliance.proofs.journal import Journal, locked
from compliance.proofs.merkle import Frontier
from compliance.proofs.mirror import Mirror, changed
from compliance.proofs.signing import PublicKey, Signer

log = logging.getLogger(__name__)

ENTRIES = "entries.jsonl"
HEADS = "heads.jsonl"
LOCK = "lock"
OPENED = "ledger_opened"
"""The kind of the first entry; it commits to the public key."""
REPAIRED = "ledger_repaired"
"""What a killed process or a loss of power left after the last head was no entry, and was cut off."""
MIRROR_REBUILT = "mirror_rebuilt"
"""The mirror was missing, and was made again from the heads."""
HEADS_REBUILT = "heads_rebuilt"
"""The heads were missing, here and in the mirror, and were made again from the entries."""
RESTORED = "ledger_restored"
"""Somebody accepted an older copy of the ledger (see `restore`)."""
REPAIRS = (REPAIRED, MIRROR_REBUILT, HEADS_REBUILT, RESTORED)


class Ledger:
    """One ledger, as used by one process; others may append to the same one at the same time."""

    def __init__(
        self, folder: Path, signer: Signer, *, mirror: Path, now: Callable[[], float] = time.time
    ) -> None:
        """`mirror` is a folder, best on another disk; `now` is Unix time in seconds. Nothing is touched yet."""
        self._folder = folder
        self._signer = signer
        self._key_hash = key_hash(signer.public)
        self._mirror = Mirror(mirror / HEADS)
        self._now = now
        self._guard = threading.RLock()
        self._lock = -1
        self._ready = False
        self._entries: Journal | None = None
        self._heads: Journal | None = None
        self._frontier = Frontier()
        self._last_hash = NO_HASH
        self._head: Head | None = None
        self._last_head_hash = NO_HASH
        self._broken: str | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self._folder

    @property
    def mirror(self) -> Path:
        """Where the second copy of the heads is."""
        return self._mirror.path.parent

    @property
    def is_open(self) -> bool:
        """Whether it is appended to; a ledger that was closed has put all it had under a head."""
        return self._ready

    @property
    def head(self) -> Head | None:
        """The newest signed head."""
        return self._head

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._frontier.size

    def health(self) -> str | None:
        """None when all is well, else why not, in one line."""
        if not self._ready:
            return "the ledger is not open"
        return self._broken or self._mirror.trouble

    def open(self) -> None:
        """Read the ledger, and begin it when there is none; a ledger opens once.

        Every byte under the newest head is checked against it, and the heads against the mirror. What a process
        that was killed left unfinished is mended. Raises `LedgerError` for everything else.
        """
        with self._guard:
            try:
                for folder in (self._folder, self.mirror):
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
                with locked(self._lock):
                    self._entries = Journal(self._folder / ENTRIES)
                    self._heads = Journal(self._folder / HEADS)
                    self._begin()
                self._ready = True
            except OSError as error:
                self.close()
                raise LedgerError(
                    f"The ledger in {self._folder} cannot be used ({error.strerror}); check its owner and rights, "
                    f"and those of {self.mirror}."
                ) from error
            except LedgerError:
                self.close()
                raise

    def close(self) -> None:
        """Put what was appended under a head, and let go of the files; safe to call twice."""
        with self._guard:
            try:
                if self._ready and not self._broken:
                    self.sync()
            finally:
                self._ready = False
                for journal in (self._entries, self._heads):
                    if journal is not None:
                        journal.close()
                self._entries = self._heads = None
                if self._lock >= 0:
                    os.close(self._lock)
                    self._lock = -1

    def append(self, kind: str, commitment: str) -> Leaf:
        """Add an entry; it survives the process at once, and a loss of power after `sync`.

        `commitment` is 64 hexadecimal digits. Raises `LedgerError` when it cannot be written, and `VaultError`
        when `kind` is no plain word.
        """
        with self._guard:
            self._opened()
            with locked(self._lock):
                self._catch_up()
                return self._append(kind, commitment)

    def sync(self) -> Head:
        """Bring all entries to the disk and under a signed head, here and in the mirror. Raises `LedgerError`.

        A mirror that cannot be written is told by `health`, and catches up with a later `sync`.
        """
        with self._guard:
            self._opened()
            with locked(self._lock):
                self._catch_up()
                return self._sync()

    def _opened(self) -> tuple[Journal, Journal]:
        if self._entries is None or self._heads is None:
            raise LedgerError("The ledger is not open.")
        if self._broken:
            raise LedgerError(self._broken)
        return self._entries, self._heads

    def _append(self, kind: str, commitment: str) -> Leaf:
        entries, _ = self._opened()
        leaf, line = write_entry(
            self._signer,
            seq=self._frontier.size,
            at_ms=int(self._now() * 1000),
            kind=kind,
            commitment=commitment,
            prev=self._last_hash,
        )
        try:
            entries.append(line)
        except OSError as error:
            raise LedgerError(f"The ledger cannot be written ({error.strerror}).") from error
        self._frontier.add(tree_leaf(line))
        self._last_hash = leaf.hash
        return leaf

    def _sync(self) -> Head:
        entries, heads = self._opened()
        try:
            if self._head is not None and self._mirror.is_missing:
                self._append(MIRROR_REBUILT, self._key_hash)
            if self._head is None or self._head.size < self._frontier.size:
                entries.sync()
                line = write_head(
                    self._signer,
                    size=self._frontier.size,
                    at_ms=int(self._now() * 1000),
                    root=self._frontier.root(),
                    prev=self._last_head_hash,
                )
                heads.append(line)
                heads.sync()
                self._took_head(line)
        except OSError as error:
            raise LedgerError(f"The ledger cannot be written ({error.strerror}).") from error
        self._mirror.catch_up(heads)
        assert self._head is not None
        return self._head

    def _catch_up(self) -> None:
        """Read what other processes wrote, and drop half a line of one that died."""
        entries, heads = self._opened()
        before = self._head
        whole = all(map(self._took_head, heads.news())) and all(map(self._took_entry, entries.news()))
        if not whole or (self._head is not before and not self._fits_head()):
            # From here on nothing is appended: it would bury the place.
            self._broken = "The ledger was changed while it was in use; run `twin ledger verify`."
            raise LedgerError(self._broken)
        self._mend(heads.rest + entries.rest)

    def _mend(self, torn: bytes) -> None:
        """Drop what stands after the last whole lines, and say so in the ledger."""
        if torn:
            log.warning("the ledger's unfinished end was cut off", extra={"bytes": len(torn)})
            for journal in self._opened():
                journal.cut(journal.size)
            self._append(REPAIRED, hashlib.sha256(torn).hexdigest())

    def _fits_head(self) -> bool:
        """Whether the newest head is over the same entries; it cannot be told once more were appended."""
        head, frontier = self._head, self._frontier
        return head is None or head.size != frontier.size or head.root == frontier.root().hex()

    def _took_head(self, line: bytes) -> bool:
        head = read_head(line)
        if head is None or head.prev != self._last_head_hash or not head.signed_by(self._signer.public):
            return False
        self._head, self._last_head_hash = head, line_hash(line)
        return True

    def _took_entry(self, line: bytes) -> bool:
        entry = read_entry(line)
        if (
            entry is None
            or entry.seq != self._frontier.size
            or entry.prev != self._last_hash
            or not (entry.hash_holds and entry.signed_by(self._signer.public))
        ):
            return False
        self._frontier.add(tree_leaf(line))
        self._last_hash = entry.hash
        return True

    def _begin(self) -> None:
        """On opening, under the lock: heads, then the mirror, then the entries under the head, then the rest."""
        self._read_heads()
        entries, heads = self._opened()
        self._mirror.check(heads)
        torn = self._read_entries() + entries.rest + heads.rest
        if not self._frontier.size:
            self._append(OPENED, self._key_hash)
        elif self._head is None and self._frontier.size > 1:
            self._append(HEADS_REBUILT, self._key_hash)
        self._mend(torn)
        self._sync()

    def _read_heads(self) -> None:
        _, heads = self._opened()
        before = last = b""
        for line in heads.news():
            before, last = last, line
        if not last:
            return
        head = read_head(last)
        if head is not None and head.key_id != self._signer.key_id:
            raise changed("its heads were signed by another key than keys/signing.key")
        # The newest head vouches for those before it, so theirs need not be checked here.
        self._last_head_hash = line_hash(before) if before else NO_HASH
        if not self._took_head(last):
            raise changed(f"the last line of {HEADS} is not a head signed here")

    def _read_entries(self) -> bytes:
        """Take the entries into account; returns what stands after the good ones and under no head."""
        entries, _ = self._opened()
        covered = self._head.size if self._head else 0
        good, lines = 0, entries.news()
        while self._frontier.size < covered:
            line = next(lines, None)
            if line is None:
                raise changed(f"{covered - self._frontier.size} entries under the last signed head are missing")
            self._frontier.add(tree_leaf(line))
            good, last = entries.size, line
        if self._head is not None:
            if self._frontier.root().hex() != self._head.root:
                raise changed("the entries are not those under the last signed head")
            entry = read_entry(last)
            assert entry is not None, "a line under a signed head is an entry"
            self._last_hash = entry.hash
        for line in lines:
            if not self._took_entry(line):
                # What a loss of power left of lines that were never on the disk.
                bad = entries.read(good, entries.size) + b"".join(line + b"\n" for line in lines)
                entries.size = good
                return bad
            good = entries.size
        return b""


def key_hash(public: PublicKey) -> str:
    """What the first entry commits to."""
    return hashlib.sha256(public.pem.encode("ascii")).hexdigest()
