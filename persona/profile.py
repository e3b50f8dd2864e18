"""Who the owner is and how the twin presents itself: `profile.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from persona.files import build, read_toml

Pronouns = Literal["he/him", "she/her", "they/them"]


class Profile(BaseModel):
    """The owner, in the words the twin uses for them."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=100)
    """Full name."""
    called: str = Field(default="", max_length=100)
    """What the twin calls the owner in conversation; empty: the first word of `name`."""
    pronouns: Pronouns = "they/them"
    role: str = Field(default="", max_length=200)
    """What the owner does, as it follows "is": `an architect`."""
    office: str = Field(default="", max_length=300)
    """Where the owner works, as it follows "works at"."""
    introduction: str = Field(default="", max_length=500)
    """How the twin introduces itself, after it has said that it is an AI; may be empty."""
    greeting: str = Field(default="What can I do for you?", min_length=1, max_length=300)
    """What the twin says when it is greeted."""
    manner: str = Field(default="", max_length=2000)
    """How the owner talks, in a few plain sentences, for a model that speaks in the owner's manner."""
    languages: tuple[str, ...] = ("en",)
    """Language codes the twin may speak, the first by default."""
    time_zone: str = "UTC"
    """IANA name; days begin and facts expire by it."""

    @field_validator("languages")
    @classmethod
    def _some_language(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not all(code.replace("-", "").isalpha() for code in value):
            raise ValueError('name at least one language by its code, as ["en"]')
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError('no such time zone; write one as "Europe/London"') from None
        return value

    @property
    def short(self) -> str:
        """What the owner is called in conversation."""
        return self.called or self.name.split()[0]

    @property
    def they(self) -> str:
        """he, she or they."""
        return self.pronouns.split("/")[0]

    @property
    def them(self) -> str:
        """him, her or them."""
        return self.pronouns.split("/")[1]


def load(path: Path) -> Profile:
    """Read `profile.toml`. Raises `PersonaError` with file and line."""
    text, values = read_toml(path)
    return build(Profile, values, path, text)
