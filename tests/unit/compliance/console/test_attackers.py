"""Strangers, a reviewer and a thief, at every route there is: the list is taken from the application itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIRouter
from sqlalchemy import select

from compliance.evidence import Evidence
from compliance.proofs.agreement import Agreement, Answer, Party
from compliance.proofs.register import Register
from compliance.proofs.signing import Signer
from compliance.redaction import Redactor
from compliance.requests import Requests
from compliance.store.schema import consents, metadata
from compliance.store.transaction import Transaction
from compliance.vault import Vault
from tests.unit.compliance.console.house import START_S, House, Person, opened_house
from tests.unit.compliance.store_helpers import heard

CALL = "20261122120000-0123456789abcdef"
NUMBER = "+491711234567"
NEEDLES = ("1711234567", "Quendelbrot", "quendel.example", "4111 1111 1111 1111", "4111111111111111")
START_MS = int(START_S * 1000)
OPEN = {"/sign-in", "/static/{name}"}
OF_EVERYBODY = {"/sign-out", "/account/others", "/account/passphrase", "/account/authenticator"}
OF_EVERYBODY |= {"/account/authenticator/confirm", "/ledger/verify"}
"""What a reviewer may post: nothing of it is about a caller, and none of it decides anything."""
HOSTILE = (
    "../../etc/passwd",
    "' or '1'='1",
    '"><script>alert(1)</script>',
    "%00",
    "\u202e\u0000x",
    "a" * 2_000,
    "🦆",
)


class OneMonth:
    """A law, as far as a request asks."""

    name = "gdpr"
    days = 30
    extension_days = 60


@dataclass(frozen=True)
class Target:
    """A route, filled in with what is really there."""

    method: str
    template: str
    path: str


@dataclass(frozen=True)
class Scene:
    """A console with a caller's data in it, and every way to ask for something."""

    house: House
    targets: tuple[Target, ...]

    def of(self, method: str) -> Iterator[Target]:
        return (target for target in self.targets if target.method == method and target.template not in OPEN)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    redactor = Redactor()

    def furnish(vault: Vault, evidence: Evidence) -> Mapping[str, Any]:
        return {"requests": Requests(vault, note=evidence.note), "redactor": redactor}

    async with opened_house(tmp_path / "home", parts=None, furnish=furnish) as house:
        yield Scene(house, await planted(house))
    redactor.close()


@pytest.fixture
async def blind(tmp_path: Path) -> AsyncIterator[Scene]:
    """The same without anything that could find what is to be hidden."""

    def furnish(vault: Vault, evidence: Evidence) -> Mapping[str, Any]:
        return {"requests": Requests(vault, note=evidence.note)}

    async with opened_house(tmp_path / "home", parts=None, furnish=furnish) as house:
        yield Scene(house, await planted(house))


async def planted(house: House) -> tuple[Target, ...]:
    """Store a call and a request of a person, and name every route with their ids."""
    vault = house.desk.vault
    vault.begin_call(CALL, channel="phone", subject=NUMBER, language="en", detail={"from": NUMBER})
    said = "Hello, this is Felizitas Quendelbrot, my card is 4111 1111 1111 1111, my number is +49 171 1234567."
    vault.turn_heard(CALL, heard(0, said))
    vault.turn_heard(CALL, heard(1, "Thank you, write to felizitas@quendel.example please.", who="twin"))
    vault.event(CALL, "disclosure_played", position_samples=0, rate_hz=24_000, detail={"to": NUMBER})
    vault.message("Felizitas Quendelbrot asks for a call at +49 171 1234567.", call_id=CALL, subject=NUMBER)
    vault.end_call(CALL, "hangup")
    request = await house.desk.requests.open(
        "erasure", "phone", law=OneMonth(), subject=NUMBER, call_id=CALL, said=said
    )
    ids = {
        "call_id": CALL,
        "number": request.number,
        "name": "rob",
        "leaf": (await house.evidence.recent(1))[0].leaf,
        "recording_id": "0" * 32,
        "consent_id": await consent(house),
    }
    return tuple(
        Target(method, route.path, "/console" + route.path.format(**ids))
        for route in routes(house.app)
        for method in sorted(route.methods or ())
    )


