"""What `twin doctor` finds: a check's verdict with what mends it, and whom it examines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agent.home import Home
from agent.settings import Settings

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was found, and what to do about it."""

    name: str
    verdict: Verdict
    detail: str
    mend: str = ""
    """A command or the setting lines; empty when nothing needs to be done."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All checks, in the order in which they are shown."""

    checks: tuple[Check, ...]

    @property
    def failed(self) -> bool:
        return any(check.verdict == "fail" for check in self.checks)


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined, once home and settings could be read."""

    home: Home
    settings: Settings
    environment: Mapping[str, str] = field(repr=False)

    @property
    def path(self) -> Path:
        """The home's folder."""
        return self.home.path
