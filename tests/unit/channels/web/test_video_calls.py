"""Video calls over real WebRTC with aiortc at both ends; only the face is a lamp."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from channels.call import Call
from channels.spoken import Spoken
from channels.view import Film, View
from channels.web.peer import HEARD_RATE_HZ, Seen, WebCaller
from tests.doubles.face import BRIGHT, DARK, Lamp, luma, shown
from tests.doubles.host import TestHost, tone
from tests.doubles.webserver import serving

LIT = (DARK + BRIGHT) / 2
LOUD = 600


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2, thread_name_prefix="face") as executor:
        yield executor


def lamp_host(pool: ThreadPoolExecutor, *, fps: int = 25, disclosure_ms: int = 200) -> TestHost:
    host = TestHost(disclosure_ms=disclosure_ms)

    def show(call: Call) -> View:
        return shown(call.outlet, call.clock, Lamp(), pool, Film(fps=fps))

    host.show = show
    return host


class Eye:
    """When the lamp was lit and dark, as received."""

    def __init__(self, caller: WebCaller) -> None:
        self.frames: list[tuple[int, bool]] = []
        caller.on_seen = self._seen

    def _seen(self, seen: Seen, picture: NDArray[np.uint8]) -> None:
        self.frames.append((seen.ticks, luma(picture) > LIT))

    def lit(self) -> list[int]:
        """Ticks of the frames in which it went on."""
        return [ticks for (_, before), (ticks, now) in pairwise(self.frames) if now and not before]


def onsets(pcm: bytes) -> list[int]:
    """Samples at which a tone begins after 100 ms of silence."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, np.int16).astype(np.int32)) > LOUD)
    begins = np.flatnonzero(np.diff(loud, prepend=-HEARD_RATE_HZ) > HEARD_RATE_HZ // 10)
    return [int(loud[at]) for at in begins]


@pytest.mark.parametrize("fps", [25, 30])
async def test_by_the_senders_reports_light_and_sound_begin_within_one_frame(
    pool: ThreadPoolExecutor, fps: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    host = lamp_host(pool, fps=fps)
    async with serving(host) as url, WebCaller(url, video=True) as caller:
        eye = Eye(caller)
        await caller.until(lambda: bool(host.conversations))
        conversation = host.conversations[0]
        await asyncio.wait_for(conversation.disclosed_event.wait(), 10)
        for number in range(4):
            await caller.until(lambda: not conversation.call.outlet.speaking)
            await asyncio.sleep(0.21 + 0.007 * number)
            conversation.call.outlet.say(Spoken(number + 1, 0, tone(48_000, milliseconds=200), last=True))
        await caller.until(lambda: len(eye.lit()) >= 4 and caller.captured_s("video", 0) is not None)
        await caller.until(lambda: len(onsets(caller.pcm())) >= 5 and caller.captured_s("audio", 0) is not None)

        heard = [caller.captured_s("audio", sample) or 0.0 for sample in onsets(caller.pcm())]
        seen = [(caller.captured_s("video", ticks) or 0.0, lit) for ticks, lit in eye.frames]
        late_ms = []
        for (dark, was_lit), (light, lit) in pairwise(seen):
            if lit and not was_lit:
                sound = min(heard, key=lambda sound: abs(sound - light))
                late_ms.append(1000 * (light - sound))
                # A frame shows what sounds at its own sample: the last dark one was taken before the sound began.
                # A millisecond is what the threshold and the codec leave open.
                assert dark < sound + 0.001, f"{1000 * (dark - sound):.1f} ms into the sound it was dark"
        print(f"\n{fps} fps, light after sound: {np.round(late_ms, 2)} ms")
        assert len(late_ms) >= 4
        assert min(late_ms) > -1
    (closed,) = [record for record in caplog.records if record.message == "web call closed"]
    steps = [(b - a) * fps / 90_000 for (a, _), (b, _) in pairwise(eye.frames)]
    assert all(step.is_integer() for step in steps), "every frame came at its time"
    left_out = sum(steps) - len(steps)
    assert left_out <= closed.__dict__["skipped_frames"], "only what the machine was too late for"


async def test_a_caller_who_does_not_ask_to_see_is_shown_nothing_and_hears_all(pool: ThreadPoolExecutor) -> None:
    host = lamp_host(pool)
    asked: list[Call] = []
    show = host.show

    def asking(call: Call) -> View | None:
        asked.append(call)
        return show(call)

    host.show = asking
    async with serving(host) as url, WebCaller(url) as caller:
        await caller.until(lambda: len(onsets(caller.pcm())) == 1)

    assert asked == []
    assert caller.seen == []


async def test_a_host_without_a_face_carries_a_video_call_by_sound() -> None:
    host = TestHost(disclosure_ms=200)
    async with serving(host) as url, WebCaller(url, video=True) as caller:
        await caller.until(lambda: len(onsets(caller.pcm())) == 1)

    assert caller.seen == []


async def test_a_caller_cannot_send_a_picture(pool: ThreadPoolExecutor) -> None:
    host = lamp_host(pool)
    async with serving(host) as url:
        caller = WebCaller(url, video=True)
        video = next(each for each in caller._pc.getTransceivers() if each.kind == "video")
        video.direction = "sendrecv"
        async with caller:
            await caller.until(lambda: len(caller.seen) > 2)
            assert video.currentDirection == "recvonly"


async def test_when_the_twin_is_interrupted_the_very_next_frames_are_dark(pool: ThreadPoolExecutor) -> None:
    host = lamp_host(pool)
    async with serving(host) as url, WebCaller(url, video=True) as caller:
        eye = Eye(caller)
        await caller.until(lambda: bool(host.conversations))
        conversation = host.conversations[0]
        await asyncio.wait_for(conversation.disclosed_event.wait(), 10)
        await caller.until(lambda: not conversation.call.outlet.speaking)
        outlet, clock = conversation.call.outlet, conversation.call.clock
        outlet.say(Spoken(1, 0, tone(48_000, milliseconds=5_000), last=True))
        await caller.until(lambda: sum(lit for _, lit in eye.frames[-5:]) == 5)
        outlet.drop()
        cut_ticks = clock.position * 90_000 // 48_000
        await caller.until(lambda: eye.frames[-1][0] > cut_ticks + 9_000)

        begin = eye.frames[0][0]
        assert begin == 0
        after = [lit for ticks, lit in eye.frames if ticks > cut_ticks]
        assert not any(after)


async def test_twenty_video_calls_leave_no_task_and_no_thread(pool: ThreadPoolExecutor) -> None:
    host = lamp_host(pool, disclosure_ms=40)
    async with serving(host) as url:
        for _ in range(4):
            callers = [WebCaller(url, video=True) for _ in range(5)]
            await asyncio.gather(*(caller.dial() for caller in callers))
            for caller in callers:
                await caller.until(lambda caller=caller: len(caller.seen) > 1)  # type: ignore[misc]
            await asyncio.gather(*(caller.close() for caller in callers))
