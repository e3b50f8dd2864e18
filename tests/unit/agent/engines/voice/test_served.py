from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from agent.engines import registry
from agent.engines.base import EngineConfig
from agent.engines.voice import openai, server_process
from agent.engines.voice.fallback import TOLD, Fallback
from agent.engines.voice.keeper import Keeper
from agent.engines.voice.served import ServedSettings, ServedVoice, create
from compliance.errors import EngineFailed, EngineMissing, EngineTimeout, SettingsError
from persona.voice import models
from tests.doubles.openai_voice import OpenAIVoiceServer
from tests.doubles.voice_server import TOKEN, VoiceServer, until
from tests.unit.agent.engines.voice.gather import Sentence, keeps_the_contract, spoken
from tests.unit.persona.voice.server.test_app import tone_wav

SINE = "tests.doubles.sine_voice:SineVoice"
TEXT = "Good morning, this is the twin speaking."


def voice(cache: Path, *, engine: str = SINE, model: str = "", **options: str) -> ServedVoice:
    config = EngineConfig(name="xtts", model=model, cache=cache, options=options, first_token_timeout_s=5.0)
    return ServedVoice(config, ServedSettings.from_options("xtts", {"device": "cpu", **options}), engine=engine)


@asynccontextmanager
async def started(cache: Path, **options: str) -> AsyncIterator[ServedVoice]:
    engine = voice(cache, **options)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def pitch_hz(sentence: Sentence) -> float:
    samples = sentence.samples.astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * sentence.rate_hz / len(samples))


async def until_back(engine: ServedVoice, *, not_pid: int | None = None) -> None:
    await until(lambda: engine.pid not in (None, not_pid))


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_it_speaks_through_a_server_of_its_own(tmp_path: Path) -> None:
    async with started(tmp_path) as engine:
        assert engine.state == "ready"
        keeps_the_contract(await spoken(engine, TEXT), TEXT)
        pid = engine.pid
        assert pid is not None
        assert alive(pid)
    assert not alive(pid)
    assert engine.state == "stopped"


async def test_what_others_must_not_read_they_cannot(tmp_path: Path) -> None:
    async with started(tmp_path) as engine:
        state = tmp_path / "voice-server-xtts.json"
        assert stat.S_IMODE(state.stat().st_mode) == 0o600
        known = json.loads(state.read_text())
        async with httpx.AsyncClient() as stranger:
            assert (await stranger.get(f"{known['url']}/v1/voices")).status_code == 401
        assert engine.pid is not None
        assert known["token"] not in " ".join(psutil.Process(engine.pid).cmdline())
    assert not state.exists()


async def test_two_processes_share_one_server_and_one_takes_over(tmp_path: Path) -> None:
    first, second = voice(tmp_path), voice(tmp_path)
    await first.start()
    await second.start()
    assert first.pid == second.pid
    pid = first.pid
    await first.close()
    await until_back(second, not_pid=pid)
    keeps_the_contract(await spoken(second, TEXT), TEXT)
    await second.close()


async def test_a_killed_server_comes_back_and_knows_the_voice_again(tmp_path: Path) -> None:
    engine = voice(tmp_path)
    await engine.clone_from(tone_wav(330))
    await engine.start()
    assert pitch_hz(await spoken(engine, TEXT)) == pytest.approx(330, abs=3)
    pid = engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until_back(engine, not_pid=pid)
    assert pitch_hz(await spoken(engine, TEXT)) == pytest.approx(330, abs=3)
    assert sorted(os.listdir(tmp_path)) == ["voice-server-xtts.json", "voice-server-xtts.lock"]
    await engine.close()


async def test_the_fallback_says_the_rest_when_the_model_kills_its_process(tmp_path: Path) -> None:
    async with started(tmp_path) as engine, OpenAIVoiceServer() as other:
        second = openai.create(EngineConfig(name="openai", base_url=other.url))
        both = Fallback(engine, second)
        await second.start()
        text = "one two slowly die five six"
        keeps_the_contract(await spoken(both, text), text)
        assert other.asked[0].body["input"].endswith("die five six")
        await second.close()


