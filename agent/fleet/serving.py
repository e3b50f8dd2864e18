"""One room from its first moment to its last, on a house that has started; the same for every host of jobs."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Protocol, cast, get_args

from agent.fleet.job import RoomJob
from agent.house import House
from agent.meeting.addressee.said import Mode
from agent.opening import texts_of
from channels.call import Call, Caller, Channel, Refusal
from channels.livekit.session import RoomSession
from channels.livekit.signs import Signs
from channels.wire import Wire
from compliance.errors import SettingsError
from compliance.language.intents import claims_human

LEAVE_S = 30.0
"""How long leaving may take when it was asked for: the room is left at once, and then the digest is written,
for which a model may take 25 s."""
STILL_WANTED = frozenset(
    {
        *("server_stopping", "cancelled", "not_ready"),
        *("connection_lost", "line_failed", "disclosure_unheard", "outlet_failed"),
        *("vault_failed", "pipeline_failed", "no_speech_engine", "no_voice"),
    }
)
"""Reasons why a meeting ended that were this process's: it may go on with the twin of another. All others, also
those not known here, are taken for a farewell: a twin that was sent away must not come back. `duplicate` is not
one of these: the room has its twin, and two that are both still wanted throw each other out."""


class Session(Protocol):
    """What of a `RoomSession` is used here."""

    async def run(self) -> str: ...

    def leave(self, reason: str) -> None: ...


def mode_of(metadata: str) -> Mode | None:
    """How the twin is to behave in this room, where whoever sent for it said so. Anything else in there is not
    ours and is left alone. Raises `SettingsError` for a mode that there is not."""
    try:
        told = json.loads(metadata) if metadata.lstrip().startswith("{") else {}
    except ValueError:
        return None
    mode = told.get("mode") if isinstance(told, dict) else None
    if mode is None or mode == "":
        return None
    if mode not in get_args(Mode):
        raise SettingsError(f"the mode of a room is one of {', '.join(get_args(Mode))}")
    return cast(Mode, mode)


class OneRoom:
    """The house as the host of one room: what its dispatcher said holds for its calls."""

    def __init__(self, house: House, mode: Mode | None) -> None:
        self.reason = ""
        """Why the call ended, once it has."""
        self._house = house
        self._mode = mode

    def refusal(self) -> Refusal | None:
        return self._house.refusal()

    def begin(self, channel: Channel, wire: Wire, caller: Caller, *, reference: str | None = None) -> Call:
        call = self._house.begin(channel, wire, caller, reference=reference)
        if self._mode is not None:
            self._house.meet_in(call.id, self._mode)
        return call

    async def carry(self, call: Call) -> None:
        carried = [live for live in self._house.live if live.call is call]
        await self._house.carry(call)
        self.reason = "".join(live.reason for live in carried)

    def end(self, reference: str, reason: str) -> bool:
        return self._house.end(reference, reason)

    async def spend(self, nonce: str, expires_at: datetime) -> bool:
        return await self._house.spend(nonce, expires_at)


def signs_of(house: House, name: str = "") -> Signs:
    """The texts that mark this twin in a room. `name` goes before the words that say what it is, and never instead
    of them. Raises `SettingsError` for one that says that this is a person."""
    owner = house.persona.profile.name
    texts = texts_of(house.home, house.settings.twin.language, owner)["words"]
    if claims_human(name, house.settings.twin.language):
        raise SettingsError("the name says or seems to say that this is a person; write only the name")
    shown = f"{name} ({texts.participant})" if name else texts.participant
    return Signs(name=shown, chat=texts.chat, owner=owner)


class Visit:
    """A room's session that knows why the call in it ended, where the room itself is no reason."""

    def __init__(self, host: OneRoom, session: Session) -> None:
        self._host = host
        self._session = session

    async def run(self) -> str:
        reason = await self._session.run()
        return self._host.reason or reason if reason == "ended" else reason

    def leave(self, reason: str) -> None:
        self._session.leave(reason)


def session(house: House, job: RoomJob, signs: Signs) -> Session:
    """What serves the room; nothing is done before its `run`. Raises `SettingsError`."""
    host = OneRoom(house, mode_of(job.metadata))
    return Visit(host, RoomSession(host, house.settings.livekit, job, signs))


async def ended(running: asyncio.Task[str], asked: Session, reason: str) -> None:
    """Ask a session to leave, and see that it does; it is cancelled when it takes too long."""
    asked.leave(reason)
    await asyncio.wait({running}, timeout=LEAVE_S)
    if not running.done():
        running.cancel()
        await asyncio.wait({running}, timeout=LEAVE_S)
