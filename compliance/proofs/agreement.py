"""What was agreed to: who answered what, to whom, after which words and on what terms; receipts are made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from compliance.clear import plain_word

Status = Literal["granted", "denied", "revoked", "expired"]
STATUSES: tuple[Status, ...] = ("granted", "denied", "revoked", "expired")
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody in a conversation."""

    subject: str | None = None
    """Phone number in E.164, e-mail address or participant identity; None when nobody knows."""
    name: str = ""
    address: str = ""
    """Postal, of a controller."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one question."""

    purpose: str
    """A plain word: recording, transcription, voice_clone, face_clone."""
    status: Status
    at_ms: int
    method: str
    """A plain word: voice, dtmf, button, notice, signature."""
    position_samples: int | None = None
    """Where in the call, on the outlet's clock."""
    rate_hz: int | None = None
    """Of that clock."""
    retention_days: int | None = None
    """How long what it allows is kept; None where nothing is."""

    def __post_init__(self) -> None:
        """Raises `VaultError` or `ValueError`."""
        plain_word(self.purpose)
        plain_word(self.method)
        if self.status not in STATUSES:
            raise ValueError(f"A consent is {', '.join(STATUSES)}; not {self.status!r}.")


@dataclass(frozen=True, slots=True)
class Agreement:
    """All that a receipt states."""

    person: Party
    """Who answered."""
    controller: Party
    """Who asked, and is responsible: the owner."""
    answers: tuple[Answer, ...]
    language: str
    """Of the notice."""
    notice: str
    """The words that the person was told before they answered."""
    policy: str
    """The versions of texts and rules that were followed."""
    started_ms: int
    """When the conversation began."""
    call_id: str = ""
    """Empty for an agreement outside a call, as the owner's own."""
    channel: str = ""
    jurisdictions: tuple[str, ...] = ()
    """Where the parties are, as `DE` or `US-CA`; empty is unknown."""
    law: str = "GDPR"
    """As the table of jurisdictions names it."""
    expires_ms: int | None = None
    """None: until it is withdrawn."""
    uses: tuple[str, ...] = ()
    """What a clone may be used for."""
    territory: str = ""
    """Where a clone may be used; empty is everywhere."""
    withdrawal: tuple[str, ...] = ()
    """The ways to withdraw, in words."""
    terms_url: str = ""
    """The privacy notice."""
    leaves: tuple[str, ...] = ()
    """Entries of the ledger that prove it."""
    supersedes: str = ""
    """The id of the receipt that this one takes the place of."""

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if not self.answers:
            raise ValueError("A receipt is about at least one answer.")
        if not _LANGUAGE.fullmatch(self.language):
            raise ValueError("A language is a tag, as en or pt-BR.")
        for place in self.jurisdictions:
            if not _JURISDICTION.fullmatch(place):
                raise ValueError("A jurisdiction is a country or a state, as DE or US-CA.")

    @property
    def under_gdpr(self) -> bool:
        """Whether the law is the EU's or the UK's."""
        return "GDPR" in self.law.upper()
