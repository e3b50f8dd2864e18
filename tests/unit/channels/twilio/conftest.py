"""The phone channel on a real server, with a host that has real doors and no twin."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI

from channels.twilio.routes import router
from channels.twilio.settings import TwilioSecrets, TwilioSettings
from tests.doubles.host import Conversation, TestHost
from tests.doubles.twilio import PhoneCall, TwilioRestDouble, serving

AUTH_TOKEN = "an auth token of the tests"


@dataclass(slots=True)
class House:
    """A served channel and everything around it."""

    base_url: str
    host: TestHost
    rest: TwilioRestDouble
    counters: Counter[str]

    def phone(self, **options: Any) -> PhoneCall:
        return PhoneCall(self.base_url, **{"auth_token": AUTH_TOKEN, "rest": self.rest, **options})

    @property
    def conversation(self) -> Conversation:
        """The newest."""
        return self.host.conversations[-1]


@asynccontextmanager
async def house(
    host: TestHost | None = None, *, secrets: TwilioSecrets | None = None, **settings: Any
) -> AsyncIterator[House]:
    """Serve the channel; `settings` go into `TwilioSettings`."""
    host = host or TestHost(disclosure_ms=200)
    counters: Counter[str] = Counter()
    secrets = secrets or TwilioSecrets.from_environment({"TWILIO_AUTH_TOKEN": AUTH_TOKEN})
    async with TwilioRestDouble() as rest:
        app = FastAPI()
        app.include_router(
            router(host, TwilioSettings(**{"api_base_url": rest.url, **settings}), secrets, counters)
        )
        async with serving(app) as base_url:
            yield House(base_url, host, rest, counters)


@pytest.fixture
async def served() -> AsyncIterator[House]:
    async with house() as served:
        yield served
