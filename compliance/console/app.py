"""The console as one application, to be mounted at `/console`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from fastapi import FastAPI

from compliance.console import assets, home_pages
from compliance.console.account_pages import AccountPages
from compliance.console.cookies import Cookie
from compliance.console.desk import Desk
from compliance.console.error_pages import answer_errors
from compliance.console.gate import Gate
from compliance.console.operators import Operators
from compliance.console.origin import Origins
from compliance.console.passphrase import Passphrases
from compliance.console.sections import Section, sections
from compliance.console.sessions import Sessions
from compliance.console.settings_pages import SettingsPages
from compliance.console.signin import SignIn
from compliance.console.signin_pages import SignInPages
from compliance.console.templates import Templates
from compliance.console.views import Console

SESSION_COOKIE = "twin-session"


def console(
    desk: Desk,
    *,
    parts: Sequence[Section] | None = None,
    passphrases: Passphrases | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """All pages behind the gate. It needs no lifespan; the desk's vault is opened and closed by whoever made it.

    `parts` replaces the parts with pages of their own, `passphrases` the cost of hashing, `clock` what counts the
    limits of signing in.
    """
    shared = Console(desk, Templates())
    origins = Origins(desk.settings)
    cookie = Cookie(SESSION_COOKIE, https=origins.is_https)
    operators, sessions = Operators(desk.vault), Sessions(desk.vault, desk.settings)
    passphrases = passphrases or Passphrases()
    signin = SignIn(desk.vault, operators, sessions, passphrases, desk.evidence, now=desk.now, clock=clock)
    app = FastAPI(title="Console", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(Gate, console=shared, sessions=sessions, origins=origins, cookie=cookie)
    answer_errors(app, shared, https=origins.is_https)
    app.include_router(assets.routes)
    app.include_router(
        SignInPages(
            shared,
            signin=signin,
            operators=operators,
            sessions=sessions,
            origins=origins,
            session_cookie=cookie,
        ).routes
    )
    app.include_router(home_pages.router(desk))
    app.include_router(AccountPages(operators, sessions, signin, passphrases).routes())
    app.include_router(SettingsPages(desk, operators).routes())
    for section in sections() if parts is None else parts:
        app.include_router(section(desk))
    return app
