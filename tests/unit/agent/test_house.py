"""The owner's cloned voice in a whole house: it speaks while the consent stands, is silent and gone without it.

The house, its store, its engines and the receipts are real; the clone is a local server that sounds in tones, and
what the recogniser heard and the matcher found of the owner's statement is given. Sound leaves by ticks.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.house import OUTLET_RATES_HZ, House
from agent.opening import CLONED, PREPARED
from agent.run import LiveCall
from agent.settings import load
from agent.stages.honesty import Line
from channels.call import Caller, Refusal
from channels.outlet import State
from compliance.likeness import permits as permitting
from compliance.likeness.statement import Use
from persona.home import demo
from tests.doubles.mark import MARKED, heard_as
from tests.doubles.openai_voice import OpenAIVoiceServer
from tests.doubles.wire import EarWire
from tests.unit.agent.owner import HOUR_S, Owner, owner
from tests.unit.compliance.store_helpers import run_python

RATE_HZ = 8_000
CHUNK = 160
LIMIT_S = 30.0
LONG = "One two three four five six seven eight nine ten eleven twelve."
REVOKE = """
import asyncio, sys
from pathlib import Path
from tests.unit.agent.owner import owner
async def main():
    async with owner(Path(sys.argv[1])) as here:
        await here.clones.revoke("voice")
asyncio.run(main())
"""


class Here:
    """A house and the clone's server."""

    def __init__(self, house: House, clone: OpenAIVoiceServer) -> None:
        self.house = house
        self.clone = clone

    @property
    def cloned_texts(self) -> list[str]:
        """What the clone was asked to say."""
        return [str(asked.body["input"]) for asked in self.clone.asked]

    @property
    def silent(self) -> bool:
        """Whether the house says that the cloned voice may not sound."""
        return any("cloned voice is silent" in notice for notice in self.house.status()["notices"])

    @property
    def cached(self) -> list[Path]:
        return sorted((self.house.home / "cache" / CLONED).glob("*"))

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Ringing]:
        wire = EarWire(RATE_HZ, lead_chunks=2)
        call = self.house.begin("phone", wire, Caller("+493012345"))
        (live,) = self.house.live
        carrying = asyncio.create_task(self.house.carry(call), name="carry")
        ringing = Ringing(live, wire, carrying)
        try:
            yield ringing
        finally:
            live.hang_up("test_over")
            await asyncio.wait_for(carrying, LIMIT_S)


@dataclass
class Ringing:
    """A call, from the caller's side."""

    live: LiveCall
    wire: EarWire
    carrying: asyncio.Task[None]

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.live.call.outlet.tick()
            self.live.call.outlet.played(self.wire.played)

    async def hears(self, condition: Callable[[], object]) -> None:
        """Sound leaves until something is true."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self.tick()
                await asyncio.sleep(0.0005)

    async def hears_the_disclosure(self) -> None:
        await self.hears(lambda: self.live.call.outlet.state is not State.WAITING)
        await self.hears(lambda: self.live.call.outlet.state is State.OPEN)
        assert heard_as(self.wire.samples, self.live.opening.disclosure.pcm) > MARKED

    async def hears_all(self) -> None:
        """What the twin says by itself at the beginning."""
        await self.hears(lambda: "help" in self.live.opening.lines)
        await self.hears(lambda: self.said_to_end(self.live.opening.texts.help))

    def said_to_end(self, text: str) -> bool:
        return text in self.said and not self.live.call.outlet.speaking

    @property
    def said(self) -> str:
        return " ".join(turn.text for turn in self.live.conversation.turns if turn.who == "twin")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110  the house announces nothing
            await asyncio.sleep(0.01)


@asynccontextmanager
async def house(home: Path, *, cloned: bool = True, voice: str = 'engine = "openai"\n') -> AsyncIterator[Here]:
    """The demo twin; its voice comes from the clone's server."""
    async with OpenAIVoiceServer() as clone:
        url = f'base_url = "{clone.url}"\n' if "openai" in voice else ""
        (home / "twin.toml").write_text(
            f'[speech]\nengine = "pocketsphinx"\n[voice]\n{voice}{url}cloned = {str(cloned).lower()}\n', "utf-8"
        )
        made = House(load(home), demo(), {}, home=home)
        try:
            await made.start()
            yield Here(made, clone)
        finally:
            await made.close()


