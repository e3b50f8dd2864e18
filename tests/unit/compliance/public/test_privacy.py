from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from compliance.errors import RequestError
from compliance.public.privacy import contact
from tests.behaviour.console import CALLER, TALK, Office, keep_call, opened_office

UNKNOWN = "+4940123456"
RIGHT = {"words": "appleseed, workshop", "day": "2026-11-18"}
_NUMBER = re.compile(r"R-[A-Z0-9]{4}-[A-Z0-9]{4}")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened_office(tmp_path / "home") as office:
        await keep_call(office, recorded=False)
        await keep_call(office, "CA101", subject="+14155550100", recorded=False, talk=(TALK[0],))
        yield office


@pytest.fixture
async def http(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=office.url, timeout=20) as http:
        yield http


async def ask(
    http: httpx.AsyncClient, subject: str, kind: str = "erasure", **more: str
) -> tuple[str, httpx.Response]:
    response = await http.post("/privacy", data={"kind": kind, "contact": subject, **more})
    found = _NUMBER.search(response.text)
    return (found[0] if found else ""), response


async def test_nobody_learns_who_is_known(office: Office, http: httpx.AsyncClient) -> None:
    known_number, known = await ask(http, CALLER)
    unknown_number, unknown = await ask(http, UNKNOWN)
    await office.requests.close()

    assert known_number != unknown_number
    assert known.text.replace(known_number, "R") == unknown.text.replace(unknown_number, "R")
    assert list(office.codes) == [CALLER]
    tries = [
        await http.post("/privacy/prove", data={"number": number, "code": "000000", **RIGHT})
        for number in (known_number, unknown_number)
    ]
    assert tries[0].text.replace(known_number, "R") == tries[1].text.replace(unknown_number, "R")
    assert tries[0].status_code == 400
    states = [await http.post("/privacy/state", data={"number": n}) for n in (known_number, unknown_number)]
    assert states[0].text.replace(known_number, "R") == states[1].text.replace(unknown_number, "R")
    kinds = [entry.kind for entry in await office.evidence.of(subject=CALLER)]
    assert "request_opened" not in kinds, "a note about somebody would make them known"


async def test_what_is_known_of_a_call_is_no_oracle_without_the_code(
    office: Office, http: httpx.AsyncClient
) -> None:
    number, _ = await ask(http, CALLER)
    right = await http.post("/privacy/prove", data={"number": number, "code": "000000", **RIGHT})
    wrong = await http.post(
        "/privacy/prove", data={"number": number, "code": "000000", "words": "zebras, giraffes"}
    )

    assert right.text == wrong.text
    assert (await office.requests.get(number)).proof.claims == 0, "it was not even looked at"


async def test_code_and_knowledge_together_verify_and_neither_alone(
    office: Office, http: httpx.AsyncClient
) -> None:
    number, _ = await ask(http, CALLER)
    await office.requests.close()
    code = office.codes[CALLER]
    guessed = await http.post("/privacy/prove", data={"number": number, "code": code, "words": "zebras, giraffes"})
    assert "The code was right." in guessed.text
    assert (await office.requests.get(number)).state == "open"
    shown = await http.post("/privacy/prove", data={"number": number, **RIGHT})

    assert "you have shown that it is you" in shown.text
    assert (await office.requests.get(number)).state == "verified"


async def test_who_asks_often_waits(office: Office, http: httpx.AsyncClient) -> None:
    for n in range(5):
        assert (await ask(http, f"+49401234{n}0"))[1].status_code == 200
    response = (await ask(http, "+4940123499"))[1]
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) > 60
    office.clock.turn(601)
    assert (await ask(http, "+4940123499"))[1].status_code == 200


async def test_one_number_is_asked_about_a_few_times_only(office: Office, http: httpx.AsyncClient) -> None:
    answers = [(await ask(http, UNKNOWN))[1].status_code for _ in range(4)]

    assert answers == [200, 200, 200, 429]


async def test_another_site_cannot_ask_for_somebody(office: Office, http: httpx.AsyncClient) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        response = await http.post("/privacy", data={"kind": "erasure", "contact": CALLER}, headers=headers)
        assert response.status_code == 403
    assert await office.requests.list() == ()


async def test_every_answer_has_the_headers(http: httpx.AsyncClient) -> None:
    for response in (
        await http.get("/privacy"),
        await http.get("/verify"),
        await http.post("/privacy", data={"kind": "erasure", "contact": "<script>alert(1)</script>"}),
        await http.post("/privacy/state", data={"number": "' OR 1=1"}),
        await http.post("/privacy", content=b"{}", headers={"Content-Type": "application/json"}),
    ):
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "<script>alert" not in response.text
        assert response.status_code < 500


async def test_markup_in_what_people_write_stays_text(office: Office, http: httpx.AsyncClient) -> None:
    number, response = await ask(http, UNKNOWN, said="<img src=x onerror=alert(1)>")

    assert number
    assert "<img src=x" not in response.text


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("+49 30 90 18 20", "+49309018" + "20"),
        ("0049 (30) 901820", "+4930901820"),
        (" Ada@Example.ORG ", "ada@example.org"),
    ],
)
def test_a_number_or_address_has_one_spelling(text: str, subject: str) -> None:
    assert contact(text) == subject


@pytest.mark.parametrize(
    "text", ["", "030 901820", "Ada", "call:CA1", "a@b", "+49", "x" * 400, "+49 30 12345\x00"]
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="number you called from"):
        contact(text)
