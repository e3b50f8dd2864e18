"""Any OpenAI-compatible speech server: `POST {base_url}/audio/transcriptions` with the turn as a WAV file.

The interface takes whole files, so there are no partial results while the person speaks. The request is made
as soon as they fall silent, perhaps only for breath; when nothing more follows, its answer is the turn's.
"""

from __future__ import annotations

import asyncio
import io
import logging
import wave
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from agent.engines.base import Card, EngineConfig, Hypothesis, Speech
from agent.engines.speech.buffer import TurnAudio
from agent.engines.speech.latest import Latest
from compliance.errors import EngineError, EngineFailed, EngineMissing, EngineTimeout

logger = logging.getLogger(__name__)

CARD = Card(
    kind="speech",
    name="openai",
    about="any OpenAI-compatible speech server (OpenAI, Speaches, vLLM); no partial results while speaking",
    factory="agent.engines.speech.openai:create",
    keys=("OPENAI_API_KEY",),
    modules=("httpx",),
    falls_back_to="pocketsphinx",
)

OPENAI = "https://api.openai.com/v1"
MAX_TURN_S = 120.0
"""About 4 MB at 16 kHz; the oldest words of a longer turn are dropped."""


def create(config: EngineConfig) -> Speech:
    """The engine; `options` become form fields (`prompt`, ...). The key is optional on loopback."""
    return OpenAISpeech(config)


def is_loopback(url: str) -> bool:
    """Whether the server runs on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def wav(pcm: bytes, rate_hz: int) -> bytes:
    """int16 mono as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm)
    return file.getvalue()


class OpenAISpeech:
    """The engine: one HTTP client, shared by all calls."""

    name = "openai"

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._base_url = (config.base_url or config.secrets.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")
        self._key = config.secrets.get("OPENAI_API_KEY", "")
        self._client: httpx.AsyncClient | None = None
        self._hearings: set[OpenAIHearing] = set()

    async def start(self) -> None:
        if not self._key and not is_loopback(self._base_url):
            raise EngineMissing(
                "speech engine openai needs a key: set OPENAI_API_KEY in the environment or in .env"
            )
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        timeout = httpx.Timeout(self._config.total_timeout_s, connect=5.0)
        self._client = httpx.AsyncClient(headers=headers, timeout=timeout)

    async def open(self, *, rate_hz: int, language: str) -> OpenAIHearing:
        if self._client is None:
            raise EngineFailed("speech engine openai was not started")
        hearing = OpenAIHearing(self, rate_hz, language or self._config.language)
        self._hearings.add(hearing)
        hearing.on_close = self._hearings.discard
        return hearing

    async def transcribe(self, pcm: bytes, *, rate_hz: int, language: str) -> str:
        """The text of a turn, in one request."""
        assert self._client is not None
        default = "gpt-4o-mini-transcribe" if self._base_url == OPENAI else "whisper-1"
        fields = {"model": self._config.model or default, "response_format": "json", "temperature": "0"}
        if language:
            fields["language"] = language.split("-")[0].lower()
        try:
            async with asyncio.timeout(self._config.total_timeout_s):
                response = await self._client.post(
                    f"{self._base_url}/audio/transcriptions",
                    data={**fields, **self._config.options},
                    files={"file": ("turn.wav", wav(pcm, rate_hz), "audio/wav")},
                )
            response.raise_for_status()
            return str(response.json()["text"]).strip()
        except (TimeoutError, httpx.TimeoutException):
            limit_s = self._config.total_timeout_s
            raise EngineTimeout(f"the speech server took longer than {limit_s:g} s") from None
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            hint = "check OPENAI_API_KEY" if status in (401, 403) else "check base_url and model"
            raise EngineFailed(f"the speech server answered with status {status}: {hint}") from None
        except httpx.HTTPError as error:
            raise EngineFailed(f"the speech server cannot be reached ({type(error).__name__})") from None
        except (ValueError, KeyError, TypeError):
            raise EngineFailed("the speech server's answer is not a transcription; check base_url") from None

    async def close(self) -> None:
        await asyncio.gather(*(hearing.close() for hearing in list(self._hearings)))
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


class OpenAIHearing:
    """One person; at most one request at a time."""

    def __init__(self, speech: OpenAISpeech, rate_hz: int, language: str) -> None:
        self.on_close: Callable[[OpenAIHearing], None] | None = None
        self._speech = speech
        self._language = language
        self._audio = TurnAudio(rate_hz, max_s=MAX_TURN_S)
        self._latest = Latest()
        self._request: asyncio.Task[str] | None = None
        self._asked_up_to = 0

    def feed(self, pcm: bytes) -> None:
        self._audio.feed(pcm)

    def onset(self) -> None:
        self._audio.onset()
        self._drop_request()  # its text would lack what is being said now

    def offset(self) -> None:
        self._audio.offset()
        if self._audio.speech:
            self._ask()

    def _ask(self) -> asyncio.Task[str]:
        self._drop_request()
        self._asked_up_to = self._audio.end
        self._request = asyncio.create_task(self._transcribe(self._audio.read()), name="openai transcribe")
        return self._request

    async def _transcribe(self, pcm: bytes) -> str:
        text = await self._speech.transcribe(pcm, rate_hz=self._audio.rate_hz, language=self._language)
        self._latest.put(Hypothesis(text))
        return text

    def _drop_request(self) -> None:
        request, self._request = self._request, None
        if request is not None:
            request.add_done_callback(_forget)
            request.cancel()

    async def finish(self) -> str:
        request = self._request
        if request is None or not self._audio.covered_by(self._asked_up_to):
            if self._audio.end == self._audio.start:
                return ""
            request = self._ask()
        self._request = None
        self._audio.finish(self._asked_up_to)
        try:
            return await request
        except EngineError as error:
            raise type(error)(error.message) from None
        finally:
            request.cancel()

    def hypotheses(self) -> AsyncIterator[Hypothesis]:
        return self._latest.read()

    async def close(self) -> None:
        self._latest.close()
        request = self._request
        self._drop_request()
        if request is not None:
            await asyncio.wait({request}, timeout=1.0)
        if self.on_close is not None:
            self.on_close(self)


def _forget(request: asyncio.Task[str]) -> None:
    """A dropped request may have failed; nobody waits for it, and asyncio would complain."""
    if not request.cancelled():
        request.exception()
