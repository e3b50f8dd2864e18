"""Which home a command works in: the one named, the one of the environment, the usual one, or the demo's."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.errors import PersonaError, SettingsError

if TYPE_CHECKING:
    from persona.home import Persona

VARIABLE = "TWIN_HOME"
USUAL = ".twin"


@dataclass(frozen=True, slots=True)
class Home:
    """A twin's home. The demo's holds data only: its owner is built in."""

    path: Path
    demo: bool = False

    def persona(self) -> Persona:
        """Who lives here. Raises `PersonaError`. Blocks for the disk."""
        from persona import home

        return home.demo() if self.demo else home.load(self.path)

    def command(self, line: str) -> str:
        """A command for this home, which names it where it would not be found by itself."""
        found = self.demo or self.path == Path.home() / USUAL
        return line if found else f"{line} --home {shlex.quote(str(self.path))}"


def find(named: Path | None, environment: Mapping[str, str]) -> Home:
    """The home to work in. The demo's folder is made when it is chosen, readable by its user alone.

    Raises `PersonaError` when a home was named that is not there, `SettingsError` when no folder can be made.
    """
    chosen = named or (Path(environment[VARIABLE]) if environment.get(VARIABLE) else None)
    if chosen is not None:
        path = chosen.expanduser()
        if path.resolve() == demo_folder(environment).resolve():
            return _demo(environment)
        if not path.is_dir():
            raise PersonaError(f"{path}: there is no such folder; make a home with `twin init {path}`")
        return Home(path)
    usual = Path.home() / USUAL
    return Home(usual) if usual.is_dir() else _demo(environment)


def demo_folder(environment: Mapping[str, str]) -> Path:
    """Where the built-in twin keeps its data, by the custom of the system."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "ai-twin" / "demo"
    data = environment.get("XDG_DATA_HOME", "")
    return (Path(data) if data else Path.home() / ".local" / "share") / "ai-twin" / "demo"


def _demo(environment: Mapping[str, str]) -> Home:
    path = demo_folder(environment)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be made ({error.strerror}); name a home with --home") from None
    return Home(path, demo=True)
