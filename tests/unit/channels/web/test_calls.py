"""Calls over a real server and real WebRTC, with a caller who has no browser."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from loguru import logger as loguru

from channels.call import Caption, Refusal, Status
from channels.web.peer import WebCaller
from channels.web.settings import WebSettings
from channels.web.track import TrackWire
from compliance.errors import BadMessage, CallRefused, ChannelError
from tests.doubles.host import TestHost, tone
from tests.doubles.webserver import serving

QUICK = WebSettings(connect_limit_s=1.0)


async def _until(met: Callable[[], bool], limit_s: float = 10.0) -> None:
    async with asyncio.timeout(limit_s):
        while not met():  # noqa: ASYNC110  the host's records are plain lists, there is nothing to wait on
            await asyncio.sleep(0.02)


def _strongest_hz(pcm: bytes, rate_hz: int) -> int:
    samples = np.frombuffer(pcm, np.int16)
    return round(float(np.argmax(np.abs(np.fft.rfft(samples))) * rate_hz / len(samples)))


async def test_the_disclosure_is_heard_first_and_whole_and_nothing_is_let_in_before() -> None:
    host = TestHost(disclosure_ms=600)
    async with serving(host) as url, WebCaller(url) as caller:
        caller.say(tone(16_000, milliseconds=3_000, hz=900))
        await caller.until(lambda: len(caller.pcm()) >= 48_000 * 2)
        conversation = host.conversations[0]
        inlet, outlet = conversation.call.inlet, conversation.call.outlet
        await _until(lambda: inlet.bytes_let_in > 16_000)

        heard = np.frombuffer(caller.pcm(), np.int16).astype(float)
        loud = np.sqrt((heard[:48_000].reshape(50, 960) ** 2).mean(axis=1)) > 1_000
        assert loud[:30].all(), "the announcement is the first thing that sounds, without a gap"
        assert not loud[31:].any()
        assert _strongest_hz(caller.pcm()[: 480 * 60], 48_000) == pytest.approx(440, abs=4)
        assert conversation.disclosed_at == 600 * 48
        assert inlet.bytes_dropped > 0
        assert bytes(conversation.heard_from_caller) != b""
        wire = conversation.call.wire
        assert isinstance(wire, TrackWire)
        assert outlet.bytes_out == wire.bytes_sent == wire.bytes_framed > 0
        assert _strongest_hz(bytes(conversation.heard_from_caller), 16_000) == pytest.approx(900, abs=10)


async def test_words_go_both_ways() -> None:
    host = TestHost(disclosure_ms=40)
    async with serving(host) as url, WebCaller(url) as caller:
        await _until(lambda: bool(host.conversations))
        conversation = host.conversations[0]
        caller.type("too early")
        await asyncio.wait_for(conversation.disclosed_event.wait(), 10)
        caller.type("  Hello   there ")
        caller.send({"type": "digit", "digit": "5"})
        conversation.call.tell(Status("speaking"))
        conversation.call.tell(Caption("twin", "Good morning", 1))
        await _until(lambda: bool(conversation.digits))
        await caller.until(lambda: len(caller.messages) >= 4)

        assert conversation.texts[-1] == "Hello there"
        assert conversation.digits == ["5"]
        assert [message["state"] for message in caller.messages[:3]] == ["disclosing", "listening", "speaking"]
        assert caller.messages[3]["text"] == "Good morning"


async def test_the_caller_hangs_up() -> None:
    host = TestHost()
    async with serving(host) as url, WebCaller(url) as caller:
        await caller.until(lambda: bool(caller.heard))
        caller.hang_up()
        await asyncio.wait_for(caller.ended.wait(), 10)

    assert host.conversations[0].reason == "caller_left"
    assert host.live == 0


async def test_the_caller_closes_the_connection_without_a_word() -> None:
    host = TestHost()
    async with serving(host) as url:
        async with WebCaller(url) as caller:
            await caller.until(lambda: bool(caller.heard))
        await asyncio.wait_for(host.conversations[0].ended.wait(), 10)

    assert host.conversations[0].reason == "caller_left"


async def test_the_twin_hangs_up_and_says_why() -> None:
    host = TestHost(disclosure_ms=40)
    async with serving(host) as url, WebCaller(url) as caller:
        await caller.until(lambda: bool(caller.heard))
        host.conversations[0].hang_up("said_goodbye")
        await asyncio.wait_for(caller.ended.wait(), 10)

        assert {"type": "ended", "reason": "said_goodbye"} in caller.messages


async def test_a_caller_who_is_killed_is_missed() -> None:
    host = TestHost()
    program = (
        "import asyncio, sys\n"
        "from channels.web.peer import WebCaller\n"
        "async def main():\n"
        "    async with WebCaller(sys.argv[1]) as caller:\n"
        "        await caller.until(lambda: bool(caller.heard))\n"
        "        print('up', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    async with serving(host, WebSettings(lost_after_s=3)) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"up\n"
        process.kill()
        await process.wait()
        await asyncio.wait_for(host.conversations[0].ended.wait(), 20)

    assert host.conversations[0].reason == "connection_lost"


async def test_two_callers_hear_only_their_own() -> None:
    host = TestHost(disclosure_ms=40)
    async with serving(host) as url, WebCaller(url) as first, WebCaller(url) as second:
        await _until(lambda: len(host.conversations) == 2)
        for conversation in host.conversations:
            await asyncio.wait_for(conversation.disclosed_event.wait(), 10)
        first.say(tone(16_000, milliseconds=2_000, hz=500))
        second.say(tone(16_000, milliseconds=2_000, hz=1_300))
        await _until(lambda: all(len(each.heard_from_caller) > 48_000 for each in host.conversations))

        assert [_strongest_hz(bytes(each.heard_from_caller), 16_000) for each in host.conversations] == [
            pytest.approx(500, abs=10),
            pytest.approx(1_300, abs=10),
        ]


async def test_junk_and_floods_on_the_data_channel_are_ignored() -> None:
    host = TestHost(disclosure_ms=40)
    async with serving(host) as url, _Boundless(url) as hostile, WebCaller(url) as friendly:
        await _until(lambda: len(host.conversations) == 2)
        for conversation in host.conversations:
            await asyncio.wait_for(conversation.disclosed_event.wait(), 10)
        hostile.send_raw(b"\x00" * 50_000)
        hostile.send_raw("[" * 50_000)
        hostile.send_raw("x" * 1_000_000)
        for number in range(500):
            hostile.send_raw(json.dumps({"type": "text", "text": f"word {number}"}))
        friendly.type("still here")
        await _until(lambda: any(each.texts == ["still here"] for each in host.conversations))
        flooded = next(each for each in host.conversations if each.texts != ["still here"])

        assert len(flooded.texts) <= 60
        assert not flooded.ended.is_set()


async def test_nothing_people_say_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    lines: list[str] = []
    sink = loguru.add(lines.append, level=0)
    caplog.set_level(0)
    host = TestHost(disclosure_ms=40)
    try:
        async with serving(host) as url, WebCaller(url) as caller:
            await _until(lambda: bool(host.conversations))
            await asyncio.wait_for(host.conversations[0].disclosed_event.wait(), 10)
            caller.send_raw("my number is 0123 and this is not JSON")
            caller.send_raw(
                '{"type": "signalling", "message": {"type": "trackStatus", "note": "my number is 0123"}}'
            )
            caller.type("my number is 0123")
            await _until(lambda: bool(host.conversations[0].texts))
    finally:
        loguru.remove(sink)

    assert lines, "Pipecat does log"
    assert "0123" not in "".join(lines)
    assert "0123" not in "".join(record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("code", ["capacity", "draining"])
async def test_a_refused_caller_is_told_in_the_host_s_words(code: str) -> None:
    host = TestHost()
    host.refuse_with = Refusal(code, "Please call again tomorrow.")  # type: ignore[arg-type]
    async with serving(host) as url:
        caller = WebCaller(url)
        with pytest.raises(CallRefused, match=r"Please call again tomorrow\."):
            await caller.dial()

    assert host.conversations == []


async def test_a_refusal_between_the_answer_and_the_start_reaches_the_page() -> None:
    host = TestHost()
    async with serving(host) as url:
        caller = WebCaller(url)
        await caller.dial(ready=False)
        host.refuse_with = Refusal("capacity", "All lines are busy.")
        caller.send({"type": "ready"})
        await asyncio.wait_for(caller.ended.wait(), 10)

        assert caller.messages[0] == {"type": "refused", "code": "capacity", "text": "All lines are busy."}
        await caller.close()
    assert host.conversations == []


async def test_a_connection_that_never_gets_ready_is_closed_and_makes_room() -> None:
    host = TestHost()
    async with serving(host, WebSettings(connect_limit_s=3.0, max_connecting=2)) as url:
        idle = [WebCaller(url), WebCaller(url)]
        for caller in idle:
            await caller.dial(ready=False)
        third = WebCaller(url)
        with pytest.raises(CallRefused, match="Too many people are connecting"):
            await third.dial()

        for caller in idle:
            await asyncio.wait_for(caller.ended.wait(), 10)
            await caller.close()
        await _until(lambda: not _lines_held())
        async with WebCaller(url) as fourth:
            await fourth.until(lambda: bool(fourth.heard))


async def test_an_offer_whose_caller_never_comes_is_forgotten() -> None:
    """The answer is thrown away, so no packet ever arrives."""
    host = TestHost()
    async with serving(host, QUICK) as url:
        lost = _Deaf(url)
        with pytest.raises(ChannelError):
            await lost.dial()
        await _until(lambda: not _lines_held())

    assert host.conversations == []


async def test_an_sdp_nobody_can_read_is_a_bad_message() -> None:
    async with serving(TestHost()) as url:
        for sdp in (
            "v=0\r\nm=audio 9 X 111\r\nm=application 9 Y z\r\n",
            "v=0\r\no=\r\nm=audio nine UDP/TLS/RTP/SAVPF x\r\na=rtpmap:\r\nm=application 9 UDP/DTLS/SCTP a\r\n",
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:\r\nm=application 9 DTLS/SCTP 5000\r\n",
        ):
            caller = _Junk(url, sdp)
            with pytest.raises(BadMessage, match="cannot be read"):
                await caller.dial()
        await _until(lambda: not _lines_held())


async def test_twenty_calls_leave_no_task_and_no_thread() -> None:
    host = TestHost(disclosure_ms=40)
    async with serving(host) as url:
        tasks, threads = _tasks(), _decoders()
        for _ in range(20):
            async with WebCaller(url) as caller:
                await _until(partial(bool, caller.heard))
        await _until(lambda: host.live == 0 and not _lines_held())
        await _until(lambda: _decoders() == threads and _tasks() == tasks)

    assert len(host.conversations) == 20


async def test_the_server_stops_in_the_middle_of_a_call() -> None:
    host = TestHost()
    async with serving(host) as url:
        caller = WebCaller(url)
        await caller.dial()
        await caller.until(lambda: bool(caller.heard))

    await asyncio.wait_for(caller.ended.wait(), 10)
    await caller.close()
    assert host.live == 0
    assert _decoders() == 0


class _Junk(WebCaller):
    def __init__(self, url: str, sdp: str) -> None:
        super().__init__(url)
        self._sdp = sdp

    async def _post(self, offer: dict[str, str]) -> dict[str, str]:
        return await super()._post({**offer, "sdp": self._sdp})


class _Boundless(WebCaller):
    """Sends messages of any size, whatever the server says it takes."""

    async def _post(self, offer: dict[str, str]) -> dict[str, str]:
        answer = await super()._post(offer)
        return {**answer, "sdp": re.sub(r"a=max-message-size:\d+", "a=max-message-size:0", answer["sdp"])}


class _Deaf(WebCaller):
    async def _post(self, offer: dict[str, str]) -> dict[str, str]:
        await super()._post(offer)
        raise ChannelError("The answer got lost.")


def _tasks() -> int:
    return len(asyncio.all_tasks())


def _decoders() -> int:
    return sum("decoder" in thread.name for thread in threading.enumerate())


def _lines_held() -> bool:
    return any(task.get_name().startswith("web-call-") for task in asyncio.all_tasks())
