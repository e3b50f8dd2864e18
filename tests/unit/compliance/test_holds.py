from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from compliance.errors import VaultError
from compliance.holds import held, hold, release
from compliance.vault import Vault


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    async with Vault(tmp_path / "home") as vault:
        vault.begin_call("CA1", channel="phone", subject="+4930901820")
        await vault.flush()
        yield vault


async def test_a_call_is_held_until_it_is_let_go(vault: Vault) -> None:
    await hold(vault, "CA1", "  a   dispute ")
    found = await held(vault, "CA1")
    assert found is not None
    assert (found.call_id, found.reason) == ("CA1", "a dispute")

    await hold(vault, "CA1", "a court")
    found = await held(vault, "CA1")
    assert found is not None
    assert found.reason == "a court"
    assert await release(vault, "CA1")
    assert await held(vault, "CA1") is None
    assert not await release(vault, "CA1")


async def test_a_hold_needs_a_reason_and_a_call(vault: Vault) -> None:
    with pytest.raises(VaultError, match="needs a reason"):
        await hold(vault, "CA1", "  ")
    with pytest.raises(VaultError, match="no such call"):
        await hold(vault, "CA2", "a dispute")


async def test_the_reason_is_sealed(vault: Vault, tmp_path: Path) -> None:
    await hold(vault, "CA1", "a dispute with John Appleseed")
    await vault.close()
    stored = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())

    assert b"Appleseed" not in stored
