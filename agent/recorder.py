"""Writes a call into the vault as it happens, so that a killed process leaves what was heard."""

from __future__ import annotations

import logging
from typing import Any, Literal

from agent.conversation import HeardTurn
from channels.clock import Clock
from compliance.entries import TurnEntry, WordEntry
from compliance.errors import VaultError
from compliance.vault import Vault

logger = logging.getLogger(__name__)

Keeping = Literal["yes", "waiting", "no"]


class Recorder:
    """The conversation's listener for one call."""

    def __init__(self, vault: Vault, call_id: str, clock: Clock, subject: str | None) -> None:
        self._vault = vault
        self._call_id = call_id
        self._clock = clock
        self._subject = subject
        self._keeping: Keeping = "yes"
        self._waiting: dict[int, TurnEntry] = {}
        """Turns by number that may be kept once the caller says yes; in RAM only."""
        self.failed = False
        """True once the vault refused something; the host ends the call then, because it may not be forgotten."""

    def keep_words(self, keeping: Keeping, *, delete: bool = False) -> None:
        """Whether words are stored from now on. `delete`: and those of this call that are stored already go."""
        self._keeping = keeping
        waiting, self._waiting = self._waiting, {}
        try:
            if keeping == "yes":
                for entry in waiting.values():
                    self._vault.turn_heard(self._call_id, entry)
            elif delete:
                self._vault.turns_forgotten(self._call_id)
        except VaultError:
            self._refused()

    def grew(self, turn: HeardTurn) -> None:
        self._write(turn)

    def closed(self, turn: HeardTurn) -> None:
        self._write(turn)

    def participant(self, identity: str, name: str) -> None:
        """Somebody in a meeting has heard what the twin is, is back, or calls themselves differently: from now on
        what is theirs is kept, under their own key, and nothing of it before."""
        try:
            self._vault.participant(self._call_id, identity, name)
        except VaultError:
            self._refused()

    def left(self, identity: str) -> None:
        """A participant has gone."""
        try:
            self._vault.participant_left(self._call_id, identity)
        except VaultError:
            self._refused()

    def event(self, kind: str, detail: dict[str, Any], *, speaker: str = "") -> None:
        """`speaker`: whom in a meeting it is about; their name and identity do not belong into the detail."""
        clock = self._clock
        try:
            self._vault.event(
                self._call_id,
                kind,
                position_samples=clock.position,
                rate_hz=clock.rate_hz,
                detail=detail,
                speaker=speaker,
            )
        except VaultError:
            self._refused()

    def message(self, text: str, *, speaker: str = "") -> None:
        """A message for the owner; `speaker`: who in a meeting left it."""
        try:
            self._vault.message(text, call_id=self._call_id, subject=speaker or self._subject)
        except VaultError:
            self._refused()

    def _write(self, turn: HeardTurn) -> None:
        entry = TurnEntry(
            sequence=turn.number,
            who=turn.who,
            text=turn.text,
            start_samples=turn.start,
            end_samples=turn.end,
            rate_hz=self._clock.rate_hz,
            epoch=turn.epoch,
            cut=turn.cut,
            provenance=turn.provenance,
            words=tuple(
                WordEntry(word.text, word.start, word.end, word.utterance, word.provenance) for word in turn.words
            ),
            speaker=turn.speaker,
            name=turn.name,
        )
        if self._keeping != "yes":
            if self._keeping == "waiting":
                self._waiting[entry.sequence] = entry
            return
        try:
            self._vault.turn_heard(self._call_id, entry)
        except VaultError:
            self._refused()

    def _refused(self) -> None:
        if not self.failed:
            self.failed = True
            logger.error("the vault refused a record", extra={"call": self._call_id})
