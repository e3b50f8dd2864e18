"""The `[tools]` section of twin.toml: what a language model may do besides speaking."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ToolsSettings(BaseModel):
    """Each tool is there only where what it needs is set; taking a message and hanging up always are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    """Whether a language model is offered tools at all. `grounded` needs none."""
    owner_number: str = Field(default="", pattern=r"^(\+[1-9][0-9]{6,14})?$")
    """The owner's own telephone in E.164: texted when somebody has to reach the owner (from `[twilio]
    sms_number`), and called when a caller is put through."""
    transfer: bool = False
    """Whether callers on the telephone may be put through to `owner_number`."""
    notify_url: str = ""
    """A web address that is told, by POST, when somebody has to reach the owner; signed with
    `TWIN_NOTIFY_SECRET`."""
    calendar: str = ""
    """The owner's calendar: an .ics file in the home, or the https address of one. Only free and busy times are
    ever told, never what or with whom."""
    calendar_days: int = Field(default=28, ge=1, le=366)
    """How far ahead it may be looked into."""
    working_hours: str = Field(default="09:00-17:00", pattern=r"^[0-2]\d:[0-5]\d-[0-2]\d:[0-5]\d$")
    """Within which free times are offered, in the owner's time zone."""
    limit_s: float = Field(default=3.0, gt=0, le=20)
    """How long a tool may take before the caller is told that it did not work."""

    @field_validator("notify_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        parts = urlsplit(url)
        loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if url and not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and loopback))):
            raise ValueError("write it like https://example.org/twin")
        return url

    @field_validator("working_hours")
    @classmethod
    def _in_order(cls, hours: str) -> str:
        begin, _, end = hours.partition("-")
        if not begin < end <= "24:00":
            raise ValueError("write them like 09:00-17:00, the earlier first")
        return hours
