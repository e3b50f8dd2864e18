"""Which worker processes live: each holds a lock on a file of its own, which the system frees when it dies.

A process id alone would not do: ids are used again, mean nothing after a restart of the machine, and differ
between containers that share a folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path
from typing import Literal

from compliance.errors import VaultError

Life = Literal["alive", "dead", "unknown"]


class WorkerLock:
    """This process's sign of life in `folder`, from construction to `release`."""

    def __init__(self, folder: Path) -> None:
        self.worker = secrets.token_hex(8)
        """Unique name of this process (of this vault in it)."""
        self._path = _path(folder, self.worker)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = self._acquire()
        except OSError as error:
            raise VaultError(
                f"The folder {folder} cannot be used ({error.strerror}); check its owner and rights."
            ) from error

    def release(self) -> None:
        """Give up the lock and remove the file; safe to call twice."""
        if self._handle >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = -1

    def _acquire(self) -> int:
        while True:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            # Another worker's `sweep` may hold it for an instant, and may have removed it: then once more.
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                if os.fstat(handle).st_ino == self._path.stat().st_ino:
                    os.truncate(handle, 0)
                    os.write(handle, f"{os.getpid()}\n".encode())
                    return handle
            except FileNotFoundError:
                pass
            os.close(handle)


def life(folder: Path, worker: str) -> Life:
    """Whether the worker that made that lock in `folder` still runs; unknown when it has no file there."""
    try:
        handle = os.open(_path(folder, worker), os.O_RDWR)
    except FileNotFoundError:
        return "unknown"
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "alive"
    finally:
        os.close(handle)
    return "dead"


def sweep(folder: Path) -> None:
    """Remove the files of workers that died."""
    for path in folder.glob("*.lock"):
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            except BlockingIOError:
                pass
            finally:
                os.close(handle)


def _path(folder: Path, worker: str) -> Path:
    return folder / f"{worker}.lock"
