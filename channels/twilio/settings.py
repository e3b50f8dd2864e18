"""What the phone channel can be told, checked when it is made."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

PHONE_RATE_HZ = 8_000
"""Media Streams knows no other."""


class TwilioSecrets(BaseModel):
    """The account, from the environment only: `TWILIO_ACCOUNT_SID` and `TWILIO_AUTH_TOKEN`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_sid: str = ""
    """`AC...`; empty: the account that each call names."""
    auth_token: SecretStr = SecretStr("")
    """Signs Twilio's requests, our stream tokens and the REST hang-up; without it no call is answered."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        return cls(
            account_sid=environment.get("TWILIO_ACCOUNT_SID", ""),
            auth_token=SecretStr(environment.get("TWILIO_AUTH_TOKEN", "")),
        )


class TwilioSettings(BaseModel):
    """The `[twilio]` section of `twin.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: str = ""
    """How Twilio reaches this server, e.g. `https://twin.example.org`; empty: taken from each request."""
    sms_number: str = Field(default="", pattern=r"^(\+[1-9][0-9]{6,14})?$")
    """A number of the account in E.164 that texts a code to people who ask about their data. Empty: nobody
    gets one, and the owner verifies them."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose `X-Forwarded-Proto` and `X-Forwarded-Host` are believed. Only used while
    `public_url` is empty."""
    lead_ms: int = Field(default=80, ge=40, le=100)
    """How much audio may wait at Twilio. More hides stalls of ours, and makes every interruption later."""
    token_lifetime_s: int = Field(default=60, ge=5, le=300)
    """How long after `/twilio/voice` the media socket may open."""
    start_timeout_s: float = Field(default=5.0, gt=0, le=30)
    """How long a media socket may take to say which call it is."""
    silent_peer_s: float = Field(default=10.0, gt=0, le=120)
    """Twilio sends 50 messages a second; after this long without one, the connection is dead."""
    unplayed_s: float = Field(default=10.0, gt=0, le=120)
    """After this long without a mark coming back, nobody is playing what we send."""
    max_message_bytes: int = Field(default=65_536, ge=4_096, le=1_048_576)
    """Twilio's own messages are below 1 kB, and `start` below 16 kB."""
    max_waiting_sockets: int = Field(default=100, ge=1, le=10_000)
    """Media sockets that have not yet said which call they are."""
    max_queued_messages: int = Field(default=100, ge=10, le=1_000)
    """Outgoing messages that wait for a slow socket; one more ends the call."""
    service_language: str = "en-US"
    """In which of Twilio's voices the caller is told that the twin cannot answer."""
    api_base_url: str = ""
    """Another REST server, for tests; empty: Twilio's, of `region` and `edge`."""
    region: str = Field(default="", pattern=r"^[a-z0-9-]*$")
    """Twilio region of the account, e.g. `ie1`; empty: Twilio's default, `us1`."""
    edge: str = Field(default="", pattern=r"^[a-z0-9-]*$")
    """Twilio edge location, e.g. `dublin`; empty: Twilio chooses."""

    @field_validator("public_url", "api_base_url")
    @classmethod
    def _is_origin(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("write it like https://twin.example.org, without a query")
        return url.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            ipaddress.ip_network(proxy, strict=False)
        return proxies

    @property
    def rest_base_url(self) -> str:
        """Where Twilio's REST API answers for this account."""
        if self.api_base_url:
            return self.api_base_url
        region = self.region or ("us1" if self.edge else "")
        return "https://" + ".".join(part for part in ("api", self.edge, region, "twilio.com") if part)
