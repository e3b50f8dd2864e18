"""The settings that matter, as they are now, and who may sign in. They are changed in twin.toml, not here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from fastapi import APIRouter, Response

from compliance.console.desk import Desk
from compliance.console.operators import Operators, normalise_name
from compliance.console.views import OwnerVisit, Visit
from compliance.errors import RequestError


@dataclass(frozen=True, slots=True)
class SettingsPages:
    """Their routes."""

    desk: Desk
    operators: Operators

    def routes(self) -> APIRouter:
        """For the console."""
        routes = APIRouter(prefix="/settings")
        routes.add_api_route("", self._show, methods=["GET"])
        routes.add_api_route("/operators/{name}/disable", self._disable, methods=["POST"])
        return routes

    async def _show(self, visit: Visit) -> Response:
        groups = groupby(self.desk.setting_rows, key=lambda row: row.section)
        sections = [(name, list(rows)) for name, rows in groups]
        everybody = await self.operators.list() if visit.is_owner else ()
        return await visit.page(
            "settings.html",
            title="Settings",
            here="/settings",
            sections=sections,
            operators=everybody,
            public_key=self.desk.public_key,
        )

    async def _disable(self, visit: OwnerVisit, name: str) -> Response:
        if normalise_name(name) == visit.session.name:
            raise RequestError("You cannot disable yourself: use `twin operator disable`, or another owner.")
        operator = await self.operators.disable(name)
        await visit.noted("settings_changed", what="operator disabled", which=operator.name)
        return visit.go("/settings", f"{operator.name} can no longer sign in.")
