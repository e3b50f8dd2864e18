"""After a backup was put back the ledger is older than its mirror; here somebody says that this is meant.

Without it the ledger does not open, since nothing tells a restored backup from a roll-back that hides something.
With it the ledger goes on from what was restored, and says for ever that it did.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from compliance.errors import LedgerError
from compliance.ledger import ENTRIES, HEADS, LOCK, RESTORED, Ledger
from compliance.proofs.chain import Head, read_head, tree_leaf
from compliance.proofs.journal import Journal, locked, sync_folder
from compliance.proofs.merkle import Frontier
from compliance.proofs.signing import Signer


def accept_restored(
    folder: Path, signer: Signer, *, mirror: Path, now: Callable[[], float] = time.time
) -> Head | None:
    """Let a restored ledger continue. Blocks; no twin may run on it.

    The mirror's file is put aside beside itself, never deleted; heads that cover more entries than were restored
    are dropped. Returns the newest head that the mirror had and the ledger no longer has, or None when nothing was
    lost and nothing done. Raises `LedgerError` when what was restored does not hold together.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with locked(handle):
                aside, lost = _put_aside(folder, mirror / HEADS, signer, at_ms=int(now() * 1000))
        finally:
            os.close(handle)
    except OSError as error:
        raise LedgerError(f"The ledger in {folder} cannot be used ({error.strerror}).") from error
    if aside is None:
        return None
    with Ledger(folder, signer, mirror=mirror, now=now) as ledger:
        ledger.append(RESTORED, hashlib.sha256(aside.read_bytes()).hexdigest())
    return lost


def _put_aside(folder: Path, copy: Path, signer: Signer, *, at_ms: int) -> tuple[Path | None, Head | None]:
    heads = Journal(folder / HEADS)
    try:
        lines = list(heads.news())
        good = _covered(folder / ENTRIES, lines, signer)
        keep = sum(len(line) + 1 for line in lines[:good])
        theirs = copy.read_bytes() if copy.exists() else b""
        if keep == heads.size and theirs and heads.read(0, keep).startswith(theirs):
            return None, None
        if keep < heads.size:
            heads.cut(keep)
            heads.sync()
        aside = copy.with_name(f"{copy.stem}.before-{at_ms}{copy.suffix}")
        if theirs:
            copy.rename(aside)
            sync_folder(copy.parent)
            return aside, _newest(theirs, signer)
        return None, None
    finally:
        heads.close()


def _covered(path: Path, lines: list[bytes], signer: Signer) -> int:
    """How many of the heads, from the first, the entries bear out."""
    wanted = {head.size: head for line in lines if (head := read_head(line))}
    roots: dict[int, str] = {}
    frontier = Frontier()
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                frontier.add(tree_leaf(line.removesuffix(b"\n")))
                if frontier.size in wanted:
                    roots[frontier.size] = frontier.root().hex()
    good = 0
    for line in lines:
        head = read_head(line)
        if head is None or roots.get(head.size) != head.root or not head.signed_by(signer.public):
            break
        good += 1
    if lines and not good:
        raise LedgerError("What was restored is not a ledger of this key; restore entries and heads together.")
    return good


def _newest(data: bytes, signer: Signer) -> Head | None:
    heads = (read_head(line) for line in reversed(data.split(b"\n")))
    return next((head for head in heads if head is not None and head.signed_by(signer.public)), None)
