"""Whole calls over a real socket: real doors, Twilio's side played from its documentation."""

from __future__ import annotations

import asyncio
import base64
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.call import Call
from channels.spoken import Spoken
from channels.twilio import mulaw
from channels.twilio.token import StreamToken, derive_key, sign
from channels.twilio.twiml import CUT_OFF
from compliance.errors import CallRefused
from tests.doubles.host import TestHost, tone
from tests.doubles.twilio import PhoneCall
from tests.unit.channels.twilio.conftest import AUTH_TOKEN, House, house
from tests.unit.channels.twilio.virtual import unmistakable


async def disclosed(served: House, phone: PhoneCall) -> None:
    await phone.until(lambda: bool(served.host.conversations) and served.conversation.disclosed_event.is_set())


async def test_the_disclosure_is_heard_in_full_also_when_the_caller_talks_over_it(served: House) -> None:
    served.host.disclosure_ms = 800
    async with served.phone() as phone:
        await phone.until(lambda: bool(served.host.conversations))
        let_in: list[bytes] = []
        served.conversation.audio = lambda pcm: let_in.append(phone.played_pcm())  # type: ignore[method-assign]
        await phone.say(unmistakable(1_500))
        await phone.until(lambda: bool(let_in))

        played = let_in[0]
        disclosure = mulaw.decode(mulaw.encode(tone(8_000, milliseconds=800)))
        assert disclosure in played, "nothing is let in before it was heard to the end"
        assert not played[: played.index(disclosure)].strip(b"\0"), "and nothing sounds before it"
        assert served.conversation.disclosed_at == 6_400
        assert served.conversation.call.inlet.bytes_dropped > 10_000


async def test_the_caller_is_heard_from_then_on_to_the_sample(served: House) -> None:
    async with served.phone() as phone:
        await disclosed(served, phone)
        speech = unmistakable(300)
        await phone.say(speech)
        await phone.press("1*#x5")
        heard = served.conversation.heard_from_caller
        await phone.until(lambda: mulaw.decode(mulaw.encode(speech)) in bytes(heard))
        await phone.until(lambda: len(served.conversation.digits) == 4)

    assert served.conversation.digits == ["1", "*", "#", "5"]
    assert served.conversation.call.caller.subject == "+15550100"
    assert served.conversation.call.reference == phone.call_sid


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "sip:mallory@example.org", "+1555010x", ""])
async def test_a_withheld_number_is_unknown(served: House, caller: str) -> None:
    async with served.phone(caller=caller) as phone:
        await phone.until(lambda: bool(served.host.conversations))
    assert served.conversation.call.caller.subject is None


@pytest.mark.parametrize(
    ("verdict", "attested"),
    [
        ("TN-Validation-Passed-A", True),
        ("TN-Validation-Passed-C", None),
        ("TN-Validation-Failed-A", False),
        ("No-TN-Validation", None),
        ("", None),
    ],
)
async def test_what_the_network_says_of_the_number_reaches_the_call(
    served: House, verdict: str, attested: bool | None
) -> None:
    async with served.phone() as phone:
        await phone.until(lambda: bool(served.host.conversations))
    assert served.conversation.call.caller.attested is None
    other = served.phone()
    other.fields["StirVerstat"] = verdict
    async with other as phone:
        await phone.until(lambda: len(served.host.conversations) == 2)
    assert served.host.conversations[1].call.caller.attested is attested


async def test_bytes_at_the_door_are_bytes_on_the_wire_and_at_the_caller(served: House) -> None:
    async with served.phone() as phone:
        await disclosed(served, phone)
        call = served.conversation.call
        assert call.outlet.say(Spoken(1, 0, unmistakable(500), last=True))
        await phone.until_silent(quiet_ms=300)
        served.conversation.hang_up("done")
        await asyncio.wait_for(phone.over.wait(), 5)

    assert call.outlet.bytes_out == call.wire.bytes_sent == 2 * phone.far_end.received > 8_000
    assert phone.close_code == 1000


async def test_speech_is_played_to_the_sample_without_a_gap(served: House) -> None:
    async with served.phone() as phone:
        await disclosed(served, phone)
        speech = unmistakable(1_000)
        assert served.conversation.call.outlet.say(Spoken(1, 0, speech, last=True))
        await phone.until_silent(quiet_ms=200)

    assert mulaw.encode(speech) in bytes(phone.far_end.played)


