"""What the public pages work with. Whoever mounts them makes it; parts that are None are not there."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from compliance.judgement import Judgement
from compliance.public.notice import Notice
from compliance.requests import Law, Requests
from compliance.settings import ConsoleSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Everything the public pages show and ask."""

    owner_name: str
    notice: Notice
    law: Callable[[str, str], Law]
    """By whom the request is about and the country they name (two letters, or empty): how long there is."""
    requests: Requests | None = None
    """None: requests are taken by the contact address alone."""
    judge: Callable[[Path], Awaitable[Judgement]] | None = None
    """The judgement on a file: `judgement.Judge.of`, which raises `ProvenanceError` and `WatermarkError`."""
    public_key: str = ""
    """The PEM that receipts and proofs are checked with."""
    settings: ConsoleSettings = field(default_factory=ConsoleSettings)
    clock: Callable[[], float] = time.monotonic
    """Any time in seconds that does not go back, for the limits."""
    now: Callable[[], float] = time.time
