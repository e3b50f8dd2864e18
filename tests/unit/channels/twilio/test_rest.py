"""Hanging up by REST, against a local server that answers as Twilio documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from channels.twilio import rest as rest_module
from channels.twilio.rest import HangUpFailed, TwilioRest
from channels.twilio.settings import TwilioSecrets, TwilioSettings
from tests.doubles.twilio import TwilioRestDouble


@asynccontextmanager
async def client(base_url: str) -> AsyncIterator[TwilioRest]:
    secrets = TwilioSecrets.from_environment({"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "hush"})
    rest = TwilioRest(TwilioSettings(api_base_url=base_url), secrets)
    yield rest
    await rest.close()
    await rest.close()


async def test_a_call_that_is_over_already_is_fine() -> None:
    async with TwilioRestDouble() as double, client(double.url) as rest:
        double.answer = (400, {"code": 21220, "message": "Call is not in-progress. Cannot redirect."})
        await rest.hang_up(account_sid="AC1", call_sid="CA1")


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ((401, {"code": 20003}), "HTTP 401, error 20003"),
        ((404, {"code": 20404}), "HTTP 404, error 20404"),
        ((429, {"code": 20429}), "HTTP 429, error 20429"),
        ((503, {}), "HTTP 503, error 0"),
        ((400, {"code": "many"}), "HTTP 400, error 0"),
    ],
)
async def test_a_refusal_is_raised_with_twilios_own_code(
    answer: tuple[int, dict[str, object]], named: str
) -> None:
    async with TwilioRestDouble() as double, client(double.url) as rest:
        double.answer = answer
        with pytest.raises(HangUpFailed, match=named) as caught:
            await rest.hang_up(account_sid="AC1", call_sid="CA1")
    assert "hush" not in str(caught.value)


async def test_after_the_end_nobody_is_asked() -> None:
    async with TwilioRestDouble() as double, client(double.url) as rest:
        await rest.close()
        with pytest.raises(HangUpFailed, match="stopping"):
            await rest.hang_up(account_sid="AC1", call_sid="CA1")


async def test_nobody_there(unused_tcp_port: int) -> None:
    async with client(f"http://127.0.0.1:{unused_tcp_port}") as rest:
        with pytest.raises(HangUpFailed, match="cannot be reached"):
            await rest.hang_up(account_sid="AC1", call_sid="CA1")


async def test_a_server_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_module, "TIMEOUT_S", 0.2)
    async with TwilioRestDouble() as double, client(double.url) as rest:
        double.hangs = True
        with pytest.raises(HangUpFailed, match="in time"):
            await rest.hang_up(account_sid="AC1", call_sid="CA1")
