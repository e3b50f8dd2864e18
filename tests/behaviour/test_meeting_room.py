"""The whole twin in a room of a real LiveKit server: people talk, ask, interrupt and send it away.

A local Deepgram stands for the recogniser: it tells the words of the recording that a person plays, however many
pieces a busy machine cuts it into; who it is, it tells by the order in which they first speak.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from livekit import rtc

from agent.house import House
from agent.settings import load as load_settings
from channels.livekit.session import RoomSession
from channels.livekit.signs import Signs
from compliance.disclosure import disclosure
from persona.home import demo
from tests.doubles.deepgram import Deepgram, Listener, Script
from tests.doubles.livekit_room import PROMPT, RATE_HZ, STEP_MS, Guest, Ticket, until
from tests.livekit_server import livekit_server
from tests.speech.make import load

SAYS = {
    "ask_hours": "Martin's twin, when is the office open on Saturday?",
    "stop": "Twin, stop.",
    "goodbye": "Thank you, twin. Please leave the meeting.",
}
"""By recording."""
SETTINGS = '[speech]\nengine = "deepgram"\nbase_url = "{url}"\n[face]\nengine = "none"\n'


class Talker(Guest):
    """A guest who says recordings, and hears the twin alone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._words: deque[bytes] = deque()
        self.saying = ""
        """The recording that they said last."""

    def says(self, name: str) -> None:
        self.saying = name
        samples = RATE_HZ * STEP_MS // 1000
        pcm = np.frombuffer(load(name), np.int16).repeat(3).tobytes()
        self._words += [pcm[at : at + samples * 2] for at in range(0, len(pcm), samples * 2)]

    def _on_track(self, track: Any, publication: Any, participant: Any) -> None:
        # Only the twin is listened to: what is loud is its voice.
        if "ai.twin" in participant.attributes:
            super()._on_track(track, publication, participant)

    @property
    def silent(self) -> bool:
        return not self._words

    async def _talk(self, microphone: Any) -> None:
        samples = RATE_HZ * STEP_MS // 1000
        while True:
            pcm = self._words.popleft() if self._words else b""
            frame = rtc.AudioFrame(pcm.ljust(samples * 2, b"\0"), RATE_HZ, 1, samples)
            await microphone.capture_frame(frame)


def _furnish(home: Path, toml: str) -> None:
    home.mkdir()
    (home / "twin.toml").write_text(toml, encoding="utf-8")


async def test_people_talk_with_the_twin_in_a_room(home: Path) -> None:
    people = [Talker("anna"), Talker("bob")]
    anna, bob = people

    def heard(listener: Listener, number: int) -> str:
        return SAYS[people[listener.number].saying]

    async with livekit_server() as server, Deepgram(Script(says=heard)) as deepgram:
        _furnish(home, SETTINGS.format(url=deepgram.url))
        house = House(load_settings(home), demo(), {"DEEPGRAM_API_KEY": "stub"}, home=home)
        texts = disclosure("en", owner="Martin Alder")
        token = server.token("twin", "weekly", name=texts.participant, kind="agent")
        signs = Signs(texts.participant, texts.chat, "Martin Alder")
        session = RoomSession(house, PROMPT, Ticket(server.url, token, "weekly"), signs)
        await house.start()
        running: asyncio.Task[str] | None = None
        try:
            for person in people:
                await person.join(server, "weekly", name=person.identity.title())
                await person.speak()
            running = asyncio.create_task(session.run(), name="session")
            await until(lambda: session.call is not None and session.call.attendance is not None)
            call = session.call
            assert call is not None
            (live,) = house.live

            def said(who: str) -> list[str]:
                turns = live.conversation.turns
                return [turn.text for turn in turns if (turn.speaker if turn.who == "caller" else "twin") == who]

            def twin() -> str:
                return " ".join(said("twin"))

            await until(lambda: texts.text in twin())
            anna.says("ask_hours")
            await until(lambda: said("anna")[:1] == [SAYS["ask_hours"]])
            await until(lambda: "office is open" in twin())
            bob.says("stop")
            await until(lambda: said("bob")[:1] == [SAYS["stop"]])
            stopped, before = time.monotonic(), twin()
            await until(lambda: bob.silent)
            await asyncio.sleep(1.0)
            assert twin() == before
            assert anna.loud_since(stopped + 0.5) == [], "what had left before is over too"
            bob.says("goodbye")
            async with asyncio.timeout(20):
                assert await running == "goodbye"
            await until(lambda: anna.twin is None)
            assert call.outlet.bytes_out == call.wire.bytes_sent
            assert [text for text in anna.texts("lk.chat") if texts.chat in text]
        finally:
            session.leave("test_over")
            if running is not None:
                await asyncio.wait([running], timeout=10)
            for person in people:
                await person.leave()
            await house.close()
