"""A stand-in for the model hub: one repository of small files, with resumable downloads, on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from dataclasses import dataclass, field
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """`async with Hub("owner/name", {"model.bin": b"..."}) as hub: ... hub.url`; set it as `HF_ENDPOINT`."""

    repository: str
    files: dict[str, bytes]
    cut_after_bytes: int | None = None
    """Breaks a download off after so much, as a lost connection does."""
    ranges: list[str] = field(default_factory=list)
    """The `Range` headers that came: a resumed download asks for the rest."""

    def __post_init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        routes = [
            Route("/api/models/{rest:path}", self._info),
            Route("/{owner}/{name}/resolve/{revision}/{file:path}", self._file, methods=["GET", "HEAD"]),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The hub's address."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._socket.listen()
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="hub double")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        assert self._serving is not None
        await asyncio.wait({self._serving}, timeout=5)
        self._socket.close()

    async def _info(self, request: Request) -> Response:
        rest = request.path_params["rest"]
        if not rest.startswith(self.repository):
            return JSONResponse({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        if "/tree/" in rest:
            tree = [
                {"type": "file", "path": name, "size": len(data), "oid": self._etag(name)}
                for name, data in self.files.items()
            ]
            return JSONResponse(tree)
        siblings = [{"rfilename": name, "size": len(data)} for name, data in self.files.items()]
        return JSONResponse({"id": self.repository, "sha": COMMIT, "siblings": siblings})

    def _etag(self, name: str) -> str:
        return hashlib.sha1(self.files[name], usedforsecurity=False).hexdigest()

    async def _file(self, request: Request) -> Response:
        name = request.path_params["file"]
        data = self.files[name]
        headers = {"ETag": f'"{self._etag(name)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if request.method == "HEAD":
            return Response(b"", 200, {**headers, "Content-Length": str(len(data))})
        start = 0
        if asked := request.headers.get("range"):
            self.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").split("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        body = data[start:]
        headers["Content-Length"] = str(len(body))
        if self.cut_after_bytes is not None and len(body) > self.cut_after_bytes:
            body = body[: self.cut_after_bytes]
        return Response(body, 206 if asked else 200, headers)
