"""The twin's home: the folder with the owner's files, read as one persona.

profile.toml     who the owner is
facts.toml       what is true
statements.md    what the owner says, in their own words (may be missing)
people.toml      whom the owner knows (may be missing)
examples.jsonl   how the owner has answered people (may be missing)
documents/       what the owner has written at length (may be missing)
pronunciation.toml  how voices say names that they get wrong (may be missing); read elsewhere
twin.toml        settings; read elsewhere
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path

from compliance.errors import PersonaError
from persona import documents, examples, facts, people, profile, statements
from persona.documents import Passage
from persona.examples import Example
from persona.facts import Fact, Ledger
from persona.people import People
from persona.profile import Profile
from persona.statements import Statement

PROFILE = "profile.toml"
FACTS = "facts.toml"
STATEMENTS = "statements.md"
PEOPLE = "people.toml"
DOCUMENTS = "documents"
EXAMPLES = "examples.jsonl"
PRONUNCIATION = "pronunciation.toml"

EXAMPLE = (PROFILE, FACTS, STATEMENTS, PEOPLE, EXAMPLES, PRONUNCIATION, f"{DOCUMENTS}/how-we-work.md")
"""What `twin init` writes."""


@dataclass(frozen=True, slots=True)
class Persona:
    """Everything the twin knows of its owner."""

    profile: Profile
    facts: tuple[Fact, ...] = ()
    """Also what is superseded, and says so itself: `Fact.holds`."""
    statements: tuple[Statement, ...] = ()
    documents: tuple[Passage, ...] = ()
    people: People = field(default_factory=People)
    examples: tuple[Example, ...] = ()

    @property
    def ledger(self) -> Ledger:
        """The facts, to be asked what held on a day or was known on a day."""
        return Ledger(self.facts)


def load(home: Path) -> Persona:
    """Read the twin's home. Raises `PersonaError` with file, line and what to do. Blocks for the disk."""
    known = people.load(home / PEOPLE)
    return Persona(
        profile.load(home / PROFILE),
        facts.load(home / FACTS, names=known.names),
        statements.load(home / STATEMENTS, names=known.names) if (home / STATEMENTS).exists() else (),
        documents.load(home / DOCUMENTS, names=known.names),
        known,
        examples.load(home / EXAMPLES),
    )


def demo() -> Persona:
    """The built-in twin that `make run` starts."""
    with as_file(files("persona.demo")) as home:
        return load(home)


def write_example(home: Path) -> tuple[Path, ...]:
    """Write a commented example of the owner's files into `home` and return their paths.

    Raises `PersonaError` when one of them is there already; nothing is written then.
    """
    example = files("persona.example")
    paths = tuple(home / name for name in EXAMPLE)
    for path in paths:
        if path.exists():
            raise PersonaError(f"{path}: already exists and is left as it is; choose an empty folder")
    try:
        home.mkdir(parents=True, exist_ok=True)
        for name, path in zip(EXAMPLE, paths, strict=True):
            path.parent.mkdir(exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(example.joinpath(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise PersonaError(f"{home}: cannot be written ({error.strerror}); choose another folder") from None
    return paths
