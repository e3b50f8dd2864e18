"""Every refusal and failure as a page: what happened, what to do, and nothing of the inside."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException as AnyHTTPException

from compliance.console.forms import FormRefused
from compliance.console.headers import secure
from compliance.console.views import Console
from compliance.errors import KeyGone, LedgerError, RequestError, SignInRefused, TwinError, VaultError

_TITLES = {
    400: "That did not work",
    401: "Not signed in",
    403: "Not allowed",
    404: "Nothing here",
    405: "Not in this way",
    408: "Too slow",
    410: "Forgotten",
    413: "Too large",
    414: "Too long",
    415: "Not a form",
    421: "Another address",
    429: "Too many tries",
    503: "Not now",
}
_TEXTS = {
    404: "There is nothing at this address, or it was deleted.",
    405: "Nothing can be done here in this way.",
}


def status_of(error: TwinError) -> int:
    """The HTTP status of an error of ours."""
    if isinstance(error, FormRefused):
        return error.status
    if isinstance(error, KeyGone):
        return 410
    if isinstance(error, SignInRefused):
        return 403
    if isinstance(error, RequestError):
        return 400
    return 503 if isinstance(error, (VaultError, LedgerError)) else 500


async def error_page(console: Console, request: Request, status: int, text: str = "") -> Response:
    """The page for a status; `text` is one line for the reader."""
    values = {
        "owner_name": console.desk.owner_name,
        "title": _TITLES.get(status, "Something broke"),
        "text": text or _TEXTS.get(status, "The twin's log says more."),
        "status": status,
    }
    return HTMLResponse(await console.templates.render("error.html", values), status_code=status)


def answer_errors(app: FastAPI, console: Console, *, https: bool) -> None:
    """Make the application answer every error with a page."""

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, AnyHTTPException)
        detail = error.detail if isinstance(error, HTTPException) and isinstance(error.detail, str) else ""
        plain = detail in ("", "Not Found", "Method Not Allowed", "Forbidden", "Bad Request")
        return await error_page(console, request, error.status_code, "" if plain else detail)

    async def invalid(request: Request, error: Exception) -> Response:
        # What was wrong is not repeated: it would echo what was sent.
        return await error_page(console, request, 400, "Something in this address or form cannot be.")

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, TwinError)
        return await error_page(console, request, status_of(error), error.message)

    async def broken(request: Request, error: Exception) -> Response:
        # Answered outside the gate, which therefore cannot add the headers.
        response = await error_page(console, request, 500)
        secure(response.headers, https=https)
        return response

    app.add_exception_handler(AnyHTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(TwinError, ours)
    app.add_exception_handler(Exception, broken)
