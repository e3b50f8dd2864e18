"""Who the owner is, how they talk, and to whom how formally: `profile.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from compliance.errors import PersonaError
from persona.caller import Caller
from persona.files import build, line_of, read_toml
from persona.people import Formality, Relation

Pronouns = Literal["he/him", "she/her", "they/them"]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_GREETINGS = {
    ("de", "formal"): "Was kann ich für Sie tun?",
    ("de", "casual"): "Was kann ich für dich tun?",
    ("en", "formal"): "What can I do for you?",
    ("en", "casual"): "What can I do for you?",
}
"""Said in a language for which the owner wrote no greeting, by language and formality."""

_Table = TypeVar("_Table", bound=BaseModel)


class Talk(BaseModel):
    """How the owner talks: the table `[talk]`. What is measured from the owner's own words is added to it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    fillers: tuple[Phrase, ...] = Field(default=(), max_length=30)
    """Small words the owner starts or fills sentences with: `well`, `you know`."""
    phrases: tuple[Phrase, ...] = Field(default=(), max_length=50)
    """Favourite turns of phrase, word for word."""
    avoid: tuple[Phrase, ...] = Field(default=(), max_length=50)
    """Words and phrases the owner would never use."""
    sentence_words: int | None = Field(default=None, ge=2, le=60)
    """How many words a sentence of the owner has, about; empty: as measured."""


class Manners(BaseModel):
    """How formally the twin speaks with whom: the table `[formality]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strangers: Formality = "formal"
    """With callers of whom nothing is known. In German formal is "Sie" and casual is "du"."""
    family: Formality | None = None
    """With the owner's family; empty: as `people.toml` says of each person."""
    friend: Formality | None = None
    colleague: Formality | None = None
    client: Formality | None = None
    other: Formality | None = None
    strangers_are: Relation | None = None
    """The relation whose examples of conversations are also used with callers of whom nothing is known."""


class Greeting(BaseModel):
    """A greeting for some callers or some language: one `[[greetings]]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    say: str = Field(min_length=1, max_length=300)
    """What the twin says when it is greeted."""
    to: str = Field(default="", max_length=100)
    """For whom: a relation (`friend`) or a name from people.toml; empty: for everybody."""
    language: str = Field(default="", max_length=20)
    """The language code it is in; empty: the first of the profile's."""


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
    talk: Talk = Talk()
    """How the owner talks, in particulars."""
    formality: Manners = Manners()
    """To whom how formally."""
    greetings: tuple[Greeting, ...] = Field(default=(), max_length=100)
    """Greetings other than `greeting`, for some callers or languages."""

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

    def formality_with(self, caller: Caller, person: Formality | None = None) -> Formality:
        """How formally this caller is spoken to. `person` is what people.toml says of them.

        What is set for their relation comes before what people.toml says, because there "casual" may only be the
        default.
        """
        if not caller.person and not caller.relation:
            return self.formality.strangers
        of_relation: Formality | None = getattr(self.formality, caller.relation or "other", None)
        return of_relation or person or self.formality.strangers

    def greeting_for(self, caller: Caller, language: str, formality: Formality | None = None) -> str:
        """What this caller is told when they greet the twin in `language`: the owner's closest greeting."""
        formality = formality or self.formality_with(caller)
        usual = self.languages[0]
        whom = [to.casefold() for to in (caller.person, caller.relation) if to]
        fitting = [
            ((*whom, "").index(greeting.to.casefold()), greeting)
            for greeting in self.greetings
            if _same(greeting.language or usual, language) and greeting.to.casefold() in (*whom, "")
        ]
        if fitting:
            return min(fitting, key=lambda found: found[0])[1].say
        if _same(usual, language):
            return self.greeting
        return _GREETINGS.get((language.split("-")[0].lower(), formality), self.greeting)


def load(path: Path) -> Profile:
    """Read `profile.toml`. Raises `PersonaError` with file and line."""
    text, values = read_toml(path)
    for name, model in (("talk", Talk), ("formality", Manners)):
        if name in values:
            values[name] = _table(model, name, values[name], path, text)
    greetings = values.get("greetings")
    if isinstance(greetings, list):
        values["greetings"] = tuple(
            build(Greeting, entry, path, text, table="greetings", nth=nth) for nth, entry in enumerate(greetings)
        )
    elif greetings is not None:
        raise PersonaError(f"{path}:{line_of(text, 'greetings')}: write [[greetings]] with two brackets")
    return build(Profile, values, path, text)


def _table(model: type[_Table], name: str, values: object, path: Path, text: str) -> _Table:
    """A `[name]` table as its model; a complaint points at the line within the table."""
    if not isinstance(values, dict):
        raise PersonaError(f"{path}:{line_of(text, name)}: '{name}' is a table; write [{name}] and its keys below")
    # Lines are looked for from the table's own on; blank ones before it keep their numbers right.
    above = line_of(text, name) - 1
    inside = "\n" * above + "\n".join(text.splitlines()[above:])
    return build(model, values, path, inside)


def _same(one: str, other: str) -> bool:
    """Whether two language codes are of one language: `de` and `de-AT` are."""
    return one.split("-")[0].lower() == other.split("-")[0].lower()
