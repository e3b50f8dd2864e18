"""The first page: health, what waits, who is on the line. It names nobody."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import insert

from compliance.store.schema import requests
from compliance.store.transaction import Transaction
from tests.unit.compliance.console.house import START_S, House, opened_house

DAY_MS = 86_400_000
NOW_MS = int(START_S * 1000)


async def open_request(house: House, number: str, due_ms: int, closed_ms: int | None = None) -> None:
    def work(transaction: Transaction) -> None:
        row = {
            "id": number,
            "kind": "erasure",
            "state": "open",
            "channel": "web",
            "law": "gdpr",
            "lookup": "0" * 64,
            "created_ms": NOW_MS,
            "due_ms": due_ms,
            "closed_ms": closed_ms,
            "sealed_detail": transaction.seal(b"{}", key_id=number, place="requests.sealed_detail"),
        }
        transaction.connection.execute(insert(requests), row)

    await house.desk.vault.run(work)


async def test_an_empty_twin_says_what_will_be_here(house: House) -> None:
    page = (await (await house.signed_in("rob")).get("/console/")).text
    assert "Nobody is talking to the twin" in page
    assert "No request is open" in page
    assert "Not all is well" not in page


async def test_calls_that_go_on_are_shown_without_who_calls(house: House) -> None:
    ada = await house.signed_in("ada")
    house.desk.vault.begin_call("CA1", channel="phone", subject="+493012345", language="de")
    house.desk.vault.begin_call("CA2", channel="web")
    house.desk.vault.end_call("CA2", "hangup")
    house.clock.turn(65)
    part = (await ada.get("/console/now", headers={"X-Poll": "1"})).text
    assert 'href="/console/calls/CA1"' in part
    assert "CA2" not in part
    assert "1 min 05 s" in part
    assert "<html" not in part
    assert "3012345" not in part


async def test_a_deadline_that_has_passed_is_an_alarm(house: House) -> None:
    ada = await house.signed_in("ada")
    await open_request(house, "R-1", NOW_MS - DAY_MS)
    await open_request(house, "R-2", NOW_MS + 20 * DAY_MS)
    await open_request(house, "R-3", NOW_MS - 9 * DAY_MS, closed_ms=NOW_MS - 8 * DAY_MS)
    page = (await ada.get("/console/")).text
    assert "open requests, 1 overdue" in page
    assert '<span class="badge bad">overdue</span>' in page


async def test_a_deadline_within_a_week_is_a_warning(house: House) -> None:
    ada = await house.signed_in("ada")
    await open_request(house, "R-1", NOW_MS + 3 * DAY_MS)
    assert "within a week" in (await ada.get("/console/")).text


async def test_what_is_not_well_is_said_first(tmp_path: Path) -> None:
    health = {"Ledger": lambda: "the disk is full", "Speech": lambda: None}
    async with opened_house(tmp_path / "home", health=health) as house:
        page = (await (await house.signed_in("ada")).get("/console/")).text
        assert "Not all is well" in page
        assert "Ledger: the disk is full." in page
        assert page.index("Not all is well") < page.index("on the line now")


async def test_looking_at_it_is_no_look_at_anybodys_data(house: House) -> None:
    ada = await house.signed_in("ada")
    await ada.get("/console/")
    assert await house.noted() == ["signed_in"]
