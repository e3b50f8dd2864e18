"""A real vault for each test: on a file, and where it is asked for on a real PostgreSQL server too."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from compliance.settings import StoreSettings
from compliance.vault import Vault
from tests.postgres import Server, server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def vault(home: Path) -> AsyncIterator[Vault]:
    async with Vault(home) as vault:
        yield vault


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    with server() as started:
        yield started


@pytest.fixture
def postgres(postgres_server: Server) -> Iterator[StoreSettings]:
    """A database of the test's own on a server, for the data; the keys are in a file in the home."""
    name = f"twin_{secrets.token_hex(4)}"
    yield StoreSettings(url=postgres_server.make_database(name))
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> StoreSettings:
    """The settings of an empty store: each test that takes it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return StoreSettings()
    settings: StoreSettings = request.getfixturevalue("postgres")
    return settings
