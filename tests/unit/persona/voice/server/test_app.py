from __future__ import annotations

import asyncio
import io
import socket
import wave

import httpx
import numpy as np
import pytest

from persona.voice.server.worker import Limits
from tests.doubles.sine_voice import RATE_HZ, WORD_MS
from tests.doubles.voice_server import VoiceServer, until

WORD_BYTES = 2 * RATE_HZ * WORD_MS // 1000


def tone_wav(pitch_hz: float, *, seconds: float = 2.0, rate_hz: int = 16000) -> bytes:
    times_s = np.arange(int(seconds * rate_hz)) / rate_hz
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((8000 * np.sin(2 * np.pi * pitch_hz * times_s)).astype("<i2").tobytes())
    return out.getvalue()


def pitch_hz(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * RATE_HZ / len(samples))


async def error(answer: httpx.Response) -> str:
    await answer.aread()
    return str(answer.json()["error"]["code"])


async def test_a_sentence_comes_piece_by_piece_as_it_is_made() -> None:
    async with VoiceServer() as server, server.say("one two slowly four") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "audio/pcm"
        assert answer.headers["x-sample-rate"] == str(RATE_HZ)
        pieces = [piece async for piece in answer.aiter_raw()]
    assert len(pieces) >= 2
    assert len(b"".join(pieces)) == 4 * WORD_BYTES
    assert pitch_hz(b"".join(pieces)) == pytest.approx(120, abs=2)


async def test_a_wav_names_its_rate() -> None:
    async with VoiceServer() as server:
        answer = await server.client.post("/v1/audio/speech", **server.request("one two", response_format="wav"))
    with wave.open(io.BytesIO(answer.content)) as file:
        assert file.getframerate() == RATE_HZ
        assert len(file.readframes(10**6)) == 2 * WORD_BYTES


async def test_speed_and_voice_reach_the_model() -> None:
    async with VoiceServer() as server:
        answer = await server.client.post("/v1/audio/speech", **server.request("one", voice="high", speed=2.0))
    assert len(answer.content) == WORD_BYTES // 2
    assert pitch_hz(answer.content) == pytest.approx(240, abs=10)


async def test_learns_a_voice_from_a_sample_and_forgets_it() -> None:
    async with VoiceServer() as server:
        learned = await server.client.put("/v1/voices/owner", content=tone_wav(330))
        assert learned.status_code == 204
        voices = (await server.client.get("/v1/voices")).json()["voices"]
        assert [voice["id"] for voice in voices] == ["low", "high", "owner"]
        answer = await server.client.post("/v1/audio/speech", **server.request("one two", voice="owner"))
        assert pitch_hz(answer.content) == pytest.approx(330, abs=4)
        await server.client.delete("/v1/voices/owner")
        gone = await server.client.post("/v1/audio/speech", **server.request("one", voice="owner"))
        assert gone.status_code == 400


@pytest.mark.parametrize(
    "sample", [b"no sound", tone_wav(100, seconds=0.2), tone_wav(0)], ids=["text", "short", "silent"]
)
async def test_a_sample_it_cannot_learn_from_is_refused(sample: bytes) -> None:
    async with VoiceServer() as server:
        answer = await server.client.put("/v1/voices/owner", content=sample)
        assert answer.status_code == 400
        assert await error(answer) == "refused"


@pytest.mark.parametrize(
    "body",
    [
        {"input": ""}, {"input": " "}, {"input": "x" * 1001}, {"input": 7}, {"input": "one", "voice": "nobody"},
        {"input": "one", "response_format": "mp3"}, {"input": "one", "speed": 9},
        {"input": "one", "speed": "fast"},
        {"input": "one", "language": "xx"},
    ],
)  # fmt: skip
async def test_what_cannot_be_said_is_refused_in_one_line(body: dict[str, object]) -> None:
    async with VoiceServer() as server:
        answer = await server.client.post("/v1/audio/speech", json=body)
        assert (answer.status_code, await error(answer)) == (400, "refused")
        assert not server.broken


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'"text"', b"\xff\xfe", b"[" * 70000])
async def test_a_broken_body_is_refused(content: bytes) -> None:
    async with VoiceServer() as server:
        answer = await server.client.post("/v1/audio/speech", content=content)
        assert answer.status_code == 400


async def test_nothing_but_health_without_the_token() -> None:
    async with VoiceServer() as server:
        for method, path in (("POST", "/v1/audio/speech"), ("GET", "/v1/voices"), ("GET", "/metrics"),
                             ("PUT", "/v1/voices/x"), ("DELETE", "/v1/voices/low")):  # fmt: skip
            for token in ("", "Bearer", "Bearer wrong"):
                answer = await server.client.request(method, path, headers={"Authorization": token})
                assert answer.status_code == 401, (method, path)
        health = await server.client.get("/healthz", headers={"Authorization": ""})
        assert health.json()["state"] == "ready"


async def test_a_client_that_leaves_stops_the_model() -> None:
    async with VoiceServer() as server:
        async with server.say("endless slowly") as answer:
            pieces = answer.aiter_raw()  # kept: it closes the answer when it goes
            await anext(pieces)
        await server.settled()
        assert server.worker.counts.outcomes["left"] == 1


async def test_a_client_that_leaves_the_line_is_not_spoken_for() -> None:
    async with VoiceServer(at_once=1) as server, server.say("endless slowly") as first:
        pieces = first.aiter_raw()  # kept: it closes the answer when it goes
        await anext(pieces)
        with pytest.raises(httpx.ReadTimeout):
            await server.client.post("/v1/audio/speech", **server.request("two"), timeout=0.2)
        await until(lambda: not server.worker.waiting)


