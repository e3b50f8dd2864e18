"""What the pages work with: one value that holds the parts of the house the console shows and asks.

Whoever mounts the console makes the desk. Parts that are None are not there: their pages say so.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from compliance.redaction import Line
from compliance.settings import ConsoleSettings
from compliance.sound.recorded import RecordingEntry
from compliance.vault import Vault


class Leaf(Protocol):
    """An entry of the ledger as it was written."""

    @property
    def seq(self) -> int: ...
    @property
    def hash(self) -> str: ...
    @property
    def at_ms(self) -> int: ...


class EvidenceEntry(Protocol):
    """A leaf together with what it stands for, as long as that may still be read."""

    @property
    def kind(self) -> str: ...
    @property
    def at_ms(self) -> int: ...
    @property
    def call_id(self) -> str | None: ...
    @property
    def leaf(self) -> str: ...
    @property
    def detail(self) -> Mapping[str, Any] | None:
        """None when its key was destroyed: the person was forgotten, the leaf stays."""

    @property
    def state(self) -> str:
        """`proved`, `forgotten`, `altered` or `missing`: see `compliance.evidence.EvidenceEntry`."""


class Evidence(Protocol):
    """What was done and who saw what, in the ledger."""

    def note(
        self,
        kind: str,
        *,
        call_id: str | None = None,
        subject: str | None = None,
        detail: Mapping[str, Any] = ...,
    ) -> None:
        """Record and return at once."""

    async def noted(
        self,
        kind: str,
        *,
        call_id: str | None = None,
        subject: str | None = None,
        detail: Mapping[str, Any] = ...,
    ) -> Leaf:
        """Record, and return when it is in the ledger. Raises `LedgerError` and `VaultError`."""

    async def of(self, *, call_id: str | None = None, subject: str | None = None) -> Sequence[EvidenceEntry]:
        """What is noted about a call or a person, the oldest first."""

    async def recent(
        self, limit: int = 50, *, before: str | None = None, kind: str | None = None
    ) -> Sequence[EvidenceEntry]:
        """What was noted last, the newest first, or what is older than the entry with the leaf `before`."""


class Problem(Protocol):
    """What is wrong with the ledger, and where."""

    @property
    def where(self) -> str: ...
    @property
    def what(self) -> str: ...


class LedgerReport(Protocol):
    """The result of reading the whole ledger."""

    @property
    def ok(self) -> bool: ...
    @property
    def entries(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def problems(self) -> Sequence[Problem]: ...


class Hit(Protocol):
    """A turn in which the words were found."""

    @property
    def call_id(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def snippet(self) -> str: ...
    @property
    def at_ms(self) -> int: ...


class Search(Protocol):
    """Full text over what was said."""

    async def find(self, text: str, *, limit: int = 50, before: int | None = None) -> Sequence[Hit]: ...


class Span(Protocol):
    """A hidden piece of a text."""

    @property
    def kind(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class Redacted(Protocol):
    """A text without what identifies people."""

    @property
    def text(self) -> str: ...
    @property
    def spans(self) -> Sequence[Span]: ...


class Redactor(Protocol):
    """Hides names, numbers and addresses in texts."""

    async def lines_redacted(
        self, lines: Sequence[Line], language: str, known: Iterable[str] = ()
    ) -> Sequence[Redacted]:
        """The turns of a call; `known` are names and numbers of its own people."""


class Recordings(Protocol):
    """Sound that was kept, opened piece by piece; never a plain file."""

    async def of(self, call_id: str) -> Sequence[RecordingEntry]:
        """The recordings of a call, the oldest first."""

    async def read(self, recording_id: str, start_frame: int, frames: int) -> bytes:
        """Frames of two channels, the caller on the left and the twin on the right. Raises `VaultError`."""

    async def delete(self, recording_id: str) -> bool:
        """Destroy it; false when its call is on hold, and then it stays."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the settings page."""

    section: str
    """The part of twin.toml, as `consent`."""
    name: str
    value: str
    meaning: str
    """A sentence for people who have not read the manual."""
    stricter: bool | None = None
    """Whether it is stricter than the default; None where there is nothing to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything the console shows and asks."""

    vault: Vault
    evidence: Evidence
    owner_name: str
    """Whose twin it is, for people to read."""
    public_key: str = ""
    """The PEM of the key that signs receipts and the ledger; empty when there is none yet."""
    settings: ConsoleSettings = field(default_factory=ConsoleSettings)
    setting_rows: tuple[SettingRow, ...] = ()
    search: Search | None = None
    recordings: Recordings | None = None
    redactor: Redactor | None = None
    requests: Any = None
    """`compliance.requests.Requests`; the pages of requests say what they use of it."""
    eraser: Any = None
    """`compliance.erasure.Eraser`; the page of a call and of a request use it."""
    erase_call: Callable[[str], Awaitable[object]] | None = None
    """Erases one call, by its id, everywhere; returns when it is gone from what is shown."""
    carry_out: Callable[[str], Awaitable[object]] | None = None
    """Begins to carry out an approved request, by its number; returns at once. Safe to call again."""
    access_package: Callable[[str], Awaitable[bytes]] | None = None
    """The ZIP for a request of access, by its number."""
    verify_ledger: Callable[[], Awaitable[LedgerReport]] | None = None
    """Reads the whole ledger and its mirror. Slow: seconds per 10,000 entries."""
    prove_leaf: Callable[[str], Awaitable[Mapping[str, Any]]] | None = None
    """The inclusion proof of a leaf as JSON, walked before it is given out: `proving.prover` makes it."""
    health: Mapping[str, Callable[[], str | None]] = field(default_factory=dict)
    """A part of the twin, in words, and what says None when it is well, else why not."""
    now: Callable[[], float] = time.time
    """Unix time in seconds."""
