"""The sign-in page, and signing out."""

from __future__ import annotations

import re
import secrets

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from compliance.console.cookies import Cookie
from compliance.console.forms import Form
from compliance.console.gate import SIGN_IN
from compliance.console.operators import Operators
from compliance.console.origin import Origins
from compliance.console.session import sign
from compliance.console.sessions import Sessions
from compliance.console.signin import Admitted, SignIn, TooManyTries
from compliance.console.templates import BASE
from compliance.console.views import Console, Visit
from compliance.errors import SignInRefused

_DEVICE_KEPT_S = 180 * 86_400
_DOOR = re.compile(r"[A-Za-z0-9_-]{43}")
_NEXT = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._:~-]*)*/?(\?[A-Za-z0-9._~=&%+-]*)?")


class SignInPages:
    """Their routes. The door is the cookie of a browser that has not signed in yet; its form is bound to it."""

    def __init__(
        self,
        console: Console,
        *,
        signin: SignIn,
        operators: Operators,
        sessions: Sessions,
        origins: Origins,
        session_cookie: Cookie,
    ) -> None:
        self._console = console
        self._signin = signin
        self._operators = operators
        self._sessions = sessions
        self._origins = origins
        self._cookie = session_cookie
        self._door = Cookie("twin-door", https=origins.is_https)
        self._device = Cookie("twin-device", https=origins.is_https, keep_s=_DEVICE_KEPT_S)
        self._has_operators = False
        self.routes = APIRouter()
        self.routes.add_api_route(SIGN_IN, self._show, methods=["GET"])
        self.routes.add_api_route(SIGN_IN, self._enter, methods=["POST"])
        self.routes.add_api_route("/sign-out", self._leave, methods=["POST"])

    async def _show(self, request: Request) -> Response:
        onward = safe_next(request.query_params.get("next", ""))
        if request.state.visit is not None:
            return RedirectResponse(BASE + onward, status_code=303)
        return await self._page(request, onward)

    async def _enter(self, request: Request) -> Response:
        form: Form = request.state.form
        onward = safe_next(form.get("next", ""))
        door = self._door.read(request)
        if not (_DOOR.fullmatch(door) and secrets.compare_digest(form.get("csrf", "").encode(), _token(door))):
            text = "This page was open for too long, or its cookie was refused. Try again."
            return await self._page(request, onward, wrong=text, status=403)
        try:
            admitted = await self._signin.attempt(
                name=form.get("name", ""),
                passphrase=form.get("passphrase", ""),
                code=form.get("code", ""),
                address=self._origins.address(request),
                device=self._device.read(request),
            )
        except TooManyTries as error:
            response = await self._page(request, onward, wrong=error.message, status=429)
            response.headers["Retry-After"] = str(error.wait_s)
            return response
        except SignInRefused as error:
            return await self._page(request, onward, wrong=error.message, status=401)
        return await self._let_in(request, onward, admitted)

    async def _let_in(self, request: Request, onward: str, admitted: Admitted) -> Response:
        # Whatever session the browser brought along ends here; the new token was never seen before.
        before = await self._sessions.find(self._cookie.read(request))
        if before is not None:
            await self._sessions.end(before.id)
        response = RedirectResponse(BASE + onward, status_code=303)
        self._cookie.write(response, admitted.token)
        self._device.write(response, admitted.device)
        self._door.drop(response)
        return response

    async def _leave(self, visit: Visit) -> Response:
        await self._sessions.end(visit.session.id)
        response = RedirectResponse(BASE + SIGN_IN, status_code=303)
        self._cookie.drop(response)
        return response

    async def _page(self, request: Request, onward: str, *, wrong: str = "", status: int = 200) -> Response:
        # Asked until there is one; then never again, so that the page costs a stranger's flood nothing.
        self._has_operators = self._has_operators or bool(await self._operators.list())
        door = self._door.read(request)
        door = door if _DOOR.fullmatch(door) else secrets.token_urlsafe(32)
        values = {
            "owner_name": self._console.desk.owner_name,
            "title": "Sign in",
            "csrf": _token(door).decode(),
            "next": onward,
            "wrong": wrong,
            "has_operators": self._has_operators,
        }
        response = HTMLResponse(await self._console.templates.render("sign-in.html", values), status_code=status)
        self._door.write(response, door)
        return response


def safe_next(path: str) -> str:
    """Where to go after the sign-in: a plain path below the console, and home for anything else."""
    if len(path) > 500 or not path.startswith("/") or path.startswith("//") or not _NEXT.fullmatch(path):
        return "/"
    return "/" if path.startswith(SIGN_IN) else path


def _token(door: str) -> bytes:
    return sign(door.encode(), "csrf of the door").encode()
