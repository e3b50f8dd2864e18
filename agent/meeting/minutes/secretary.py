"""Keeps the sound of questions for the owner while a meeting runs, and writes its digest when it is over.

    secretary = Secretary(vault, call.id, owner=..., clock_hz=call.clock.rate_hz, recordings=archive.recordings)
    secretary.asked_owner(turn, uttered)     # only while everybody said yes to recording
    await secretary.end()                    # after the last turn; also made up for after a crash: `catch_up`

All that it needs is in the vault, so that a killed process loses no digest whose turns were kept.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from agent.conversation import HeardTurn
from agent.meeting.events import Uttered
from agent.meeting.minutes.digest import digest
from compliance.entries import Conversation, MinuteEntry, MinuteKind
from compliance.errors import TwinError, VaultError
from compliance.records import Recordings
from compliance.sound import recorded
from compliance.sound.recorded import RecordingEntry
from compliance.vault import Vault

logger = logging.getLogger(__name__)

CHANNEL = "room"
DIGESTED = "digested"
"""The event that says the digest of a meeting was written."""
NOTED = "noted"
"""The event of a question for the owner, with the turn's number."""
_SLACK_S = 1.0
"""The sound of a question begins within its turn, or so much before it."""
_WRITING_S = 600.0
"""Nobody else begins a digest that somebody began so short ago."""
_LOOKED_AT = 50
"""Meetings that a start looks through for one without its digest."""
_COUNTED: tuple[tuple[MinuteKind, str, str], ...] = (
    ("question", "question for you", "questions for you"),
    ("decision", "decision", "decisions"),
    ("action", "thing taken on", "things taken on"),
    ("promise", "promise of mine", "promises of mine"),
)

Refine = Callable[[Conversation, tuple[MinuteEntry, ...]], Awaitable[tuple[MinuteEntry, ...]]]
"""Makes a better digest of a meeting from the one by rules. Raises `TwinError` when it cannot."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose meeting notes these are."""

    names: tuple[str, ...]
    identities: tuple[str, ...] = ()
    """Under which they take part themselves, as `[meeting] owner` says."""


class Secretary:
    """Of one meeting."""

    def __init__(
        self,
        vault: Vault,
        call_id: str,
        *,
        owner: Owner,
        clock_hz: int,
        recordings: Recordings | None = None,
        refine: Refine | None = None,
    ) -> None:
        """Without `recordings` no sound is kept, whatever everybody agreed to."""
        self._vault = vault
        self._call_id = call_id
        self._owner = owner
        self._clock_hz = clock_hz
        self._recordings = recordings
        self._refine = refine

    def asked_owner(self, turn: HeardTurn, uttered: Uttered) -> None:
        """Keep how a question was asked, only while everybody present agrees to recording; returns at once."""
        if self._recordings is None or not uttered.pcm or not turn.speaker:
            return
        lasted = len(uttered.pcm) // 2 * self._clock_hz // uttered.rate_hz
        try:
            self._recordings.keep(
                self._call_id,
                uttered.pcm,
                pcm_hz=uttered.rate_hz,
                clock_hz=self._clock_hz,
                position=max(0, uttered.end - lasted),
                speaker=turn.speaker,
            )
        except VaultError as error:
            logger.error("the sound of a question was not kept", extra={"call": self._call_id, "code": error.code})

    async def end(self) -> None:
        """Write the digest. Does not raise: a meeting without one gets it at the next start."""
        try:
            await write(self._vault, self._call_id, owner=self._owner, refine=self._refine)
        except VaultError as error:
            logger.error("the digest of a meeting is written later", extra={"code": error.code})


async def write(
    vault: Vault, call_id: str, *, owner: Owner, refine: Refine | None = None
) -> tuple[MinuteEntry, ...]:
    """Write the digest of a meeting and a message that it is there, once. Raises `VaultError`."""
    kept = await vault.call(call_id)
    if kept is None or any(event.kind == DIGESTED for event in kept.events):
        return ()
    # Another process may be writing it, and one that was killed over it is followed by another later.
    if not await vault.spend_token(f"digest:{call_id}", time.time() + _WRITING_S):
        return ()
    entries = of_conversation(kept, owner)
    if refine is not None and any(turn.who == "caller" for turn in kept.turns):
        try:
            entries = await refine(kept, entries)
        except TwinError as error:
            logger.info("the digest was left to the rules", extra={"code": error.code})
    recordings = await vault.run(lambda tx: recorded.entries(tx, recorded.of_call(call_id)))
    entries = tuple(_with_sound(entry, recordings) for entry in entries)
    vault.minutes(call_id, entries)
    if entries:
        vault.message(in_words(entries, len(kept.participants)), call_id=call_id)
    vault.event(call_id, DIGESTED, detail={"entries": len(entries)})
    await vault.flush()
    return entries


def of_conversation(kept: Conversation, owner: Owner) -> tuple[MinuteEntry, ...]:
    """The digest of what was kept, by rules. Pure."""
    noted = [event.detail.get("turn") for event in kept.events if event.kind == NOTED]
    return digest(
        kept.turns,
        owner=owner.names,
        language=kept.call.language or "en",
        noted=[number for number in noted if isinstance(number, int)],
        owner_identities=owner.identities,
    )


async def catch_up(vault: Vault, *, owner: Owner, refine: Refine | None = None) -> int:
    """After a start: write the digests that a killed process left unwritten; how many. Raises `VaultError`."""
    done = 0
    for call in await vault.calls(channel=CHANNEL, state="ended", limit=_LOOKED_AT):
        if await write(vault, call.id, owner=owner, refine=refine):
            done += 1
    return done


def in_words(entries: Sequence[MinuteEntry], people: int) -> str:
    """What there is to read, and nothing that anybody said: that stays each one's own."""
    counts = Counter(entry.kind for entry in entries)
    listed = [
        f"{counts[kind]} {one if counts[kind] == 1 else many}" for kind, one, many in _COUNTED if counts[kind]
    ]
    what = ", ".join(listed) or f"{len(entries)} notes"
    return f"Digest of a meeting with {people} {'person' if people == 1 else 'people'}: {what}."


def _with_sound(entry: MinuteEntry, recordings: Sequence[RecordingEntry]) -> MinuteEntry:
    if entry.kind != "question":
        return entry
    for recording in recordings:
        at = recording.start_samples / recording.clock_hz
        if entry.start_samples / entry.rate_hz - _SLACK_S <= at < entry.end_samples / entry.rate_hz:
            return replace(entry, recording_id=recording.id)
    return entry
