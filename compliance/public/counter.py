"""The counter at which the public pages answer: every answer with the right headers, every error as a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRoute

from compliance.console.error_pages import status_of
from compliance.console.headers import secure
from compliance.console.limits import address_key
from compliance.console.origin import Origins
from compliance.console.templates import Templates
from compliance.errors import TwinError
from compliance.public.front import Front

Handler = Callable[[Request], Awaitable[Response]]


class Counter:
    """What the public pages share."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.origins = Origins(front.settings)
        self._templates = Templates("compliance.public")

    def router(self) -> APIRouter:
        """A router whose every answer is guarded: headers, no posts from other sites, errors as pages."""
        counter = self

        class Guarded(APIRoute):
            def get_route_handler(self) -> Any:
                return counter._guarded(super().get_route_handler())

        return APIRouter(route_class=Guarded)

    def address(self, request: Request) -> str:
        """Who asks, as far as limits go."""
        return address_key(self.origins.address(request))

    async def page(self, template: str, *, title: str, status: int = 200, **values: Any) -> Response:
        """A page of `pages/` that extends `plain.html`."""
        values = {"owner_name": self.front.owner_name, "title": title, **values}
        return HTMLResponse(await self._templates.render(template, values), status_code=status)

    async def refusal(self, request: Request, status: int, text: str) -> Response:
        """Why not, as a page, or as JSON for a program."""
        if wants_json(request):
            return JSONResponse({"error": text}, status_code=status)
        back = request.url.path.split("/")[1]
        return await self.page("refused.html", title="That did not work", status=status, text=text, back=back)

    def _guarded(self, handle: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                if request.method == "POST" and not self.origins.is_ours(request):
                    response = await self.refusal(request, 403, "This form was not sent by our page.")
                else:
                    response = await handle(request)
            except TwinError as error:
                response = await self.refusal(request, status_of(error), error.message)
            except HTTPException as error:
                response = await self.refusal(request, error.status_code, str(error.detail))
                response.headers.update(error.headers or {})
            except RequestValidationError:
                response = await self.refusal(request, 400, "Something in this address cannot be.")
            secure(response.headers, https=self.origins.is_https)
            return response

        return guarded


def too_many(seconds: float) -> HTTPException:
    """The refusal of somebody who asks too often."""
    minutes = max(1, round(seconds / 60))
    wait = f"{minutes} minutes" if minutes > 1 else "a minute"
    retry = {"Retry-After": str(int(seconds) + 1)}
    return HTTPException(429, f"That was often. Please try again in {wait}.", headers=retry)


def wants_json(request: Request) -> bool:
    """Whether a program asks."""
    return "application/json" in request.headers.get("accept", "")
