"""A stand-in for the providers that clone voices, on loopback: ElevenLabs, Cartesia and Resemble, as documented.

It keeps the voices it was given, so that what was made can be listed and deleted, and refuses what the real ones
refuse: a wrong key, a missing file, a voice that is not there.
"""

from __future__ import annotations

import asyncio
import base64
import io
import itertools
import socket
import wave
from dataclasses import dataclass, field
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "the-key"


@dataclass
class Voice:
    """One that was made."""

    name: str
    fields: dict[str, str] = field(default_factory=dict)
    sounds: list[float] = field(default_factory=list)
    """Seconds of each file."""
    consent_s: float = 0.0
    built: bool = False


@dataclass
class Script:
    """How the provider behaves; may be changed while it runs."""

    status: int = 200
    """Of every answer, when it is not 200."""
    code: str = ""
    """The provider's word for what is wrong."""
    fails_at: str = ""
    """Only requests whose path ends so have that status."""
    page: int = 100
    hangs: bool = False


class VoiceClouds:
    """`async with VoiceClouds() as clouds: clouds.environment("elevenlabs")`."""

    def __init__(self) -> None:
        self.script = Script()
        self.voices: dict[str, Voice] = {}
        self.requests: list[str] = []
        self._ids = (f"voice{n}" for n in itertools.count(1))
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        routes = [
            Route("/eleven/v1/voices/add", self._eleven_add, methods=["POST"]),
            Route("/eleven/v1/voices/{id}", self._eleven_delete, methods=["DELETE"]),
            Route("/eleven/v2/voices", self._eleven_list, methods=["GET"]),
            Route("/cartesia/voices/clone", self._cartesia_clone, methods=["POST"]),
            Route("/cartesia/voices/{id}", self._cartesia_delete, methods=["DELETE"]),
            Route("/cartesia/voices", self._cartesia_list, methods=["GET"]),
            Route("/resemble/voices", self._resemble_create, methods=["POST"]),
            Route("/resemble/voices", self._resemble_list, methods=["GET"]),
            Route("/resemble/voices/{id}", self._resemble_delete, methods=["DELETE"]),
            Route("/resemble/voices/{id}/recordings", self._resemble_record, methods=["POST"]),
            Route("/resemble/voices/{id}/build", self._resemble_build, methods=["POST"]),
        ]
        application = Starlette(routes=routes)
        self._server = uvicorn.Server(
            uvicorn.Config(application, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
        )
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._socket.listen()
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="voice clouds double")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        assert self._serving is not None
        await asyncio.wait({self._serving}, timeout=5)
        self._socket.close()

    def environment(self, name: str, key: str = KEY) -> dict[str, str]:
        """The variables that lead to this server."""
        path = {"elevenlabs": "eleven"}.get(name, name)
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/{path}"
        return {f"{name.upper()}_API_KEY": key, f"{name.upper()}_API_URL": url}

    async def _refused(self, request: Request, key: str) -> Response | None:
        self.requests.append(f"{request.method} {request.url.path}")
        if self.script.hangs:
            await asyncio.sleep(3_600)
        if key != KEY:
            return JSONResponse({"detail": {"status": "invalid_api_key", "message": "Invalid."}}, 401)
        if self.script.status != 200 and request.url.path.endswith(self.script.fails_at):
            detail = {"status": self.script.code, "message": "What was sent is quoted here."}
            return JSONResponse({"detail": detail, "success": False}, self.script.status)
        return None

    async def _eleven(self, request: Request) -> Response | None:
        return await self._refused(request, request.headers.get("xi-api-key", ""))

    async def _eleven_add(self, request: Request) -> Response:
        if refused := await self._eleven(request):
            return refused
        async with request.form() as form:
            files = form.getlist("files")
            if not files or not form.get("name"):
                return JSONResponse({"detail": [{"loc": ["body"], "msg": "Field required"}]}, 422)
            voice_id = self._made(await _voice(form, "files"))
        return JSONResponse({"voice_id": voice_id, "requires_verification": False})

    async def _eleven_delete(self, request: Request) -> Response:
        if refused := await self._eleven(request):
            return refused
        if self.voices.pop(request.path_params["id"], None) is None:
            return JSONResponse({"detail": {"status": "voice_does_not_exist", "message": "..."}}, 400)
        return JSONResponse({"status": "ok"})

    async def _eleven_list(self, request: Request) -> Response:
        if refused := await self._eleven(request):
            return refused
        begin = int(request.query_params.get("next_page_token", "0"))
        named = [(i, v) for i, v in self.voices.items() if request.query_params["search"] in v.name]
        page = named[begin : begin + self.script.page]
        more = begin + len(page) < len(named)
        voices = [{"voice_id": i, "name": v.name} for i, v in page]
        token = str(begin + len(page)) if more else None
        return JSONResponse({"voices": voices, "has_more": more, "next_page_token": token})

    async def _bearer(self, request: Request) -> Response | None:
        return await self._refused(request, request.headers.get("authorization", "").removeprefix("Bearer "))

    async def _cartesia_clone(self, request: Request) -> Response:
        if refused := await self._bearer(request):
            return refused
        async with request.form() as form:
            if not isinstance(form.get("clip"), UploadFile) or not request.headers.get("cartesia-version"):
                return Response("clip is required", 400)
            voice = await _voice(form, "clip")
        return JSONResponse({"id": self._made(voice), "name": voice.name, "is_owner": True})

    async def _cartesia_delete(self, request: Request) -> Response:
        if refused := await self._bearer(request):
            return refused
        return Response(status_code=204 if self.voices.pop(request.path_params["id"], None) else 404)

    async def _cartesia_list(self, request: Request) -> Response:
        if refused := await self._bearer(request):
            return refused
        entries = [{"id": i, "name": v.name, "is_owner": True} for i, v in self.voices.items()]
        after = request.query_params.get("starting_after")
        begin = 1 + [entry["id"] for entry in entries].index(after) if after else 0
        page = entries[begin : begin + self.script.page]
        return JSONResponse({"data": page, "has_more": begin + len(page) < len(entries)})

    async def _resemble_create(self, request: Request) -> Response:
        if refused := await self._bearer(request):
            return refused
        asked: dict[str, Any] = await request.json()
        consent = base64.b64decode(asked["consent"], validate=True)
        voice = Voice(asked["name"], {"voice_type": asked["voice_type"]}, consent_s=_seconds(consent))
        item = {"uuid": self._made(voice), "name": voice.name, "status": "initializing"}
        return JSONResponse({"success": True, "item": item})

    async def _resemble_record(self, request: Request) -> Response:
        if refused := await self._bearer(request):
            return refused
        voice = self.voices.get(request.path_params["id"])
        if voice is None:
            return JSONResponse({"success": False, "message": "Not found"}, 404)
        async with request.form() as form:
            given = await _voice(form, "file")
        voice.sounds += given.sounds
        voice.fields |= given.fields
        return JSONResponse({"success": True, "item": {"uuid": "recording1"}})

    async def _resemble_build(self, request: Request) -> Response:
        if refused := await self._bearer(request):
            return refused
        voice = self.voices[request.path_params["id"]]
        voice.built = bool(voice.sounds)
        return JSONResponse({"success": voice.built})

    async def _resemble_list(self, request: Request) -> Response:
        if refused := await self._bearer(request):
            return refused
        size, number = self.script.page, int(request.query_params["page"])
        entries = [{"uuid": i, "name": v.name} for i, v in self.voices.items()]
        pages = max(1, -(-len(entries) // size))
        page = entries[(number - 1) * size : number * size]
        return JSONResponse({"success": True, "page": number, "page_count": pages, "items": page})

    async def _resemble_delete(self, request: Request) -> Response:
        if refused := await self._bearer(request):
            return refused
        if self.voices.pop(request.path_params["id"], None) is None:
            return JSONResponse({"success": False, "message": "Not found"}, 404)
        return JSONResponse({"success": True, "message": "Voice was deleted."})

    def _made(self, voice: Voice) -> str:
        voice_id = next(self._ids)
        self.voices[voice_id] = voice
        return voice_id


async def _voice(form: FormData, files: str) -> Voice:
    fields = {key: value for key, value in form.items() if isinstance(value, str)}
    uploads = [upload for upload in form.getlist(files) if isinstance(upload, UploadFile)]
    return Voice(fields.get("name", ""), fields, [_seconds(await upload.read()) for upload in uploads])


def _seconds(data: bytes) -> float:
    with wave.open(io.BytesIO(data)) as file:
        return float(file.getnframes() / file.getframerate())