async def test_when_all_places_are_taken_it_says_when_to_come_again() -> None:
    async with VoiceServer(at_once=1, limits=Limits(waiting=1)) as server, server.say("endless slowly") as first:
        pieces = first.aiter_raw()  # kept: it closes the answer when it goes
        await anext(pieces)
        second = asyncio.create_task(server.client.post("/v1/audio/speech", **server.request("two")))
        await until(lambda: bool(server.worker.waiting))
        third = await server.client.post("/v1/audio/speech", **server.request("three"))
        assert (third.status_code, await error(third)) == (503, "busy")
        assert third.headers["retry-after"] == "1"
        await first.aclose()
        assert (await second).status_code == 200


async def test_a_greedy_client_makes_room_and_is_told() -> None:
    async with VoiceServer(at_once=1, limits=Limits(waiting=2)) as server:
        async with server.say("endless slowly", client="greedy") as first:
            pieces = first.aiter_raw()  # kept: it closes the answer when it goes
            await anext(pieces)
            greedy = [
                asyncio.create_task(server.client.post("/v1/audio/speech", **server.request("two", "greedy")))
                for _ in range(2)
            ]
            await until(lambda: server.worker.waiting == 2)
            modest = asyncio.create_task(
                server.client.post("/v1/audio/speech", **server.request("three", "modest"))
            )
            done, _ = await asyncio.wait(greedy, return_when=asyncio.FIRST_COMPLETED, timeout=5)
            assert [answer.result().status_code for answer in done] == [503]
        statuses = sorted([answer.status_code for answer in await asyncio.gather(*greedy)])
        assert (statuses, (await modest).status_code) == ([200, 503], 200)


async def test_who_waits_too_long_is_told_so() -> None:
    async with VoiceServer(at_once=1, limits=Limits(wait_s=0.0)) as server, server.say("endless slowly") as first:
        pieces = first.aiter_raw()  # kept: it closes the answer when it goes
        await anext(pieces)
        second = asyncio.create_task(server.client.post("/v1/audio/speech", **server.request("two")))
        await until(lambda: bool(server.worker.waiting))
        server.worker.expire()
        answer = await second
        assert (answer.status_code, await error(answer)) == (503, "waited_too_long")


async def test_a_client_that_does_not_read_is_dropped_and_stalls_nobody() -> None:
    """`endless` makes a minute of sound in no time; the reader takes none of it."""
    async with VoiceServer(limits=Limits(stall_s=0.3)) as server:
        reader, writer = await asyncio.open_connection(sock=_small_socket(server.port), limit=1024)
        body = b'{"input": "endless", "voice": "low", "response_format": "pcm"}'
        head = "POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-token\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await server.client.post("/v1/audio/speech", **server.request("one two three"))
        assert len(answer.content) == 3 * WORD_BYTES
        await server.settled()
        await until(lambda: bool(server.worker.counts.outcomes["slow_client"]))
        assert not (await reader.read()).endswith(b"\r\n0\r\n\r\n")  # it was broken off, not ended
        writer.close()


def _small_socket(port: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    return client


async def test_one_sentence_that_breaks_the_model_is_that_sentences_failure() -> None:
    async with VoiceServer() as server:
        answer = await server.client.post("/v1/audio/speech", **server.request("break"))
        assert (answer.status_code, await error(answer)) == (500, "failed")
        assert (await server.client.post("/v1/audio/speech", **server.request("one"))).status_code == 200
        assert not server.broken


async def test_a_model_that_breaks_again_and_again_asks_for_a_new_process() -> None:
    async with VoiceServer() as server:
        for _ in range(2):
            await server.client.post("/v1/audio/speech", **server.request("break"))
        await server.settled()
        assert server.broken == ["2 sentences failed in a row (RuntimeError)"]


async def test_a_sentence_that_breaks_in_the_middle_is_not_taken_for_a_whole_one() -> None:
    async with VoiceServer() as server, server.say("slowly one two break") as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            await answer.aread()


async def test_no_sound_is_an_error() -> None:
    async with VoiceServer() as server:
        answer = await server.client.post("/v1/audio/speech", **server.request("mute"))
        assert (answer.status_code, await error(answer)) == (500, "failed")


async def test_eight_at_once_are_all_said_in_full() -> None:
    async with VoiceServer() as server:
        asked = [
            server.client.post("/v1/audio/speech", **server.request("slowly " + "word " * n, client=str(n)))
            for n in range(8)
        ]
        answers = await asyncio.gather(*asked)
    assert [len(answer.content) for answer in answers] == [(n + 1) * WORD_BYTES for n in range(8)]


async def test_the_metrics_count_what_happened() -> None:
    async with VoiceServer() as server:
        await server.client.post("/v1/audio/speech", **server.request("one two"))
        await server.client.post("/v1/audio/speech", **server.request("break"))
        text = (await server.client.get("/metrics")).text
    assert 'twin_voice_sentences_total{outcome="said"} 1' in text
    assert 'twin_voice_sentences_total{outcome="failed"} 1' in text
    assert "twin_voice_sound_seconds_total 0.500" in text
    assert "twin_voice_ready 1" in text


async def test_a_step_that_does_not_end_is_noticed() -> None:
    async with VoiceServer(limits=Limits(step_s=0.05)) as server:
        assert not server.worker.hangs
        asked = asyncio.create_task(server.client.post("/v1/audio/speech", **server.request("hang")))
        await until(lambda: server.worker.hangs)
        await asyncio.to_thread(server.worker.close, 0.1)
        assert await error(await asked) == "closing"
