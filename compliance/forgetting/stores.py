"""Every place where bytes about a person may be, each with its own way to erase them and to say what is left.

Besides what a store says of itself, the bytes of its files are searched afterwards (see `traces`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from compliance.forgetting.foreign import erase_from_databases, is_database, key_copies
from compliance.forgetting.needles import Sought
from compliance.forgetting.plan import Plan
from compliance.forgetting.scan import Needles
from compliance.sound.chunks import wipe
from compliance.vault import Vault

Result = Literal["clean", "key_destroyed", "unsupported", "not_purged", "not_scanned", "residue", "failed"]
DONE: Final = ("clean", "key_destroyed")
"""Only these count as done."""
WORSE: Final[tuple[Result, ...]] = (
    "clean", "key_destroyed", "unsupported", "not_purged", "not_scanned", "residue", "failed",
)  # fmt: skip
"""From the best to the worst; a store is as good as the worst that is known of it."""
_TEXT = (
    ".txt",
    ".log",
    ".json",
    ".jsonl",
    ".md",
    ".csv",
    ".html",
    ".toml",
    ".yaml",
    ".yml",
    ".xml",
    ".vtt",
    ".srt",
)
SERVER_LOG = "server-wal"
_LOOKUP_DIGITS = 16
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one store."""

    store: str
    result: Result
    erased: int = 0
    """Rows, files, lines or copies that were deleted."""
    scanned_bytes: int = 0
    needles: int = 0
    """How many byte strings of the person were looked for."""
    found: int = 0
    """How often they were found, less those that other people's rows contain too."""
    shared: int = 0
    """How many of them other people's rows contain too (they said the same); these prove nothing."""
    note: str = ""


class Store(Protocol):
    """One place. Both methods may raise `TwinError` and `OSError`; the store's result is then `failed`."""

    name: str
    folder: Path | None
    """Files in it are searched for the person under this store's name; None where there are no files."""

    async def erase(self, plan: Plan, sought: Sought) -> int:
        """Delete what is the person's; how much was. Asked again, it goes on where it stopped."""

    async def check(self, plan: Plan, sought: Sought) -> Outcome:
        """What can be said of it besides what its files hold."""


class Copies(Protocol):
    """What a provider keeps; `channels.twilio.copies.TwilioCopies` is one."""

    name: str

    async def erase(self, references: Sequence[str], subjects: Sequence[str]) -> int:
        """Delete what is kept of calls and people; how much was."""

    async def left(self, references: Sequence[str], subjects: Sequence[str]) -> int:
        """How much is still there, by asking again."""


class KeyStore:
    """The keys: whatever copy of the person's data there is anywhere, it cannot be read without them."""

    name = "keys"
    folder: Path | None = None

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._not_purged = ""

    async def erase(self, plan: Plan, sought: Sought) -> int:
        self._not_purged = await self._vault.destroy_keys(plan.key_ids)
        return len(plan.key_ids)

    async def check(self, plan: Plan, sought: Sought) -> Outcome:
        result: Result = "not_purged" if self._not_purged else "key_destroyed"
        return Outcome(self.name, result, note=self._not_purged)


class DatabaseStore:
    """The rows and the files of the database; the rows are gone before it is asked."""

    name = "database"
    folder: Path | None = None

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._not_purged = ""

    async def erase(self, plan: Plan, sought: Sought) -> int:
        self._not_purged = await self._vault.purge()
        return 0

    async def check(self, plan: Plan, sought: Sought) -> Outcome:
        findings = await self._vault.scan(sought.needles, not_purged=self._not_purged)
        results: list[Result] = [finding.result for finding in findings]
        notes = list(dict.fromkeys(finding.note for finding in findings if finding.note))
        for finding in await self._vault.scan(sought.sealed):
            if finding.found:
                # A server's log is written over in time; nobody can make it do so at once.
                log = finding.store == SERVER_LOG
                results.append("key_destroyed" if log else "not_purged")
                notes.append(f"sealed values, which nothing opens any more, are still in {finding.store}")
        return Outcome(
            self.name,
            worst(results) if results else "not_scanned",
            scanned_bytes=sum(finding.scanned_bytes for finding in findings),
            needles=sought.needles.count + sought.sealed.count,
            found=sum(finding.found for finding in findings),
            shared=max((finding.shared for finding in findings), default=0),
            note="; ".join((", ".join(finding.store for finding in findings), *notes)),
        )


