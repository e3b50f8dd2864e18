"""Keepers on one store, and a server that is a list of wishes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from agent.fleet.keeper import SCAN_S, Keeper
from agent.fleet.keeping import AGAIN_S, ATTEMPT, LOST_AFTER_S, NOBODY_CAME_S, Wish
from agent.fleet.wishes import Wishes
from compliance.errors import EngineFailed
from compliance.vault import Vault


class Server:
    """Dispatches, and what keepers did with them."""

    def __init__(self) -> None:
        self.wishes: dict[str, Wish] = {}
        self.renewed: list[tuple[str, int]] = []
        self.asked = 0
        self.fails = False

    def add(self, *wishes: Wish) -> None:
        self.wishes.update((wish.id, wish) for wish in wishes)

    async def all(self) -> list[Wish]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.fails:
            raise EngineFailed("away")
        return list(self.wishes.values())

    async def of(self, room: str) -> list[Wish]:
        return [wish for wish in await self.all() if wish.room == room]

    async def renew(self, old: Wish, attempt: int) -> None:
        if self.fails:
            raise EngineFailed("away")
        self.renewed.append((old.room, attempt))
        await asyncio.sleep(0)
        self.add(Wish(f"{old.id}+", old.room, attributes={ATTEMPT: str(attempt)}))
        del self.wishes[old.id]

    async def take_back(self, room: str, dispatch: str) -> None:
        self.wishes.pop(dispatch, None)


class Fleet:
    """Some keepers, each with a store of its own on one home, and one time for all."""

    def __init__(self, vaults: list[Vault]) -> None:
        self.now = 100.0
        self.server = Server()
        self.jobs: list[dict[str, str]] = [{} for _ in vaults]
        self.keepers = [self._keeper(n, vault) for n, vault in enumerate(vaults)]

    def _keeper(self, n: int, vault: Vault) -> Keeper:
        wishes = cast(Wishes, self.server)
        jobs = self.jobs[n]
        keeper = Keeper(vault, wishes, "twin", attempts=3, jobs=jobs.items, now=lambda: self.now)
        keeper.names.add(f"w{n}")
        return keeper

    async def round(self, *living: int, later_s: float = 0.5) -> None:
        """All that live look at once."""
        self.now += later_s
        await asyncio.gather(*(one_round(self.keepers[n]) for n in living))

    async def rounds(self, *living: int, for_s: float) -> None:
        for _ in range(int(for_s / 0.5)):
            await self.round(*living)


@pytest_asyncio.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    async with Vault(tmp_path) as one, Vault(tmp_path) as two, Vault(tmp_path) as three:
        yield Fleet([one, two, three])


async def one_round(keeper: Keeper) -> None:
    await keeper.beat()
    await keeper.look()


def room(n: int, of: int) -> Wish:
    return Wish(f"d{n}", f"room{n}", workers=(f"w{of}",), jobs=(f"j{n}",), age_s=30, served_s=29)


async def test_every_room_of_a_dead_worker_is_served_again_once(fleet: Fleet) -> None:
    fleet.server.add(*(room(n, of=n % 3) for n in range(9)))
    await fleet.rounds(0, 1, 2, for_s=2)
    assert fleet.server.renewed == []
    await fleet.rounds(0, 1, for_s=LOST_AFTER_S + 2)
    assert sorted(fleet.server.renewed) == [("room2", 1), ("room5", 1), ("room8", 1)]


async def test_it_is_noticed_within_three_and_a_half_seconds(fleet: Fleet) -> None:
    fleet.server.add(room(0, of=2))
    await fleet.rounds(0, 1, 2, for_s=2)
    died = fleet.now
    while not fleet.server.renewed:
        await fleet.round(0, 1)
    assert fleet.now - died <= 3.5


async def test_a_living_fleet_does_not_ask_the_server_for_every_room_all_the_time(fleet: Fleet) -> None:
    await fleet.rounds(0, 1, 2, for_s=4 * SCAN_S)
    assert fleet.server.asked <= 3 * 5


async def test_the_dead_are_forgotten_once_nothing_of_theirs_is_left(fleet: Fleet) -> None:
    fleet.server.add(room(0, of=2))
    await fleet.rounds(0, 1, 2, for_s=1)
    await fleet.rounds(0, 1, for_s=5)
    asked = fleet.server.asked
    await fleet.rounds(0, 1, for_s=2)
    assert fleet.server.asked - asked <= 2


async def test_a_room_that_nobody_took_is_offered_again(fleet: Fleet) -> None:
    fleet.server.add(Wish("d", "standup", age_s=NOBODY_CAME_S + 1))
    await fleet.round(0, 1, 2)
    assert fleet.server.renewed == [("standup", 0)]


async def test_a_job_of_ours_that_died_is_served_again_and_one_that_ended_well_is_not(fleet: Fleet) -> None:
    fleet.server.add(room(1, of=0), room(2, of=0))
    fleet.jobs[0].update(j1="room1", j2="room2")
    await fleet.rounds(0, 1, for_s=1)
    # The twin that leaves for good takes its wish back first.
    del fleet.server.wishes["d1"]
    fleet.jobs[0].clear()
    await fleet.rounds(0, 1, for_s=1)
    assert fleet.server.renewed == [("room2", 1)]


async def test_whoever_is_replaced_takes_its_own_wish_back_and_not_the_new_one(fleet: Fleet) -> None:
    fleet.server.add(room(0, of=2))
    fleet.jobs[2].update(j0="room0")
    await fleet.rounds(0, 1, 2, for_s=1)
    await fleet.rounds(0, 1, for_s=LOST_AFTER_S + 2)
    # The worker that was taken for dead lives: its twin is thrown out by the new one.
    await fleet.server.take_back("room0", "d0")
    fleet.jobs[2].clear()
    await fleet.rounds(0, 1, 2, for_s=2)
    assert list(fleet.server.wishes) == ["d0+"]


async def test_a_job_that_died_at_once_is_noticed_too(fleet: Fleet) -> None:
    fleet.server.add(room(1, of=0))
    fleet.keepers[0].took("j1", "room1")
    await fleet.round(0)
    assert fleet.server.renewed == [("room1", 1)]


async def test_a_claim_of_a_keeper_that_died_is_claimed_again(fleet: Fleet) -> None:
    fleet.server.add(room(0, of=2))
    await fleet.rounds(0, 1, 2, for_s=1)
    fleet.server.fails = True
    for _ in range(8):
        fleet.now += 0.5
        await asyncio.gather(*(one_round(fleet.keepers[n]) for n in (0, 1)), return_exceptions=True)
    fleet.server.fails = False
    await fleet.rounds(0, 1, for_s=AGAIN_S + 2)
    assert fleet.server.renewed == [("room0", 1)]


async def test_a_room_that_kills_is_left_alone_and_its_wish_taken_back(fleet: Fleet) -> None:
    wish = replace(room(0, of=0), served_s=1.0, attributes={ATTEMPT: "3"})
    fleet.server.add(wish)
    fleet.keepers[0].took("j0", "room0")
    await fleet.round(0)
    assert fleet.server.renewed == []
    assert fleet.server.wishes == {}
    assert fleet.keepers[0].counters["given_up"] == 1


async def test_what_a_leaving_worker_could_not_finish_goes_to_others(fleet: Fleet) -> None:
    fleet.server.add(room(1, of=0))
    fleet.jobs[0].update(j1="room1")
    await fleet.rounds(0, 1, for_s=1)
    fleet.jobs[0].clear()
    await fleet.keepers[0].leave()
    assert fleet.server.renewed == [("room1", 1)]
    asked = fleet.server.asked
    await fleet.rounds(1, for_s=4)
    assert fleet.server.asked - asked <= 1, "it said goodbye and is not missed"


async def test_a_keeper_goes_on_when_the_server_was_away(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.fleet.keeper.BEAT_S", 0.0)
    keeper = fleet.keepers[0]
    fleet.server.fails = True
    task = asyncio.create_task(keeper.run(), name="keeper")
    try:
        while keeper.reachable:  # noqa: ASYNC110  it announces nothing
            await asyncio.sleep(0)
        fleet.server.fails = False
        fleet.now += SCAN_S
        while not keeper.reachable:  # noqa: ASYNC110  it announces nothing
            await asyncio.sleep(0)
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert keeper.counters["failed"] >= 1
