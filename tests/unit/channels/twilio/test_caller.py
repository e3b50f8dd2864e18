"""The probe's telephone: its buffer by the clock, and a call over the real sockets to a real channel."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from channels.twilio import mulaw
from channels.twilio.caller import Earpiece, PhoneCaller, stream_token
from channels.twilio.routes import router
from channels.twilio.settings import TwilioSecrets, TwilioSettings
from compliance.errors import BadMessage, CallRefused, ChannelError
from tests.doubles.host import TestHost, tone
from tests.doubles.twilio import serving

TOKEN = "0123456789abcdef"


def test_the_earpiece_plays_no_faster_than_time() -> None:
    ear = Earpiece()
    ear.media(bytes(range(160)), now=10.0)
    assert ear.play(10.01) == bytes(range(80))
    assert ear.play(10.05) == bytes(range(80, 160))
    assert ear.play(11.0) == b""


def test_what_was_not_there_in_time_is_played_late_and_not_twice_as_fast() -> None:
    ear = Earpiece()
    ear.media(b"a" * 80, now=0.0)
    assert ear.play(1.0) == b"a" * 80
    ear.media(b"b" * 160, now=1.0)
    assert ear.play(1.01) == b"b" * 80


def test_a_mark_comes_back_when_everything_before_it_was_played() -> None:
    ear = Earpiece()
    ear.media(bytes(160), now=0.0)
    ear.mark("1")
    assert ear.due() == []
    ear.play(0.0101)
    assert ear.due() == []
    ear.play(0.0201)
    assert ear.due() == ["1"]
    assert ear.due() == []


def test_clear_throws_away_what_waits_and_returns_its_marks() -> None:
    ear = Earpiece()
    ear.media(bytes(160), now=0.0)
    ear.mark("1")
    ear.play(0.0101)
    ear.clear()
    assert ear.due() == ["1"]
    assert ear.cleared_bytes == 80
    assert ear.play(1.0) == b""
    assert ear.received_bytes == 160


def application(host: TestHost) -> FastAPI:
    app = FastAPI()
    settings = TwilioSettings(api_base_url="http://127.0.0.1:9")
    app.include_router(router(host, settings, TwilioSecrets(auth_token=SecretStr(TOKEN))))
    return app


async def test_a_call_both_ways_over_the_real_sockets() -> None:
    host = TestHost(disclosure_ms=1_000)
    async with serving(application(host)) as base_url, PhoneCaller(base_url, TOKEN) as caller:
        await caller.until(lambda: bool(caller.heard), limit_s=20)
        conversation = host.conversations[0]
        await asyncio.wait_for(conversation.disclosed_event.wait(), 20)
        said = np.full(4_000, 4_000, np.int16).tobytes()
        caller.say(said)
        await caller.press("5")
        loud = mulaw.decode(mulaw.encode(said))
        await caller.until(lambda: loud in bytes(conversation.heard_from_caller), limit_s=20)
        await caller.hang_up()
        await asyncio.wait_for(caller.ended.wait(), 10)
        await asyncio.wait_for(conversation.ended.wait(), 10)
    tone_heard = mulaw.decode(mulaw.encode(tone(8_000, milliseconds=1_000)))
    assert tone_heard in caller.pcm()
    assert conversation.digits == ["5"]
    assert caller.earpiece.received_bytes * 2 <= conversation.call.wire.bytes_sent
    positions = [heard.position for heard in caller.heard]
    assert positions == sorted(positions)


async def test_what_cannot_be_called_is_said_in_one_line() -> None:
    async with serving(application(TestHost(capacity=0))) as base_url:
        with pytest.raises(CallRefused, match="All lines are busy"):
            await PhoneCaller(base_url, TOKEN).dial()
        with pytest.raises(BadMessage, match="403"):
            await PhoneCaller(base_url, "another token").dial()
    with pytest.raises(ChannelError, match="No answer"):
        await PhoneCaller("http://127.0.0.1:9", TOKEN).dial()


@pytest.mark.parametrize("answer", ["", "<Response", "<!DOCTYPE a><Response/>", "<a>" * 40_000])
def test_an_answer_that_is_no_twiml_is_said_so(answer: str) -> None:
    with pytest.raises(BadMessage):
        stream_token(answer)


def test_twiml_without_a_stream_is_a_refusal() -> None:
    with pytest.raises(CallRefused, match="All lines are busy"):
        stream_token("<Response><Say>All lines are busy</Say><Hangup/></Response>")
