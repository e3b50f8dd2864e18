"""The whole twin for behaviour tests: the real server on a free port, in this process or in one of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx

from agent.engines.base import Voice, VoiceChunk
from agent.engines.voice.resample import Resampler
from agent.house import House
from agent.run import LiveCall
from agent.server import application
from agent.settings import load
from compliance.entries import Conversation as Kept
from compliance.entries import TurnEntry
from persona import home as persona_home
from tests.doubles.deepgram import Deepgram, Says, Script
from tests.doubles.twilio import serving
from tests.speech.make import path

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
SECRETS = {
    "DEEPGRAM_API_KEY": "stub",
    "OPENAI_API_KEY": "stub",
    "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
}
MEDIA_LIMIT_BYTES = 1_048_576


class Overheard:
    """A voice, and the chunks it gave, by sentence."""

    def __init__(self, voice: Voice) -> None:
        self.name = voice.name
        self.sentences: list[tuple[str, list[VoiceChunk]]] = []
        self._voice = voice

    async def speak(self, text: str, *, language: str) -> AsyncIterator[VoiceChunk]:
        chunks: list[VoiceChunk] = []
        self.sentences.append((text, chunks))
        async with aclosing(self._voice.speak(text, language=language)) as given:  # type: ignore[type-var]
            async for chunk in given:
                chunks.append(chunk)
                yield chunk

    def pcm(self, rate_hz: int, *, within: str | None = None) -> bytes:
        """The sentences, or those of them that are part of this answer, one after the other: int16 mono."""
        pcm = b""
        for text, chunks in self.sentences:
            if chunks and (within is None or text in within):
                resampler = Resampler(chunks[0].rate_hz, rate_hz)
                pcm += b"".join(resampler.feed(chunk.pcm) for chunk in chunks) + resampler.finish()
        return pcm


class Twin:
    """A running house and its address."""

    def __init__(self, url: str, house: House) -> None:
        self.url = url
        self.house = house

    async def live(self, *, timeout_s: float = 10.0) -> LiveCall:
        """The one call in progress."""
        async with asyncio.timeout(timeout_s):
            while not self.house.live:  # noqa: ASYNC110  the house announces nothing
                await asyncio.sleep(0.01)
        (live,) = self.house.live
        return live

    async def until(self, met: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
        """Wait for something to be true; looks every 10 ms."""
        async with asyncio.timeout(timeout_s):
            while not met():  # noqa: ASYNC110  a condition can be anything, nothing announces it
                await asyncio.sleep(0.01)

    async def overhear(self) -> Overheard:
        """From the next call on, keep what the voice says, to compare with what arrives.

        Saying it again for that would not do: espeak says nothing twice in the same way.
        """
        await self.until(lambda: not self.house.health() and self.house.openings.prepared)
        overheard = Overheard(self.house.lineup.voice)
        self.house.lineup.voice = cast(Voice, overheard)
        return overheard

    async def kept(self) -> list[Kept]:
        """What the vault has of all calls, newest first."""
        await self.house.vault.flush()
        found = [await self.house.vault.call(entry.id) for entry in await self.house.vault.calls()]
        return [kept for kept in found if kept is not None]

    async def all_over(self, *, timeout_s: float = 15.0) -> None:
        """Wait until no call is in progress."""
        async with asyncio.timeout(timeout_s):
            while self.house.live:  # noqa: ASYNC110  the house announces nothing
                await asyncio.sleep(0.02)


@asynccontextmanager
async def twin(home: Path, toml: str = "", *, environment: Mapping[str, str] = SECRETS) -> AsyncIterator[Twin]:
    """The demo twin with these settings, in this process."""
    _furnish(home, toml)
    house = House(load(home), persona_home.demo(), environment, home=home)
    app = application(house, environment)
    async with serving(app, ws_max_size=MEDIA_LIMIT_BYTES) as url:
        yield Twin(url, house)


@asynccontextmanager
async def twin_that_hears(
    home: Path, *texts: str, says: Says | None = None, more: str = ""
) -> AsyncIterator[tuple[Twin, Deepgram]]:
    """A twin whose recogniser is a local Deepgram server that "recognises" these texts, one per utterance, or what
    `says` gives."""
    async with Deepgram(Script(says=says or texts)) as deepgram:
        speech = f'[speech]\nengine = "deepgram"\nbase_url = "{deepgram.url}"\n'
        async with twin(home, speech + more) as running:
            yield running, deepgram


@asynccontextmanager
async def twin_process(
    home: Path, toml: str = "", *, environment: Mapping[str, str] = SECRETS, arguments: tuple[str, ...] = ()
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """`twin serve` as a process of its own; it is killed at the end if it still lives."""
    persona_home.write_example(home)
    (home / "twin.toml").write_text(_settings(toml), encoding="utf-8")
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent.cli", "serve", "--home", str(home), "--port", str(port), *arguments,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        await _ready(url, process)
        yield url, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _ready(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
        while True:
            if process.returncode is not None:
                out, _ = await process.communicate()
                raise AssertionError(f"twin serve ended with {process.returncode}: {out.decode()[-2000:]}")
            try:
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


def _furnish(home: Path, toml: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "twin.toml").write_text(_settings(toml), encoding="utf-8")


def _settings(toml: str) -> str:
    # No model hub in a test: what is here serves. And no face for who does not look at one.
    for section, engine in (("speech", "pocketsphinx"), ("face", "none")):
        if f"[{section}]" not in toml:
            toml = f'[{section}]\nengine = "{engine}"\n{toml}'
    return toml


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wav(name: str) -> bytes:
    """What a caller says: a WAV file of `tests/speech`."""
    return path(name).read_bytes()


def talk(kept: Kept) -> tuple[TurnEntry, ...]:
    """The turns from the caller's first on, without what the twin opened the call with."""
    first = next((at for at, turn in enumerate(kept.turns) if turn.who == "caller"), len(kept.turns))
    return kept.turns[first:]


def answers(kept: Kept) -> list[str]:
    """What the twin said to the caller, turn by turn."""
    return [turn.text for turn in talk(kept) if turn.who == "twin"]


def words(kept: Kept, who: str) -> list[str]:
    """What one side said, turn by turn, as it is stored."""
    return [turn.text for turn in kept.turns if turn.who == who]


def kinds(kept: Kept) -> list[str]:
    return [event.kind for event in kept.events]


def detail(kept: Kept, kind: str) -> Mapping[str, Any]:
    """The detail of the first event of that kind."""
    return next(event.detail for event in kept.events if event.kind == kind)
