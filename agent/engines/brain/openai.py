"""Any server that speaks OpenAI's chat completions, by `base_url`.

The protocol is read from httpx directly instead of through the `openai` package: its stream builds a pydantic
object per token, which costs several times as much processor time as the parsing below, on the thread that also
carries the audio of every call.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from agent.engines.base import Card, EngineConfig, Piece
from agent.engines.brain.tool_calls import Calls, as_functions, as_messages
from compliance.errors import EngineFailed, EngineMissing, EngineTimeout, SettingsError
from persona.prompt import Prompt, chat_messages

logger = logging.getLogger(__name__)

CARD = Card(
    kind="brain",
    name="openai",
    about="OpenAI's models, or any server that speaks their chat completions (Ollama, vLLM, ...) by base_url",
    factory="agent.engines.brain.openai:create",
    keys=("OPENAI_API_KEY",),
    modules=("httpx",),
    falls_back_to="grounded",
)

BASE_URL = "https://api.openai.com/v1"
MODEL = "gpt-4o-mini"
_OPTIONS = (
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "reasoning_effort",
    "service_tier",
    "seed",
    "stop",
    "frequency_penalty",
    "presence_penalty",
    "verbosity",
)
_KEEP_IDLE_S = 240.0
"""httpx drops an idle connection after 5 s; a caller thinks for longer than that between two turns."""
_DRAIN_S = 0.1
"""After the last word the stream is read to its very end, because only then is the connection kept; a server that
leaves it open is not waited for any longer than this."""
_LINE_BYTES = 1 << 20
"""A longer line is no token."""
_START_TIMEOUT_S = 5.0


def create(config: EngineConfig) -> OpenAIBrain:
    """The engine for a `[brain]` section. Raises `SettingsError` or `EngineMissing`; connects to nothing."""
    return OpenAIBrain(config)


class OpenAIBrain:
    """Chat completions over one pool of kept connections."""

    def __init__(self, config: EngineConfig) -> None:
        base_url = (config.base_url or config.secrets.get("OPENAI_BASE_URL") or BASE_URL).rstrip("/")
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError('[brain] base_url is no web address; write one as "http://127.0.0.1:11434/v1"')
        model = config.model or (MODEL if base_url == BASE_URL else "")
        if not model:
            raise SettingsError("[brain] model is not set; name a model that the server has")
        key = config.secrets.get("OPENAI_API_KEY", "")
        if not key and not _is_loopback(parts.hostname):
            raise EngineMissing("OPENAI_API_KEY is not set; set it in the environment or in .env")
        self._url = f"{base_url}/chat/completions"
        self._models_url = f"{base_url}/models"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._body: dict[str, Any] = {"model": model, "stream": True, **_options(config.options)}
        self._first_token_s = config.first_token_timeout_s
        self._total_s = config.total_timeout_s
        self._client: httpx.AsyncClient | None = None

    @property
    def name(self) -> str:
        return "openai"

    async def start(self) -> None:
        """Open a connection and try the key on it. A server that is out of reach raises `EngineFailed`; the engine
        works all the same once the server is back."""
        client = self._connected()
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                response = await client.get(self._models_url)
        except TimeoutError:
            raise EngineFailed("the language model's server does not answer; check [brain] base_url") from None
        except httpx.HTTPError as error:
            raise _unreachable(error) from None
        if response.status_code in (401, 403):
            raise _refused(response.status_code)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Stream the answer; see `Brain.answer`. Between two tokens it waits no longer than for the first.

        Only waiting for the server counts as time: a reader that takes its time does not spend the limit.
        """
        body = {**self._body, "messages": [*chat_messages(prompt), *as_messages(prompt.exchanges)]}
        if prompt.tools:
            body["tools"] = as_functions(prompt.tools)
        lines = self._lines(body)
        calls = Calls()
        left_s = self._total_s
        spoke = done = False
        loop = asyncio.get_running_loop()
        # `aclosing`: a reader that stops must close the HTTP stream now, not when the garbage is collected.
        async with contextlib.aclosing(lines):
            patience_s = min(self._first_token_s, left_s)
            while True:
                begun = loop.time()
                try:
                    # The limit encloses one wait and never a `yield`: there it would cancel the reader's own task.
                    async with asyncio.timeout(_DRAIN_S if done else patience_s):
                        line = await anext(lines, None)
                except TimeoutError:
                    if done:
                        break
                    raise EngineTimeout("the language model took too long; its server may be overloaded") from None
                except httpx.HTTPError as error:
                    if done:
                        break
                    raise _unreachable(error) from None
                if line is None:
                    break
                if done:
                    continue
                waited_s = loop.time() - begun
                left_s -= waited_s
                patience_s = min(patience_s - waited_s, left_s)
                text, done = _token(line, calls)
                if text:
                    spoke = True
                    patience_s = min(self._first_token_s, left_s)
                    yield Piece(text)
        if not done:
            raise EngineFailed("the language model's stream was cut off")
        for call in calls.whole:
            yield Piece("", call=call)
        if not spoke and not calls.whole:
            raise EngineFailed("the language model answered without a word")

    async def _lines(self, body: dict[str, Any]) -> AsyncGenerator[bytes]:
        """The `data:` lines of the event stream, without their prefix."""
        async with contextlib.AsyncExitStack() as stack:
            response = await self._open(stack, body)
            if response.status_code != 200:
                raise _refused(response.status_code)
            pending = b""
            async for chunk in response.aiter_bytes():
                *whole, pending = (pending + chunk).split(b"\n")
                if len(pending) > _LINE_BYTES:
                    raise EngineFailed("the language model's server sent no event stream")
                for line in whole:
                    if line.startswith(b"data:"):
                        yield line[5:].strip()

    async def _open(self, stack: contextlib.AsyncExitStack, body: dict[str, Any]) -> httpx.Response:
        client = self._connected()
        try:
            return await stack.enter_async_context(client.stream("POST", self._url, json=body))
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # A server may close a kept connection at the very moment it is used again; the request was not read
            # then.
            logger.info("the language model's server closed a kept connection")
            return await stack.enter_async_context(client.stream("POST", self._url, json=body))

    def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            limits = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=_KEEP_IDLE_S)
            self._client = httpx.AsyncClient(headers=self._headers, limits=limits, timeout=None)
        return self._client


