"""The `[guard]` section of twin.toml."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

Advice = Literal["medical", "legal", "financial", "politics", "religion"]


class Topic(BaseModel):
    """Something that the twin does not talk about, whoever brings it up."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=60)
    """What the transcript calls it."""
    words: tuple[str, ...] = ()
    """Words or phrases; found as whole words, whatever their capitals, accents and last two letters."""
    patterns: tuple[str, ...] = ()
    """Regular expressions, searched in lower-case words without accents and punctuation."""
    reply: str = Field(default="", max_length=300)
    """What is said instead; empty: a fixed sentence in the call's language."""

    @field_validator("patterns")
    @classmethod
    def _compiles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            if len(pattern) > 300:
                raise ValueError("a pattern is longer than 300 letters; shorten it")
            if re.search(r"[+*}]\)*[+*{]", pattern):
                raise ValueError(f"a repetition inside a repetition can take for ever: {pattern!r}; write it flat")
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression ({error.msg}); correct it") from None
        return value


class GuardSettings(BaseModel):
    """What the twin refuses to hear or to say beyond what is fixed."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    topics: tuple[Topic, ...] = ()
    """The owner's own list."""
    no_advice: tuple[Advice, ...] = ()
    """Kinds of advice or opinion that are never given in the owner's name."""
    abuse: Literal["warn_then_end", "warn", "ignore"] = "warn_then_end"
    """What follows insults and threats: a warning and then the end of the call, warnings only, or nothing."""
    abuse_warnings: int = Field(default=1, ge=1, le=5)
    """How many warnings are given before the call ends."""
    country: str = ""
    """Two-letter code of the country whose emergency number is named when the caller's is unknown; empty: none."""
    moderation_base_url: str = ""
    """A server with OpenAI's moderation or chat endpoint; empty: rules only."""
    moderation_model: str = ""
    """A model of that server; empty: its default."""
    moderation_kind: Literal["moderation", "chat"] = "moderation"
    """Which of the two endpoints is asked."""
    moderation_limit_ms: int = Field(default=50, ge=5, le=2000)
    """How long a turn waits for it; after that the rules decide alone."""

    @field_validator("country")
    @classmethod
    def _code(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z]{2}", value):
            raise ValueError('write the country as two letters, as "GB"')
        return value.upper()

    @field_validator("moderation_base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError('no web address; write one as "http://127.0.0.1:11434/v1"')
        return value.rstrip("/")