def consenting_house(
    home: Path, *uses: Use, voice: str = 'engine = "openai"\n'
) -> AbstractAsyncContextManager[tuple[Here, Owner]]:
    """A house whose owner has consented before it starts, and the owner."""

    @asynccontextmanager
    async def both() -> AsyncIterator[tuple[Here, Owner]]:
        async with owner(home) as somebody:
            await somebody.consents(*uses)
            async with house(home, voice=voice) as here:
                yield here, somebody

    return both()


async def test_without_consent_the_built_in_voice_serves_and_a_notice_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        assert here.silent
        assert here.house.status()["engines"]["voice"] == "espeak"
        async with here.call() as ringing:
            assert ringing.live.opening is here.house.openings.of(RATE_HZ, "words")
            await ringing.hears_the_disclosure()
            await ringing.hears_all()
            ringing.live.consenting.say([Line(LONG)])
            await ringing.hears(lambda: ringing.said_to_end(LONG))
        assert here.cloned_texts == []
        assert here.cached == []


async def test_a_consent_to_something_else_is_none(tmp_path: Path) -> None:
    async with consenting_house(tmp_path, "videos") as (here, _):
        assert here.silent
        assert here.cloned_texts == []


async def test_with_a_consent_the_cloned_voice_speaks(tmp_path: Path) -> None:
    async with consenting_house(tmp_path) as (here, _):
        assert not here.silent
        assert here.house.status()["engines"]["voice"] == "openai"
        async with here.call() as ringing:
            opening = ringing.live.opening
            own = here.house.openings.of(RATE_HZ, "words")
            assert opening.texts.text in here.cloned_texts
            assert opening.disclosure.pcm != own.disclosure.pcm
            await ringing.hears_the_disclosure()
            await ringing.hears_all()
            ringing.live.consenting.say([Line(LONG)])
            await ringing.hears(lambda: ringing.said_to_end(LONG))
        assert LONG in here.cloned_texts
        # The apology must sound when the clone may not.
        assert opening.texts.apology not in here.cloned_texts


