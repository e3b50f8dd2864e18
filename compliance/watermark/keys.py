"""The keys of the watermark: random ones of this deployment, and a sub-key of each for every day.

`keys/watermark.key` (mode 0600) holds every generation of the deployment's key, closed by the master key. Without
it nothing that this twin ever said can be recognised, so it belongs into the backup.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from compliance.errors import VaultError
from compliance.proofs.journal import sync_folder
from compliance.store.master import MasterKey

KEY_FILE = Path("keys", "watermark.key")
OWN_FILE = Path("keys", "watermark.key.own")
"""What marked here before this home was given a key that it shares with others. Only read."""
KEY_BYTES = 32
_WRAPPED = b"twin-wrapped-watermark-1\n"
_PURPOSE = b"ai-twin watermark"
_SLACK = timedelta(days=1)
"""Clocks of several machines differ, and a call that runs over midnight keeps its key."""
_LOCK_LIMIT_S = 10.0
_LOCK_RETRY_S = 0.02


@dataclass(frozen=True, slots=True)
class DayKey:
    """The key of one UTC day under one of the deployment's keys."""

    day: date
    generation: int
    key: bytes = field(repr=False)
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class _Generation:
    """One of the deployment's keys."""

    number: int
    """From 1 on."""
    since: datetime
    """In force from then on, until the next one's."""
    secret: bytes = field(repr=False)

    def of(self, day: date) -> DayKey:
        """HKDF-SHA256 (RFC 5869), without salt: the secret is random throughout."""
        info = b"%s %d %s" % (_PURPOSE, self.number, day.isoformat().encode("ascii"))
        return DayKey(day, self.number, HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self.secret))


class MarkKeys:
    """This home's keys. Every method blocks, raises `VaultError`, and may be used from any thread.

    The file is read again whenever it was changed, so that a rotation by another process counts here too.
    """

    def __init__(self, path: Path, master: MasterKey, now: Callable[[], float]) -> None:
        """See `open`."""
        self._path = path
        self._master = master
        self._now = now
        self._seen: tuple[tuple[int, ...], tuple[_Generation, ...]] = ((), ())

    @classmethod
    def open(cls, home: Path, master: MasterKey, *, now: Callable[[], float] = time.time) -> Self:
        """The keys of this home, made at first use. `now` is Unix time in seconds.

        Of two processes that start at once one makes them, and both use those.
        """
        keys = cls(home / KEY_FILE, master, now)
        with keys._readable():
            if not keys._path.exists():
                keys._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                keys._write([keys._made(1)], replace=False)
        keys._read()
        return keys

    @property
    def generation(self) -> int:
        """The newest."""
        return self._read()[-1].number

    def of(self, day: date) -> DayKey:
        """The key to mark with on that day."""
        return self._read()[-1].of(day)

    @property
    def known(self) -> int:
        """The newest generation, as it was read last; quick. Raises nothing."""
        return self._seen[1][-1].number

    @property
    def changed(self) -> bool:
        """Whether another process has written the file since it was read; quick. Raises nothing."""
        try:
            return self._version() != self._seen[0]
        except OSError:
            return True

    def candidates(self, days: Iterable[date]) -> list[DayKey]:
        """The keys that something said on one of these days may be marked with, the newest first."""
        kept = self._read()
        in_force = [*_in_force(kept), *_in_force([one for one in self._own() if one not in kept])]
        return [
            generation.of(day)
            for day in sorted(set(days), reverse=True)
            for generation, begin, end in in_force
            if begin <= day <= end
        ]

    def rotate(self) -> int:
        """Make a new generation, in force from now on; returns its number. Calls in progress keep their key."""
        with self._readable(), self._locked():
            kept = self._read()
            new = self._made(kept[-1].number + 1)
            self._write([*kept, new], replace=True)
        return new.number

    def _made(self, number: int) -> _Generation:
        since = datetime.fromtimestamp(int(self._now()), UTC)
        return _Generation(number, since, secrets.token_bytes(KEY_BYTES))

    def _read(self) -> tuple[_Generation, ...]:
        with self._readable():
            version = self._version()
            seen, generations = self._seen
            if version != seen:
                generations = _opened(self._path, self._master)
                self._seen = (version, generations)
            return generations

    def _own(self) -> tuple[_Generation, ...]:
        path = self._path.with_name(OWN_FILE.name)
        with self._readable():
            return _opened(path, self._master) if path.exists() else ()

    def _version(self) -> tuple[int, ...]:
        stat = self._path.stat()
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def _write(self, generations: Sequence[_Generation], *, replace: bool) -> None:
        # Whole or not at all, under another name first: nobody ever reads half of it.
        data = _closed(generations, self._master)
        draft = self._path.with_name(f"{self._path.name}.{secrets.token_hex(8)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            try:
                os.write(handle, data)
                os.fsync(handle)
            finally:
                os.close(handle)
            if replace:
                draft.replace(self._path)
            else:
                with contextlib.suppress(FileExistsError):
                    os.link(draft, self._path)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(self._path.parent)

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise VaultError(f"{self._path} is missing; restore it from the backup.") from None
        except OSError as error:
            why = error.strerror
            raise VaultError(f"{self._path} cannot be used ({why}); check its owner and rights.") from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among all processes: of two rotations at once neither may lose the other's key."""
        handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _LOCK_LIMIT_S
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise VaultError(f"{self._path} is held by another process; is its disk stuck?") from None
                    time.sleep(_LOCK_RETRY_S)
            yield
        finally:
            os.close(handle)


def _in_force(kept: Sequence[_Generation]) -> list[tuple[_Generation, date, date]]:
    """Each with its first and its last day, the newest first."""
    ends = [after.since.date() + _SLACK for _, after in pairwise(kept)] + [date.max]
    begins = [date.min] + [generation.since.date() - _SLACK for generation in kept[1:]]
    return list(zip(kept, begins, ends, strict=False))[::-1]


def _closed(generations: Iterable[_Generation], master: MasterKey) -> bytes:
    lines = (f"{one.number} {int(one.since.timestamp())} {one.secret.hex()}" for one in generations)
    return _WRAPPED + base64.encodebytes(master.wrap("\n".join(lines).encode("ascii")))


def _opened(path: Path, master: MasterKey) -> tuple[_Generation, ...]:
    stored = path.read_bytes()
    damaged = VaultError(f"keys/{path.name} is damaged; restore it from the backup.")
    if not stored.startswith(_WRAPPED):
        raise damaged
    try:
        wrapped = base64.b64decode(stored.removeprefix(_WRAPPED))
    except binascii.Error:
        raise damaged from None
    plain = master.unwrap(wrapped)
    try:
        lines = [line.split() for line in plain.decode("ascii").splitlines()]
        found = tuple(
            _Generation(int(number), datetime.fromtimestamp(int(since), UTC), bytes.fromhex(secret))
            for number, since, secret in lines
        )
    except (ValueError, OverflowError, OSError):
        raise damaged from None
    if not found or any(len(one.secret) != KEY_BYTES for one in found):
        raise damaged
    return found
