"""Signed-in browsers: how long, how many, and what is stored of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from compliance.console.operators import Operator, Operators
from compliance.console.sessions import Sessions
from compliance.console.totp import new_secret
from compliance.settings import ConsoleSettings, StoreSettings
from compliance.vault import Vault
from tests.unit.compliance.console.house import Clock, House, add_operator
from tests.unit.compliance.store_helpers import files_in

HALF_AN_HOUR = 1_800
TWELVE_HOURS = 43_200


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def vault(home: Path, clock: Clock) -> AsyncIterator[Vault]:
    async with Vault(home, now=clock) as vault:
        yield vault


@pytest.fixture
async def ada(vault: Vault) -> Operator:
    return await add_operator(vault, "ada", "owner", new_secret())


@pytest.fixture
def sessions(vault: Vault) -> Sessions:
    return Sessions(vault, ConsoleSettings())


async def begin(vault: Vault, sessions: Sessions, operator: Operator) -> str:
    return await vault.run(lambda transaction: sessions.begin(transaction, operator.id))


async def test_a_token_finds_its_session_and_nothing_else_does(
    vault: Vault, sessions: Sessions, ada: Operator
) -> None:
    token = await begin(vault, sessions, ada)
    found = await sessions.find(token)
    assert found is not None
    assert (found.name, found.role, found.operator_id) == ("ada", "owner", ada.id)
    for other in (token[:-1], token + "A", token.swapcase(), "", found.id, "A" * 43, "x' or '1'='1"):
        assert await sessions.find(other) is None


async def test_the_store_has_nothing_that_is_good_as_a_cookie(
    vault: Vault, home: Path, sessions: Sessions, ada: Operator
) -> None:
    token = await begin(vault, sessions, ada)
    found = await sessions.find(token)
    assert found is not None
    await vault.flush()
    for path in files_in(home):
        assert token.encode() not in path.read_bytes()
        assert found.csrf.encode() not in path.read_bytes()
    assert await sessions.find(found.id) is None


async def test_a_session_that_is_not_used_ends(
    vault: Vault, sessions: Sessions, ada: Operator, clock: Clock
) -> None:
    token = await begin(vault, sessions, ada)
    clock.turn(HALF_AN_HOUR - 1)
    assert await sessions.find(token)
    clock.turn(HALF_AN_HOUR - 1)
    assert await sessions.find(token)
    clock.turn(HALF_AN_HOUR)
    assert await sessions.find(token) is None


async def test_what_a_page_asks_for_by_itself_is_no_use(
    vault: Vault, sessions: Sessions, ada: Operator, clock: Clock
) -> None:
    token = await begin(vault, sessions, ada)
    for _ in range(4):
        clock.turn(HALF_AN_HOUR / 4 - 1)
        assert await sessions.find(token, is_use=False)
    clock.turn(5)
    assert await sessions.find(token, is_use=False) is None


async def test_a_session_ends_even_if_it_is_used(
    vault: Vault, sessions: Sessions, ada: Operator, clock: Clock
) -> None:
    token = await begin(vault, sessions, ada)
    for _ in range(TWELVE_HOURS // 1_200 - 1):
        clock.turn(1_200)
        assert await sessions.find(token)
    clock.turn(1_200)
    assert await sessions.find(token) is None


async def test_the_eleventh_browser_ends_the_first(
    vault: Vault, sessions: Sessions, ada: Operator, clock: Clock
) -> None:
    tokens = []
    for _ in range(11):
        clock.turn(1)
        tokens.append(await begin(vault, sessions, ada))
    assert await sessions.find(tokens[0]) is None
    assert await sessions.find(tokens[1])
    assert await sessions.count(ada.id) == 10


async def test_ending_the_others_leaves_this_one(vault: Vault, sessions: Sessions, ada: Operator) -> None:
    rob = await add_operator(vault, "rob", "reviewer", new_secret())
    of_rob = await begin(vault, sessions, rob)
    here, there = await begin(vault, sessions, ada), await begin(vault, sessions, ada)
    found = await sessions.find(here)
    assert found is not None
    assert await sessions.end_others(found) == 1
    assert await sessions.find(there) is None
    assert await sessions.find(here)
    assert await sessions.find(of_rob)


async def test_a_disabled_operator_has_no_session(vault: Vault, sessions: Sessions, ada: Operator) -> None:
    token = await begin(vault, sessions, ada)
    await Operators(vault).disable("ada")
    assert await sessions.find(token) is None


async def test_a_page_that_keeps_itself_up_to_date_does_not_keep_one_signed_in(house: House) -> None:
    ada = await house.signed_in("ada")
    for _ in range(5):
        house.clock.turn(HALF_AN_HOUR / 5)
        last = await ada.get("/console/now", headers={"HX-Request": "true", "X-Poll": "1"})
    assert last.status_code == 401


async def test_sessions_are_kept_on_either_kind_of_store(home: Path, store: StoreSettings, clock: Clock) -> None:
    async with Vault(home, store, now=clock) as vault:
        ada = await add_operator(vault, "ada", "owner", new_secret())
        sessions = Sessions(vault, ConsoleSettings())
        tokens = []
        for _ in range(11):
            clock.turn(1)
            tokens.append(await begin(vault, sessions, ada))
        assert await sessions.find(tokens[0]) is None
        found = await sessions.find(tokens[-1])
        assert found is not None
        assert await sessions.end_others(found) == 9
        await sessions.end(found.id)
        assert await sessions.find(tokens[-1]) is None
