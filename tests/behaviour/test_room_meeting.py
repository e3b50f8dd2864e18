"""The twin's transport in rooms of a real LiveKit server, without a twin behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import pytest_asyncio
from livekit.api import DeleteRoomRequest, RoomParticipantIdentity
from livekit.rtc._proto import room_pb2

from channels.call import Caption
from channels.livekit.connection import RoomUnreachable
from channels.livekit.session import RoomSession
from channels.livekit.settings import LiveKitSettings
from channels.spoken import Spoken, Word
from tests.doubles.face import Lamp, shown
from tests.doubles.host import tone
from tests.doubles.livekit_room import (
    PROMPT,
    SIGNS,
    Heard,
    Meeting,
    MeetingHost,
    Ticket,
    guests,
    meeting,
    until,
)
from tests.livekit_server import LiveKitServer, livekit_server
from tests.soak.rooms import LEFT, WARM, growth, measure


@pytest_asyncio.fixture
async def server() -> AsyncIterator[LiveKitServer]:
    async with livekit_server() as running:
        yield running


def say(twin: Meeting, milliseconds: int) -> None:
    """A tone of the twin."""
    call = twin.call
    pcm = tone(call.clock.rate_hz, milliseconds=milliseconds)
    words = tuple(Word(f"w{i}", i * 200.0, i * 200.0 + 200.0) for i in range(milliseconds // 200))
    assert call.outlet.say(Spoken(1, call.clock.epoch, pcm, words=words, last=True))


async def test_the_twin_joins_discloses_and_hears(server: LiveKitServer) -> None:
    async with meeting(server, "r") as twin, guests(server, "r", ["anna"]) as (anna,):
        anna.loud = True
        await twin.disclosed()
        door = twin.host.attendance.doors["anna"]
        assert door.bytes_let_in == 0 or door.bytes_dropped > 0
        await until(lambda: twin.host.attendance.listeners["anna"].level > 1000)
        assert anna.twin.name == SIGNS.name
        assert anna.twin.attributes["ai.twin.of"] == "Ada Example"
        await until(lambda: "ai.twin.disclosed_at" in anna.twin.attributes)
        await until(lambda: anna.texts("lk.chat") == [SIGNS.chat])
        assert len(anna.loud_since(0)) >= 50
        await twin.end()
        wire = twin.session.wire
        assert wire.bytes_captured == wire.bytes_sent - wire.bytes_forgotten == twin.call.outlet.bytes_out


async def test_an_interruption_is_heard_at_once(server: LiveKitServer) -> None:
    async with meeting(server, "r") as twin, guests(server, "r", ["anna"]) as (anna,):
        await twin.disclosed()
        say(twin, 4000)
        began = time.monotonic()
        await until(lambda: len(anna.loud_since(began)) > 50)
        twin.call.outlet.drop()
        stopped = time.monotonic()
        silent = twin.call.clock.position + twin.call.clock.samples(800)
        await until(lambda: twin.call.clock.heard > silent)
        old_ms = sum(len(heard.samples) for heard in anna.loud_since(stopped)) / 16
        assert old_ms < 200


async def test_the_picture_comes_whole_and_lights_up_with_the_voice(server: LiveKitServer) -> None:
    host = MeetingHost()
    with ThreadPoolExecutor(1) as pool:
        host.show = lambda call: shown(call.outlet, call.clock, Lamp(1280, 720), pool)
        async with meeting(server, "r", host=host) as twin, guests(server, "r", ["anna"]) as (anna,):
            await twin.disclosed()
            await until(lambda: any(seen.luma < 130 for seen in anna.sees))
            began = time.monotonic()
            say(twin, 400)
            await until(lambda: any(seen.at_s > began and seen.luma > 130 for seen in anna.sees))
            await until(lambda: anna.sees[-1].luma < 130)
            assert {(seen.width, seen.height) for seen in anna.sees} == {(1280, 720)}


async def test_six_people_have_six_doors(server: LiveKitServer) -> None:
    names = ["anna", "ben", "carla", "dora", "emil", "fred"]
    async with meeting(server, "r") as twin, guests(server, "r", names) as people:
        await twin.disclosed()
        await until(lambda: set(names) <= set(twin.host.attendance.doors))
        listeners = twin.host.attendance.listeners
        people[1].loud = people[4].loud = True
        await until(lambda: min(listeners["ben"].level, listeners["emil"].level) > 1000)
        assert max(listeners[name].level for name in names if name not in ("ben", "emil")) < 100


async def test_rooms_one_after_the_other_leave_no_thread_behind() -> None:
    pytest.importorskip("livekit.rtc")
    sizes = await measure(WARM + 3, by_server=False)
    assert growth(sizes)[0] <= LEFT.threads


def purity(heard: list[Heard], hz: float = 440.0) -> float:
    """How much of this sound is the twin's tone."""
    samples = np.concatenate([each.samples for each in heard]).astype(np.float64)
    power = np.abs(np.fft.rfft(samples)) ** 2
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / 16_000) - hz) < 20
    return float(power[near].sum() / max(power.sum(), 1.0))


