"""A caller is looked up, recognised with care, and remembered with consent: a real vault, library and writer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from agent.remembering import Level, Remembering
from channels.call import Call
from channels.call import Caller as Side
from compliance.entries import TurnEntry
from compliance.vault import Vault
from persona.memory.extraction import RuleExtractor
from persona.memory.library import Library
from persona.memory.queue import MemoryQueue
from persona.memory.settings import MemorySettings
from persona.memory.writer import Writer
from persona.people import People, Person

NUMBER = "+493012345"
DAY_S = 86_400


@dataclass(slots=True)
class Line:
    """What a `Remembering` needs of a call."""

    id: str
    caller: Side
    language: str = "en"


@dataclass(slots=True)
class Here:
    """One process with its memory."""

    vault: Vault
    library: Library
    writer: Writer
    settings: MemorySettings
    people: People
    now: list[float]
    levels: list[Level] = field(default_factory=list)
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    calls: int = 0

    async def ring(self, *, number: str | None = NUMBER, name: str | None = None) -> Remembering:
        self.calls += 1
        self.levels.clear()
        self.events.clear()
        call = Line(f"20261122120000-{self.calls:016x}", Side(number, name))
        self.vault.begin_call(call.id, channel="phone", subject=number, language="en", provider_ref="")
        remembering = Remembering(
            cast(Call, call),
            self.people,
            self.settings,
            library=self.library,
            writer=self.writer,
            vault=self.vault,
            record=lambda kind, detail: self.events.append((kind, detail)),
            on_level=self.levels.append,
            named=name or "",
            now=lambda: self.now[0],
        )
        remembering.start()
        if remembering._task is not None:
            await remembering._task
        return remembering

    async def hang_up(self, remembering: Remembering, *said: str) -> None:
        """The words that the vault heard, the end, and all that follows from it."""
        call_id = cast(Any, remembering)._call.id
        for number, text in enumerate(said):
            self.vault.turn_heard(call_id, TurnEntry(number, "caller", text, number, number + 1, 8_000))
        await remembering.end()
        self.vault.end_call(call_id, "caller_left")
        await self.vault.flush()
        await self.writer.work_off()


@asynccontextmanager
async def here(home: Path, *people: Person, **settings: Any) -> AsyncIterator[Here]:
    chosen, now = MemorySettings(**settings), [1_800_000_000.0]
    async with Vault(home) as vault:
        library = Library(home, vault, chosen)
        await library.start()
        writer = Writer(MemoryQueue(vault), library, RuleExtractor(), vault)
        try:
            yield Here(vault, library, writer, chosen, People(people), now)
        finally:
            await writer.close()
            await library.close()


async def test_the_second_call_knows_the_first_after_consent(tmp_path: Path) -> None:
    async with here(tmp_path) as place:
        first = await place.ring()
        assert place.levels == ["ask"]
        assert first.question() == ""
        first.heard("Hello, this is Anna Schmidt.")
        assert first.memories("What do you know of me?") == ()
        await first.remember(True)
        await place.hang_up(first, "Hello, this is Anna Schmidt.", "I work at Northwind Bakery.")

        second = await place.ring()
        assert place.levels == ["ask", "given"]
        assert [event[0] for event in place.events] == ["recalled"]
        assert any("Northwind Bakery" in memory.text for memory in second.memories("Where do I work?"))
        assert second.caller().known
        assert second.caller().name == "", "a stored name is never said first"


async def test_without_consent_the_second_call_knows_nothing(tmp_path: Path) -> None:
    async with here(tmp_path) as place:
        first = await place.ring()
        first.heard("This is Anna Schmidt.")
        await first.remember(False)
        await place.hang_up(first, "This is Anna Schmidt.", "I work at Northwind Bakery.")
        second = await place.ring()
        assert second.memories("Where do I work?") == ()
        assert not second.caller().known
        assert place.levels == ["ask"]


async def test_who_changes_their_mind_in_the_call_is_not_remembered(tmp_path: Path) -> None:
    async with here(tmp_path) as place:
        first = await place.ring()
        await first.remember(True)
        await first.remember(False)
        await place.hang_up(first, "I work at Northwind Bakery.")
        assert await place.library.load(NUMBER) == ()


async def test_after_a_long_time_the_twin_asks_who_it_is_and_says_no_name(tmp_path: Path) -> None:
    async with here(tmp_path, fresh_days=60) as place:
        first = await place.ring()
        first.heard("This is Anna Schmidt.")
        await first.remember(True)
        await place.hang_up(first, "This is Anna Schmidt.", "I work at Northwind Bakery.")
        place.now[0] += 61 * DAY_S

        later = await place.ring()
        asked = later.question()
        assert asked.endswith("?")
        assert "Anna" not in asked
        assert later.memories("Where do I work?") == ()
        later.heard("Anna")
        assert any("Northwind" in memory.text for memory in later.memories("Where do I work?"))
        assert place.events[-1] == ("identified", {"state": "confirmed"})

        new_owner = await place.ring()
        new_owner.question()
        new_owner.heard("My name is Tom Weber.")
        assert new_owner.memories("Where do I work?") == ()
        assert not new_owner.caller().known


async def test_named_people_are_known_by_number_and_name(tmp_path: Path) -> None:
    anna = Person(name="Anna Schmidt", called="Anna", numbers=(NUMBER,), relation="friend")
    async with here(tmp_path, anna) as place:
        call = await place.ring()
        assert call.question()
        assert call.caller().person == ""
        call.heard("It's Anna.")
        assert (call.caller().person, call.caller().relation, call.caller().known) == (
            "Anna Schmidt",
            "friend",
            True,
        )
        stranger = await place.ring(number="+493099999")
        stranger.heard("It's Anna Schmidt.")
        assert stranger.caller().person == ""


async def test_a_withheld_number_and_a_memory_that_is_off_look_nobody_up(tmp_path: Path) -> None:
    async with here(tmp_path) as place:
        hidden = await place.ring(number=None)
        await hidden.remember(True)
        assert (place.levels, hidden.question(), hidden.memories("x")) == ([], "", ())
    async with here(tmp_path, enabled=False) as place:
        await place.ring()
        assert place.levels == []
    async with here(tmp_path, ask="never") as place:
        await place.ring()
        assert place.levels == []


async def test_a_name_from_the_meeting_is_used(tmp_path: Path) -> None:
    async with here(tmp_path) as place:
        call = await place.ring(number="guest-1", name="Anna")
        assert call.caller().name == "Anna"


async def test_a_library_that_hangs_never_holds_up_the_end_of_a_call(tmp_path: Path) -> None:
    async with here(tmp_path) as place:
        first = await place.ring()
        await first.remember(True)
        await place.hang_up(first, "I work at Northwind Bakery.")

        class Stuck:
            async def recall(self, subject: str) -> Any:
                await asyncio.Event().wait()

        call = Line("20261122120000-ffffffffffffffff", Side(NUMBER))
        remembering = Remembering(
            cast(Call, call),
            People(),
            place.settings,
            library=Stuck(),
            writer=place.writer,
            vault=place.vault,
            record=lambda kind, detail: None,
            on_level=lambda level: None,
        )
        remembering.start()
        for _ in range(50):
            await asyncio.sleep(0.001)
        async with asyncio.timeout(5):
            await remembering.end()


@pytest.mark.parametrize("said", ["", "Hello?", "When are you open?"])
async def test_small_talk_is_nothing_to_remember(tmp_path: Path, said: str) -> None:
    async with here(tmp_path) as place:
        first = await place.ring()
        await first.remember(True)
        await place.hang_up(first, said)
        assert await place.library.load(NUMBER) == ()
