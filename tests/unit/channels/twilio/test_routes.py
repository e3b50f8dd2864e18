"""The webhooks, over real HTTP: who is believed, and what the caller is told."""

from __future__ import annotations

import logging
from datetime import datetime

import httpx
import pytest

from channels.call import Refusal
from channels.twilio.settings import TwilioSecrets
from channels.twilio.twiml import CUT_OFF, UNAVAILABLE
from tests.doubles.host import TestHost
from tests.doubles.twilio import TwiML, sign
from tests.unit.channels.twilio.conftest import AUTH_TOKEN, House, house

STATUS = "/twilio/status"
VOICE = "/twilio/voice"


async def test_a_call_is_connected_and_told_what_to_do_when_that_fails(served: House) -> None:
    phone = served.phone()
    twiml = await phone.ring()

    assert twiml.stream_url == served.base_url.replace("http", "ws") + "/twilio/media"
    assert set(twiml.parameters) == {"token"}
    assert twiml.said == (CUT_OFF,)
    assert twiml.hangs_up


async def test_the_callers_number_is_in_no_address(served: House) -> None:
    twiml = await served.phone(caller="+15550123").ring()
    assert "5550123" not in twiml.stream_url


@pytest.mark.parametrize("path", [VOICE, STATUS])
@pytest.mark.parametrize("signature", ["", "forged", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "\u00e9"])
async def test_a_forged_signature_is_refused(served: House, path: str, signature: str) -> None:
    phone = served.phone()
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as client:
        headers = {b"X-Twilio-Signature": signature.encode("latin-1")}
        response = await client.post(path, data=phone.fields, headers=headers)

    assert response.status_code == 403
    assert "public_url" in response.text
    assert "\n" not in response.text
    assert served.counters["unsigned"] == 1


async def test_a_signature_holds_for_its_own_fields_and_address_only(served: House) -> None:
    phone = served.phone()
    stolen = "CallSid=CA2"
    assert (await phone.post(VOICE + "?a=b", phone.fields)).status_code == 200
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as client:
        right = sign(served.base_url + VOICE, phone.fields, AUTH_TOKEN)
        headers = {"X-Twilio-Signature": right}
        assert (await client.post(VOICE, data=phone.fields, headers=headers)).status_code == 200
        assert (await client.post(STATUS, data=phone.fields, headers=headers)).status_code == 403
        assert (await client.post(f"{VOICE}?{stolen}", data=phone.fields, headers=headers)).status_code == 403
        changed = {**phone.fields, "From": "+15550666"}
        assert (await client.post(VOICE, data=changed, headers=headers)).status_code == 403


async def test_refusals_log_nothing_personal(served: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="channels"):
        await served.phone(caller="+15550123").post(VOICE, {"From": "+15550123"}, signature="forged")

    lines = [str(record.__dict__) for record in caplog.records if record.name.startswith("channels")]
    assert len(lines) == 1
    assert "5550123" not in lines[0]


async def test_without_an_auth_token_it_says_what_to_set() -> None:
    async with house(secrets=TwilioSecrets()) as served:
        response = await served.phone().post(VOICE, {"CallSid": "CA1"})

    assert response.status_code == 503
    assert "TWILIO_AUTH_TOKEN" in response.text


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"a" * 70_000, 413), (b"\xff\xfe", 400), (b"&".join(b"a=b" for _ in range(400)), 400), (b"", 403)],
)
async def test_junk_for_a_form_is_refused(served: House, body: bytes, status: int) -> None:
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as client:
        response = await client.post(VOICE, content=body)

    assert response.status_code == status


async def test_behind_a_proxy_the_public_address_counts() -> None:
    async with house(public_url="https://twin.example.org/phone") as served:
        phone = served.phone(signed_url="https://twin.example.org/phone")
        assert (await phone.ring()).stream_url == "wss://twin.example.org/phone/twilio/media"
        assert (await served.phone().post(VOICE, phone.fields)).status_code == 403


PROXIED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "twin.example.org", "X-Forwarded-For": "203.0.113.9"}


async def test_a_trusted_proxy_is_believed() -> None:
    async with house(trusted_proxies=("10.0.0.0/8", "127.0.0.1")) as served:
        phone = served.phone(signed_url="https://twin.example.org", headers=PROXIED)
        assert (await phone.ring()).stream_url == "wss://twin.example.org/twilio/media"


async def test_anybody_else_is_not(served: House) -> None:
    phone = served.phone(signed_url="https://twin.example.org", headers=PROXIED)
    assert (await phone.post(VOICE, phone.fields)).status_code == 403


@pytest.mark.parametrize("code", ["capacity", "draining", "not_ready"])
async def test_a_call_that_cannot_be_carried_is_told_so(served: House, code: str) -> None:
    served.host.refuse_with = Refusal(code, "All lines are busy & <full>.")  # type: ignore[arg-type]
    async with served.phone() as phone:
        assert phone.twiml == TwiML(said=("All lines are busy & <full>.",), hangs_up=True)
        assert served.counters[f"voice_{code}"] == 1


class BrokenHost(TestHost):
    def refusal(self) -> Refusal | None:
        raise RuntimeError("the house is on fire")


async def test_whatever_fails_the_caller_hears_words() -> None:
    async with house(BrokenHost()) as served:
        assert await served.phone().ring() == TwiML(said=(UNAVAILABLE,), hangs_up=True)
        assert served.counters["voice_failed"] == 1


async def test_a_call_without_a_name_is_told_so_too(served: House) -> None:
    response = await served.phone().post(VOICE, {"From": "+15550100"})
    assert TwiML.parse(response.text).said == (UNAVAILABLE,)


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
async def test_twilios_last_word_ends_the_call(served: House, status: str) -> None:
    async with served.phone(posts_status=False) as phone:
        await phone.until(lambda: bool(served.host.conversations))
        response = await phone.post(STATUS, {**phone.fields, "CallStatus": status})
        assert response.status_code == 204
        assert served.conversation.reason


async def test_other_states_and_unknown_calls_end_nothing(served: House) -> None:
    async with served.phone(posts_status=False) as phone:
        await phone.until(lambda: bool(served.host.conversations))
        await phone.post(STATUS, {**phone.fields, "CallStatus": "in-progress"})
        await phone.post(STATUS, {**phone.fields, "CallStatus": "completed", "CallSid": "CAother"})
        assert not served.conversation.ended.is_set()


async def test_the_host_remembers_tokens_until_they_expire(served: House) -> None:
    spent: list[tuple[str, datetime]] = []
    spend = served.host.spend

    async def remember(nonce: str, expires_at: datetime) -> bool:
        spent.append((nonce, expires_at))
        return await spend(nonce, expires_at)

    served.host.spend = remember  # type: ignore[method-assign]
    async with served.phone() as phone:
        await phone.until(lambda: bool(served.host.conversations))
    assert len(spent) == 1
    assert spent[0][1].tzinfo is not None
