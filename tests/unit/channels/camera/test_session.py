import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from channels.call import Refusal
from channels.camera.session import CameraSession
from channels.camera.settings import CameraSettings
from channels.camera.sound import RATE_HZ
from channels.camera.wire import CameraWire
from channels.outlet import State
from channels.spoken import Spoken
from compliance.errors import CallRefused
from tests.doubles.host import Conversation, TestHost, tone
from tests.doubles.sound import HandSound

DISCLOSURE_MS = 200


class Meeting:
    """A session on devices of the test's, with a host that only discloses."""

    def __init__(self, *, stalled_s: float = 5.0) -> None:
        self.host = TestHost(disclosure_ms=DISCLOSURE_MS)
        self.sound = HandSound()
        self.troubles: list[str] = []
        settings = CameraSettings().model_copy(update={"stalled_s": stalled_s})
        self.session = CameraSession(self.host, settings, self.sound, None, on_trouble=self.troubles.append)

    @property
    def conversation(self) -> Conversation:
        return self.host.conversations[0]

    def says(self, milliseconds: int) -> bytes:
        pcm = tone(RATE_HZ, milliseconds=milliseconds, hz=300)
        assert self.conversation.call.outlet.say(Spoken(2, self.conversation.call.clock.epoch, pcm, last=True))
        return pcm

    @asynccontextmanager
    async def held(self, *, disclosed: bool = True) -> AsyncIterator[Conversation]:
        running = asyncio.create_task(self.session.run(), name="session")
        while not self.sound.given:  # noqa: ASYNC110  the session says nothing before
            await asyncio.sleep(0)
        while not self.host.live:  # noqa: ASYNC110
            await asyncio.sleep(0)
        if disclosed:
            self.sound.plays(DISCLOSURE_MS + 200)
            assert self.conversation.call.outlet.state is State.OPEN
        try:
            yield self.conversation
        finally:
            self.session.hang_up("test_over")
            self.sound.drained = True
            await running


async def test_exactly_what_leaves_the_door_reaches_the_devices() -> None:
    meeting = Meeting()
    async with meeting.held() as conversation:
        said = meeting.says(300)
        meeting.sound.plays(500)
        given = bytes(meeting.sound.given)
        assert conversation.call.outlet.bytes_out == meeting.session.bytes_sent == len(given)
        assert given.strip(b"\0").startswith(tone(RATE_HZ, milliseconds=DISCLOSURE_MS).rstrip(b"\0"))
        assert said.rstrip(b"\0") in given
        assert conversation.call.channel == "camera"
    assert meeting.session.reason == "test_over"


async def test_the_lead_never_is_more_than_the_settings_say() -> None:
    meeting = Meeting()
    async with meeting.held():
        meeting.says(1_000)
        meeting.sound.plays(1_500)
        assert 0 < meeting.session.max_lead_ms <= CameraSettings().lead_ms


async def test_before_the_announcement_was_heard_nothing_of_the_meeting_comes_in() -> None:
    meeting = Meeting()
    async with meeting.held(disclosed=False) as conversation:
        meeting.sound.on_heard(b"\1\0" * 320)
        assert conversation.call.inlet.bytes_dropped == 640
        meeting.sound.plays(DISCLOSURE_MS + 200)
        meeting.sound.on_heard(b"\2\0" * 320)
        assert bytes(conversation.heard_from_caller) == b"\2\0" * 320
        assert conversation.call.inlet.rate_hz == 16_000


async def test_words_count_as_heard_when_the_devices_have_played_them() -> None:
    meeting = Meeting()
    async with meeting.held() as conversation:
        clock = conversation.call.clock
        meeting.sound.plays(100)
        assert clock.position - clock.heard == RATE_HZ * CameraSettings().lead_ms // 1000


