"""The FastAPI application: the channels' routes, the console, the public pages, health and metrics."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from agent.desk import desk_of, front_of
from agent.house import House
from agent.metrics import render
from channels.twilio.routes import router as twilio_router
from channels.twilio.settings import TwilioSecrets
from channels.web.routes import router as web_router
from compliance.console.app import console
from compliance.public.app import public

logger = logging.getLogger(__name__)


def application(house: House, environment: Mapping[str, str]) -> FastAPI:
    """The whole service of one process. The house is started and closed with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await house.start()
        # Their pages work on what has just been opened.
        app.include_router(public(front_of(house)))
        app.mount("/console", console(desk_of(house)))
        try:
            yield
        finally:
            await house.drain()
            await house.close()

    app = FastAPI(title="AI twin", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.include_router(web_router(house, house.settings.web, status=house.status, still=house.faces.still))
    secrets = TwilioSecrets.from_environment(environment)
    app.include_router(twilio_router(house, house.settings.twilio, secrets, house.phone))

    @app.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        """The process lives."""
        return "ok"

    @app.get("/readyz")
    async def readyz() -> Response:
        """Calls can be served; otherwise 503 and why."""
        why = house.health()
        return PlainTextResponse(why or "ok", status_code=503 if why else 200)

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> str:
        """Counters and timings in Prometheus's text format."""
        return render(house)

    return app
