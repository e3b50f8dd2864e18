"""How often somebody may try."""

from __future__ import annotations

from pathlib import Path

from compliance.console.limits import Limiter, address_key
from compliance.settings import ConsoleSettings
from tests.unit.compliance.console.house import PASSPHRASE, Clock, House, opened_house

NEVER = 1e9


def test_tries_run_out_and_come_back_with_time() -> None:
    clock = Clock()
    limiter = Limiter(burst=3, every_s=10, clock=clock)
    assert [limiter.take("ada") for _ in range(3)] == [0, 0, 0]
    assert limiter.take("ada") == 10
    clock.turn(4)
    assert limiter.take("ada") == 6
    clock.turn(6)
    assert limiter.take("ada") == 0
    assert limiter.take("ada") > 0


def test_another_key_has_its_own_tries() -> None:
    limiter = Limiter(burst=1, every_s=NEVER, clock=Clock())
    limiter.take("ada")
    assert limiter.take("ada") > 0
    assert limiter.take("rob") == 0


def test_a_good_try_does_not_count() -> None:
    limiter = Limiter(burst=1, every_s=NEVER, clock=Clock())
    for _ in range(5):
        assert limiter.take("ada") == 0
        limiter.give_back("ada")


def test_giving_back_never_gives_more_than_there_was() -> None:
    limiter = Limiter(burst=1, every_s=NEVER, clock=Clock())
    for _ in range(5):
        limiter.give_back("ada")
    limiter.take("ada")
    assert limiter.take("ada") > 0


def test_trying_a_hundred_thousand_other_names_does_not_bring_back_the_tries_of_one() -> None:
    limiter = Limiter(burst=1, every_s=NEVER, clock=Clock())
    limiter.take("ada")
    for i in range(100_000):
        limiter.take(f"name{i}")
    assert limiter.take("ada") > 0


def test_the_whole_network_of_one_ipv6_customer_counts_as_one() -> None:
    assert address_key("2001:db8:1:2::1") == address_key("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert address_key("2001:db8:1:3::1") != address_key("2001:db8:1:2::1")
    assert address_key("::ffff:192.0.2.7") == address_key("192.0.2.7") == "192.0.2.7"
    assert address_key("fe80::1%eth0") == "fe80::/64"
    assert address_key("no address " * 50) == ("no address " * 50)[:64]


async def test_guessing_at_one_name_is_slowed_down(house: House) -> None:
    stranger = house.stranger()
    tries = [(await stranger.try_to_sign_in("ada", "000000")).status_code for _ in range(6)]
    assert tries == [401] * 5 + [429]


async def test_the_right_words_do_not_help_while_a_name_is_slowed_down(house: House) -> None:
    stranger = house.stranger()
    for _ in range(5):
        await stranger.try_to_sign_in("ada", "000000")
    answer = await house.stranger().try_to_sign_in("ada", house.code("ada"))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    house.clock.turn(121)
    assert (await house.stranger().try_to_sign_in("ada", house.code("ada"))).status_code == 303


async def test_a_name_that_nobody_has_is_slowed_down_just_the_same(house: House) -> None:
    stranger = house.stranger()
    tries = [(await stranger.try_to_sign_in("nobody", "000000")).status_code for _ in range(6)]
    assert tries == [401] * 5 + [429]


async def test_spelling_a_name_otherwise_does_not_give_more_tries(house: House) -> None:
    stranger = house.stranger()
    spellings = ["ada", "ADA", " ada", "Ada ", "\uff41\uff44\uff41", "aDa"]
    assert [(await stranger.try_to_sign_in(name, "000000")).status_code for name in spellings][-1] == 429


async def test_guessing_at_many_names_from_one_address_is_slowed_down(house: House) -> None:
    stranger = house.stranger()
    tries = [(await stranger.try_to_sign_in(f"name{i}", "000000")).status_code for i in range(21)]
    assert tries == [401] * 20 + [429]


async def test_guessing_from_elsewhere_does_not_lock_out_the_browser_one_signs_in_with(house: House) -> None:
    ada = await house.signed_in("ada")
    await ada.post("/console/sign-out")
    attacker = house.stranger()
    for _ in range(6):
        last = await attacker.try_to_sign_in("ada", "000000")
    assert last.status_code == 429
    await ada.sign_in("ada", house.secrets["ada"])


async def test_a_forged_device_counts_as_none(house: House) -> None:
    rob = await house.signed_in("rob")
    of_rob = rob.http.cookies["twin-device"]
    for device in (
        of_rob,
        "a" * 22 + "." + "0" * 64,
        "",
        "x.y",
        of_rob[:-1] + ("0" if of_rob[-1] != "0" else "1"),
    ):
        attacker = house.stranger()
        attacker.http.cookies.set("twin-device", device, domain="127.0.0.1", path="/console")
        last = await attacker.try_to_sign_in("ada", "000000")
    # Five wrong tries, each with another "device", used up the five of the name.
    assert last.status_code == 401
    assert (await house.stranger().try_to_sign_in("ada", "000000")).status_code == 429


async def test_a_new_passphrase_ends_the_trust_in_devices(house: House) -> None:
    ada = await house.signed_in("ada")
    device = ada.http.cookies["twin-device"]
    house.clock.turn(30)
    new = "ganz andere Wörter, fünf Stück"
    fields = {"passphrase": PASSPHRASE, "code": house.code("ada"), "new": new, "again": new}
    assert (await ada.post("/console/account/passphrase", fields)).status_code == 303
    attacker = house.stranger()
    attacker.http.cookies.set("twin-device", device, domain="127.0.0.1", path="/console")
    for _ in range(5):
        await attacker.try_to_sign_in("ada", "000000")
    assert (await house.stranger().try_to_sign_in("ada", "000000")).status_code == 429


async def test_guessing_from_everywhere_takes_little_of_the_machine(tmp_path: Path) -> None:
    settings = ConsoleSettings(public_url="http://twin.example.org")
    async with opened_house(tmp_path / "home", settings=settings) as house:
        stranger = house.stranger()
        stranger.http.headers["Host"] = "twin.example.org"
        answers = []
        for i in range(40):
            # As a proxy on this machine says it: each from another address, at another name.
            stranger.http.headers["X-Forwarded-For"] = f"10.9.8.7, 192.0.2.{i}"
            answers.append((await stranger.try_to_sign_in(f"name{i}", "000000")).status_code)
        assert answers == [401] * 30 + [429] * 10
        noted = await house.noted()
        assert noted.count("sign_in_failed") == 30
        house.clock.turn(20)
        stranger.http.headers["X-Forwarded-For"] = "192.0.2.77"
        assert (await stranger.try_to_sign_in("ada", "000000")).status_code == 401


async def test_an_address_that_the_caller_made_up_is_not_believed(tmp_path: Path) -> None:
    settings = ConsoleSettings(public_url="http://twin.example.org")
    async with opened_house(tmp_path / "home", settings=settings) as house:
        stranger = house.stranger()
        stranger.http.headers["Host"] = "twin.example.org"
        for i in range(21):
            # The proxy appends whom it saw to whatever the caller sent.
            stranger.http.headers["X-Forwarded-For"] = f"198.51.100.{i}, 192.0.2.1"
            last = await stranger.try_to_sign_in(f"name{i}", "000000")
        assert last.status_code == 429


async def test_without_a_proxy_nobody_says_where_they_come_from(house: House) -> None:
    stranger = house.stranger()
    for i in range(21):
        stranger.http.headers["X-Forwarded-For"] = f"192.0.2.{i}"
        last = await stranger.try_to_sign_in(f"name{i}", "000000")
    assert last.status_code == 429
