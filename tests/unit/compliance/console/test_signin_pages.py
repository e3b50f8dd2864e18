"""Signing in and out, through the pages."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from compliance.console.signin_pages import safe_next
from tests.unit.compliance.console.house import PASSPHRASE, House, opened_house

SESSION = "twin-session"


async def test_the_right_name_passphrase_and_code_open_the_console(house: House) -> None:
    ada = await house.signed_in("ada")
    page = await ada.get("/console/")
    assert page.status_code == 200
    assert "Good to see you, ada" in page.text
    assert await house.noted() == ["signed_in"]
    assert await house.last() == {"operator": "ada", "role": "owner"}


async def test_the_name_is_taken_in_any_case_with_spaces_around_it(house: House) -> None:
    answer = await house.stranger().try_to_sign_in("  Ada ", house.code("ada"))
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("name", "passphrase", "right_code"),
    [
        ("ada", "vier farbige Enten im Rege", True),
        ("ada", PASSPHRASE, False),
        ("ada", "", True),
        ("nobody", PASSPHRASE, True),
        ("' or 1=1 --", PASSPHRASE, True),
        ("", PASSPHRASE, True),
    ],
)
async def test_whatever_is_wrong_the_answer_is_the_same(
    house: House, name: str, passphrase: str, right_code: bool
) -> None:
    code = house.code("ada") if right_code else "000000"
    answer = await house.stranger().try_to_sign_in(name, code, passphrase=passphrase)
    assert answer.status_code == 401
    assert "The name, the passphrase or the code is wrong." in answer.text
    assert SESSION not in answer.cookies
    assert await house.noted() == ["sign_in_failed"]


async def test_a_failed_try_notes_no_name_that_nobody_has(house: House) -> None:
    await house.stranger().try_to_sign_in("my-secret-passphrase", "000000")
    assert (await house.last())["operator"] == ""


async def test_a_code_is_good_once(house: House) -> None:
    code = house.code("ada")
    assert (await house.stranger().try_to_sign_in("ada", code)).status_code == 303
    assert (await house.stranger().try_to_sign_in("ada", code)).status_code == 401


async def test_the_code_before_one_that_was_used_is_not_good_any_more(house: House) -> None:
    before = house.code("ada")
    house.clock.turn(30)
    assert (await house.stranger().try_to_sign_in("ada", house.code("ada"))).status_code == 303
    assert (await house.stranger().try_to_sign_in("ada", before)).status_code == 401


async def test_a_code_of_a_minute_ago_is_not_good(house: House) -> None:
    old = house.code("ada")
    house.clock.turn(61)
    assert (await house.stranger().try_to_sign_in("ada", old)).status_code == 401


async def test_a_disabled_operator_is_refused_as_if_unknown(house: House) -> None:
    await house.operators.disable("rob")
    answer = await house.stranger().try_to_sign_in("rob", house.code("rob"))
    assert answer.status_code == 401
    assert "The name, the passphrase or the code is wrong." in answer.text


async def test_disabling_an_operator_ends_the_sessions_at_once(house: House) -> None:
    rob = await house.signed_in("rob")
    assert (await rob.get("/console/")).status_code == 200
    await house.operators.disable("rob")
    assert (await rob.get("/console/")).status_code == 303


async def test_signing_out_ends_the_session_in_the_store(house: House) -> None:
    ada = await house.signed_in("ada")
    token = ada.http.cookies[SESSION]
    answer = await ada.post("/console/sign-out")
    assert answer.headers["location"] == "/console/sign-in"
    assert SESSION not in ada.http.cookies
    thief = house.stranger()
    thief.http.cookies.set(SESSION, token)
    assert (await thief.get("/console/")).status_code == 303


async def test_nobody_gets_in_while_the_ledger_cannot_be_written(house: House) -> None:
    await asyncio.to_thread(house.ledger.close)
    answer = await house.stranger().try_to_sign_in("ada", house.code("ada"))
    assert answer.status_code == 503
    assert SESSION not in answer.cookies


async def test_the_form_needs_the_cookie_of_the_page_it_came_with(house: House) -> None:
    victim, attacker = house.stranger(), house.stranger()
    token = await attacker.door()
    await victim.door()
    fields = {"csrf": token, "name": "rob", "passphrase": PASSPHRASE}
    answer = await victim.http.post("/console/sign-in", data={**fields, "code": house.code("rob")})
    assert answer.status_code == 403
    assert SESSION not in answer.cookies


async def test_a_session_planted_before_the_sign_in_is_not_the_one_after_it(house: House) -> None:
    attacker = await house.signed_in("rob")
    planted = attacker.http.cookies[SESSION]
    victim = house.stranger()
    token = await victim.door()
    victim.http.cookies.set(SESSION, planted, domain="127.0.0.1", path="/console")
    fields = {"csrf": token, "name": "ada", "passphrase": PASSPHRASE, "code": house.code("ada")}
    answer = await victim.http.post("/console/sign-in", data=fields)
    assert answer.status_code == 303
    assert answer.cookies[SESSION] != planted
    # And the planted one is dead, for the attacker too.
    assert (await attacker.get("/console/")).status_code == 303


async def test_who_is_signed_in_is_sent_on_from_the_sign_in_page(house: House) -> None:
    ada = await house.signed_in("ada")
    answer = await ada.get("/console/sign-in?next=/calls")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/calls")


async def test_the_page_one_wanted_is_shown_after_the_sign_in(house: House) -> None:
    person = house.stranger()
    asked = await person.get("/console/settings?a=1")
    assert asked.headers["location"] == "/console/sign-in?next=%2Fsettings%3Fa%3D1"
    form = await person.get(asked.headers["location"])
    assert 'name="next" value="/settings?a=1"' in form.text
    answer = await person.try_to_sign_in("ada", house.code("ada"), onward="/settings?a=1")
    assert answer.headers["location"] == "/console/settings?a=1"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/..//evil.example",
        "/../../evil",
        "/%2f%2fevil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: twin-session=x",
        "/a\nb",
        "/\tevil",
        "/@evil.example",
        "",
        "/sign-in",
        "/" + "a" * 600,
    ],
)
async def test_after_the_sign_in_one_stays_in_the_console(house: House, target: str) -> None:
    assert safe_next(target) == "/"
    answer = await house.stranger().try_to_sign_in("ada", house.code("ada"), onward=target)
    assert answer.headers["location"] == "/console/"
    assert "evil" not in str(answer.headers)


async def test_a_passphrase_that_is_far_too_long_costs_no_more_than_one_of_256(house: House) -> None:
    answer = await house.stranger().try_to_sign_in("ada", house.code("ada"), passphrase="x" * 60_000)
    assert answer.status_code == 401


async def test_before_the_first_operator_the_page_says_how_to_add_one(house: House, tmp_path: Path) -> None:
    assert "twin operator add" not in (await house.stranger().get("/console/sign-in")).text
    async with opened_house(tmp_path / "new", operators={}) as new:
        assert "twin operator add" in (await new.stranger().get("/console/sign-in")).text


async def test_of_many_who_send_the_same_code_at_once_one_gets_in(house: House) -> None:
    people = [house.stranger() for _ in range(5)]
    forms = [
        {"csrf": await person.door(), "name": "ada", "passphrase": PASSPHRASE, "code": house.code("ada")}
        for person in people
    ]
    answers = await asyncio.gather(
        *(person.http.post("/console/sign-in", data=form) for person, form in zip(people, forms, strict=True))
    )
    assert sorted(answer.status_code for answer in answers) == [303, 401, 401, 401, 401]
