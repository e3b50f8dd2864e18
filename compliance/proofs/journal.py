"""A file of lines that only grows, shared by several processes, and the lock they share it under."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from compliance.errors import LedgerError

_LOCK_LIMIT_S = 20.0
_LOCK_RETRY_S = 0.005
_BLOCK_BYTES = 1 << 20


class Journal:
    """One file, open for appending. Reading and writing need the lock; every method blocks."""

    def __init__(self, path: Path) -> None:
        """Raises `OSError` when the file cannot be made or opened."""
        self.path = path
        self.size = 0
        """The bytes that were read or written here: whole lines."""
        self.rest = b""
        """After all of `news` was read: half a line of a process that died, or nothing."""
        fresh = not path.exists()
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._inode = os.fstat(self._handle).st_ino
        if fresh:
            sync_folder(path.parent)

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def news(self) -> Iterator[bytes]:
        """The whole lines, without their ends, that came since the last time; `rest` is what stands after them.

        `size` goes along with each line. Raises `LedgerError` when the file became shorter or is another one.
        """
        end, self.rest = os.fstat(self._handle).st_size, b""
        if end < self.size or not self._is_in_place():
            raise LedgerError(f"{self.path} was replaced or cut while it was in use; run `twin ledger verify`.")
        begin = self.size
        while begin < end:
            block = self.rest + self.read(begin, min(end, begin + _BLOCK_BYTES))
            begin += len(block) - len(self.rest)
            *lines, self.rest = block.split(b"\n")
            for line in lines:
                self.size += len(line) + 1
                yield line

    def read(self, begin: int, end: int) -> bytes:
        """The bytes from `begin` to `end`."""
        parts: list[bytes] = []
        while begin < end and (part := os.pread(self._handle, end - begin, begin)):
            parts.append(part)
            begin += len(part)
        return b"".join(parts)

    def append(self, line: bytes) -> None:
        """Write a line; on the disk only after `sync`. Raises `OSError` with the file as it was before."""
        data = memoryview(line + b"\n")
        try:
            while data:
                data = data[os.write(self._handle, data) :]
        except OSError:
            # Half a line must not stay in front of the next one.
            os.ftruncate(self._handle, self.size)
            raise
        self.size += len(line) + 1

    def cut(self, size: int) -> None:
        """Drop everything after `size` bytes."""
        os.ftruncate(self._handle, size)
        self.size, self.rest = size, b""

    def matches(self, other: Path) -> int:
        """How many bytes, from the beginning, are the same there; nothing is the same in a file that is not."""
        same = 0
        try:
            with other.open("rb") as copy:
                while block := copy.read(_BLOCK_BYTES):
                    mine = self.read(same, min(self.size, same + len(block)))
                    if mine != block:
                        pairs = zip(mine, block, strict=False)
                        return same + next((n for n, (a, b) in enumerate(pairs) if a != b), len(mine))
                    same += len(block)
        except FileNotFoundError:
            pass
        return same

    def sync(self) -> None:
        """Return when all of it is on the disk."""
        os.fsync(self._handle)

    def _is_in_place(self) -> bool:
        try:
            return os.stat(self.path).st_ino == self._inode
        except FileNotFoundError:
            return False


@contextlib.contextmanager
def locked(handle: int, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock of an open file against other processes and other handles; raises `LedgerError` after 20 s."""
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    deadline = time.monotonic() + _LOCK_LIMIT_S
    while True:
        try:
            fcntl.flock(handle, how)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LedgerError("The ledger is held by another process; is its disk stuck?") from None
            time.sleep(_LOCK_RETRY_S)
    try:
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)


def sync_folder(folder: Path) -> None:
    """Return when a file that was made in that folder stays there after a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
