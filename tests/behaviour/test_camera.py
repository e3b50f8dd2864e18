"""The twin as camera and microphone: a real sound server, whose other end a meeting's program would use."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from agent import camera as command
from agent.camera import camera
from agent.camera_window import Window
from agent.example import write
from agent.serve import Plan
from agent.serve import plan as planned
from agent.terminal_keys import ENTER, Keys
from channels.camera import devices
from channels.camera.pulse_sound import PulseSound
from channels.camera.session import CameraSession
from channels.camera.settings import CameraSettings
from channels.camera.sound import RATE_HZ
from channels.outlet import State
from channels.spoken import Spoken
from compliance.errors import SoundMissing
from tests.behaviour.sound import level_dbfs, similarity
from tests.doubles.camera_backend import shots
from tests.doubles.host import Conversation, TestHost
from tests.need import need_module
from tests.pulse import CHUNK_BYTES, Server, arrived, server
from tests.speech.make import RATE_HZ as SPEECH_HZ
from tests.speech.make import load
from tests.unit.agent.command import variables

LIMIT_S = 60.0
SETTINGS = CameraSettings()
need_module("pyvirtualcam")


@pytest.fixture
def sound_server() -> Iterator[Server]:
    with server() as running:
        yield running


class Kept(PulseSound):
    """Keeps every byte it was given: what passed the door."""

    def __init__(self, running: Server) -> None:
        super().__init__(running.environment, lead_ms=SETTINGS.lead_ms)
        self.given = bytearray()
        self.cut: list[int] = []

    def play(self, pcm: bytes) -> None:
        self.given += pcm
        super().play(pcm)

    def clear(self) -> int:
        self.cut.append(super().clear())
        return self.cut[-1]

    async def begin(self, *hands: Callable[..., None]) -> None:
        # What made the devices settle is none of the twin's.
        self.given.clear()
        await super().begin(*hands)
        self.cut.clear()


@asynccontextmanager
async def meeting(running: Server, host: TestHost) -> AsyncIterator[tuple[CameraSession, Kept]]:
    """A call on real devices, with a host that only discloses."""
    sound = Kept(running)
    await sound.open()
    session = CameraSession(host, SETTINGS, sound, None)
    held = asyncio.create_task(session.run(), name="session")
    try:
        yield session, sound
    finally:
        session.hang_up("over")
        await asyncio.wait_for(held, LIMIT_S)
        await sound.close()


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not met():  # noqa: ASYNC110  what is waited for announces nothing
            await asyncio.sleep(0.01)


async def disclosed(host: TestHost) -> Conversation:
    await until(lambda: bool(host.conversations))
    await asyncio.wait_for(host.conversations[0].disclosed_event.wait(), LIMIT_S)
    return host.conversations[0]


async def test_what_leaves_the_door_arrives_sample_for_sample_and_what_is_cut_does_not(
    sound_server: Server,
) -> None:
    """And the other way round: what the meeting plays comes in, once the announcement was heard."""
    host = TestHost(disclosure_ms=600)
    noise = np.random.default_rng(6).integers(-12_000, 12_000, 3 * RATE_HZ, dtype=np.int16).tobytes()
    async with meeting(sound_server, host) as (session, sound), sound_server.recorded(devices.MICROPHONE) as heard:
        conversation = await disclosed(host)
        call = conversation.call
        assert call.outlet.say(Spoken(2, 0, noise, last=True))
        await until(lambda: call.clock.heard > 2 * RATE_HZ)
        call.outlet.drop()
        cut, sent = sound.cut[0], len(sound.given) // 2
        question = load("ask_hours")
        await sound_server.play(devices.SPEAKER, question, SPEECH_HZ)
        await until(lambda: len(conversation.heard_from_caller) > len(question))
        lead_ms = session.max_lead_ms
        assert len(sound.given) == call.outlet.bytes_out
    begin = bytes(sound.given).find(noise[: CHUNK_BYTES // 2])
    came = (begin + arrived(bytes(sound.given[begin : 2 * sent]), bytes(heard))) // 2
    # Up to the cut every sample is the door's, and the clock knows where that was.
    assert RATE_HZ < came < sent
    assert abs(came - cut) < RATE_HZ * 60 // 1000
    assert 0 < lead_ms <= 100
    assert similarity(bytes(conversation.heard_from_caller), question) > 0.9


async def test_nothing_of_the_meeting_comes_in_while_the_announcement_sounds(sound_server: Server) -> None:
    host = TestHost(disclosure_ms=1_500)
    async with meeting(sound_server, host):
        await until(lambda: bool(host.conversations))
        call = host.conversations[0].call
        await until(lambda: call.inlet.bytes_seen > 3_200)
        assert call.outlet.state is State.DISCLOSING
        assert call.inlet.bytes_let_in == 0
        await disclosed(host)
        let_in = call.inlet.bytes_let_in
        await until(lambda: call.inlet.bytes_let_in > let_in + 3_200)


async def test_a_sound_server_that_dies_ends_the_call(sound_server: Server) -> None:
    host = TestHost(disclosure_ms=200)
    async with meeting(sound_server, host) as (session, _):
        await disclosed(host)
        sound_server.kill()
        await until(lambda: bool(session.reason))
        assert session.reason == "sound_lost"


async def test_two_do_not_share_the_devices_and_closed_they_are_gone(sound_server: Server) -> None:
    first = PulseSound(sound_server.environment, lead_ms=60)
    await first.open()
    assert sound_server.ours() == 3
    with pytest.raises(SoundMissing, match="stop it first"):
        await PulseSound(sound_server.environment, lead_ms=60).open()
    assert sound_server.ours() == 3
    await first.close()
    assert sound_server.ours() == 0


LEFT_BEHIND = """
import asyncio, os
from channels.camera.pulse_sound import PulseSound
async def main():
    await PulseSound(os.environ, lead_ms=60).open()
    print("open", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_what_a_killed_one_left_the_next_one_takes_away(tmp_path: Path, sound_server: Server) -> None:
    environment = variables(tmp_path, PULSE_SERVER=sound_server.environment["PULSE_SERVER"])
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LEFT_BEHIND), env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert killed.stdout is not None
    assert await asyncio.wait_for(killed.stdout.readline(), LIMIT_S) == b"open\n"
    killed.kill()
    await killed.wait()
    assert sound_server.ours() == 3
    sound = PulseSound(sound_server.environment, lead_ms=60)
    await sound.open()
    assert sound_server.ours() == 3
    await sound.close()
    assert sound_server.ours() == 0


