"""The page and its one door for calls, as an `APIRouter`."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from channels.call import Host
from channels.web.lines import Lines
from channels.web.offer import read_offer
from channels.web.origin import may_call
from channels.web.settings import WebSettings
from compliance.errors import BadMessage, CallRefused

BODY_LIMIT_S = 5.0
"""An offer is a few kilobytes; who takes longer to send it holds a socket open for nothing."""
RETRY_AFTER_S = 5
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_ASSETS = {
    **{
        name: ("channels.web", f"page/{name}", "text/javascript")
        for name in (
            "app.js",
            "call.js",
            "captions.js",
            "face.js",
            "meter.js",
            "notices.js",
            "privacy.js",
            "sync.js",
        )
    },
    "style.css": ("channels.web", "page/style.css", "text/css"),
    "still.svg": ("avatar", "still.svg", "image/svg+xml"),
}


async def no_still() -> bytes | None:
    """There is no face yet."""
    return None


def router(
    host: Host,
    settings: WebSettings,
    *,
    status: Callable[[], Mapping[str, object]],
    still: Callable[[], Awaitable[bytes | None]] = no_still,
) -> APIRouter:
    """The routes of the browser channel; `status` gives what `/status.json` shows, `name` at least, and `still`
    the face of the calls at rest, as a JPEG.

    The router's lifespan ends its calls, so it has to be included in an application that runs lifespans.
    """
    lines = Lines(host, settings)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        await lines.close()

    routes = APIRouter(lifespan=lifespan)

    @routes.get("/", include_in_schema=False)
    async def page() -> Response:
        text = (await _read(resources.files("channels.web") / "page/index.html")).decode()
        name = html.escape(str(status().get("name", "")) or "the owner")
        return _secured(Response(text.replace("{{ name }}", name), media_type="text/html"))

    @routes.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        if name not in _ASSETS:
            return _error(404, "not_found", "There is no such file.")
        package, path, media_type = _ASSETS[name]
        return _secured(Response(await _read(resources.files(package) / path), media_type=media_type))

    @routes.get("/face", include_in_schema=False)
    async def face() -> Response:
        """Who will be seen in a call, or a stand-in while nobody is there."""
        if (jpeg := await still()) is not None:
            return _secured(Response(jpeg, media_type="image/jpeg"))
        package, path, media_type = _ASSETS["still.svg"]
        return _secured(Response(await _read(resources.files(package) / path), media_type=media_type))

    @routes.get("/status.json")
    async def status_json() -> Response:
        return _secured(JSONResponse(dict(status())))

    @routes.get("/webrtc/config")
    async def config() -> Response:
        servers = [
            {
                "urls": server.url,
                "username": server.username or "",
                "credential": server.credential.get_secret_value() if server.credential else "",
            }
            for server in settings.ice_servers
        ]
        return _secured(JSONResponse({"ice_servers": servers}))

    @routes.post("/webrtc/offer")
    async def offer(request: Request) -> Response:
        if not may_call(request.headers.get("origin"), request.headers.get("host", ""), settings.allowed_origins):
            return _error(403, "origin", "Calls from this page's address are not allowed: see allowed_origins.")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _error(415, "bad_message", "The offer must be sent as application/json.")
        try:
            async with asyncio.timeout(BODY_LIMIT_S):
                body = await _body(request, settings.offer_limit_bytes)
            return _secured(JSONResponse(await lines.answer(read_offer(body))))
        except TimeoutError:
            return _error(408, "bad_message", "The offer took too long to arrive.")
        except _TooLarge:
            return _error(413, "bad_message", f"The offer is larger than {settings.offer_limit_bytes} bytes.")
        except BadMessage as error:
            return _error(400, error.code, error.message)
        except CallRefused as error:
            refusal = _error(503, error.code, error.message)
            refusal.headers["Retry-After"] = str(RETRY_AFTER_S)
            return refusal

    return routes


class _TooLarge(Exception):
    """The body is over its limit."""


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _TooLarge
    return bytes(body)


async def _read(file: Traversable) -> bytes:
    return await asyncio.to_thread(file.read_bytes)


def _secured(response: Response) -> Response:
    response.headers.update(SECURITY_HEADERS)
    return response


def _error(status: int, code: str, message: str) -> Response:
    return _secured(JSONResponse({"error": {"code": code, "message": message}}, status_code=status))
