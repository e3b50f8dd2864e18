"""What the benchmarks run on: stub engines of known delay, our server and the peer's, each its own process."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from channels.twilio import mulaw
from persona import home as persona_home
from tests.doubles.twilio import PhoneCall, pcm_8k
from tests.speech.make import path as speech

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = "AC" + "0" * 32
ANSWER = "Certainly, we open at nine."
SOUND = 300
"""int16 level from which a sample is sound, above mu-law's idle noise."""


@dataclass(frozen=True, slots=True)
class Delays:
    """What the stubs take, in milliseconds."""

    speech_ms: float = 100.0
    """From `Finalize` to the final words."""
    first_token_ms: float = 200.0
    token_ms: float = 20.0
    voice_ms: float = 80.0
    """To the first audio."""
    end_of_turn_ms: float = 800.0
    """Silence both bots wait for; the recogniser's delay passes within it."""

    @property
    def stubs_ms(self) -> float:
        """From the caller's last sound to the first audio, if we took no time at all: the stubs and the wait."""
        tokens = len(ANSWER.split()) - 1
        return self.end_of_turn_ms + self.first_token_ms + tokens * self.token_ms + self.voice_ms


@dataclass(frozen=True, slots=True)
class Stubs:
    speech: str
    brain: str
    voice: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def process(
    arguments: Sequence[str], *, cores: set[int] | None = None, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python process on the given cores, ended at the end."""

    def pin() -> None:
        if cores and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, cores)

    running = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={**os.environ, **environment}, preexec_fn=pin,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=None if os.environ.get("BENCH_DEBUG") else asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield running
    finally:
        if running.returncode is None:
            running.terminate()
            try:
                await asyncio.wait_for(running.wait(), 20)
            except TimeoutError:
                running.kill()
                await running.wait()


@asynccontextmanager
async def stubs(delays: Delays, *, cores: set[int] | None = None) -> AsyncIterator[Stubs]:
    """The three stub servers."""
    ports = [free_port() for _ in range(3)]
    commands = (
        f"deepgram --port {ports[0]} --delay-ms {delays.speech_ms} --text open?",
        f"openai_chat --port {ports[1]} --first-token-ms {delays.first_token_ms} --token-ms {delays.token_ms}",
        f"openai_voice --port {ports[2]} --delay-ms {delays.voice_ms}",
    )
    async with AsyncExitStack() as stack:
        for command in commands:
            name, *arguments = command.split()
            if name == "openai_chat":
                arguments += ["--text", ANSWER]
            await stack.enter_async_context(process(["-m", f"tests.doubles.{name}", *arguments], cores=cores))
        for port in ports:
            await listening(port)
        yield Stubs(
            f"ws://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}/v1", f"http://127.0.0.1:{ports[2]}/v1"
        )


async def listening(port: int, *, limit_s: float = 30.0) -> None:
    """Wait until something accepts connections."""
    async with asyncio.timeout(limit_s):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def ready(url: str, *, limit_s: float = 60.0) -> None:
    async with asyncio.timeout(limit_s), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.01)


@asynccontextmanager
async def our_bot(
    servers: Stubs | None, delays: Delays, *, cores: set[int] | None = None, max_calls: int = 100
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """`twin serve` on the stubs, or (None) on the built-in engines."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        persona_home.write_example(home)
        (home / "twin.toml").write_text(_settings(servers, delays, max_calls), encoding="utf-8")
        port = free_port()
        secrets = dict.fromkeys(("DEEPGRAM_API_KEY", "OPENAI_API_KEY"), "stub")
        secrets |= {"TWILIO_AUTH_TOKEN": AUTH_TOKEN, "TWILIO_ACCOUNT_SID": ACCOUNT}
        command = ["-m", "agent.cli", "serve", "--home", str(home), "--port", str(port)]
        async with process(command, cores=cores, **secrets) as running:
            url = f"http://127.0.0.1:{port}"
            await ready(url)
            yield url, running


def _settings(servers: Stubs | None, delays: Delays, max_calls: int) -> str:
    common = (
        f"[limits]\nmax_calls = {max_calls}\ndrain_s = 0\n"
        f"[turns]\nend_of_turn_ms = {delays.end_of_turn_ms:.0f}\ncomplete_ms = {delays.end_of_turn_ms:.0f}\n"
        # A port that nothing answers: the benchmark's phone does not need the REST hang-up.
        '[twilio]\napi_base_url = "http://127.0.0.1:9"\n'
    )
    if servers is None:
        return common + '[speech]\nengine = "pocketsphinx"\n'
    return common + (
        f'[speech]\nengine = "deepgram"\nbase_url = "{servers.speech}"\n'
        f'[brain]\nengine = "openai"\nmodel = "stub"\nbase_url = "{servers.brain}"\n'
        f'[voice]\nengine = "openai"\nbase_url = "{servers.voice}"\n'
    )


@asynccontextmanager
async def example_bot(servers: Stubs) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Pipecat's example bot on the same stubs."""
    port = free_port()
    command = ["-m", "tests.bench.example_bot", "--port", str(port), "--speech", servers.speech]
    command += ["--brain", servers.brain, "--voice", servers.voice]
    async with process(command) as running:
        url = f"http://127.0.0.1:{port}"
        await ready(url)
        yield url, running


class TimedCall(PhoneCall):
    """A phone that notes when sound arrived, and when any media did."""

    def __init__(self, base_url: str, **options: Any) -> None:
        super().__init__(base_url, auth_token=AUTH_TOKEN, posts_status=False, **options)
        self.sound_at: list[float] = []
        self.opened_at = 0.0

    async def connect(self, **options: Any) -> None:
        self.opened_at = time.monotonic()
        await super().connect(**options)

    async def _take(self, message: dict[str, Any]) -> None:
        if message["event"] == "media":
            codes = base64.b64decode(message["media"]["payload"])
            if np.abs(np.frombuffer(mulaw.decode(codes), np.int16).astype(np.int32)).max(initial=0) > SOUND:
                self.sound_at.append(time.monotonic())
        await super()._take(message)

    async def first_sound_after(self, at: float, *, limit_s: float = 15.0) -> float:
        """When the first sound after `at` arrived."""
        await self.until(lambda: bool(self.sound_at) and self.sound_at[-1] > at, timeout_s=limit_s)
        return next(sound for sound in self.sound_at if sound > at)

    async def quiet(self, *, for_s: float = 0.8, limit_s: float = 30.0) -> None:
        """Wait until no sound arrived for a while."""
        await self.until(
            lambda: bool(self.sound_at) and time.monotonic() - self.sound_at[-1] > for_s, timeout_s=limit_s
        )


def question(name: str = "ask_price") -> bytes:
    """A caller's question at 8 kHz, without silence at its end: its last sample is the caller's last sound."""
    samples = np.frombuffer(pcm_8k(speech(name).read_bytes()), np.int16)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 800)
    return samples[loud[0] : loud[-1] + 1].tobytes()
