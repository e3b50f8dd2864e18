"""The one way into the console, before any page's function runs.

Closed unless open: whoever is not signed in gets the sign-in page for every address but a few, whether there is
something at it or not. A POST needs our own page behind it, a form within limits, and the session's CSRF token.
Every answer leaves with the headers of `headers.py`, errors too.
"""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from compliance.console.assets import STATIC_KEPT_S, is_static
from compliance.console.cookies import Cookie
from compliance.console.error_pages import error_page, status_of
from compliance.console.forms import Form, read_form
from compliance.console.headers import secure
from compliance.console.origin import Origins
from compliance.console.sessions import Sessions
from compliance.console.templates import BASE
from compliance.console.views import POLL_HEADER, Console, PageVisit
from compliance.errors import TwinError

SIGN_IN = "/sign-in"
_LONGEST_URL = 4_096


class Gate:
    """ASGI middleware around all routes of the console."""

    def __init__(
        self, app: ASGIApp, *, console: Console, sessions: Sessions, origins: Origins, cookie: Cookie
    ) -> None:
        self._app = app
        self._console = console
        self._sessions = sessions
        self._origins = origins
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # There is no socket in the console; closing before the handshake is answered with 403.
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope, receive)
        send = self._secured(send, path_of(request))
        request.state.visit = None
        request.state.form = Form()
        try:
            refusal = await self._admit(request)
        except TwinError as error:
            refusal = await error_page(self._console, request, status_of(error), error.message)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if request.method == "POST":
            receive = _after_body(receive)
        await self._app(scope, receive, send)

    async def _admit(self, request: Request) -> Response | None:
        """None when the request may go on to its page."""
        console, path = self._console, path_of(request)
        # The public pages are dressed by the same files, under whatever name the twin is reached.
        dresses = request.method == "GET" and is_static(path)
        if not dresses and not self._origins.is_our_host(request.headers.get("host", "")):
            text = "The console is not served under this name. Set [console] public_url to the address you use."
            return await error_page(console, request, 421, text)
        if request.method not in ("GET", "POST"):
            return await error_page(console, request, 405, "Nothing can be done here in this way.")
        if len(request.url.path) + len(request.url.query) > _LONGEST_URL:
            return await error_page(console, request, 414, "This address is too long.")
        if request.method == "POST" and not self._origins.is_ours(request):
            return await error_page(console, request, 403, "This form was not sent by a page of the console.")
        if is_static(path):
            return None
        session = await self._sessions.find(self._cookie.read(request), is_use=POLL_HEADER not in request.headers)
        if path == SIGN_IN:
            request.state.form = await read_form(request) if request.method == "POST" else Form()
            request.state.visit = PageVisit(console, session, request, Form()) if session else None
            return None
        if session is None:
            return await self._sign_in_first(request)
        form = Form()
        if request.method == "POST":
            form = await read_form(request)
            if not session.is_csrf(request.headers.get("x-csrf-token") or form.get("csrf", "")):
                text = "This form belongs to another sign-in. Go back, load the page again, and repeat it."
                return await error_page(console, request, 403, text)
        request.state.visit = PageVisit(console, session, request, form)
        return None

    async def _sign_in_first(self, request: Request) -> Response:
        here = path_of(request) + (f"?{request.url.query}" if request.url.query else "")
        where = f"{BASE}{SIGN_IN}?next={quote(here, safe='')}" if request.method == "GET" else BASE + SIGN_IN
        if request.headers.get("hx-request") == "true":
            # htmx follows this with the whole page; a fragment polled for is not where to return to.
            return Response(status_code=401, headers={"HX-Redirect": BASE + SIGN_IN})
        if request.method == "GET":
            return RedirectResponse(where, status_code=303)
        return await error_page(self._console, request, 401, "You are not signed in (any more). Sign in first.")

    def _secured(self, send: Send, path: str) -> Send:
        keep_s = STATIC_KEPT_S if is_static(path) else 0

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(
                    MutableHeaders(scope=message),
                    https=self._origins.is_https,
                    keep_s=keep_s if message["status"] == 200 else 0,
                )
            await send(message)

        return secured


def path_of(request: Request) -> str:
    """The path below the console, as `/calls`."""
    return str(request.scope["path"]).removeprefix(str(request.scope.get("root_path", ""))) or "/"


def _after_body(receive: Receive) -> Receive:
    """The gate has read the body: a page that reads it again finds it empty instead of waiting for ever."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return again