async def test_eight_calls_a_kill_a_slow_client_and_one_that_leaves(tmp_path: Path) -> None:
    """With the second voice behind it every call hears all of its words, and learns that the voice has changed."""
    async with started(tmp_path) as engine, OpenAIVoiceServer() as other:
        second = openai.create(EngineConfig(name="openai", base_url=other.url))
        await second.start()
        both = Fallback(engine, second)
        told: list[tuple[str, str]] = []
        pid = engine.pid
        assert pid is not None

        async def call(text: str) -> None:
            TOLD.set(lambda old, new: told.append((old, new)))
            keeps_the_contract(await spoken(both, text), text)

        slow = await does_not_read(tmp_path)
        async with asyncio.timeout(60):
            async with aclosing(both.speak("endless slowly", language="en")) as chunks:
                await anext(chunks)
                calls = [asyncio.create_task(call("slowly " + "word " * 8 + "end"), name="call") for _ in range(8)]
                await anext(chunks)
            await until(lambda: engine.pid == pid and any(task.done() for task in calls))
            os.kill(pid, signal.SIGKILL)
            await asyncio.gather(*calls)
        assert ("xtts", "openai") in told
        slow.close()
        await until_back(engine, not_pid=pid)
        await second.close()


async def does_not_read(cache: Path) -> socket.socket:
    """A client that asks for an endless sentence and takes none of it."""
    known = json.loads((cache / "voice-server-xtts.json").read_text())
    client = socket.create_connection(("127.0.0.1", int(known["url"].rpartition(":")[2])))
    body = json.dumps({"input": "endless slowly", "voice": "low"})
    head = f"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {known['token']}\r\n"
    await asyncio.to_thread(client.sendall, f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return client


async def test_a_server_that_runs_elsewhere_is_used_as_it_is(tmp_path: Path) -> None:
    async with VoiceServer() as server:
        url = f"http://127.0.0.1:{server.port}/v1"
        engine = create(EngineConfig(name="xtts", base_url=url, voice="high", secrets={"XTTS_API_KEY": TOKEN}))
        await engine.start()
        assert engine.state == "elsewhere"
        assert pitch_hz(await spoken(engine, TEXT)) == pytest.approx(240, abs=3)
        await engine.close()


async def test_eight_calls_a_crash_and_one_that_leaves(tmp_path: Path) -> None:
    """Nobody waits without end: each call gets its whole sentence, or one clear error for the second voice."""
    async with started(tmp_path) as engine:
        pid = engine.pid

        async def call(text: str) -> str:
            try:
                keeps_the_contract(await spoken(engine, text), text)
            except EngineFailed:
                return "failed"
            return "said"

        async with asyncio.timeout(30):
            async with aclosing(engine.speak("endless slowly", language="en")) as chunks:
                await anext(chunks)
                texts = [f"slowly {'word ' * 8}".strip()] * 6 + ["slowly one two die"]
                calls = [asyncio.create_task(call(text), name="call") for text in texts]
                await anext(chunks)
            ends = await asyncio.gather(*calls)
        assert ends[-1] == "failed"
        await until_back(engine, not_pid=pid)
        keeps_the_contract(await spoken(engine, TEXT), TEXT)


async def test_while_its_server_is_away_it_says_so_at_once(tmp_path: Path) -> None:
    async with started(tmp_path) as engine:
        pid = engine.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: engine.pid is None)
        with pytest.raises(EngineFailed, match="voice xtts: its server is restarting"):
            await spoken(engine, TEXT)


