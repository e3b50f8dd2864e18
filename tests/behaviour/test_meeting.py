"""The whole twin in a meeting: real voices through everybody's own door, real voice activity, real store.

What the recogniser makes of the recordings is given, because names are what small ones are bad at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.house import House
from agent.settings import load as load_settings
from channels.room import Person
from compliance.entries import Conversation as Kept
from persona.home import demo
from tests.doubles.knowing_speech import KnowingSpeech, by_piece
from tests.doubles.meeting import Meeting, meeting
from tests.speech.make import load

ANNA, BOB, CARLA = Person("anna", "Anna Berg"), Person("bob", "Bob"), Person("carla", "Carla")
SAID = {
    "ask_hours": "Martin's twin, when is the office open on Saturday?",
    "unrelated": "Bob, the old yellow tractor stood behind the barn.",
    "stop": "Twin, stop.",
    "goodbye": "Thank you, twin, please leave the meeting.",
    "alpha": "Anna, I have sent the invoice.",
    "long_story": "Twin, tell us everything about your work, please.",
}
MEETING = '[speech]\nengine = "pocketsphinx"\n[face]\nengine = "none"\n'


@asynccontextmanager
async def house(home: Path, more: str = "") -> AsyncIterator[House]:
    """A house whose recogniser knows the recordings."""
    _furnish(home, MEETING + more)
    running = House(load_settings(home), demo(), {}, home=home)
    await running.start()
    knows = by_piece({_piece(load(name)): text for name, text in SAID.items()})
    running.lineup._speech[:] = [KnowingSpeech(knows)]
    try:
        yield running
    finally:
        await running.close()


def _furnish(home: Path, toml: str) -> None:
    home.mkdir()
    (home / "twin.toml").write_text(toml, encoding="utf-8")


def _piece(pcm: bytes) -> bytes:
    return pcm[len(pcm) // 4 * 2 :][:800]


async def kept(here: House, meeting: Meeting) -> Kept:
    """What the vault has of it."""
    await here.vault.flush()
    found = await here.vault.call(meeting.call.id)
    assert found is not None
    return found


async def test_a_meeting_from_the_disclosure_to_the_goodbye(home: Path) -> None:
    async with house(home) as twin:
        async with meeting(twin, ANNA, BOB) as here:
            here.pace = 2.5
            await here.opens()
            await here.lasts(0.9, anna=load("unrelated"), bob=load("alpha"))
            await here.lasts_until(lambda: len(here.talk) == 3)
            assert dict(here.talk[1:]) == {"anna": SAID["unrelated"], "bob": SAID["alpha"]}
            assert here.said == here.live.opening.texts.text, "nobody has asked it anything"
            late = here.joins(CARLA)
            await here.lasts(0.0, carla=load("long_story"))
            await here.lasts_until(lambda: late.is_open)
            assert here.said.endswith(here.live.opening.texts.short)
            assert not any(who == "carla" for who, _ in here.talk), "what was said before is not heard"
            await here.lasts(0.5, anna=load("ask_hours"))
            await here.lasts_until(lambda: "from ten" in here.said and not here.call.outlet.speaking)
            await here.lasts(0.5, carla=load("goodbye"))
            await here.lasts_until(lambda: here.live.reason)
            assert here.call.outlet.bytes_out == here.wire.bytes_sent
        turns = (await kept(twin, here)).turns
        said = {(turn.speaker, turn.name): turn.text for turn in turns if turn.who == "caller"}
        assert said == {
            ("bob", "Bob"): SAID["alpha"],
            ("anna", "Anna Berg"): SAID["ask_hours"],
            ("carla", "Carla"): SAID["goodbye"],
        }
        first, second = [turn for turn in turns if turn.who == "caller"][:2]
        assert second.start_samples < first.end_samples, "they spoke at the same time"


async def test_it_falls_silent_at_once_and_stays_so_when_told(home: Path) -> None:
    async with house(home) as twin, meeting(twin, ANNA, BOB, lead_chunks=5) as here:
        await here.opens()
        await here.lasts(0.5, anna=load("ask_hours"))
        await here.lasts_until(lambda: "open" in here.said.split(".")[-1])
        await here.lasts(0.0, bob=load("stop")[: 16_000 * 2])
        assert here.call.outlet.held or not here.call.outlet.speaking
        await here.lasts(0.3, bob=load("stop")[16_000 * 2 :])
        await here.lasts_until(lambda: not here.call.outlet.speaking and here.talk[-1] == ("bob", "Twin, stop."))
        before = here.said
        await here.lasts(1.0)
        assert here.said == before
        assert next(turn for turn in reversed(here.live.conversation.turns) if turn.who == "twin").cut