async def test_a_hold_clears_what_waits_at_twilio_and_goes_on_where_it_was_cut(served: House) -> None:
    async with served.phone() as phone:
        await disclosed(served, phone)
        call, speech = served.conversation.call, unmistakable(3_000)
        codes = mulaw.encode(speech)
        begin = call.clock.position
        assert call.outlet.say(Spoken(1, 0, speech, last=True))
        await phone.until(lambda: codes[4_000:4_160] in bytes(phone.far_end.played))
        call.outlet.hold()
        cut = call.clock.heard - begin
        await phone.until(lambda: any(message["event"] == "clear" for message in phone.messages))
        await phone.until_silent(quiet_ms=200)
        held = len(phone.far_end.played)
        call.outlet.resume()
        await phone.until_silent(quiet_ms=300)

    played = bytes(phone.far_end.played)
    resumed = played.index(codes[cut + 80 : cut + 240], held)
    assert played[resumed:].startswith(codes[cut + 80 :]), "from the sample the clock says was heard last"
    assert call.wire.playout.sent == call.clock.position  # type: ignore[attr-defined]


async def test_two_callers_never_hear_each_other(served: House) -> None:
    async with served.phone() as one, served.phone(caller="+15550101") as two:
        await disclosed(served, one)
        await two.until(lambda: all(c.disclosed_event.is_set() for c in served.host.conversations))
        speeches = [unmistakable(400, seed=seed) for seed in (5, 6)]
        conversations = sorted(served.host.conversations, key=lambda c: str(c.call.caller.subject))
        for conversation, speech in zip(conversations, speeches, strict=True):
            assert conversation.call.outlet.say(Spoken(1, 0, speech, last=True))
        await asyncio.gather(one.until_silent(quiet_ms=200), two.until_silent(quiet_ms=200))

    for phone, mine, other in ((one, speeches[0], speeches[1]), (two, speeches[1], speeches[0])):
        assert mulaw.encode(mine) in bytes(phone.far_end.played)
        assert mulaw.encode(other)[:160] not in bytes(phone.far_end.played)


async def test_the_caller_hangs_up(served: House) -> None:
    async with served.phone(posts_status=False) as phone:
        await disclosed(served, phone)
    await phone.until(lambda: served.host.live == 0)

    assert served.conversation.reason == "caller_left"
    assert served.rest.requests == [], "there is nothing left to hang up"
    assert phone.said_by_twilio == []


async def test_the_connection_breaks(served: House) -> None:
    async with served.phone(posts_status=False) as phone:
        await disclosed(served, phone)
        await phone.drop()
        await phone.until(lambda: served.host.live == 0)

    assert served.conversation.reason == "line_lost"


async def test_our_side_hangs_up_by_rest(served: House) -> None:
    async with served.phone() as phone:
        await disclosed(served, phone)
        served.conversation.hang_up("done")
        await asyncio.wait_for(phone.over.wait(), 5)

    ((path, authorization, form),) = served.rest.requests
    assert path == f"/2010-04-01/Accounts/{phone.account_sid}/Calls/{phone.call_sid}.json"
    assert base64.b64decode(authorization.split()[1]).decode() == f"{phone.account_sid}:{AUTH_TOKEN}"
    assert form == {"Status": "completed"}
    assert phone.said_by_twilio == []


async def test_a_caller_who_is_put_through_is_connected_and_not_hung_up(served: House) -> None:
    async with served.phone() as phone:
        await disclosed(served, phone)
        assert served.conversation.call.transfer("+493012345678")
        served.conversation.hang_up("goodbye")
        await asyncio.wait_for(phone.over.wait(), 5)

    ((_, _, form),) = served.rest.requests
    assert "<Dial" in form["Twiml"]
    assert "+493012345678" in form["Twiml"]


async def test_when_putting_through_fails_the_call_is_hung_up(served: House) -> None:
    served.rest.answer = (400, {"code": 21_205})
    async with served.phone() as phone:
        await disclosed(served, phone)
        assert served.conversation.call.transfer("+493012345678")
        served.conversation.hang_up("goodbye")
        await asyncio.wait_for(phone.over.wait(), 5)

    assert [sorted(form) for _, _, form in served.rest.requests] == [["Twiml"], ["Status"]]