def _token(line: bytes, calls: Calls) -> tuple[str, bool]:
    """The text in one event, and whether the stream ends with it. Pieces of tool calls go to `calls`."""
    if line == b"[DONE]":
        return "", True
    try:
        event = json.loads(line)
        if "error" in event:
            raise EngineFailed("the language model's server reported an error in mid-answer")
        choices = event.get("choices") or [{}]
        delta = choices[0].get("delta") or {}
        text = delta.get("content") or ""
        calls.feed(delta.get("tool_calls") or ())
        finished = choices[0].get("finish_reason") is not None
    except (ValueError, TypeError, AttributeError, LookupError):
        raise EngineFailed("the language model's server sent no chat completion; check [brain] base_url") from None
    if not isinstance(text, str):
        raise EngineFailed("the language model's server sent no text; check [brain] model")
    return text, finished


def _refused(status: int) -> EngineFailed | EngineMissing:
    if status in (401, 403):
        return EngineMissing(f"the language model's server refused OPENAI_API_KEY (HTTP {status}); check the key")
    if status == 404:
        return EngineFailed(
            "the language model's server has no such model or address; check [brain] model and base_url"
        )
    return EngineFailed(f"the language model's server answered HTTP {status}")


def _unreachable(error: httpx.HTTPError) -> EngineFailed:
    return EngineFailed(f"the language model's server broke the connection ({type(error).__name__})")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _options(options: dict[str, str]) -> dict[str, Any]:
    """Settings of the section as the server takes them: numbers as numbers."""
    values: dict[str, Any] = {}
    for key, written in options.items():
        if key not in _OPTIONS:
            raise SettingsError(
                f"[brain] has no key '{key}'; besides model and base_url there are: " + ", ".join(_OPTIONS)
            )
        try:
            values[key] = json.loads(written)
        except ValueError:
            values[key] = written
    return values
