"""What the public pages work with. Whoever mounts them makes it; parts that are None are not there."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from compliance.public.notice import Notice
from compliance.requests import Law, Requests
from compliance.settings import ConsoleSettings


class Verdict(Protocol):
    """What a sound or video file says of itself: `provenance.Verdict` is one."""

    @property
    def found(self) -> bool: ...
    @property
    def valid(self) -> bool: ...
    @property
    def trusted(self) -> bool: ...
    @property
    def problems(self) -> Sequence[str]: ...
    @property
    def ai(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Everything the public pages show and ask."""

    owner_name: str
    notice: Notice
    law: Callable[[str, str], Law]
    """By whom the request is about and the country they name (two letters, or empty): how long there is."""
    requests: Requests | None = None
    """None: requests are taken by the contact address alone."""
    judge: Callable[[Path], Awaitable[Verdict]] | None = None
    """The verdict on a file. It raises `ProvenanceError` for one that cannot be read."""
    public_key: str = ""
    """The PEM that receipts and proofs are checked with."""
    settings: ConsoleSettings = field(default_factory=ConsoleSettings)
    clock: Callable[[], float] = time.monotonic
    """Any time in seconds that does not go back, for the limits."""
    now: Callable[[], float] = time.time
