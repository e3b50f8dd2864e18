"""The mirror: a second copy of the signed heads, on another disk, that a rolled-back ledger does not match."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from compliance.errors import LedgerError
from compliance.proofs.journal import Journal, sync_folder

log = logging.getLogger(__name__)

_LONGEST_LINE = 4096


class Mirror:
    """The copy of one file of heads, byte for byte."""

    def __init__(self, path: Path) -> None:
        """Nothing is touched yet."""
        self.path = path
        self.trouble: str | None = None
        """Why it could not be written the last time, in one line; what it lacks is added when it can be."""

    @property
    def is_missing(self) -> bool:
        """Whether it is gone although its disk was well the last time."""
        return self.trouble is None and not self.path.exists()

    def check(self, heads: Journal) -> None:
        """Compare it with the heads, and drop half a line at its end. Raises `LedgerError` and `OSError`."""
        same, whole, size = heads.matches(self.path), *_sizes(self.path)
        if same < min(whole, heads.size):
            raise changed(f"{heads.path.name} and the mirror {self.path} differ")
        if whole > heads.size:
            raise changed("it is older than the last signed head in the mirror, so it was rolled back")
        if size > whole:
            os.truncate(self.path, whole)

    def catch_up(self, heads: Journal) -> None:
        """Add what it lacks. A disk that is gone is `trouble`; raises `LedgerError` when it is ahead."""
        try:
            self._copy(heads)
        except OSError as error:
            if self.trouble is None:
                log.error("the ledger's mirror cannot be written", extra={"reason": error.strerror})
            self.trouble = f"the ledger's mirror cannot be written ({error.strerror})"
        else:
            self.trouble = None

    def _copy(self, heads: Journal) -> None:
        # The same bytes stand at the same places in both, so what is missing begins where the copy ends, even
        # if that is in the middle of a line.
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size > heads.size:
                raise changed("the mirror holds later heads, so it was rolled back")
            missing = memoryview(heads.read(size, heads.size))
            while missing:
                missing = missing[os.write(handle, missing) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        if not size:
            sync_folder(self.path.parent)


def changed(what: str) -> LedgerError:
    """The error for a ledger that somebody changed."""
    return LedgerError(
        f"The ledger was changed: {what}. See `twin ledger verify`, restore it, or `twin ledger accept`."
    )


def _sizes(path: Path) -> tuple[int, int]:
    """The bytes of its whole lines, and of all of it; 0 when there is none."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            begin = file.seek(max(0, end - _LONGEST_LINE))
            return begin + file.read().rfind(b"\n") + 1, end
    except FileNotFoundError:
        return 0, 0