async def consent(house: House) -> str:
    """An answer of the caller's, with its signed receipt; gives its id."""
    signer = await asyncio.to_thread(Signer.open, house.home, house.desk.vault.master)
    agreement = Agreement(
        person=Party(NUMBER, name="Felizitas Quendelbrot"),
        controller=Party(name="Ada Example"),
        answers=(Answer("recording", "granted", START_MS, "voice"),),
        language="en",
        notice="May I record this call?",
        policy="2026-11",
        started_ms=START_MS,
        call_id=CALL,
    )
    Register(house.desk.vault, signer).keep(agreement)
    return await house.desk.vault.run(
        lambda transaction: str(transaction.connection.execute(select(consents.c.id)).scalar())
    )


def routes(app: FastAPI | APIRouter) -> Iterator[APIRoute]:
    """Every route, with those of the routers that were included."""
    for route in app.routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from routes(included)
        else:
            assert isinstance(route, APIRoute), route
            yield route


async def stored(house: House) -> dict[str, list[tuple[Any, ...]]]:
    """All rows but those that only say that somebody looked, or is signed in."""
    kept = [table for table in metadata.sorted_tables if table.name not in ("evidence", "sessions", "operators")]

    def work(transaction: Transaction) -> dict[str, list[tuple[Any, ...]]]:
        return {t.name: [tuple(row) for row in transaction.connection.execute(select(t))] for t in kept}

    return await house.desk.vault.run(work)


def leaks(answer: httpx.Response) -> list[str]:
    shown = answer.text + str(answer.headers)
    return [needle for needle in NEEDLES if needle in shown]


async def test_the_scene_has_every_kind_of_page(scene: Scene) -> None:
    templates = {target.template for target in scene.targets}
    assert {"/calls", "/calls/{call_id}", "/requests/{number}", "/ledger", "/settings"} <= templates
    ada = await scene.house.signed_in("ada")
    unmasked = await ada.post(f"/console/calls/{CALL}/unmask", {"reason": "a test of what could leak"})
    page = await ada.get(unmasked.headers["location"])
    assert "Quendelbrot" in page.text, "the needles are there to be found"


async def test_a_stranger_gets_nothing_from_any_route(scene: Scene) -> None:
    before, noted = await stored(scene.house), await scene.house.noted()
    stranger = scene.house.stranger()
    for target in scene.targets:
        if target.template in OPEN:
            continue
        for method in ("GET", "POST"):
            answer = await stranger.http.request(
                method, target.path, data={"reason": "x"} if method == "POST" else None
            )
            assert answer.status_code == (303 if method == "GET" else 401), target
            assert not leaks(answer)
            assert "set-cookie" not in answer.headers
    assert await stored(scene.house) == before
    assert await scene.house.noted() == noted


async def test_a_forged_cookie_is_no_session(scene: Scene) -> None:
    for value in ("A" * 43, "", "null", "x" * 3_000, "' or 1=1 --", "../" * 20):
        stranger = scene.house.stranger()
        stranger.http.cookies.set("twin-session", value, domain="127.0.0.1", path="/console")
        assert (await stranger.get(f"/console/calls/{CALL}")).status_code == 303


async def test_a_reviewer_finds_nothing_that_points_to_a_person(scene: Scene) -> None:
    await assert_nothing_leaks_to_a_reviewer(scene)


async def test_nor_where_nothing_can_find_what_is_to_be_hidden(blind: Scene) -> None:
    await assert_nothing_leaks_to_a_reviewer(blind)


async def test_a_reviewer_decides_nothing(scene: Scene) -> None:
    rob = await scene.house.signed_in("rob")
    before = await stored(scene.house)
    for target in scene.of("POST"):
        if target.template in OF_EVERYBODY:
            continue
        answer = await rob.post(target.path, {"reason": "because", "sure": "yes"})
        assert answer.status_code == 403, target
        assert "Only an owner" in answer.text
        assert not leaks(answer)
    assert await stored(scene.house) == before
    assert {operator.state for operator in await scene.house.operators.list()} == {"active"}


