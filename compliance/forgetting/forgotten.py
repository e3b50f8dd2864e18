"""The erasure ledger: who was erased, without a name, so that a restored backup brings nobody back.

One line of JSON for each step of an erasure, appended and on the disk before the step is taken, in the home and in
the mirror; what one of the two lacks is taken from the other. A line holds keyed hashes and random ids only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compliance.errors import LedgerError
from compliance.proofs.journal import locked, sync_folder

log = logging.getLogger(__name__)

FILE = "erasures.jsonl"
OPENED, MORE, KEYS_DESTROYED, CLOSED = "opened", "more", "keys_destroyed", "closed"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """One erasure, as the lines about it say."""

    id: str
    lookup: str
    """The keyed hash of the person; empty when single calls were erased."""
    opened_ms: int
    subject_ids: tuple[str, ...] = ()
    call_ids: tuple[str, ...] = ()
    recording_ids: tuple[str, ...] = ()
    key_ids: tuple[str, ...] = ()
    participant_ids: tuple[str, ...] = ()
    closed: bool = False


class ErasureLedger:
    """Both copies of the file. Every method blocks, for two writes to the disk at most."""

    def __init__(self, home: Path, mirror: Path) -> None:
        """Nothing is touched before the first line."""
        self._file, self._copy = home / FILE, mirror / FILE

    @property
    def files(self) -> tuple[Path, Path]:
        """The ledger and its copy."""
        return self._file, self._copy

    def opened(self, entry: Forgotten) -> None:
        """An erasure begins. Raises `LedgerError`."""
        self._add(_line(entry, OPENED))

    def more(self, entry: Forgotten) -> None:
        """It takes in what has come since; the ids add up. Raises `LedgerError`."""
        self._add(_line(entry, MORE))

    def step(self, erasure_id: str, step: str, at_ms: int) -> None:
        """It has come so far. Raises `LedgerError`."""
        self._add({"id": erasure_id, "step": step, "at_ms": at_ms})

    def entries(self) -> tuple[Forgotten, ...]:
        """Every erasure in either copy, the oldest first; mends the copy that lacks some.

        Raises `LedgerError` when neither can be read.
        """
        if not self._file.exists() and not self._copy.exists():
            return ()
        with self._locked():
            lines, damaged = self._mend()
        if damaged:
            log.error("lines of the erasure ledger are damaged", extra={"lines": damaged})
        found: dict[str, Forgotten] = {}
        for line in lines:
            _merge(found, line)
        return tuple(sorted(found.values(), key=lambda entry: entry.opened_ms))

    def _add(self, line: dict[str, Any]) -> None:
        with self._locked():
            self._mend()
            for path in self.files:
                self._append(path, [_closed(line)])

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Against other processes, under the lock of the file in the home. Raises `LedgerError`."""
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                with locked(handle):
                    yield
            finally:
                os.close(handle)
        except OSError as error:
            raise LedgerError(
                f"The erasure ledger {self._file} cannot be written ({error.strerror}); mend the disk first."
            ) from error

    def _mend(self) -> tuple[list[dict[str, Any]], int]:
        """All lines that either file has; appends to each what it lacks. Also how many are damaged."""
        held: dict[Path, set[bytes]] = {}
        damaged = 0
        every: dict[bytes, dict[str, Any]] = {}
        for path in self.files:
            lines = _read(path)
            good = {line: parsed for line in lines if (parsed := _parsed(line)) is not None}
            damaged += len(set(lines)) - len(good)
            held[path] = set(good)
            every.update(good)
        for path, known in held.items():
            self._append(path, [line for line in every if line not in known])
        return list(every.values()), damaged

    def _append(self, path: Path, lines: list[bytes]) -> None:
        """Write lines, on the disk on return; a mirror whose disk is not there is mended later."""
        if not lines:
            return
        try:
            fresh = not path.exists()
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, b"".join(line + b"\n" for line in lines))
                os.fsync(handle)
            finally:
                os.close(handle)
            if fresh:
                sync_folder(path.parent)
        except OSError as error:
            if path == self._file:
                raise
            log.error("the mirror of the erasure ledger cannot be written", extra={"reason": error.strerror})


def _read(path: Path) -> list[bytes]:
    """The lines of a file; half a line, of a process that was killed while it wrote, is cut off."""
    try:
        data = path.read_bytes()
    except OSError:
        # Not there yet, or a mirror whose disk is away; writing to it says so.
        return []
    whole, end, rest = data.rpartition(b"\n")
    if rest:
        os.truncate(path, len(whole) + len(end))
    return whole.split(b"\n") if whole else []


def _line(entry: Forgotten, step: str) -> dict[str, Any]:
    return {
        "id": entry.id,
        "step": step,
        "at_ms": entry.opened_ms,
        "lookup": entry.lookup,
        "subjects": entry.subject_ids,
        "calls": entry.call_ids,
        "recordings": entry.recording_ids,
        "keys": entry.key_ids,
        "participants": entry.participant_ids,
    }


def _closed(line: dict[str, Any]) -> bytes:
    """A line with the hash by which damage to it is noticed; against forgery there is the signed ledger."""
    text = json.dumps(line, sort_keys=True, separators=(",", ":"))
    return json.dumps({"hash": hashlib.sha256(text.encode()).hexdigest(), "line": text}).encode()


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        outer = json.loads(line)
        if hashlib.sha256(outer["line"].encode()).hexdigest() != outer["hash"]:
            return None
        inner: dict[str, Any] = json.loads(outer["line"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return inner


def _merge(found: dict[str, Forgotten], line: dict[str, Any]) -> None:
    known = found.get(line["id"]) or Forgotten(line["id"], "", line["at_ms"])
    if line["step"] in (OPENED, MORE):
        known = replace(
            known,
            lookup=line["lookup"] or known.lookup,
            opened_ms=max(known.opened_ms, line["at_ms"]) if line["step"] == MORE else line["at_ms"],
            subject_ids=_union(known.subject_ids, line["subjects"]),
            call_ids=_union(known.call_ids, line["calls"]),
            recording_ids=_union(known.recording_ids, line["recordings"]),
            key_ids=_union(known.key_ids, line["keys"]),
            # Lines from before there were meetings have none.
            participant_ids=_union(known.participant_ids, line.get("participants", ())),
        )
    found[line["id"]] = replace(known, closed=known.closed or line["step"] == CLOSED)


def _union(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))
