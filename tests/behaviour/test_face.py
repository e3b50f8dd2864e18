"""The twin's face as a caller gets it: through the whole house, encoded, sent, received and decoded."""

from __future__ import annotations

import asyncio
import base64
from itertools import pairwise
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar.mark import stamp
from avatar.picture import Picture
from channels.web.peer import HEARD_RATE_HZ, SEEN_RATE_HZ, Seen, WebCaller
from tests.behaviour.sound import level_dbfs
from tests.behaviour.twin import Twin, twin
from tests.doubles.browser import TalkPage, browser_caller
from tests.doubles.host import TestHost
from tests.doubles.webserver import serving

pytestmark = pytest.mark.alone

ILLUSTRATED = '[face]\nengine = "illustrated"\n'
EVERYTHING = "Please tell me everything about your work and your office."
FRAME_MS = 40.0


class Eye:
    """What a caller saw, and when: the luma of every picture."""

    def __init__(self, caller: WebCaller) -> None:
        self.ticks: list[int] = []
        self.pictures: list[NDArray[np.uint8]] = []
        caller.on_seen = self._seen

    def _seen(self, seen: Seen, picture: NDArray[np.uint8]) -> None:
        self.ticks.append(seen.ticks)
        self.pictures.append(picture[: picture.shape[0] * 2 // 3].copy())


async def ready(running: Twin) -> None:
    """The house answers, and its face is loaded."""
    await running.until(lambda: not running.house.health())
    await running.house.faces.ready()
    assert running.house.faces.failure == ""


def box_of_mouth(height: int, width: int) -> tuple[slice, slice]:
    """The lower half of the middle of the picture, where the illustrated face has mouth and chin."""
    return slice(round(height * 0.52), round(height * 0.7)), slice(round(width * 0.38), round(width * 0.62))


def dark_in(picture: NDArray[np.uint8], where: tuple[slice, slice]) -> float:
    """Share of very dark pixels: the inside of an open mouth."""
    return float((cv2.GaussianBlur(picture[where], (3, 3), 0) < 62).mean())


async def listening(caller: WebCaller) -> None:
    await caller.until(lambda: any(said.get("state") == "listening" for said in caller.messages), 20)


async def test_the_face_moves_carries_its_mark_and_keeps_time_with_the_sound(home: Path) -> None:
    async with twin(home, ILLUSTRATED) as running:
        await ready(running)
        async with WebCaller(running.url, video=True) as caller:
            eye = Eye(caller)
            await listening(caller)
            await caller.until(lambda: caller.captured_s("video", 0) is not None)
            await caller.until(lambda: caller.captured_s("audio", 0) is not None)
            pcm = np.frombuffer(caller.pcm(), np.int16).astype(np.float64)
            first_sound_s = caller.captured_s("audio", 0)
            first_frame_s = caller.captured_s("video", 0)
        await running.all_over()
        frames = running.house.faces.frames

    assert first_sound_s is not None
    assert first_frame_s is not None
    steps = np.diff(eye.ticks)
    assert set(steps.tolist()) <= {3_600, 7_200}, "at most a frame in between is left out under load"
    assert (steps == 3_600).mean() > 0.95
    assert len(eye.ticks) <= frames
    height, width = eye.pictures[0].shape
    assert _marked(eye.pictures[:: len(eye.pictures) // 10]), "on every picture"
    where = box_of_mouth(height, width)
    opened = np.array([dark_in(picture, where) for picture in eye.pictures])
    lag_ms = _lag_ms(opened, np.array(eye.ticks), pcm, 1000 * (first_frame_s - first_sound_s))
    print(f"\n{len(eye.ticks)} frames; mouth behind loudness by {lag_ms:.0f} ms")
    assert abs(lag_ms) <= 2 * FRAME_MS, "by loudness alone, which mouths do not follow to the frame"


async def test_when_the_caller_interrupts_the_mouth_is_shut_within_two_frames(home: Path) -> None:
    async with twin(home, ILLUSTRATED) as running:
        await ready(running)
        async with WebCaller(running.url, video=True) as caller:
            eye = Eye(caller)
            live = await running.live()
            await listening(caller)
            await asyncio.sleep(0.5)
            caller.type(EVERYTHING)
            await caller.until(lambda: any(said.get("state") == "speaking" for said in caller.messages), 20)
            await asyncio.sleep(1.5)
            live.call.outlet.drop()
            cut = live.call.clock.position * SEEN_RATE_HZ // HEARD_RATE_HZ
            await caller.until(lambda: bool(eye.ticks) and eye.ticks[-1] > cut + 2 * SEEN_RATE_HZ)
            view = running.house.faces.seen(live.call.id)
            assert view is not None
            epoch = live.call.clock.epoch
        await running.all_over()

    assert epoch > 0
    where = box_of_mouth(*eye.pictures[0].shape)
    opened = np.array([dark_in(picture, where) for picture in eye.pictures])
    ticks = np.array(eye.ticks) - eye.ticks[0]
    before = opened[(ticks > cut - SEEN_RATE_HZ) & (ticks < cut)]
    after = opened[(ticks >= cut + 2 * 3_600) & (ticks < cut + SEEN_RATE_HZ // 2)]
    rest = float(np.median(opened[ticks > cut + SEEN_RATE_HZ]))
    print(f"\nopen: before {before.max():.3f}, after {after.max():.3f}, at rest {rest:.3f}")
    assert before.max() > rest + 0.02, "it spoke"
    assert after.max() < rest + 0.01


async def test_a_page_shows_the_moving_face_with_its_mark(home: Path) -> None:
    async with twin(home, ILLUSTRATED) as running, browser_caller() as browser:
        await ready(running)
        page = await browser.open(running.url)
        assert await page.page.locator("body[data-face]").count() == 0, "a still before the call"
        await page.start(typing=True)
        await page.page.wait_for_selector("body[data-face]")
        pictures = [await _painted(page) for _ in range(6)]
        stats = await page.page.evaluate(
            "async () => [...(await peerOfTest.getStats()).values()].find((r) => r.kind === 'video'"
            " && r.type === 'inbound-rtp')"
        )
        async with asyncio.timeout(15):
            await page.page.evaluate(_HELD_BACK)
        await page.hang_up()
        await page.page.wait_for_selector("body:not([data-face])")
        await running.all_over()

    assert _marked([_luma(picture) for picture in pictures])
    changes = [float(np.abs(a.astype(int) - b).mean()) for a, b in pairwise(pictures)]
    assert max(changes) > 0.3, "it moves"
    assert (stats["frameWidth"], stats["frameHeight"]) == (512, 512)
    assert stats["framesDecoded"] > 30
    assert stats.get("totalFreezesDuration", 0) < 0.5
    assert page.complaints == []


_HELD_BACK = """
async () => {
  const { receiver } = peerOfTest.getTransceivers().find(({ receiver }) => receiver.track.kind === "video");
  while (receiver.jitterBufferTarget === null) await new Promise((done) => setTimeout(done, 50));
}
"""
_BROWSER = """
async ({ sounds, least }) => {
  const { Aligner } = await import("/assets/sync.js");
  const aligner = new Aligner();
  const AFTER = 14, STEP = 50;
  let held = least[0] + AFTER, video = null, sound = sounds[0];
  const seen = [];
  for (let i = 0; i < sounds.length; i++) {
    const before = held;
    const to = Math.max(least[i] + AFTER, video ?? 0);
    held += Math.max(-STEP, Math.min(STEP, to - held));
    const late = { ahead: sound - held, video: (before + held) / 2 - AFTER, audio: sound, least: least[i] };
    const targets = aligner.next(late);
    video = targets.video;
    sound = Math.max(sounds[i], targets.audio ?? 0);
    seen.push([late.ahead, targets.video, targets.audio]);
  }
  return seen;
}
"""
"""A browser whose jitter buffers follow what they are told by 50 ms from one measurement to the next."""


async def test_the_page_brings_picture_and_sound_together_in_any_weather() -> None:
    async def lived(sounds: list[int], least: list[int]) -> list[list[float]]:
        return cast("list[list[float]]", await page.page.evaluate(_BROWSER, {"sounds": sounds, "least": least}))

    async with serving(TestHost()) as url, browser_caller("none") as browser:
        page = await browser.open(url)
        calm = await lived([60] * 60, [15] * 60)
        jumps = await lived([60] * 20 + [140] * 30 + [50] * 50, [15] * 100)
        blip = await lived([60] * 20 + [200] + [60] * 20, [15] * 41)
        slow = await lived([60] * 120, [15] * 20 + [120] * 40 + [15] * 60)
        far = await lived([900] * 40, [15] * 40)

    assert max(abs(ahead) for ahead, *_ in calm[4:]) <= 10
    assert len({video for _, video, _ in calm[16:]}) == 1, "it comes to rest"
    for begin, end in ((4, 20), (28, 50), (60, 100)):
        assert max(abs(ahead) for ahead, *_ in jumps[begin:end]) <= 10
    assert len({video for _, video, _ in blip[10:]}) == 1, "one moment moves nothing"
    assert all(audio is None for _, _, audio in calm + jumps + blip), "the sound waits for nothing"
    assert abs(slow[59][0]) <= 15
    assert slow[59][2] is not None, "but for a picture that cannot be earlier"
    assert slow[-1][2] is None
    assert abs(slow[-1][0]) <= 10
    assert max(video for _, video, _ in far) == 300


async def test_a_page_that_cannot_see_talks_and_shows_the_still(home: Path) -> None:
    async with twin(home, ILLUSTRATED) as running, browser_caller() as browser:
        await ready(running)
        page = await browser.open(running.url)
        await page.page.evaluate("RTCRtpReceiver.getCapabilities = () => ({ codecs: [] })")
        await page.start(typing=True)
        live = await running.live()
        heard = await page.until_heard(1_000)
        assert running.house.faces.seen(live.call.id) is None
        assert await page.page.locator("body[data-face]").count() == 0
        await page.hang_up()
        await running.all_over()

    assert level_dbfs(heard.samples.tobytes()) > -40


async def test_one_call_too_many_is_carried_with_sound_and_told_so(home: Path) -> None:
    async with twin(home, ILLUSTRATED + "max_faces = 1\n") as running:
        await ready(running)
        async with WebCaller(running.url, video=True) as first, WebCaller(running.url, video=True) as second:
            await first.until(lambda: len(first.seen) > 2)
            await second.until(lambda: len(second.heard) > 20)
            assert second.seen == []
            assert [said["code"] for said in second.messages if said["type"] == "notice"] == ["no_face"]
        await running.all_over()


async def _painted(page: TalkPage) -> NDArray[np.uint8]:
    """What the page's video shows now, RGB; a moment later each time."""
    data: str = await page.page.evaluate(
        """async () => {
          const video = document.getElementById("video");
          await new Promise((resolve) => setTimeout(resolve, 300));
          const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
          const context = canvas.getContext("2d");
          context.drawImage(video, 0, 0);
          const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
          let text = "";
          for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
          return btoa(text);
        }"""
    )
    rgba: NDArray[np.uint8] = np.frombuffer(base64.b64decode(data), np.uint8)
    rgb: NDArray[np.uint8] = np.ascontiguousarray(rgba.reshape(512, 512, 4)[:, :, :3])
    return rgb


def _luma(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Limited-range, as it was sent."""
    weighed: NDArray[np.float64] = rgb.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    luma: NDArray[np.uint8] = (16 + weighed * 219 / 255).astype(np.uint8)
    return luma


def _marked(pictures: list[NDArray[np.uint8]]) -> bool:
    """Whether all carry the mark at its place."""
    height, width = pictures[0].shape
    dark, bright = Picture(width, height), Picture(width, height)
    bright.y.fill(255)
    stamp(dark)
    stamp(bright)
    covered = dark.y == bright.y
    mark = dark.y[covered].astype(float)
    return all(np.corrcoef(mark, picture[covered].astype(float))[0, 1] > 0.9 for picture in pictures)


def _lag_ms(
    opened: NDArray[np.float64], ticks: NDArray[np.int64], pcm: NDArray[np.float64], begins_ms: float
) -> float:
    """By how much the mouth is behind the loudness of the voice, from the best match of the two curves."""
    at_ms = begins_ms + (ticks - ticks[0]) * 1000 / SEEN_RATE_HZ
    grid_ms = np.arange(at_ms[0] + 500, at_ms[-1] - 500, 5.0)
    window = HEARD_RATE_HZ // 25
    loud = np.sqrt(np.convolve(pcm**2, np.ones(window) / window, "same"))
    matches = []
    lags_ms = np.arange(-300, 301, 5)
    mouth = np.interp(grid_ms, at_ms, opened)
    for lag_ms in lags_ms:
        sample = np.clip(((grid_ms - lag_ms) * HEARD_RATE_HZ / 1000).astype(int), 0, len(loud) - 1)
        matches.append(np.corrcoef(mouth, loud[sample])[0, 1])
    return float(lags_ms[int(np.argmax(matches))])
