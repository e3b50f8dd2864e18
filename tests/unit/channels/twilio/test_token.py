"""One call, one socket, for a minute."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels.twilio.token import MAX_CHARS, StreamToken, derive_key, new_nonce, sign, verify
from compliance.errors import TokenRefused

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = derive_key("an auth token")
TOKEN = StreamToken("CA" + "1" * 32, "AC" + "2" * 32, "+15550100", NOW + timedelta(seconds=60), new_nonce())


def check(text: str, *, key: bytes = KEY, now: datetime = NOW, call: str = TOKEN.call_sid) -> StreamToken:
    return verify(text, key, call_sid=call, account_sid=TOKEN.account_sid, now=now)


@pytest.mark.parametrize("caller", ["+15550100", None])
def test_what_was_signed_comes_back(caller: str | None) -> None:
    token = replace(TOKEN, caller=caller)
    assert check(sign(token, KEY)) == token


def test_it_fits_into_a_twiml_parameter() -> None:
    assert len("token" + sign(replace(TOKEN, caller="+" + "9" * 15), KEY)) < 500


def test_it_serves_no_other_call_or_account() -> None:
    with pytest.raises(TokenRefused, match="another call"):
        check(sign(TOKEN, KEY), call="CA" + "3" * 32)
    with pytest.raises(TokenRefused, match="another call"):
        check(sign(replace(TOKEN, account_sid="AC0"), KEY))


def test_it_is_too_old_from_its_last_second_on() -> None:
    text = sign(TOKEN, KEY)
    check(text, now=TOKEN.expires_at - timedelta(seconds=1))
    with pytest.raises(TokenRefused, match="too old"):
        check(text, now=TOKEN.expires_at)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(TokenRefused, match="not one of ours"):
        check(sign(TOKEN, KEY), key=derive_key("another auth token"))


def test_no_character_can_be_changed_added_or_left_out() -> None:
    text = sign(TOKEN, KEY)
    forged = [text[:i] + ("A" if text[i] != "A" else "B") + text[i + 1 :] for i in range(len(text))]
    forged += [text[:i] for i in range(len(text))] + [text + "A", text + "=", "." + text, text + ".", text * 2]
    for attempt in forged:
        with pytest.raises(TokenRefused):
            check(attempt)


@pytest.mark.parametrize("text", ["", ".", "..", "é" * 10, "\ud800", "A" * (MAX_CHARS + 1), "e30.e30"])
def test_junk_is_refused(text: str) -> None:
    with pytest.raises(TokenRefused):
        check(text)


def test_names_that_do_not_fit_are_refused_at_signing() -> None:
    with pytest.raises(TokenRefused):
        sign(replace(TOKEN, call_sid="C" * 400), KEY)


def test_nonces_differ() -> None:
    assert len({new_nonce() for _ in range(100)}) == 100
