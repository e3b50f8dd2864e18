"""An operator's own account: where they are signed in, their passphrase, their authenticator app."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Response
from markupsafe import Markup

from compliance.console.operators import Operators
from compliance.console.passphrase import Passphrases, why_weak
from compliance.console.sessions import Sessions
from compliance.console.signin import SignIn
from compliance.console.totp import matching_step, new_secret, qr_svg, uri
from compliance.console.views import PageVisit, Visit
from compliance.errors import RequestError, SignInRefused

_TICKET_MINUTES = 10.0


@dataclass(frozen=True, slots=True)
class AccountPages:
    """Their routes."""

    operators: Operators
    sessions: Sessions
    signin: SignIn
    passphrases: Passphrases

    def routes(self) -> APIRouter:
        """For the console."""
        routes = APIRouter(prefix="/account")
        routes.add_api_route("", self._show, methods=["GET"])
        routes.add_api_route("/others", self._end_others, methods=["POST"])
        routes.add_api_route("/passphrase", self._change_passphrase, methods=["POST"])
        routes.add_api_route("/authenticator", self._offer_authenticator, methods=["POST"])
        routes.add_api_route("/authenticator/confirm", self._change_authenticator, methods=["POST"])
        return routes

    async def _show(self, visit: Visit) -> Response:
        return await self._page(visit)

    async def _end_others(self, visit: Visit) -> Response:
        ended = await self.sessions.end_others(visit.session)
        return visit.go("/account", f"Signed out in {ended} other browser{'' if ended == 1 else 's'}.")

    async def _change_passphrase(self, visit: Visit) -> Response:
        new, again = visit.form.get("new", ""), visit.form.get("again", "")
        weak = why_weak(new, visit.session.name) or ("" if new == again else "The two new passphrases differ.")
        if weak:
            return await self._page(visit, wrong=weak)
        try:
            await self._confirm(visit)
        except SignInRefused as error:
            return await self._page(visit, wrong=error.message)
        hashed = await self.passphrases.hash(new)
        await self.operators.change(
            visit.session.operator_id, passphrase_hash=hashed, keep_session=visit.session.id
        )
        await visit.noted("settings_changed", what="passphrase")
        return visit.go("/account", "The passphrase is changed. Every other browser is signed out.")

    async def _offer_authenticator(self, visit: Visit) -> Response:
        try:
            await self._confirm(visit)
        except SignInRefused as error:
            return await self._page(visit, wrong=error.message)
        return await self._offer(visit, new_secret())

    async def _change_authenticator(self, visit: Visit) -> Response:
        secret, ticket = visit.form.get("secret", ""), visit.form.get("ticket", "")
        if not visit.session.is_ticket(ticket, "authenticator", secret, now_ms=visit.now_ms):
            raise RequestError("This took too long. Begin again on the account page.")
        step = matching_step(secret, visit.form.get("code", ""), now_s=visit.desk.now(), last_step=None)
        if step is None:
            text = "That is not the code of the new entry; its clock must be right to half a minute."
            return await self._offer(visit, secret, wrong=text)
        await self.operators.change(
            visit.session.operator_id, totp_secret=secret, totp_step=step, keep_session=visit.session.id
        )
        await visit.noted("settings_changed", what="authenticator")
        return visit.go("/account", "The new authenticator is in use. Every other browser is signed out.")

    async def _confirm(self, visit: PageVisit) -> None:
        await self.signin.confirm(
            visit.session, passphrase=visit.form.get("passphrase", ""), code=visit.form.get("code", "")
        )

    async def _offer(self, visit: PageVisit, secret: str, *, wrong: str = "") -> Response:
        link = uri(secret, name=visit.session.name, owner=visit.desk.owner_name)
        ticket = visit.session.ticket(
            "authenticator", secret, until_ms=visit.now_ms + int(_TICKET_MINUTES * 60_000)
        )
        return await visit.page(
            "authenticator.html",
            title="A new authenticator",
            here="/account",
            status=400 if wrong else 200,
            secret=secret,
            ticket=ticket,
            # Drawn by us from a URI of ours: nothing in it is markup of others.
            qr=Markup(qr_svg(link)),
            wrong=wrong,
        )

    async def _page(self, visit: PageVisit, *, wrong: str = "") -> Response:
        return await visit.page(
            "account.html",
            title="Your account",
            here="/account",
            status=400 if wrong else 200,
            wrong=wrong,
            browsers=await self.sessions.count(visit.session.operator_id),
        )
