"""What the browser channel can be told."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

ICE_SCHEMES = frozenset({"stun", "stuns", "turn", "turns"})


class IceServer(BaseModel):
    """A STUN or TURN server. Browsers are given the credential too: use one that is made for that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    """`stun:host:port` or `turn:host:port?transport=udp`."""
    username: str | None = None
    credential: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        scheme, _, host = url.partition(":")
        if scheme not in ICE_SCHEMES or not host:
            raise ValueError("must look like stun:host:3478 or turn:host:3478?transport=udp")
        return url


class WebSettings(BaseModel):
    """Section `[web]` of twin.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allowed_origins: tuple[str, ...] = ()
    """Origins that may start a call, besides the page opened by address or as localhost:
    `https://twin.example.org`. A host name has to be listed here, the page's own name included."""
    ice_servers: tuple[IceServer, ...] = ()
    """STUN and TURN servers for callers behind other networks. None: this machine and its network only."""
    max_connecting: Annotated[int, Field(ge=1, le=1_000)] = 16
    """How many callers may be half-way into a call at once; further ones are told to try again."""
    connect_limit_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """A connection that has not come up by then is closed."""
    lost_after_s: Annotated[float, Field(ge=3, le=120)] = 12.0
    """A browser that neither sent sound nor a sign of life for so long is gone."""
    offer_limit_bytes: Annotated[int, Field(ge=1_024, le=1_048_576)] = 65_536
    """The largest body that `POST /webrtc/offer` reads."""

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
                raise ValueError(f"{origin!r} must look like https://twin.example.org")
        return tuple(origin.rstrip("/").lower() for origin in origins)
