"""A voice behind one HTTP request per sentence, its audio streamed in the answer."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx

from agent.engines.base import VoiceChunk
from agent.engines.voice.estimate import Estimate, Pace, unspoken
from agent.engines.voice.limits import Limits
from agent.engines.voice.written import written_words
from compliance.errors import EngineFailed, EngineMissing, EngineTimeout

_READ_BYTES = 4800
"""100 ms at 24 kHz: small, so that the first sound does not wait for a full buffer."""
_MAX_SENTENCE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ask:
    """The request for one sentence."""

    url: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpVoice:
    """A `Voice`. Times are estimates."""

    def __init__(self, name: str, ask: Callable[[str, str], Ask], *, rate_hz: int, limits: Limits) -> None:
        """`ask` makes the request from text and language; `rate_hz` is that of raw PCM, a WAV names its own."""
        self._name = name
        self._ask = ask
        self._rate_hz = rate_hz
        self._limits = limits
        self._pace = Pace()
        self._client: httpx.AsyncClient | None = None

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        return self._name

    async def start(self) -> None:
        """Get ready; the first sentence opens the first connection."""
        if self._client is None:
            timeout = httpx.Timeout(self._limits.gap_s, connect=self._limits.first_audio_s)
            self._client = httpx.AsyncClient(timeout=timeout)

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def speak(self, text: str, *, language: str) -> AsyncGenerator[VoiceChunk, None]:
        """Stream one sentence; see `Voice.speak`. Leaving it early closes the connection, which stops the
        server's work."""
        if not any(word.spoken for word in written_words(text)):
            if (chunk := unspoken(text, self._rate_hz)) is not None:
                yield chunk
            return
        async with aclosing(self._synthesised(self._ask(text, language), text)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _synthesised(self, ask: Ask, text: str) -> AsyncGenerator[VoiceChunk, None]:
        if self._client is None:
            raise EngineFailed(f"{self._name}: not started")
        clock = asyncio.get_running_loop().time
        over_at = clock() + self._limits.total_s
        reader = PcmReader(self._rate_hz)
        estimate: Estimate | None = None
        request = self._client.build_request("POST", ask.url, json=ask.body, headers=dict(ask.headers))
        try:
            async with asyncio.timeout(self._limits.first_audio_s):
                response = await self._client.send(request, stream=True)
            try:
                self._check(response)
                pieces = response.aiter_bytes(_READ_BYTES)
                wait_s = self._limits.first_audio_s
                while (data := await _next(pieces, min(wait_s, over_at - clock()))) is not None:
                    if pcm := reader.feed(data):
                        estimate = estimate or Estimate(text, self._pace, reader.rate_hz)
                        yield VoiceChunk(pcm, reader.rate_hz, estimate.feed(pcm))
                        wait_s = self._limits.gap_s
            finally:
                await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            raise EngineTimeout(f"{self._name}: the server took too long") from None
        except httpx.HTTPError as error:
            # Its text may hold the address with a key in it.
            raise EngineFailed(f"{self._name}: the server is gone ({type(error).__name__})") from None
        if estimate is None:
            raise EngineFailed(f"{self._name}: the server sent no audio")
        yield VoiceChunk(b"", reader.rate_hz, estimate.finish())

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        kind = response.headers.get("content-type", "")
        if status in (401, 403):
            raise EngineMissing(f"{self._name}: the server refused the key; check it")
        if status in (400, 404, 422):
            raise EngineFailed(
                f"{self._name}: the server refused ({status}); check [voice] model, voice, base_url"
            )
        if status != 200 or "json" in kind or "html" in kind:
            raise EngineFailed(f"{self._name}: the server answered {status} {kind.partition(';')[0]}")


async def _next(pieces: AsyncIterator[bytes], limit_s: float) -> bytes | None:
    if limit_s <= 0:
        raise TimeoutError
    async with asyncio.timeout(limit_s):
        return await anext(pieces, None)


class PcmReader:
    """int16 mono out of a byte stream cut anywhere: raw PCM, or WAV, whose header names the rate. Pure."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._held = b""
        self._in_audio = False
        self._taken = 0

    def feed(self, data: bytes) -> bytes:
        """Whole samples, perhaps none. Raises `EngineFailed` for WAV that is not 16-bit mono, for MP3 and for
        a sentence without end."""
        self._taken += len(data)
        if self._taken > _MAX_SENTENCE_BYTES:
            raise EngineFailed("the voice's server sends without end")
        self._held += data
        if not self._in_audio and not self._skip_header():
            return b""
        whole = len(self._held) & ~1
        pcm, self._held = self._held[:whole], self._held[whole:]
        return pcm

    def _skip_header(self) -> bool:
        """True when the held bytes are audio. A WAV's sizes may be wrong in a stream; its chunks' order is not."""
        if len(self._held) < 4:
            return False
        if self._held.startswith((b"ID3", b"OggS", b"fLaC")):
            raise EngineFailed(
                "the voice's server sends compressed audio; it must support response_format pcm or wav"
            )
        if not self._held.startswith(b"RIFF"):
            self._in_audio = True
            return True
        at = 12
        while len(self._held) >= at + 8:
            kind, size = self._held[at : at + 4], struct.unpack_from("<I", self._held, at + 4)[0]
            if kind == b"data":
                self._held, self._in_audio = self._held[at + 8 :], True
                return True
            if len(self._held) < at + 8 + size:
                break
            if kind == b"fmt ":
                _, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", self._held, at + 8)
                if (channels, bits) != (1, 16) or not 8000 <= rate_hz <= 96000:
                    raise EngineFailed("the voice's server sends WAV that is not 16-bit mono")
                self.rate_hz = rate_hz
            at += 8 + size + size % 2
        if len(self._held) > 65536:
            raise EngineFailed("the voice's server sends a broken WAV")
        return False
