"""The LiveKit server: where it is, the keys that let us in, and the twin's own ticket to a room."""

from __future__ import annotations

import datetime
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.engines.base import install
from channels.livekit.signs import Signs
from compliance.errors import EngineMissing, SettingsError

TOKEN_HOURS = 12
"""How long a ticket lets the twin in; whoever is inside is given new ones by the server itself."""
WHERE = "in the environment or the home's .env"


@dataclass(frozen=True, slots=True)
class Access:
    """How rooms and dispatches are reached."""

    url: str
    key: str
    secret: str = field(repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str], *, url: str = "") -> Access:
        """From the usual variables; `url` goes before LIVEKIT_URL. Raises `SettingsError`."""
        found = {
            "LIVEKIT_URL": url or environment.get("LIVEKIT_URL", ""),
            "LIVEKIT_API_KEY": environment.get("LIVEKIT_API_KEY", ""),
            "LIVEKIT_API_SECRET": environment.get("LIVEKIT_API_SECRET", ""),
        }
        lacking = [name for name, value in found.items() if not value]
        if lacking:
            raise SettingsError(f"LiveKit: set {', '.join(lacking)} {WHERE}")
        return cls(checked(found["LIVEKIT_URL"]), found["LIVEKIT_API_KEY"], found["LIVEKIT_API_SECRET"])

    def ticket(self, room: str, *, identity: str, signs: Signs) -> str:
        """A token for the twin: as an agent, marked from its first moment. Raises `EngineMissing`."""
        api = library("livekit.api", extra="livekit")
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            agent=True,
            can_publish=True,
            can_subscribe=True,
            can_publish_data=True,
            # It raises its hand by an attribute.
            can_update_own_metadata=True,
        )
        token = (
            api.AccessToken(self.key, self.secret)
            .with_identity(identity)
            .with_name(signs.name)
            # An empty one takes an attribute away; in a token it would be there, and empty.
            .with_attributes({key: value for key, value in signs.attributes.items() if value})
            .with_kind("agent")
            .with_ttl(datetime.timedelta(hours=TOKEN_HOURS))
            .with_grants(grants)
        )
        return str(token.to_jwt())


def checked(url: str) -> str:
    """The address as the SDK takes it. Raises `SettingsError`."""
    scheme, mark, rest = url.strip().partition("://")
    known = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
    if scheme not in known or not mark or not rest:
        raise SettingsError("LIVEKIT_URL or --url must look like wss://livekit.example.org")
    return f"{known[scheme]}://{rest}"


def library(module: str, *, extra: str) -> Any:
    """A module of an extra. Raises `EngineMissing`, which names it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise EngineMissing(f"rooms: {install(extra)}") from None