class SearchStore:
    """The full-text index, which is in memory only: it is told what to forget."""

    name = "search"
    folder: Path | None = None

    def __init__(
        self,
        forget: Callable[[Sequence[str]], Awaitable[None] | None],
        memory: Callable[[], Awaitable[bytes]] | None = None,
    ) -> None:
        """`forget` is told the calls; `memory` gives all bytes of the index, to be searched for the name."""
        self._forget = forget
        self._memory = memory

    async def erase(self, plan: Plan, sought: Sought) -> int:
        call_ids = (*plan.call_ids, *plan.meeting_ids)
        waiting = self._forget(call_ids)
        if waiting is not None:
            await waiting
        return len(call_ids)

    async def check(self, plan: Plan, sought: Sought) -> Outcome:
        data = await self._memory() if self._memory is not None else b""
        hits = await asyncio.to_thread(sought.needles.hits_in, data)
        # Words are in it that others said too; who is named in it, is in it.
        found = sum(count for needle, count in hits.items() if needle in sought.names)
        return Outcome(
            self.name,
            "residue" if found else "clean",
            scanned_bytes=len(data),
            needles=sought.needles.count,
            found=found,
            note="in memory only",
        )


class RecordingStore:
    """Sound: files named by the recording's id."""

    name = "recordings"

    def __init__(self, folder: Path) -> None:
        self.folder: Path | None = folder
        self._folder = folder

    async def erase(self, plan: Plan, sought: Sought) -> int:
        return await asyncio.to_thread(self._wipe, plan)

    async def check(self, plan: Plan, sought: Sought) -> Outcome:
        left = await asyncio.to_thread(lambda: list(self._files(plan)))
        return Outcome(self.name, "residue" if left else "clean", found=len(left))

    def _wipe(self, plan: Plan) -> int:
        files = self._files(plan)
        for path in files:
            wipe(path)
        return len(files)

    def _files(self, plan: Plan) -> list[Path]:
        if not self._folder.is_dir():
            return []
        ids = {*plan.recording_ids, *plan.call_ids}
        return [path for path in self._folder.rglob("*") if path.is_file() and path.name.split(".")[0] in ids]


class FileStore:
    """A folder of files that may be about somebody: a cache, logs, exports.

    Of a text file the lines with the person's bytes go, any other file with their words goes as a whole: a log
    or a cache loses nothing by it. Exports are people's: there whole files go, and only where the person is named.
    """

    def __init__(self, name: str, folder: Path, *, exports: bool = False, skip: Sequence[str] = ()) -> None:
        """`skip`: folders in it that are downloaded, not written by us."""
        self.name = name
        self.folder: Path | None = folder
        self._folder = folder
        self._exports = exports
        self._skip = [folder / part for part in skip]

    async def erase(self, plan: Plan, sought: Sought) -> int:
        return await asyncio.to_thread(self._erase, plan, sought)

    async def check(self, plan: Plan, sought: Sought) -> Outcome:
        note = "" if self._folder.is_dir() else "there is no such folder"
        return Outcome(self.name, "clean", note=note)

    def _erase(self, plan: Plan, sought: Sought) -> int:
        erased = 0
        for path in files_below(self._folder, self._skip):
            if not self._exports and path.suffix.lower() in _TEXT:
                erased += drop_lines(path, lambda line: bool(sought.needles.hits_in(line)))
            elif self._is_theirs(path, plan, sought):
                wipe(path)
                erased += 1
        return erased

    def _is_theirs(self, path: Path, plan: Plan, sought: Sought) -> bool:
        if any(lookup[:_LOOKUP_DIGITS] in path.name for lookup in plan.lookups):
            return True
        hits = hits_anywhere(path, sought)
        return sought.named(hits) if self._exports else sought.said(hits)


