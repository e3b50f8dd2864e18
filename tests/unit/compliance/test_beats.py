"""Signs of life in a shared store."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.beats import Beats
from compliance.errors import VaultError
from compliance.vault import Vault


class Clock:
    """Unix time that a test turns."""

    def __init__(self) -> None:
        self.now = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_everybody_sees_everybodys_signs_and_a_beat_changes_them(tmp_path: Path) -> None:
    clock = Clock()
    async with Vault(tmp_path, now=clock) as here, Vault(tmp_path, now=clock) as there:
        one, other = Beats(here, "twin"), Beats(there, "twin")
        first = await one.beat(["AW_1"])
        assert set(first) == {"AW_1"}
        clock.now += 0.5
        second = await other.beat(["AW_2", "AW_3"])
        assert set(second) == {"AW_1", "AW_2", "AW_3"}
        assert second["AW_1"] == first["AW_1"]
        clock.now += 0.5
        third = await one.beat(["AW_1"])
        assert third["AW_1"] != second["AW_1"]
        assert third["AW_2"] == second["AW_2"]


async def test_other_groups_and_tokens_are_not_of_it(tmp_path: Path) -> None:
    async with Vault(tmp_path) as vault:
        await vault.spend_token("a-token", 4_000_000_000.0)
        await Beats(vault, "twin.of_ada").beat(["AW_1"])
        assert set(await Beats(vault, "twin_of_ada").beat(["AW_2"])) == {"AW_2"}


async def test_who_ends_is_forgotten(tmp_path: Path) -> None:
    async with Vault(tmp_path) as vault:
        beats = Beats(vault, "twin")
        await beats.beat(["AW_1", "AW_2"])
        await beats.end(["AW_1"])
        assert set(await beats.beat([])) == {"AW_2"}
        await beats.end([])


async def test_an_old_sign_is_swept_with_the_tokens(tmp_path: Path) -> None:
    clock = Clock()
    async with Vault(tmp_path, now=clock) as vault:
        beats = Beats(vault, "twin")
        await beats.beat(["AW_1"])
        clock.now += 7_200
        await vault.spend_token("a-token", clock.now + 60)
        assert await beats.beat([]) == {}


async def test_a_name_that_could_be_somebodys_is_refused(tmp_path: Path) -> None:
    async with Vault(tmp_path) as vault:
        with pytest.raises(VaultError):
            await Beats(vault, "twin").beat(["Anna Example"])