async def test_an_owner_does_nothing_by_a_form_of_somebody_else(scene: Scene) -> None:
    ada = await scene.house.signed_in("ada")
    before = await stored(scene.house)
    other = (await scene.house.signed_in("rob")).csrf
    for target in scene.of("POST"):
        for token in ({}, {"csrf": ""}, {"csrf": other}):
            answer = await ada.http.post(target.path, data={"reason": "because", "sure": "yes", **token})
            assert answer.status_code == 403, target
    assert await stored(scene.house) == before
    assert (await ada.get("/console/")).status_code == 200


async def test_nothing_is_changed_by_a_link(scene: Scene) -> None:
    ada = await scene.house.signed_in("ada")
    before = await stored(scene.house)
    for target in scene.targets:
        await ada.get(target.path + "?reason=because&sure=yes&csrf=" + ada.csrf)
    assert await stored(scene.house) == before
    assert (await ada.get("/console/")).status_code == 200


async def test_ids_that_are_none_are_answered_without_a_fault(scene: Scene) -> None:
    ada = await scene.house.signed_in("ada")
    templates = {(t.method, t.template) for t in scene.targets if "{" in t.template}
    for method, template in sorted(templates):
        for hostile in HOSTILE:
            # What the client itself would resolve (`..`) is in test_gate, over a bare socket.
            path = quote(hostile, safe="").join(re.split(r"\{\w+\}", template))
            answer = await ask(ada, method, "/console" + path)
            # A fragment that is polled for is empty where there is nothing.
            nothing = answer.status_code in (303, 400, 403, 404) or (answer.status_code, answer.text) == (200, "")
            assert nothing, (method, path, answer.status_code, answer.text)
            assert "<script>alert" not in answer.text
            assert not leaks(answer)


async def test_while_the_ledger_cannot_be_written_nobody_sees_anybodys_data(scene: Scene) -> None:
    ada = await scene.house.signed_in("ada")
    await asyncio.to_thread(scene.house.ledger.close)
    refused = 0
    for target in scene.of("GET"):
        answer = await ada.get(target.path)
        assert not leaks(answer), target
        refused += answer.status_code == 503
    assert refused > 3


async def test_a_permission_to_unmask_is_worth_nothing_in_other_hands(scene: Scene) -> None:
    house = scene.house
    ada, again = await house.signed_in("ada"), await house.signed_in("ada")
    rob = await house.signed_in("rob")
    link = (await ada.post(f"/console/calls/{CALL}/unmask", {"reason": "for a test"})).headers["location"]
    assert "unmasked" in await house.noted()
    for thief in (again, rob, house.stranger()):
        assert not leaks(await thief.get(link))
    for _ in range(2):
        house.clock.turn(1_000)
        last = await ada.get(link)
    assert last.status_code == 303
    assert not leaks(await ada.get(last.headers["location"]))


async def test_looking_at_a_call_is_in_the_ledger(scene: Scene) -> None:
    rob = await scene.house.signed_in("rob")
    await rob.get(f"/console/calls/{CALL}")
    entry = (await scene.house.evidence.recent(1))[0]
    assert (entry.kind, entry.call_id, entry.state) == ("viewed", CALL, "proved")
    assert entry.detail is not None
    assert (entry.detail["operator"], entry.detail["role"]) == ("rob", "reviewer")


async def ask(person: Person, method: str, path: str) -> httpx.Response:
    if method == "POST":
        return await person.post(path, {"reason": "because", "sure": "yes"})
    return await person.get(path)


async def assert_nothing_leaks_to_a_reviewer(scene: Scene) -> None:
    rob = await scene.house.signed_in("rob")
    seen = 0
    for target in scene.of("GET"):
        for query in ("", "?q=Hello", "?ticket=1.x&unmasked=1", f"?who={quote('+49 171 1234567')}"):
            answer = await rob.get(target.path + query)
            assert answer.status_code in (200, 303, 403, 404), (target, answer.text)
            assert not leaks(answer), (target.path + query, leaks(answer))
            seen += answer.status_code == 200
    assert seen > 20