async def test_each_person_has_a_door_of_their_own(server: LiveKitServer) -> None:
    async with meeting(server, "r") as twin, guests(server, "r", ["anna", "ben"]) as (anna, ben):
        await twin.disclosed()
        await until(lambda: {"anna", "ben"} <= set(twin.host.attendance.doors))
        listeners = twin.host.attendance.listeners
        ben.loud = True
        await until(lambda: listeners["ben"].level > 1000)
        assert listeners["anna"].level < 100
        await anna.room.local_participant.send_text("for the twin", topic="lk.chat")
        await ben.room.local_participant.publish_data(
            b'{"message": "from long ago"}', topic="lk-chat-topic", reliable=True
        )
        await ben.room.local_participant.publish_dtmf(code=5, digit="5")
        await until(lambda: listeners["anna"].texts == ["for the twin"])
        await until(lambda: listeners["ben"].texts == ["from long ago"] and listeners["ben"].digits == "5")
        ben.publication.track.mute()
        await until(lambda: ("muted", "ben", True) in twin.told)
        await ben.room.local_participant.set_name("Benjamin")
        await until(lambda: ("renamed", "ben", "Benjamin") in twin.told)
        twin.session.raise_hand(True)
        twin.session.write("only for Anna", to=["anna"])
        twin.session.write("for nobody who is here", to=["carla"])
        await until(lambda: anna.twin.attributes.get("ai.twin.hand") == "raised")
        await until(lambda: "only for Anna" in anna.texts("lk.chat"))
        assert ben.texts("lk.chat") == [SIGNS.chat, "for the twin"]


async def test_who_comes_later_and_who_leaves_is_told(server: LiveKitServer) -> None:
    async with meeting(server, "r") as twin, guests(server, "r", ["anna"]) as (anna,):
        await twin.disclosed()
        async with guests(server, "r", ["carla"]) as (carla,):
            await until(lambda: ("joined", "carla") in twin.told)
            await until(lambda: carla.texts("lk.chat") == [SIGNS.chat])
            carla.loud = True
            await until(lambda: twin.host.attendance.listeners["carla"].level > 1000)
        await until(lambda: ("left", "carla") in twin.told)
        assert anna.texts("lk.chat") == [SIGNS.chat]


async def test_captions_follow_what_is_heard(server: LiveKitServer) -> None:
    async with meeting(server, "r") as twin, guests(server, "r", ["anna"]) as (anna,):
        await twin.disclosed()
        twin.call.tell(Caption("twin", "hello", 1))
        twin.call.tell(Caption("twin", "everybody", 1))
        twin.call.tell(Caption("twin", "", 1, final=True))
        twin.call.tell(Caption("caller", "good morning", 1, final=True, speaker="anna"))
        await until(lambda: len(anna.texts("lk.transcription")) == 2)
        of_twin, of_anna = sorted(
            (s for s in anna.read if s.topic == "lk.transcription"), key=lambda s: s.sender != "twin"
        )
        assert (of_twin.text, of_twin.attributes["lk.transcription_final"]) == ("hello everybody", "true")
        assert of_anna.text == "good morning"
        assert of_anna.attributes["lk.transcribed_track_id"] == anna.publication.sid