async def test_revoked_elsewhere_a_live_call_falls_silent_apologises_and_ends(tmp_path: Path) -> None:
    async with consenting_house(tmp_path) as (here, somebody):
        async with here.call() as ringing:
            await ringing.hears_the_disclosure()
            ringing.live.consenting.say([Line(LONG)])
            await ringing.hears(lambda: "three" in ringing.said)
            outlet = ringing.live.call.outlet
            assert outlet.speaking
            # Nothing ticks meanwhile, so what the caller hears next is what comes after the revocation.
            await somebody.clones.revoke("voice")
            await here.house.archive.permits.refresh()
            left = ringing.wire.bytes_sent
            ringing.tick()
            assert outlet.state is State.FAILED
            assert not ringing.live.call.inlet.is_open
            apology = ringing.live.opening.apology
            assert ringing.live.opening.sorry not in here.cloned_texts
            ringing.tick(len(apology.pcm) // 2 // CHUNK + 5)
            assert heard_as(ringing.wire.sent[left // 2 :], apology.pcm) > MARKED
            await asyncio.wait_for(ringing.carrying, LIMIT_S)
            assert ringing.live.reason == "outlet_failed"
            assert ringing.wire.closed_because == "outlet_failed"
        asked = len(here.clone.asked)
        assert here.silent
        async with here.call() as ringing:
            assert ringing.live.opening is here.house.openings.of(RATE_HZ, "words")
            await ringing.hears_the_disclosure()
            ringing.live.consenting.say([Line(LONG)])
            await ringing.hears(lambda: LONG in ringing.said)
        assert len(here.clone.asked) == asked


async def test_another_process_revokes_and_the_house_follows_by_itself(tmp_path: Path) -> None:
    async with consenting_house(tmp_path) as (here, _), here.call() as ringing:
        await ringing.hears_the_disclosure()
        ringing.live.consenting.say([Line(LONG)])
        await ringing.hears(lambda: "two" in ringing.said)
        other = run_python(REVOKE, tmp_path)
        await asyncio.to_thread(other.communicate)
        assert other.returncode == 0
        await until(lambda: here.silent)
        left = ringing.wire.bytes_sent
        ringing.tick(5)
        assert not ringing.wire.sent[left // 2 : left // 2 + CHUNK].any()
        assert ringing.live.call.outlet.state is State.FAILED
    # It looks several times a second.
    assert permitting.WATCH_S <= 0.5


async def test_what_the_clone_said_is_deleted_with_the_consent_and_only_that(tmp_path: Path) -> None:
    async with consenting_house(tmp_path) as (here, somebody):
        assert here.house.cloned is not None
        opening = here.house.cloned.openings.of(RATE_HZ, "words")
        await until(lambda: len(opening.lines) > 3)
        assert len(here.cached) >= len(OUTLET_RATES_HZ)
        own = sorted((tmp_path / "cache" / PREPARED).glob("*"))
        await somebody.clones.revoke("voice")
        await until(lambda: here.silent and not (tmp_path / "cache" / CLONED).exists())
        assert set(own) <= set((tmp_path / "cache" / PREPARED).glob("*"))
        assert not here.house.cloned.openings.ready


async def test_revoked_while_no_house_was_running_it_is_deleted_at_the_next_start(tmp_path: Path) -> None:
    async with consenting_house(tmp_path) as (here, somebody):
        assert here.cached
    async with owner(tmp_path) as somebody:
        await somebody.clones.revoke("voice")
    assert any((tmp_path / "cache" / CLONED).iterdir())
    async with house(tmp_path) as here:
        assert here.silent
        assert not (tmp_path / "cache" / CLONED).exists()
        assert here.cloned_texts == []


async def test_a_house_without_a_clone_keeps_nothing_of_one(tmp_path: Path) -> None:
    left = tmp_path / "cache" / CLONED / "a.speech"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"sound")
    async with house(tmp_path, voice='engine = "espeak"\n', cloned=False) as here:
        assert not left.parent.exists()
        assert not here.silent


async def test_a_consent_that_comes_while_the_house_runs_counts_from_the_next_call(tmp_path: Path) -> None:
    async with house(tmp_path) as here, owner(tmp_path) as somebody:
        async with here.call() as before:
            assert before.live.opening is here.house.openings.of(RATE_HZ, "words")
            await somebody.consents()
            await until(lambda: not here.silent)
            await before.hears_the_disclosure()
            assert before.live.call.outlet.state is State.OPEN
        async with here.call() as after:
            assert after.live.opening.disclosure.pcm != before.live.opening.disclosure.pcm
            await after.hears_the_disclosure()


async def test_a_consent_that_runs_out_ends_the_cloned_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with consenting_house(tmp_path) as (here, _):
        assert not here.silent
        monkeypatch.setattr(here.house.archive.permits, "_now", lambda: time.time() + HOUR_S)
        await until(lambda: here.silent and not here.cached)


async def test_a_built_in_voice_that_is_shaped_into_a_clone_does_not_stand_in_for_itself(tmp_path: Path) -> None:
    async with house(tmp_path, voice='engine = "espeak"\nvoice = "en-gb"\npitch = "20"\n') as here:
        assert here.silent
        own = here.house.lineup.own_voice
        assert own is not here.house.lineup.voice
        assert own is not here.house.lineup.voice.first  # type: ignore[attr-defined]
        async with here.call() as ringing:
            await ringing.hears_the_disclosure()


async def test_a_house_that_is_starting_or_leaving_takes_no_call(tmp_path: Path) -> None:
    async with house(tmp_path, voice='engine = "espeak"\n', cloned=False) as here:
        assert here.house.refusal() is None
        await here.house.drain()
        assert isinstance(here.house.refusal(), Refusal)


async def test_a_meeting_is_kept_and_the_name_of_its_room_is_not(tmp_path: Path) -> None:
    async with house(tmp_path, voice='engine = "espeak"\n', cloned=False) as here:
        wire = EarWire(OUTLET_RATES_HZ[-1], lead_chunks=2)
        call = here.house.begin("room", wire, Caller(), reference="Frau Müller & Co")
        here.house.meet_in(call.id, "silent")
        call.hang_up("enough")
        await here.house.carry(call)
        kept = await here.house.vault.call(call.id)
        assert kept is not None
        assert (kept.call.end_reason, kept.call.provider_ref) == ("enough", "")
        assert [event.detail for event in kept.events if event.kind == "mode"] == [{"mode": "silent"}]


async def test_where_many_are_one_voice_nobody_is_asked_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWIN_CONSENT__RECORDING", "ask")
    monkeypatch.setenv("TWIN_CONSENT__TRANSCRIPTION", "ask")
    async with house(tmp_path, voice='engine = "espeak"\n', cloned=False) as here:
        asked = here.house.archive.flow(None, "web")
        mixed = here.house.archive.flow(None, "camera")
        assert (asked.transcription, asked.recording) == ("ask", "ask")
        assert (mixed.transcription, mixed.recording) == ("off", "off")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in [key for key in os.environ if key.startswith("TWIN_")]:
        monkeypatch.delenv(key)
