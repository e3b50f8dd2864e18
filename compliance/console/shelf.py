"""Gets what belongs to a call from the parts of the house, masked for who may not see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException

from compliance.console import consents
from compliance.console.desk import Desk, EvidenceEntry
from compliance.console.masks import Masks
from compliance.console.sheet import Sheet, sheet
from compliance.entries import CallEntry, Conversation
from compliance.sound.recorded import RecordingEntry


@dataclass(frozen=True, slots=True)
class _Leaf:
    """An entry of evidence whose free text is masked: people write names into reasons."""

    leaf: str
    kind: str
    at_ms: int
    detail: Mapping[str, Any] | None
    state: str


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
            hidden = await self._masks.of_turns(conversation.turns, language=call.language, known=_known(call))
        return sheet(
            conversation,
            evidence=[await self._shown(leaf, call, unmasked=unmasked) for leaf in leaves],
            consents=answers,
            kept=kept,
            hidden=hidden,
            now_ms=int(self._desk.now() * 1000),
        )

    async def text(self, text: str, call: CallEntry, *, unmasked: bool) -> str:
        """A text about a call: a message, a reason."""
        return text if unmasked else await self._masks.text(text, language=call.language, known=_known(call))

    async def messages(self, conversation: Conversation, *, unmasked: bool) -> list[tuple[int, str]]:
        """When each message for the owner was taken, and what it says."""
        return [
            (message.at_ms, await self.text(message.text, conversation.call, unmasked=unmasked))
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

    async def _shown(self, leaf: EvidenceEntry, call: CallEntry, *, unmasked: bool) -> _Leaf:
        detail = leaf.detail
        if detail is not None and isinstance(detail.get("reason"), str):
            detail = {**detail, "reason": await self.text(detail["reason"], call, unmasked=unmasked)}
        return _Leaf(leaf.leaf, leaf.kind, leaf.at_ms, detail, leaf.state)


def _known(call: CallEntry) -> tuple[str, ...]:
    return (call.subject,) if call.subject else ()
