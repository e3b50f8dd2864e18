"""What hangs on a session's secret: the CSRF token, tickets, and messages for the next page."""

from __future__ import annotations

import secrets

import pytest
from fastapi import Response

from compliance.console.flash import FLASH_COOKIE, Flash, read_flash, write_flash
from compliance.console.session import Session, sign

NOW_MS = 1_795_000_000_000


def session() -> Session:
    return Session("id", "operator", "ada", "owner", NOW_MS, NOW_MS + 1, secrets.token_bytes(32))


def test_a_ticket_is_good_for_one_thing_of_one_session_for_a_while() -> None:
    mine, other = session(), session()
    ticket = mine.ticket("unmask", "CA1", until_ms=NOW_MS + 1_000)
    assert mine.is_ticket(ticket, "unmask", "CA1", now_ms=NOW_MS)
    assert not mine.is_ticket(ticket, "unmask", "CA1", now_ms=NOW_MS + 1_000)
    assert not mine.is_ticket(ticket, "unmask", "CA2", now_ms=NOW_MS)
    assert not mine.is_ticket(ticket, "erase", "CA1", now_ms=NOW_MS)
    assert not other.is_ticket(ticket, "unmask", "CA1", now_ms=NOW_MS)


@pytest.mark.parametrize(
    "ticket", ["", ".", "1.", "9" * 15 + "." + "0" * 64, "-1.x", "٣.x", "9" * 40 + ".x", "1e99.x", "é"]
)
def test_what_is_no_ticket_is_refused(ticket: str) -> None:
    assert not session().is_ticket(ticket, "unmask", "CA1", now_ms=NOW_MS)


def test_a_ticket_cannot_be_made_to_last_longer() -> None:
    mine = session()
    until, _, signature = mine.ticket("unmask", "CA1", until_ms=NOW_MS).partition(".")
    assert not mine.is_ticket(f"{int(until) + 60_000}.{signature}", "unmask", "CA1", now_ms=NOW_MS)


def test_no_two_lists_of_parts_sign_alike() -> None:
    secret = b"s" * 32
    assert sign(secret, "ab", "c") != sign(secret, "a", "bc") != sign(secret, "abc")


def test_the_token_is_compared_whatever_is_given() -> None:
    mine = session()
    assert mine.is_csrf(mine.csrf)
    for given in ("", mine.csrf[:-1], mine.csrf + "0", "ü", session().csrf):
        assert not mine.is_csrf(given)


def test_the_secret_is_not_printed() -> None:
    assert "secret" not in repr(session())


def flash_of(response: Response) -> str:
    return response.headers["set-cookie"].split(";")[0].removeprefix(f"{FLASH_COOKIE}=").strip('"')


def test_a_message_is_for_the_session_it_was_written_for() -> None:
    mine, response = session(), Response()
    write_flash(response, mine, "Done — “all” of it; really.", "good")
    cookie = flash_of(response)
    assert read_flash(mine, cookie) == Flash("Done — “all” of it; really.", "good")
    assert read_flash(session(), cookie) is None
    assert read_flash(mine, cookie[:-1]) is None
    assert read_flash(mine, "A" + cookie) is None
    assert read_flash(mine, "") is None
