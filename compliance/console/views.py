"""What a page's function is handed, and how it answers.

    @routes.get("/calls/{call_id}")
    async def call(visit: Visit, call_id: str) -> Response:
        await visit.viewed(call_id=call_id)         # in the ledger before anything is shown
        return await visit.page("call.html", title="A call", here="/calls", call=...)

    @routes.post("/calls/{call_id}/hold")
    async def hold(visit: OwnerVisit, call_id: str) -> Response:
        reason = visit.form.need("reason", "Say why the call is held.", longest=500)
        ...
        return visit.go(f"/calls/{call_id}", "The call is held.")

Nothing else is needed for safety: the gate has checked session, origin and CSRF token before a page's function
runs, and answers everything nobody may see. `OwnerVisit` refuses reviewers.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from compliance.console.desk import Desk
from compliance.console.flash import FLASH_COOKIE, Kind, read_flash, write_flash
from compliance.console.forms import Form
from compliance.console.sections import MENU
from compliance.console.session import Session
from compliance.console.templates import BASE, Templates
from compliance.errors import SignInRefused

POLL_HEADER = "x-poll"
"""htmx requests that a page repeats by itself carry it (`hx-headers='{"X-Poll": "1"}'`): they do not keep a
session alive."""


class Console:
    """What all pages share: the desk and the templates."""

    def __init__(self, desk: Desk, templates: Templates) -> None:
        self.desk = desk
        self.templates = templates


class PageVisit:
    """One request of a signed-in operator."""

    def __init__(self, console: Console, session: Session, request: Request, form: Form) -> None:
        self.desk = console.desk
        self.session = session
        self.request = request
        self.form = form
        """Empty for a GET."""
        self._templates = console.templates

    @property
    def is_owner(self) -> bool:
        """False for a reviewer, who sees only what is redacted."""
        return self.session.is_owner

    @property
    def wants_part(self) -> bool:
        """True when htmx asks for a piece of a page rather than for the page."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        return int(self.desk.now() * 1000)

    async def viewed(
        self, what: str = "call", *, call_id: str | None = None, subject: str | None = None, **detail: Any
    ) -> None:
        """Note who sees whose data, and return when it is in the ledger. Await it before the data is shown."""
        await self.noted("viewed", call_id=call_id, subject=subject, what=what, **detail)

    async def noted(
        self, kind: str, *, call_id: str | None = None, subject: str | None = None, **detail: Any
    ) -> None:
        """Note in the ledger that this operator did something (the kinds are plain words: `unmasked`, `held`)."""
        by = {"operator": self.session.name, "role": self.session.role}
        await self.desk.evidence.noted(kind, call_id=call_id, subject=subject, detail={**detail, **by})

    def ticket(self, purpose: str, about: str, *, minutes: float = 10) -> str:
        """A permission for this session alone, to put into links as `?ticket=`: e.g. `unmask` on a call's id."""
        return self.session.ticket(purpose, about, until_ms=self.now_ms + int(minutes * 60_000))

    def has_ticket(self, purpose: str, about: str) -> bool:
        """Whether the request brings a ticket that is good for this; never for a reviewer."""
        given = self.request.query_params.get("ticket", "") or self.form.get("ticket", "")
        return self.is_owner and self.session.is_ticket(given, purpose, about, now_ms=self.now_ms)

    async def page(
        self, template: str, *, title: str, here: str = "", status: int = 200, **values: Any
    ) -> Response:
        """A whole page: a template that extends `layout.html`. `here` is the path of its menu entry."""
        flash = read_flash(self.session, self.request.cookies.get(FLASH_COOKIE, ""))
        values = {"title": title, "here": here, "flash": flash, "menu": MENU, **values}
        response = await self.part(template, status=status, **values)
        if FLASH_COOKIE in self.request.cookies:
            response.delete_cookie(FLASH_COOKIE, path=BASE)
        return response

    async def part(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A piece of a page for htmx: a template that extends nothing."""
        values = {"session": self.session, "owner_name": self.desk.owner_name, **values}
        return HTMLResponse(await self._templates.render(template, values), status_code=status)

    def go(self, path: str, message: str = "", *, kind: Kind = "good") -> Response:
        """After a POST: on to a page below the console, which shows the message. No personal data in it."""
        if self.wants_part:
            response = Response(headers={"HX-Redirect": quote(BASE + path, safe="/?=&%#-._~")})
        else:
            response = RedirectResponse(BASE + path, status_code=303)
        if message:
            write_flash(response, self.session, message, kind)
        return response

    def download(self, data: bytes, name: str, media_type: str) -> Response:
        """A file to save; `name` becomes safe for a header and a disk."""
        headers = {"Content-Disposition": f'attachment; filename="{safe_file_name(name)}"'}
        return Response(data, media_type=media_type, headers=headers)


def safe_file_name(name: str) -> str:
    """ASCII letters, digits, dots, dashes and underscores; never hidden, never empty, never longer than 100."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain)[:100].strip(".-_") or "file"


async def _visit(request: Request) -> PageVisit:
    # Set by the gate; a route that the gate does not guard fails here rather than be open.
    visit = request.state.visit
    if not isinstance(visit, PageVisit):
        raise SignInRefused("Sign in first.")
    visit.request = request
    return visit


async def _owner_visit(request: Request) -> PageVisit:
    visit = await _visit(request)
    if not visit.is_owner:
        raise SignInRefused("Only an owner may do this; you are signed in as a reviewer.")
    return visit


Visit = Annotated[PageVisit, Depends(_visit)]
"""A signed-in operator, owner or reviewer. Name the argument's type so, at module level."""
OwnerVisit = Annotated[PageVisit, Depends(_owner_visit)]
"""An owner; reviewers are refused with 403."""
