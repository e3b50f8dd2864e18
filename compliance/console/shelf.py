"""Gets what belongs to a call from the parts of the house, masked for who may not see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException

from compliance.console import consents
from compliance.console.desk import Desk, EvidenceEntry
from compliance.console.masks import Masks, names, of_people
from compliance.console.sheet import Sheet, sheet
from compliance.entries import Conversation, MinuteEntry, ParticipantEntry
from compliance.minutes import by_kind
from compliance.sound.recorded import RecordingEntry
from compliance.watermark.register import Marks

_TWINS = ("promise", "statement", "unknown")
"""Kinds of minutes that the twin said."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """An entry of evidence whose free text is masked: people write names into reasons."""

    leaf: str
    kind: str
    at_ms: int
    detail: Mapping[str, Any] | None
    state: str


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that a meeting came down to, as the page shows it."""

    text: str
    start_s: float
    name: str
    """Whose words it comes from, or of an action who does it; empty is nobody alone."""
    due: str
    """Of an action: by when."""
    recording_id: str
    """Its sound; empty when none was kept."""


class Shelf:
    """Where call pages look things up."""

    def __init__(self, desk: Desk, masks: Masks) -> None:
        self._desk = desk
        self._masks = masks

    @property
    def can_mask(self) -> bool:
        """False when nothing looks for secrets, and all words are hidden."""
        return self._masks.there

    async def conversation(self, call_id: str) -> Conversation:
        """Raises 404 when there is no such call, also when its person was forgotten a moment ago."""
        found = await self._desk.vault.call(call_id)
        if found is None:
            raise HTTPException(404, "There is no such call.")
        return found

    async def kept(self, call_id: str) -> Sequence[RecordingEntry]:
        """The recordings of a call."""
        return await self._desk.recordings.of(call_id) if self._desk.recordings else ()

    async def watermark(self, call_id: str) -> str:
        """What the watermark of the call says, by which `twin verify` names it; empty where it has none."""
        token = await Marks(self._desk.vault).of(call_id)
        return token.text if token else ""

    async def sheet(self, conversation: Conversation, *, unmasked: bool) -> Sheet:
        """What the page of the call shows."""
        call = conversation.call
        answers, leaves, kept = await asyncio.gather(
            consents.of_call(self._desk.vault, call.id),
            self._desk.evidence.of(call_id=call.id),
            self.kept(call.id),
        )
        hidden = None
        if not unmasked:
            known = _known(conversation)
            hidden = await self._masks.of_turns(conversation.turns, language=call.language, known=known)
        return sheet(
            conversation,
            evidence=[await self._shown(leaf, conversation, unmasked=unmasked) for leaf in leaves],
            consents=answers,
            kept=kept,
            hidden=hidden,
            now_ms=int(self._desk.now() * 1000),
        )

    async def text(self, text: str, conversation: Conversation, *, unmasked: bool) -> str:
        """A text about a call: a message, a reason."""
        if unmasked or not text:
            return text
        return await self._masks.text(text, language=conversation.call.language, known=_known(conversation))

    async def minutes(self, conversation: Conversation, *, unmasked: bool) -> list[tuple[str, list[Note]]]:
        """What a meeting came down to, by heading."""
        shown = names(conversation.participants, unmasked=unmasked)
        kept = conversation.minutes
        texts = [entry.text for entry in kept] + [entry.who for entry in kept]
        if not unmasked and kept:
            texts = await self._masks.texts(texts, language=conversation.call.language, known=_known(conversation))
        notes = {
            id(entry): _note(entry, texts[at], texts[len(kept) + at], conversation.participants, shown)
            for at, entry in enumerate(kept)
        }
        return [(heading, [notes[id(entry)] for entry in entries]) for heading, entries in by_kind(kept)]

    async def messages(self, conversation: Conversation, *, unmasked: bool) -> list[tuple[int, str]]:
        """When each message for the owner was taken, and what it says."""
        return [
            (message.at_ms, await self.text(message.text, conversation, unmasked=unmasked))
            for message in conversation.messages
        ]

    async def evidence_package(self, call_id: str) -> dict[str, Any]:
        """Everything noted about a call, with proofs and receipts, for somebody who believes nobody."""
        leaves = await self._desk.evidence.of(call_id=call_id)
        answers = await consents.of_call(self._desk.vault, call_id)
        prove = self._desk.prove_leaf
        return {
            "call": call_id,
            "public_key": self._desk.public_key,
            "leaves": [
                {
                    "leaf": leaf.leaf,
                    "kind": leaf.kind,
                    "at_ms": leaf.at_ms,
                    "detail": dict(leaf.detail) if leaf.detail is not None else None,
                    "state": leaf.state,
                    "proof": await prove(leaf.leaf) if prove and leaf.state != "missing" else None,
                }
                for leaf in leaves
            ],
            "receipts": [json.loads(answer.receipt) for answer in answers if answer.receipt],
        }

    async def _shown(self, leaf: EvidenceEntry, conversation: Conversation, *, unmasked: bool) -> _Leaf:
        detail = leaf.detail
        if detail is not None and isinstance(detail.get("reason"), str):
            detail = {**detail, "reason": await self.text(detail["reason"], conversation, unmasked=unmasked)}
        return _Leaf(leaf.leaf, leaf.kind, leaf.at_ms, detail, leaf.state)


def _note(
    entry: MinuteEntry, text: str, who: str, people: Sequence[ParticipantEntry], shown: Mapping[str, str]
) -> Note:
    """`text` and `who` as they may be shown."""
    name = shown.get(entry.speaker, "")
    meant = _meant(entry.who, people)
    if entry.kind == "action":
        name = shown[meant.identity] if meant else who
    elif name and entry.kind in _TWINS:
        name = f"To {name}"
    start_s = entry.start_samples / entry.rate_hz
    return Note(text=text, start_s=start_s, name=name, due=entry.due, recording_id=entry.recording_id)


def _meant(who: str, people: Iterable[ParticipantEntry]) -> ParticipantEntry | None:
    """The participant whom a name in the words of the meeting stands for, where it is one's alone."""
    first = who.casefold().split()[:1]
    found = [person for person in people if first and person.name.casefold().split()[:1] == first]
    return found[0] if len(found) == 1 else None


def _known(conversation: Conversation) -> tuple[str, ...]:
    subject = conversation.call.subject
    return (*((subject,) if subject else ()), *of_people(conversation.participants))
