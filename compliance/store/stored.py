"""A database's own bytes as they lie on the disk, here or on its server, for the byte scan after an erasure."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from compliance.store import postgres
from compliance.store.connect import describe

_STEP = 4 * 1024 * 1024
_BETWEEN = b"\x00" * 64
"""Between two files of one store, so that nothing is found across their border."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One of a database's stores. `open` raises `OSError`; it and reading block, and may run in any thread."""

    name: str
    """database, database-wal, database-shm, database-journal; server, server-wal."""
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """All that can be read of a database."""

    files: tuple[Stored, ...]
    unreadable: str = ""
    """Why nothing can be read, or nothing."""


def of_sqlite(main: Path, files: Iterable[Path]) -> StoredFiles:
    """The files of a SQLite database that exist now."""
    return StoredFiles(
        tuple(Stored("database" + path.name.removeprefix(main.name), _opener(path)) for path in files)
    )


def of_server(engine: Engine, make_engine: Callable[[], Engine]) -> StoredFiles:
    """The files of a PostgreSQL database, and its log: read here where they are, else through the server.

    Reading through the server takes the right to `pg_read_binary_file`. Blocks. `make_engine` makes engines for
    the threads that read.
    """
    postgres.flush(engine)
    try:
        names = postgres.files(engine)
    except SQLAlchemyError as error:
        return StoredFiles((), f"the server does not show its files ({describe(error)})")
    folder = postgres.local_folder(engine)
    if folder is not None:
        return StoredFiles(tuple(Stored(name, _chain_opener(folder, paths)) for name, paths in names.items()))
    if why := postgres.cannot_read(engine, next(iter(names["server"]), "PG_VERSION")):
        return StoredFiles((), f"the server's files can be read neither here nor through it ({why})")
    return StoredFiles(tuple(Stored(name, _remote_opener(make_engine, paths)) for name, paths in names.items()))


class _Stream(io.RawIOBase):
    """Pieces of bytes as one stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _chain_opener(folder: Path, paths: list[str]) -> Callable[[], BinaryIO]:
    def pieces() -> Iterator[bytes]:
        for path in paths:
            for segment in _segments(folder / path):
                try:
                    with segment.open("rb") as file:
                        while piece := file.read(_STEP):
                            yield piece
                except FileNotFoundError:
                    continue  # rewritten or recycled since it was listed: what it held is in no file of that name
                yield _BETWEEN

    return lambda: io.BufferedReader(_Stream(pieces()), _STEP)


def _segments(path: Path) -> Iterator[Path]:
    """A relation is split into files of one gigabyte: 16384, 16384.1, ..."""
    yield path
    number = 1
    while (more := path.with_name(f"{path.name}.{number}")).exists():
        yield more
        number += 1


def _remote_opener(make_engine: Callable[[], Engine], paths: list[str]) -> Callable[[], BinaryIO]:
    read = text("SELECT pg_read_binary_file(:path, :start, :size, true)")

    def pieces() -> Iterator[bytes]:
        engine = make_engine()
        try:
            with engine.connect() as connection:
                for path in paths:
                    number = 0
                    while True:
                        start, name = 0, f"{path}.{number}" if number else path
                        while piece := connection.execute(
                            read, {"path": name, "start": start, "size": _STEP}
                        ).scalar():
                            yield bytes(piece)
                            start += len(piece)
                        yield _BETWEEN
                        if start == 0 or path.startswith("pg_wal/"):
                            break
                        number += 1
        except SQLAlchemyError as error:
            raise OSError(0, f"the server stopped showing its files: {describe(error)}") from error
        finally:
            engine.dispose()

    return lambda: io.BufferedReader(_Stream(pieces()), _STEP)
