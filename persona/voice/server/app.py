"""OpenAI's speech protocol over the worker, and what a supervisor asks: voices, health, metrics.

POST   /v1/audio/speech   model, voice, input, response_format (pcm or wav), speed, language: sound as it is made
GET    /v1/models         /v1/voices
PUT    /v1/voices/NAME    a WAV file; learned and kept in memory only
DELETE /v1/voices/NAME
GET    /healthz           /metrics
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from persona.voice.server import wav
from persona.voice.server.engine import Refused, Sentence
from persona.voice.server.job import Dropped, Job
from persona.voice.server.waiting import Full
from persona.voice.server.worker import Worker

logger = logging.getLogger(__name__)

MAX_TEXT = 1000
MAX_BODY_BYTES = 64 * 1024
MAX_NAME = 64
CLIENT_HEADER = "x-twin-client"
"""Whose sentence it is: clients take turns. Without it, the address."""
_CHORE_S = 60.0
_STATUS = {"busy": 503, "waited_too_long": 503, "closing": 503, "refused": 400, "failed": 500}
_FORMATS = {"pcm": "audio/pcm", "wav": "audio/wav"}
Handler = Callable[[Request], Awaitable[Response]]


def build(worker: Worker, *, model: str, token: str) -> Starlette:
    """The application. With a token, all but `/healthz` asks for it."""

    async def refused(_: Request, error: Exception) -> Response:
        return _error(400, error.message if isinstance(error, Refused) else "", "refused")

    return Starlette(routes=_Routes(worker, model, token).all(), exception_handlers={Refused: refused})


class _Routes:
    def __init__(self, worker: Worker, model: str, token: str) -> None:
        self._worker = worker
        self._model = model
        self._token = token

    def all(self) -> list[Route]:
        guarded = self._guarded
        return [
            Route("/v1/audio/speech", guarded(self._speech), methods=["POST"]),
            Route("/v1/models", guarded(self._models)),
            Route("/v1/voices", guarded(self._voices)),
            Route("/v1/voices/{name}", guarded(self._learn), methods=["PUT"]),
            Route("/v1/voices/{name}", guarded(self._forget), methods=["DELETE"]),
            Route("/metrics", guarded(self._metrics)),
            Route("/healthz", self._health),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def checked(request: Request) -> Response:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if self._token and not hmac.compare_digest(given.encode(), self._token.encode()):
                return _error(401, "the token is missing or wrong", "unauthorized")
            return await handler(request)

        return checked

    async def _speech(self, request: Request) -> Response:
        worker = self._worker
        if worker.state != "ready":
            return _error(503, f"the model is {worker.state}", worker.state, retry_after_s=1)
        body = await _body(request, MAX_BODY_BYTES)
        try:
            asked = _Asked(json.loads(body or b""), worker.voices)
        except (ValueError, TypeError) as error:
            message = str(error) if isinstance(error, _Unfit) else "the body is not what /v1/audio/speech takes"
            return _error(400, message, "refused")
        client = request.headers.get(CLIENT_HEADER) or (request.client.host if request.client else "")
        job = Job(
            asked.sentence,
            client,
            now_s=time.monotonic(),
            most_unread_bytes=int(2 * worker.rate_hz * worker.limits.unread_s),
        )
        try:
            worker.submit(job)
        except Full:
            worker.counts.outcomes["busy"] += 1
            return _error(503, "too many sentences wait", "busy", retry_after_s=1)
        return _Speech(worker, job, asked.format)

    async def _models(self, request: Request) -> Response:
        return JSONResponse(
            {"object": "list", "data": [{"id": self._model, "object": "model", "owned_by": "twin"}]}
        )

    async def _voices(self, request: Request) -> Response:
        return JSONResponse({"voices": [{"id": name, "name": name} for name in self._worker.voices]})

    async def _learn(self, request: Request) -> Response:
        name = request.path_params["name"]
        if not name.isidentifier() or len(name) > MAX_NAME:
            return _error(400, "a voice's name is a word of letters, digits and _", "refused")
        try:
            samples, rate_hz = await asyncio.to_thread(wav.read, await _body(request, wav.MAX_BYTES))
            await _done(self._worker.learn(name, samples, rate_hz))
        except TimeoutError:
            return _error(503, "the model is busy", "busy", retry_after_s=5)
        return Response(status_code=204)

    async def _forget(self, request: Request) -> Response:
        try:
            await _done(self._worker.forget(request.path_params["name"]))
        except TimeoutError:
            return _error(503, "the model is busy", "busy", retry_after_s=5)
        return Response(status_code=204)

    async def _health(self, request: Request) -> Response:
        worker = self._worker
        state = {"state": worker.state, "model": self._model} | ({"why": worker.why} if worker.why else {})
        return JSONResponse(state, 200 if worker.state == "ready" else 503)

    async def _metrics(self, request: Request) -> Response:
        worker = self._worker
        return PlainTextResponse(
            worker.counts.text(waiting=worker.waiting, speaking=worker.speaking, ready=worker.state == "ready")
        )


class _Unfit(ValueError):
    """What was asked for cannot be served; the message is for the client."""


class _Asked:
    """The body of `/v1/audio/speech`, checked."""

    def __init__(self, body: Any, voices: tuple[str, ...]) -> None:
        if not isinstance(body, dict):
            raise _Unfit("the body must be a JSON object")
        text, voice = body.get("input"), body.get("voice") or ""
        self.format: str = body.get("response_format") or "wav"
        if not isinstance(text, str) or not text.strip():
            raise _Unfit("input: there is nothing to say")
        if len(text) > MAX_TEXT:
            raise _Unfit(f"input: at most {MAX_TEXT} characters; send it sentence by sentence")
        if self.format not in _FORMATS:
            raise _Unfit("response_format: pcm or wav")
        if voice not in voices:
            if voice or not voices:
                raise _Unfit("voice: there is none of that name; GET /v1/voices lists them")
            voice = voices[0]
        speed = float(body.get("speed") or 1.0)
        if not 0.25 <= speed <= 4:
            raise _Unfit("speed: must be from 0.25 to 4")
        self.sentence = Sentence(text, voice, str(body.get("language") or "en"), speed)


class _Speech(Response):
    """One job's sound. A client that goes away stops the model; one that does not read is dropped."""

    def __init__(self, worker: Worker, job: Job, format: str) -> None:
        super().__init__()
        self._worker = worker
        self._job = job
        self._format = format

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watching = asyncio.create_task(self._watch(receive), name="voice client")
        try:
            await self._serve(scope, receive, send)
        finally:
            watching.cancel()
            self._worker.leave(self._job)  # nothing to an ended job
            self._worker.counts.ended(self._job)

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._worker.leave(self._job)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            piece = await self._job.next()
        except Dropped as dropped:
            if dropped.reason != "left":
                answer = _error(_STATUS.get(dropped.reason, 500), str(dropped), dropped.reason, retry_after_s=1)
                await answer(scope, receive, send)
            return
        if piece is None:
            await _error(500, "the model made no sound", "failed")(scope, receive, send)
            return
        rate_hz = self._worker.rate_hz
        headers = [(b"content-type", _FORMATS[self._format].encode()), (b"x-sample-rate", str(rate_hz).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        piece = wav.header(rate_hz) + piece if self._format == "wav" else piece
        while piece is not None:
            try:
                await self._give(send, piece)
                piece = await self._job.next()
            except Dropped:
                # Without its end the answer breaks off: a client must not take the part for the whole.
                return
        await send({"type": "http.response.body", "body": b""})

    async def _give(self, send: Send, piece: bytes) -> None:
        try:
            async with asyncio.timeout(self._worker.limits.stall_s):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            self._job.fail("slow_client", "the client does not read its sound")
            raise Dropped("slow_client") from None


async def _body(request: Request, most_bytes: int) -> bytes:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most_bytes:
            raise Refused("what was sent is too long")
    return bytes(data)


async def _done(future: Future[None]) -> None:
    async with asyncio.timeout(_CHORE_S):
        await asyncio.wrap_future(future)


def _error(status: int, message: str, code: str, *, retry_after_s: int = 0) -> Response:
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s and status == 503 else {}
    return JSONResponse({"error": {"message": message, "type": code, "code": code}}, status, headers)