def plan_of(home: Path, monkeypatch: pytest.MonkeyPatch, film: Path) -> Plan:
    monkeypatch.setenv("TWIN_CAMERA__BACKEND", "tests.doubles.camera_backend:Film")
    monkeypatch.setenv("TWIN_CAMERA__DEVICE", str(film))
    monkeypatch.setenv("TWIN_SPEECH__ENGINE", "pocketsphinx")
    return planned(home)


async def test_the_whole_twin_discloses_answers_and_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bytes out of its door, past all of its stages, are the bytes at the meeting's microphone."""
    home, film = tmp_path / "home", tmp_path / "film"
    sound = Kept(sound_server)
    monkeypatch.setattr(command, "sound_of", lambda settings, environment: sound)
    write(home)
    reading, writing = os.pipe()
    chosen = plan_of(home, monkeypatch, film)
    twin = asyncio.create_task(camera(chosen, Window(), Keys(reading)), name="twin camera")
    try:
        await until(lambda: bool(shots(film)) or twin.done())
        assert len({shot.crc for shot in shots(film)}) == 1, "the face at rest, until it begins"
        async with sound_server.recorded(devices.MICROPHONE) as heard:
            os.write(writing, ENTER.encode())
            await until(lambda: "it listens" in capsys.readouterr().out)
            quiet = len(heard)
            await sound_server.play(devices.SPEAKER, load("ask_hours") + bytes(SPEECH_HZ), SPEECH_HZ)
            await until(lambda: len(heard) > quiet + RATE_HZ and level_dbfs(bytes(heard[-RATE_HZ:])) > -40)
            # Whoever ends a program ends the call in order: the same as pressing q.
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
            os.kill(os.getpid(), signal.SIGTERM)
            assert await asyncio.wait_for(twin, LIMIT_S) == "owner_left"
    finally:
        if not twin.done():
            twin.cancel()
            await asyncio.wait({twin})
        os.close(reading)
        os.close(writing)
    announcement = bytes(sound.given[: 8 * RATE_HZ])
    assert level_dbfs(announcement) > -40
    assert arrived(announcement, bytes(heard)) == len(announcement)
    moving = shots(film)
    assert len({shot.crc for shot in moving}) > 25
    assert {(shot.width, shot.height) for shot in moving} == {(512, 512)}
    assert sound_server.ours() == 0
