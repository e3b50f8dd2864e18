"""A room channel that a test plays: people come, speak, write and leave; the twin's sound leaves by ticks.

The house, its doors, its clock and its pipeline are the real ones. What people say is given as the hall would tell
it (`says`), or goes as sound through their doors (`sounds`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from agent.house import House
from agent.meeting.events import Began, Fell, Guessed, HallEvent, Unheard, Uttered
from agent.meeting.floor import MeetingFloor
from agent.run import LiveCall
from channels.call import Caller, CallEvent
from channels.inlet import Inlet
from channels.outlet import State
from channels.room import Person
from tests.doubles.wire import EarWire

RATE_HZ = 48_000
MICROPHONE_BYTES = 640
"""20 ms at 16 kHz."""
LIMIT_S = 10.0


@dataclass
class Chat:
    """The channel's side of the room."""

    written: list[str] = field(default_factory=list)
    hands: list[bool] = field(default_factory=list)

    def write(self, text: str, to: Sequence[str] = ()) -> None:
        self.written.append(text)

    def raise_hand(self, raised: bool) -> None:
        self.hands.append(raised)


class Meeting:
    """One meeting in progress."""

    def __init__(self, live: LiveCall, wire: EarWire, *people: Person) -> None:
        self.live = live
        self.wire = wire
        self.call = live.call
        self.pace = 1.0
        self.chat = Chat()
        self.events: list[CallEvent] = []
        self.doors: dict[str, Inlet] = {}
        self.call.room = self.chat
        self.call.watchers.append(self.events.append)
        for person in people:
            self.joins(person)

    def joins(self, person: Person) -> Inlet:
        assert self.call.attendance is not None
        door = self.doors[person.identity] = self.call.attendance.joined(person)
        return door

    def leaves(self, identity: str) -> None:
        assert self.call.attendance is not None
        self.call.attendance.left(identity)

    @property
    def floor(self) -> MeetingFloor:
        (floor,) = [stage for stage in self.live.pipeline.processors if isinstance(stage, MeetingFloor)]
        return floor

    @property
    def said(self) -> str:
        """What the twin said, as far as it was heard."""
        return " ".join(
            turn.text for turn in self.live.conversation.turns if turn.who == "twin" and not turn.typed
        )

    @property
    def talk(self) -> list[tuple[str, str]]:
        """Who said what, the twin's turns by `twin`."""
        return [
            ("twin" if turn.who == "twin" else turn.speaker, turn.text) for turn in self.live.conversation.turns
        ]

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.call.outlet.tick()
            self.call.outlet.played(self.wire.played)

    async def hears(self, condition: Callable[[], object], *, limit_s: float = LIMIT_S) -> None:
        """The twin's sound leaves, faster than in life, until something is true."""
        async with asyncio.timeout(limit_s):
            while not condition():
                self.tick()
                await asyncio.sleep(0.001)

    async def passes(self, milliseconds: float) -> None:
        """So much sound leaves."""
        for _ in range(round(milliseconds / 20)):
            self.tick()
            await asyncio.sleep(0.001)

    async def opens(self) -> None:
        """The disclosure is heard, and what follows it."""
        await self.hears(lambda: self.call.outlet.state is State.OPEN)
        await self.hears(lambda: not self.call.outlet.speaking)

    def hear(self, *events: HallEvent) -> None:
        """The hall tells it."""
        for event in events:
            self.floor.hear(event)

    def begins(self, who: str, text: str = "") -> None:
        at = self.call.clock.position
        self.hear(Began(who, at), *([Guessed(who, text, at)] if text else []))

    def ends(self, who: str, text: str) -> None:
        """They fall silent, and this is what they have said; nothing: not to be understood."""
        at = self.call.clock.position
        start = at - RATE_HZ
        said = Uttered(who, text, start, at) if text else Unheard(who, start, at, crowded=False)
        self.hear(Fell(who, at, 192.0), said)

    def says(self, who: str, text: str) -> None:
        """A whole utterance, long enough ago that there is a gap behind it."""
        self.begins(who, text)
        self.ends(who, text)

    def types(self, who: str, text: str) -> None:
        """Into the meeting's chat."""
        self.doors[who].type(text)

    async def lasts(self, seconds: float = 0.0, **sounds: bytes) -> None:
        """The twin's sound leaves and everybody's microphone gives what they say, else silence, at `pace` times
        the speed of life; until all of it is said, and so much longer."""
        loop = asyncio.get_running_loop()
        chunks = max((len(pcm) // MICROPHONE_BYTES for pcm in sounds.values()), default=0) + round(seconds * 50)
        began = loop.time()
        for chunk in range(chunks):
            at = chunk * MICROPHONE_BYTES
            for who, door in self.doors.items():
                door.hear(sounds.get(who, b"")[at : at + MICROPHONE_BYTES].ljust(MICROPHONE_BYTES, b"\0"))
            self.tick()
            await asyncio.sleep(max(0.0, began + (chunk + 1) * 0.02 / self.pace - loop.time()))

    async def lasts_until(self, condition: Callable[[], object], *, limit_s: float = 10.0) -> None:
        """The same, with nobody speaking, until something is true."""
        async with asyncio.timeout(limit_s):
            while not condition():
                await self.lasts(0.1)


@asynccontextmanager
async def meeting(house: House, *people: Person, lead_chunks: int = 2) -> AsyncIterator[Meeting]:
    """A meeting with these people in a whole house, from before its disclosure to its end."""
    wire = EarWire(RATE_HZ, lead_chunks=lead_chunks)
    call = house.begin("room", wire, Caller(), reference="weekly")
    live = next(live for live in house.live if live.call is call)
    async with running(Meeting(live, wire, *people), house.carry(call)) as here:
        yield here


@asynccontextmanager
async def running(here: Meeting, carry: Coroutine[Any, Any, None]) -> AsyncIterator[Meeting]:
    """The meeting, until it is over."""
    carrying = asyncio.create_task(carry, name="carry")
    try:
        yield here
    finally:
        here.live.hang_up("test_over")
        await asyncio.wait_for(carrying, LIMIT_S)