async def test_a_server_ends_with_the_process_that_keeps_it(tmp_path: Path) -> None:
    program = f"""
import asyncio
from pathlib import Path
from tests.unit.agent.engines.voice.test_served import voice
async def main():
    engine = voice(Path({str(tmp_path)!r}))
    await engine.start()
    print(engine.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    keeping = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
    )
    assert keeping.stdout is not None
    pid = int(await asyncio.wait_for(keeping.stdout.readline(), 30))
    assert alive(pid)
    keeping.kill()
    await keeping.wait()
    await until(lambda: not alive(pid))


async def test_weights_that_are_missing_are_one_clear_line(tmp_path: Path) -> None:
    engine = voice(tmp_path, model="missing")
    with pytest.raises(EngineMissing, match=r"^sine voice: its weights are missing; run: make weights$"):
        await engine.start()
    await engine.close()


async def test_an_interpreter_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    engine = voice(tmp_path, python=str(tmp_path / "python"))
    with pytest.raises(EngineMissing, match="cannot be run"):
        await engine.start()
    await engine.close()


async def test_another_interpreter_keeps_its_own_libraries(tmp_path: Path) -> None:
    """Ours are only added behind them; here the same interpreter by another name."""
    own = tmp_path / "python"
    own.symlink_to(sys.executable)
    launch = server_process.Launch("xtts", str(own), ("--engine", "nothing"))
    process = await server_process.spawn(launch, "token")
    out, err = await process.communicate()
    assert b"there is no engine 'nothing'" in err or b"No module named" in err
    assert out == b""


async def test_it_forgets_a_voice_when_the_consent_ends(tmp_path: Path) -> None:
    async with started(tmp_path) as engine:
        await engine.clone_from(tone_wav(330))
        assert pitch_hz(await spoken(engine, TEXT)) == pytest.approx(330, abs=3)
        await engine.forget_voice()
        known = json.loads((tmp_path / "voice-server-xtts.json").read_text())
        headers = {"Authorization": f"Bearer {known['token']}"}
        async with httpx.AsyncClient(headers=headers) as client:
            voices = (await client.get(f"{known['url']}/v1/voices")).json()["voices"]
        assert [each["id"] for each in voices] == ["low", "high"]


async def test_a_sample_that_is_no_use_is_one_clear_line(tmp_path: Path) -> None:
    async with started(tmp_path) as engine:
        with pytest.raises(EngineMissing, match="shorter than 1 s: twin enroll voice"):
            await engine.clone_from(tone_wav(330, seconds=0.3))
    broken = tmp_path / "me.wav"
    broken.write_bytes(b"nothing")
    engine = voice(tmp_path, reference=str(broken))
    with pytest.raises(EngineMissing, match=r"\[voice\] reference"):
        await engine.start()
    await engine.close()


async def test_a_licence_comes_before_everything(tmp_path: Path) -> None:
    engine = create(EngineConfig(name="xtts", cache=tmp_path, options={"python": "python3"}))
    with pytest.raises(EngineMissing, match="twin voices accept xtts_v2"):
        await engine.start()
    models.accept("xtts_v2", tmp_path)
    with pytest.raises(EngineMissing, match="twin voices fetch xtts_v2"):
        await engine.start()
    pocket = create(EngineConfig(name="pocket_tts", language="de", cache=tmp_path, options={"python": "python3"}))
    with pytest.raises(EngineMissing, match="twin voices accept pocket_german"):
        await pocket.start()
    await engine.close()
    await pocket.close()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"device": "tpu"}, "device"),
        ({"threads": "many"}, "numbers"),
        ({"speed": "9"}, "speed"),
        ({"sped": "1"}, "'sped'"),
    ],
)
def test_wrong_settings_are_one_clear_line(options: dict[str, str], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        create(EngineConfig(name="xtts", options=options))


@pytest.mark.parametrize("name", ["xtts", "coqui", "pocket_tts"])
def test_the_cards_tell_their_licence(name: str) -> None:
    card = registry.card("voice", name)
    assert card.falls_back_to == "espeak"
    assert "licence" in card.licence or "weights" in card.licence
    assert "consent" in card.licence


async def test_a_model_that_breaks_again_and_again_gets_a_new_process(tmp_path: Path) -> None:
    async with started(tmp_path) as engine:
        pid = engine.pid
        for _ in range(2):
            with pytest.raises(EngineFailed):
                await spoken(engine, "break")
        await until_back(engine, not_pid=pid)
        keeps_the_contract(await spoken(engine, TEXT), TEXT)


async def test_a_model_that_loads_for_long_serves_once_it_is_there(tmp_path: Path) -> None:
    async def nothing(_: server_process.Address) -> None:
        pass

    launch = server_process.Launch("sine", sys.executable, ("--engine", SINE, "--device", "cpu"))
    keeper = Keeper(launch, tmp_path, on_ready=nothing, ready_timeout_s=0.001)
    with pytest.raises(EngineTimeout, match="its server is still starting"):
        await keeper.start()
    await until(lambda: keeper.address is not None)
    await keeper.close()
    assert keeper.state == "stopped"
