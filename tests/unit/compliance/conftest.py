"""A real vault on a real file for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from compliance.vault import Vault


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def vault(home: Path) -> AsyncIterator[Vault]:
    async with Vault(home) as vault:
        yield vault