@pytest.mark.parametrize("scenario", ["SIMULATE_SIGNAL_RECONNECT", "SIMULATE_FULL_RECONNECT"])
async def test_a_reconnect_keeps_the_call(server: LiveKitServer, scenario: str) -> None:
    async with meeting(server, "r") as twin, guests(server, "r", ["anna"]) as (anna,):
        await twin.disclosed()
        await until(lambda: anna.twin is not None)
        say(twin, 1500)
        await twin.session.connection.room.simulate_scenario(getattr(room_pb2, scenario))
        await until(lambda: twin.session.connection.reconnects == 1)
        began = time.monotonic()
        anna.loud = True
        await until(lambda: len(anna.loud_since(began)) > 20)
        heard = len(twin.host.attendance.listeners["anna"].pcm)
        await until(lambda: len(twin.host.attendance.listeners["anna"].pcm) > heard + 16_000)
        await asyncio.sleep(2.5)
        assert [told for told in twin.told if told[0] in ("joined", "left")] == [("joined", "anna")]
        assert len(twin.host.conversations) == 1
        assert [word.text for word in twin.host.conversation.words[-7:]] == [f"w{i}" for i in range(7)]


async def test_a_server_that_restarts_keeps_the_call(server: LiveKitServer) -> None:
    async with meeting(server, "r") as twin, guests(server, "r", ["anna"]) as (anna,):
        await twin.disclosed()
        await server.stop(kill=True)
        await until(lambda: not twin.session.connection.up)
        position = twin.call.clock.position
        await asyncio.sleep(0.5)
        assert twin.call.clock.position - position < 48_000 // 5
        await server.start()
        await until(lambda: twin.session.connection.up, limit_s=30)
        await until(lambda: anna.twin is not None, limit_s=30)
        began = time.monotonic()
        say(twin, 1000)
        await until(lambda: len(anna.loud_since(began)) > 20)
        assert len(twin.host.conversations) == 1


async def test_the_twin_leaves_when_it_is_removed_or_the_room_ends(server: LiveKitServer) -> None:
    async with server.api() as api, guests(server, "r", ["anna"]), guests(server, "s", ["ben"]):
        async with meeting(server, "r") as twin:
            await twin.disclosed()
            await api.room.remove_participant(RoomParticipantIdentity(room="r", identity="twin"))
            assert await asyncio.wait_for(twin.task, 6) == "removed"
        async with meeting(server, "s") as twin:
            await twin.disclosed()
            await api.room.delete_room(DeleteRoomRequest(room="s"))
            assert await asyncio.wait_for(twin.task, 6) == "room_ended"


async def test_the_twin_leaves_when_it_is_alone(server: LiveKitServer) -> None:
    async with meeting(server, "r", settings=LiveKitSettings(alone_minutes=0.02)) as twin:
        async with guests(server, "r", ["anna"]):
            await twin.disclosed()
        assert await asyncio.wait_for(twin.task, 8) == "alone"
    async with meeting(server, "r", settings=LiveKitSettings(first_minutes=0.01)) as twin:
        assert await asyncio.wait_for(twin.task, 5) == "nobody_came"
        assert twin.host.conversations == []


async def test_two_of_one_identity_are_never_both_there(server: LiveKitServer) -> None:
    async with guests(server, "r", ["anna"]), meeting(server, "r") as first:
        await first.disclosed()
        async with meeting(server, "r") as second:
            assert await asyncio.wait_for(first.task, 6) == "duplicate"
            await second.disclosed()


async def test_an_encrypted_room_is_understood_with_its_key_alone(server: LiveKitServer) -> None:
    async with (
        meeting(server, "r", e2ee_key="the key of the room") as twin,
        guests(server, "r", ["anna"], e2ee_key="the key of the room") as (anna,),
        guests(server, "r", ["eve"]) as (eve,),
    ):
        await twin.disclosed()
        anna.loud = True
        began = time.monotonic()
        say(twin, 1500)
        await until(lambda: twin.host.attendance.listeners["anna"].level > 1000)
        await until(lambda: len(anna.loud_since(began)) > 50)
        assert purity(anna.loud_since(began)) > 0.8
        assert purity(eve.loud_since(began, level=0)) < 0.2


async def test_a_server_that_is_not_there_or_refuses_is_said(server: LiveKitServer) -> None:
    async with meeting(server, "r") as twin:
        pass
    wrong_key = Ticket(server.url, LiveKitServer().token("twin", "r"), "r")
    with pytest.raises(RoomUnreachable, match="token"):
        await RoomSession(MeetingHost(), PROMPT, wrong_key, SIGNS).run()
    nobody = Ticket(LiveKitServer().url, server.token("twin", "r"), "r")
    with pytest.raises(RoomUnreachable, match="reached"):
        await RoomSession(MeetingHost(), PROMPT, nobody, SIGNS).run()
    assert twin.host.conversations == []
