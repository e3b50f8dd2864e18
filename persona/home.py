"""The twin's home: the folder with the owner's files, read as one persona.

profile.toml     who the owner is
facts.toml       what is true
statements.md    what the owner says, in their own words (may be missing)
twin.toml        settings; read elsewhere
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from compliance.errors import PersonaError
from persona import facts, profile, statements
from persona.facts import Fact
from persona.profile import Profile
from persona.statements import Statement

PROFILE = "profile.toml"
FACTS = "facts.toml"
STATEMENTS = "statements.md"


@dataclass(frozen=True, slots=True)
class Persona:
    """Everything the twin knows of its owner."""

    profile: Profile
    facts: tuple[Fact, ...] = ()
    statements: tuple[Statement, ...] = ()


def load(home: Path) -> Persona:
    """Read the twin's home. Raises `PersonaError` with file, line and what to do. Blocks for the disk."""
    return Persona(
        profile.load(home / PROFILE),
        facts.load(home / FACTS),
        statements.load(home / STATEMENTS) if (home / STATEMENTS).exists() else (),
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
    paths = tuple(home / name for name in (PROFILE, FACTS, STATEMENTS))
    for path in paths:
        if path.exists():
            raise PersonaError(f"{path}: already exists and is left as it is; choose an empty folder")
    try:
        home.mkdir(parents=True, exist_ok=True)
        for path in paths:
            with path.open("x", encoding="utf-8") as file:
                file.write(example.joinpath(path.name).read_text(encoding="utf-8"))
    except OSError as error:
        raise PersonaError(f"{home}: cannot be written ({error.strerror}); choose another folder") from None
    return paths