class MemoryStore:
    """What the twin remembers, in other people's formats: SQLite files row by row, texts line by line.

    Vectors in a format of their own cannot be told apart: then it is `unsupported`, and says which files.
    """

    name = "memory"

    def __init__(self, folder: Path, *, skip: Sequence[str] = ()) -> None:
        """`skip`: names of databases in it that somebody else looks after, who knows their tables."""
        self.folder: Path | None = folder
        self._folder = folder
        self._skip = frozenset(skip)

    async def erase(self, plan: Plan, sought: Sought) -> int:
        return await asyncio.to_thread(self._erase, plan, sought)

    async def check(self, plan: Plan, sought: Sought) -> Outcome:
        unknown = await asyncio.to_thread(self._unknown)
        if not unknown:
            return Outcome(self.name, "clean", note="" if self._folder.is_dir() else "there is no such folder")
        names = _listed((path.relative_to(self._folder).as_posix() for path in unknown), sought)
        return Outcome(self.name, "unsupported", note=f"{len(unknown)} files of unknown formats: {names}")

    def _erase(self, plan: Plan, sought: Sought) -> int:
        files = files_below(self._folder)
        databases = [path for path in files if path.name not in self._skip and is_database(path)]
        ids = {*plan.lookups, *plan.subject_ids, *plan.call_ids}
        erased = erase_from_databases(databases, sought, ids)
        known = Needles([], always=[name.encode() for name in ids])

        def named(line: bytes) -> bool:
            return bool(known.hits_in(line)) or sought.named(sought.needles.hits_in(line))

        return erased + sum(drop_lines(path, named) for path in files if path.suffix.lower() in _TEXT)

    def _unknown(self) -> list[Path]:
        return [
            path
            for path in files_below(self._folder)
            if path.suffix.lower() not in _TEXT
            and not is_database(path)
            and not path.name.endswith(("-wal", "-shm", "-journal", ".lock"))
            and path.stat().st_size > 0
        ]


class ProviderStore:
    """What a provider of ours keeps of the calls, deleted over its API."""

    folder: Path | None = None

    def __init__(self, copies: Copies) -> None:
        self.name = copies.name
        self._copies = copies

    async def erase(self, plan: Plan, sought: Sought) -> int:
        if not plan.references and not plan.names:
            return 0
        return await self._copies.erase(plan.references, plan.names)

    async def check(self, plan: Plan, sought: Sought) -> Outcome:
        if not plan.references and not plan.names:
            return Outcome(self.name, "clean", note="no call went over it")
        left = await self._copies.left(plan.references, plan.names)
        return Outcome(self.name, "residue" if left else "clean", found=left)


class BackupStore:
    """Copies of the store made before. They are not touched: without the keys nothing in them opens."""

    name = "backups"

    def __init__(self, folder: Path, home: Path) -> None:
        """`home` is searched for forgotten copies of the key store as well."""
        self.folder: Path | None = folder
        self._folder = folder
        self._home = home

    async def erase(self, plan: Plan, sought: Sought) -> int:
        return 0

    async def check(self, plan: Plan, sought: Sought) -> Outcome:
        copies = await asyncio.to_thread(key_copies, (self._folder, self._home), plan.key_ids)
        if copies:
            names = _listed((path.name for path in copies), sought)
            note = f"copies of the key store still hold the keys; delete them: {names}"
            return Outcome(self.name, "residue", found=len(copies), note=note)
        return Outcome(
            self.name,
            "key_destroyed",
            note="nothing in them opens without the keys; a backup that holds keys.db opens until it is deleted",
        )


def _listed(files: Iterable[str], sought: Sought) -> str:
    return ", ".join([sought.shown(file) for file in sorted(files)][:_MOST_NAMED])


def worst(results: Sequence[Result]) -> Result:
    """The worst of them."""
    return max(results, key=WORSE.index)


def files_below(folder: Path, skip: Sequence[Path] = ()) -> list[Path]:
    """The files in a folder and those below it; links are not followed."""
    found: list[Path] = []
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if Path(where, name) not in skip]
        found += [path for name in files if not (path := Path(where, name)).is_symlink()]
    return sorted(found)


def hits_anywhere(path: Path, sought: Sought) -> dict[bytes, int]:
    """What is found in a file, in what it holds when it is an archive, and in its name. Raises `OSError`."""
    hits = sought.needles.hits_in_file(path)[0] | sought.needles.hits_inside(path)
    return hits | sought.needles.hits_in(path.name.encode("utf-8", "surrogateescape"))


def drop_lines(path: Path, theirs: Callable[[bytes], bool]) -> int:
    """Take the lines with the person's bytes out of a text file, in place: a process may have it open to append.

    How many lines went. Blocks.
    """
    with path.open("r+b") as file:
        data = file.read()
        lines = data.splitlines(keepends=True)
        left = [line for line in lines if not theirs(line)]
        if len(left) == len(lines):
            return 0
        kept = b"".join((*left, file.read()))
        file.seek(0)
        file.write(kept.ljust(len(data), b"\0"))
        file.flush()
        os.fsync(file.fileno())
        file.truncate(len(kept))
    with contextlib.suppress(FileNotFoundError):
        if not kept:
            path.unlink()
    return len(lines) - len(left)
