"""What Twilio keeps is deleted over its REST API, and asked for again; against a server that keeps it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from channels.twilio.copies import TwilioCopies
from channels.twilio.rest import TwilioFailed, TwilioRest
from channels.twilio.settings import TwilioSecrets, TwilioSettings
from tests.doubles.twilio import TwilioRestDouble

ANNA, BEN = "+493011111111", "+493022222222"


@asynccontextmanager
async def keeping() -> AsyncIterator[tuple[TwilioRestDouble, TwilioRest]]:
    """Twilio with two calls, each with recordings on several pages, and texts."""
    secrets = TwilioSecrets.from_environment({"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "hush"})
    async with TwilioRestDouble() as double:
        for call in ("CA1", "CA2"):
            double.kept[f"Calls/{call}"] = {}
            for number in range(5):
                recording = f"RE{call}{number}"
                double.kept[f"Recordings/{recording}"] = {"CallSid": call}
                double.kept[f"Transcriptions/TR{call}{number}"] = {"RecordingSid": recording}
        for number in range(3):
            double.kept[f"Messages/SMa{number}"] = {"To": ANNA, "From": "+15550199"}
        double.kept["Messages/SMa9"] = {"To": "+15550199", "From": ANNA}
        double.kept["Messages/SMb"] = {"To": BEN, "From": "+15550199"}
        rest = TwilioRest(TwilioSettings(api_base_url=double.url), secrets)
        yield double, rest
        await rest.close()


async def test_all_that_twilio_keeps_of_the_calls_and_the_number_goes_and_nothing_else() -> None:
    async with keeping() as (double, rest):
        copies = TwilioCopies(rest)
        assert await copies.left(["CA1"], [ANNA]) == 1 + 5 + 4
        assert await copies.erase(["CA1"], [ANNA]) == 1 + 5 + 5 + 4
        assert await copies.left(["CA1"], [ANNA]) == 0
        assert {key for key in double.kept if "1" in key} == {"Recordings/RECA21", "Transcriptions/TRCA21"}
        assert sum(1 for key in double.kept if "CA2" in key) == 1 + 5 + 5
        assert "Messages/SMb" in double.kept
        assert await copies.erase(["CA1"], [ANNA]) == 0  # what is gone already is fine


async def test_what_breaks_in_the_middle_goes_on_when_it_is_asked_again() -> None:
    async with keeping() as (double, rest):
        copies = TwilioCopies(rest)
        double.refuses["Calls"] = 503
        with pytest.raises(TwilioFailed, match="HTTP 503"):
            await copies.erase(["CA1"], [])
        assert not any(key.startswith("Recordings/RECA1") for key in double.kept)
        with pytest.raises(TwilioFailed):
            await copies.left(["CA1"], [])
        double.refuses.clear()
        assert await copies.erase(["CA1"], []) == 1
        assert await copies.left(["CA1"], []) == 0


async def test_only_sids_of_calls_and_numbers_become_part_of_a_path() -> None:
    async with keeping() as (double, rest):
        copies = TwilioCopies(rest)
        assert await copies.erase(["../Calls/CA2", "web-1", "CA2/../x"], ["anna@example.org", "x"]) == 0
        assert double.requests == []


async def test_without_an_account_it_says_what_to_set(unused_tcp_port: int) -> None:
    nobody = TwilioSecrets.from_environment({})
    rest = TwilioRest(TwilioSettings(api_base_url=f"http://127.0.0.1:{unused_tcp_port}"), nobody)
    with pytest.raises(TwilioFailed, match="TWILIO_ACCOUNT_SID"):
        await TwilioCopies(rest).erase(["CA1"], [])
    assert await TwilioCopies(rest).erase([], [ANNA]) == 0  # who has no account sent no text
    assert await TwilioCopies(rest).left(["web-1"], [ANNA]) == 0
    await rest.close()


async def test_a_text_is_sent_from_our_number() -> None:
    async with keeping() as (double, rest):
        await rest.send_text(sender="+15550199", to=ANNA, text="Your code is 123456.")
        (sent,) = [fields for key, fields in double.kept.items() if "Body" in fields]
        assert sent == {"From": "+15550199", "To": ANNA, "Body": "Your code is 123456."}
        double.refuses["Messages"] = 400
        with pytest.raises(TwilioFailed, match="to send a text: HTTP 400"):
            await rest.send_text(sender="+15550199", to=ANNA, text="x")
