"""An operator's own account: nothing of it changes by a session alone."""

from __future__ import annotations

import re

import pytest

from tests.unit.compliance.console.house import PASSPHRASE, START_S, House, Person, code_of

NEW = "sieben Züge fahren heute nicht"


async def proof(house: House, name: str = "ada") -> dict[str, str]:
    house.clock.turn(30)
    return {"passphrase": PASSPHRASE, "code": house.code(name)}


async def test_a_new_passphrase_is_good_and_the_old_one_is_not(house: House) -> None:
    ada = await house.signed_in("ada")
    elsewhere = await house.signed_in("ada")
    answer = await ada.post("/console/account/passphrase", {**await proof(house), "new": NEW, "again": NEW})
    assert answer.headers["location"] == "/console/account"
    assert "The passphrase is changed." in (await ada.get("/console/account")).text
    assert (await elsewhere.get("/console/")).status_code == 303
    assert await house.last() == {"what": "passphrase", "operator": "ada", "role": "owner"}
    house.clock.turn(30)
    assert (await house.stranger().try_to_sign_in("ada", house.code("ada"))).status_code == 401
    answer = await house.stranger().try_to_sign_in("ada", house.code("ada"), passphrase=NEW)
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"passphrase": "wrong"}, "The passphrase or the code is wrong."),
        ({"code": "000000"}, "The passphrase or the code is wrong."),
        ({"code": ""}, "The passphrase or the code is wrong."),
        ({"new": "short", "again": "short"}, "at least 12"),
        ({"again": "another one entirely"}, "differ"),
    ],
)
async def test_with_anything_wrong_nothing_changes(house: House, wrong: dict[str, str], says: str) -> None:
    ada = await house.signed_in("ada")
    fields = {**await proof(house), "new": NEW, "again": NEW, **wrong}
    answer = await ada.post("/console/account/passphrase", fields)
    assert answer.status_code == 400
    assert says in answer.text
    house.clock.turn(60)
    assert (await house.stranger().try_to_sign_in("ada", house.code("ada"))).status_code == 303


async def test_guessing_the_passphrase_from_a_stolen_session_is_slowed_down(house: House) -> None:
    thief = await house.signed_in("ada")
    fields = {"passphrase": "guess", "code": "000000", "new": NEW, "again": NEW}
    last = [(await thief.post("/console/account/passphrase", fields)).text for _ in range(6)][-1]
    assert "Too many tries." in last


async def test_a_code_used_for_a_change_is_not_good_for_signing_in(house: House) -> None:
    ada = await house.signed_in("ada")
    fields = await proof(house)
    assert (await ada.post("/console/account/authenticator", fields)).status_code == 200
    assert (await house.stranger().try_to_sign_in("ada", fields["code"])).status_code == 401


async def offered(house: House, ada: Person) -> tuple[str, str]:
    page = (await ada.post("/console/account/authenticator", await proof(house))).text
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', page)
    ticket = re.search(r'name="ticket" value="([0-9a-f.]+)"', page)
    assert secret
    assert ticket
    assert "<svg" in page
    assert f"<code>{secret[1]}</code>" in page
    return secret[1], ticket[1]


async def test_another_authenticator_replaces_the_first_once_it_has_shown_a_code(house: House) -> None:
    ada = await house.signed_in("ada")
    secret, ticket = await offered(house, ada)
    fields = {"secret": secret, "ticket": ticket, "code": code_of(secret, house.clock)}
    assert (await ada.post("/console/account/authenticator/confirm", fields)).status_code == 303
    house.clock.turn(30)
    assert (await house.stranger().try_to_sign_in("ada", house.code("ada"))).status_code == 401
    assert (await house.stranger().try_to_sign_in("ada", code_of(secret, house.clock))).status_code == 303


async def test_its_first_code_is_used_up(house: House) -> None:
    ada = await house.signed_in("ada")
    secret, ticket = await offered(house, ada)
    code = code_of(secret, house.clock)
    await ada.post("/console/account/authenticator/confirm", {"secret": secret, "ticket": ticket, "code": code})
    assert (await house.stranger().try_to_sign_in("ada", code)).status_code == 401


async def test_a_secret_that_we_did_not_offer_is_not_taken(house: House) -> None:
    ada = await house.signed_in("ada")
    secret, ticket = await offered(house, ada)
    chosen = "A" * 32
    fields = {"secret": chosen, "ticket": ticket, "code": code_of(chosen, house.clock)}
    assert (await ada.post("/console/account/authenticator/confirm", fields)).status_code == 400
    rob = await house.signed_in("rob")
    fields = {"secret": secret, "ticket": ticket, "code": code_of(secret, house.clock)}
    assert (await rob.post("/console/account/authenticator/confirm", fields)).status_code == 400


async def test_an_offer_is_good_for_ten_minutes(house: House) -> None:
    ada = await house.signed_in("ada")
    secret, ticket = await offered(house, ada)
    house.clock.turn(601)
    fields = {"secret": secret, "ticket": ticket, "code": code_of(secret, house.clock)}
    assert (await ada.post("/console/account/authenticator/confirm", fields)).status_code == 400


async def test_signing_out_everywhere_else_leaves_this_browser(house: House) -> None:
    here, there = await house.signed_in("ada"), await house.signed_in("ada")
    rob = await house.signed_in("rob")
    assert (await here.post("/console/account/others")).status_code == 303
    assert "Signed out in 1 other browser." in (await here.get("/console/account")).text
    assert (await there.get("/console/")).status_code == 303
    assert (await rob.get("/console/")).status_code == 200


async def test_a_message_is_shown_once(house: House) -> None:
    ada = await house.signed_in("ada")
    await ada.post("/console/account/others")
    assert "Signed out in" in (await ada.get("/console/account")).text
    assert "Signed out in" not in (await ada.get("/console/account")).text
    assert house.clock.now_s > START_S