async def test_when_rest_fails_the_socket_closes_and_twilio_says_good_bye(served: House) -> None:
    served.rest.answer = (500, {"code": 20500})
    async with served.phone() as phone:
        await disclosed(served, phone)
        served.conversation.hang_up("done")
        await asyncio.wait_for(phone.over.wait(), 5)

    assert phone.close_code == 1000
    assert phone.said_by_twilio == [CUT_OFF]


async def test_closing_twice_is_closing_once(served: House) -> None:
    async with served.phone() as phone:
        await disclosed(served, phone)
        wire = served.conversation.call.wire
        await asyncio.gather(wire.close("done"), wire.close("again"))
        await wire.close("and again")
    assert len(served.rest.requests) == 1


def token(phone: PhoneCall, **changes: Any) -> str:
    values = {
        "call_sid": phone.call_sid,
        "account_sid": phone.account_sid,
        "caller": None,
        "expires_at": datetime.now(UTC) + timedelta(seconds=60),
        "nonce": "n",
        **changes,
    }
    return sign(StreamToken(**values), derive_key(AUTH_TOKEN))


async def refused(served: House, phone: PhoneCall, text: str) -> None:
    conversations = len(served.host.conversations)
    await phone.connect(parameters={"token": text})
    await asyncio.wait_for(phone.over.wait(), 5)

    assert phone.close_code == 1008
    assert "token" in phone.close_reason
    assert phone.said_by_twilio == [CUT_OFF], "the caller hears words, not silence"
    assert len(served.host.conversations) == conversations
    assert served.counters["token_refused"] == 1
    await phone.hang_up()


async def test_forged_tokens_are_refused(served: House) -> None:
    phone = served.phone()
    await phone.ring()
    await refused(served, phone, phone.twiml.parameters["token"][:-1])


async def test_a_missing_token_is_refused(served: House) -> None:
    phone = served.phone()
    await phone.ring()
    await refused(served, phone, "")


async def test_expired_tokens_are_refused(served: House) -> None:
    phone = served.phone()
    await phone.ring()
    await refused(served, phone, token(phone, expires_at=datetime.fromtimestamp(int(time.time()), UTC)))


async def test_tokens_of_another_call_are_refused(served: House) -> None:
    phone, other = served.phone(), served.phone()
    await phone.ring()
    await refused(served, phone, (await other.ring()).parameters["token"])


async def test_tokens_of_another_account_are_refused(served: House) -> None:
    phone = served.phone()
    await phone.ring()
    await refused(served, phone, token(phone, account_sid="ACother"))


async def test_a_token_is_good_once(served: House) -> None:
    async with served.phone() as first:
        await disclosed(served, first)
        again = served.phone(call_sid=first.call_sid)
        again.twiml = first.twiml
        await refused(served, again, first.twiml.parameters["token"])
        assert not first.over.is_set(), "the first call goes on"


async def test_a_call_too_many_hears_an_apology_from_the_socket_as_well(served: House) -> None:
    phone = served.phone()
    await phone.ring()

    def full(*args: Any, **options: Any) -> Call:
        raise CallRefused("All lines are busy. " * 20)

    served.host.begin = full  # type: ignore[method-assign]
    await phone.connect()
    await asyncio.wait_for(phone.over.wait(), 5)
    await phone.hang_up()
    assert (phone.close_code, phone.said_by_twilio) == (1013, [CUT_OFF])


class FailingHost(TestHost):
    async def carry(self, call: Call) -> None:
        raise RuntimeError("the house is on fire")


async def test_a_host_that_fails_leaves_no_open_line() -> None:
    async with house(FailingHost()) as served, served.phone() as phone:
        await asyncio.wait_for(phone.over.wait(), 5)
        assert phone.said_by_twilio == [CUT_OFF]


async def test_a_server_that_stops_ends_its_calls() -> None:
    async with house() as served:
        phone = served.phone(posts_status=False)
        await phone.ring()
        await phone.connect()
        await disclosed(served, phone)
    await asyncio.wait_for(phone.over.wait(), 5)
    await phone.hang_up()

    assert served.conversation.reason == "line_lost"
    assert phone.said_by_twilio == [CUT_OFF]


async def test_nothing_runs_on_after_the_call(served: House) -> None:
    async with served.phone() as phone:
        await disclosed(served, phone)
    await phone.until(lambda: not [task for task in asyncio.all_tasks() if task.get_name().startswith("twilio-")])