async def test_held_the_devices_are_cleared_and_it_goes_on_from_there() -> None:
    meeting = Meeting()
    async with meeting.held() as conversation:
        said = meeting.says(400)
        meeting.sound.plays(200)
        outlet, clock = conversation.call.outlet, conversation.call.clock
        outlet.hold()
        assert meeting.sound.cleared == 1
        cut = clock.heard
        begin = len(meeting.sound.given)
        outlet.resume()
        meeting.sound.plays(600)
        again = bytes(meeting.sound.given[begin:])
        # The end of the utterance, said once more from where it was cut; it begins with a ramp.
        assert said[-2_000:].rstrip(b"\0") in again
        assert clock.heard > cut


async def test_muted_nothing_leaves_and_nothing_comes_in_until_it_is_not() -> None:
    meeting = Meeting()
    async with meeting.held() as conversation:
        said = meeting.says(400)
        meeting.sound.plays(100)
        assert meeting.session.pause(True)
        left, position = len(meeting.sound.given), conversation.call.clock.position
        meeting.sound.plays(1_000)
        meeting.sound.on_heard(b"\1\0" * 320)
        assert len(meeting.sound.given) == left
        assert conversation.call.clock.position == position
        assert not conversation.heard_from_caller
        assert meeting.session.pause(False)
        meeting.sound.plays(600)
        assert said[-2_000:].rstrip(b"\0") in bytes(meeting.sound.given[left:])
        meeting.sound.on_heard(b"\1\0" * 320)
        assert conversation.heard_from_caller


async def test_the_announcement_cannot_be_muted() -> None:
    meeting = Meeting()
    assert not meeting.session.pause(True)
    async with meeting.held(disclosed=False) as conversation:
        assert not meeting.session.pause(True)
        meeting.sound.plays(DISCLOSURE_MS + 200)
        assert conversation.disclosed_at is not None


async def test_devices_that_go_end_the_call() -> None:
    meeting = Meeting()
    async with meeting.held():
        meeting.sound.on_lost()
    assert meeting.session.reason == "sound_lost"
    assert meeting.troubles == ["The sound devices are gone."]


async def test_devices_that_take_nothing_end_the_call() -> None:
    meeting = Meeting(stalled_s=0.02)
    async with meeting.held() as conversation:
        await asyncio.wait_for(conversation.ended.wait(), 5)
    assert meeting.session.reason == "sound_stalled"


async def test_muted_devices_may_take_nothing() -> None:
    meeting = Meeting(stalled_s=0.02)
    async with meeting.held() as conversation:
        meeting.session.pause(True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(conversation.ended.wait(), 0.1)


async def test_devices_that_do_not_begin_end_the_call_before_it_sounds() -> None:
    meeting = Meeting()
    meeting.sound.missing = True
    await asyncio.wait_for(meeting.session.run(), 5)
    assert meeting.session.reason == "sound_lost"
    assert not meeting.sound.given
    assert not meeting.host.live


async def test_a_call_that_cannot_be_carried_is_refused() -> None:
    meeting = Meeting()
    meeting.host.refuse_with = Refusal("capacity", "All lines are busy.")
    with pytest.raises(CallRefused):
        await meeting.session.run()


async def test_a_clockwork_that_breaks_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = Meeting()
    async with meeting.held() as conversation:

        def broken() -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(conversation.call.outlet, "tick", broken)
        meeting.sound.plays(40)
        assert conversation.ended.is_set()
    assert meeting.session.reason == "line_failed"


async def test_a_part_that_breaks_is_logged_by_its_kind_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        raise ZeroDivisionError("with somebody's name in it")

    meeting = Meeting()
    monkeypatch.setattr(meeting.session, "_watch", broken)
    async with meeting.held():
        pass
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage() == "a part of the camera's call failed"
    assert (record.__dict__["part"], record.__dict__["error"]) == ("camera watch", "ZeroDivisionError")
    assert "somebody" not in caplog.text


async def test_what_left_last_is_heard_before_the_line_is_cut() -> None:
    sound = HandSound()
    sound.play(bytes(1_920))
    wire = CameraWire(sound)
    closing = asyncio.create_task(wire.close("enough"), name="close")
    await asyncio.sleep(0.05)
    assert not closing.done()
    sound.plays(20)
    await asyncio.wait_for(closing, 5)
    assert wire.reason == "enough"
