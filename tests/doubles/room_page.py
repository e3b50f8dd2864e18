"""A participant with a real browser: livekit-client in headless Chromium, which sees and hears who is there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright

from tests.doubles.barcode import BLACK, CHECK_BITS, EPOCH_BITS, SQUARES, WHITE
from tests.doubles.browser import FLAGS, chromium

TOOLS = Path(__file__).parents[2] / ".tools"
CLIENT = "livekit-client.umd.js"
PIP_HZ = 1_000
_HTML = (
    b"<!doctype html><meta charset=utf-8><title>room</title><video id=video autoplay playsinline muted></video>"
)
_PAGE = """
(() => {
  const room = new LivekitClient.Room({ adaptiveStream: false, dynacast: false });
  const shown = [], sizes = [], pips = [], words = [], chats = [], left = [];
  let unread = 0, sound = 0;
  const receivers = {};
  const canvas = new OffscreenCanvas(SQUARES * 4, 8);
  const paint = canvas.getContext("2d", { willReadFrequently: true });

  const read = (video) => {
    paint.drawImage(video, 0, video.videoHeight * 0.45, video.videoWidth, video.videoHeight * 0.1,
                    0, 0, canvas.width, canvas.height);
    const { data } = paint.getImageData(0, 0, canvas.width, canvas.height);
    let word = 0n;
    for (let at = 0; at < SQUARES; at++) {
      const x = at * 4 + 2, y = 4;
      word = (word << 1n) | BigInt(data[4 * (y * canvas.width + x)] > 127);
    }
    const content = word >> BigInt(CHECK_BITS), found = word & ((1n << BigInt(CHECK_BITS)) - 1n);
    const check = (content ^ content >> 5n ^ content >> 11n ^ content >> 17n ^ content >> 23n ^ 0b101101n)
      & ((1n << BigInt(CHECK_BITS)) - 1n);
    if (check !== found) return null;
    return [Number(content >> BigInt(EPOCH_BITS)), Number(content & ((1n << BigInt(EPOCH_BITS)) - 1n))];
  };

  const watch = (video) => {
    const look = (now, frame) => {
      const size = `${frame.width}x${frame.height}`;
      if (sizes.at(-1)?.[1] !== size) sizes.push([now, size]);
      const seen = read(video);
      if (seen) shown.push([frame.expectedDisplayTime, ...seen]); else unread++;
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  };

  // A pip begins where the loudness rises after quiet: to the sample, on the page's clock.
  const listen = async (track) => {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    let quiet = 0, newest = -Infinity;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      const rate = value.sampleRate, at = performance.now();
      sound += samples.length;
      for (let i = 0; i < samples.length; i++) {
        if (Math.abs(samples[i]) < 0.03) { quiet++; continue; }
        if (quiet > rate * 0.2) pips.push(at - (samples.length - i) * 1000 / rate);
        quiet = 0;
      }
      value.close();
    }
  };

  room.on("trackSubscribed", (track, publication, participant) => {
    receivers[track.kind] = track.receiver;
    if (track.kind === "video") {
      const video = document.getElementById("video");
      track.attach(video);
      watch(video);
    } else {
      track.attach();
      listen(track.mediaStreamTrack);
    }
  });
  room.on("trackUnsubscribed", (track) => left.push(track.kind));
  room.registerTextStreamHandler("lk.transcription", async (reader, { identity }) => {
    words.push([identity, reader.info.attributes?.["lk.segment_id"] ?? "",
                reader.info.attributes?.["lk.transcription_final"] ?? "", await reader.readAll()]);
  });
  room.registerTextStreamHandler("lk.chat", async (reader, { identity }) => {
    chats.push([identity, await reader.readAll()]);
  });

  window.roomOfTest = room;
  window.seenByTest = () => ({ shown, sizes, pips, words, chats, unread, left, sound });
  window.statsOfTest = async () => {
    const found = {};
    for (const kind of Object.keys(receivers))
      for (const report of (await receivers[kind].getStats()).values())
        if (report.type === "inbound-rtp") found[kind] = { ...report };
    return found;
  };
  window.peopleOfTest = () => [...room.remoteParticipants.values()].map((person) =>
    ({ identity: person.identity, name: person.name, attributes: { ...person.attributes } }));
})();
"""
_NUMBERS = {"SQUARES": SQUARES, "CHECK_BITS": CHECK_BITS, "EPOCH_BITS": EPOCH_BITS}
assert BLACK < 127 < WHITE, "what the page calls white"


def client() -> Path:
    """livekit-client as one script. Without one the test is skipped, and under `CI=true` it fails."""
    named = os.environ.get("LIVEKIT_CLIENT", "")
    if named == "none":
        pytest.skip("LIVEKIT_CLIENT=none: there is no npm on this machine to fetch LiveKit's browser client with")
    path = Path(named or TOOLS / CLIENT)
    if path.exists():
        return path
    missing = f"needs {CLIENT}: `.ci/run` fetches it, or name the file in LIVEKIT_CLIENT"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """All that the browser has seen and heard until now. Times are the page's, in milliseconds."""

    shown: list[tuple[float, int, int]]
    """(when it was shown, its number, its epoch) of every picture that could be read."""
    sizes: list[tuple[float, str]]
    """When the picture's size changed, the first included, and to what."""
    pips: list[float]
    """When each began to sound."""
    words: list[tuple[str, str, str, str]]
    """(identity, segment, final, text) of each transcription."""
    chats: list[tuple[str, str]]
    unread: int
    """Pictures without a code that could be read."""
    left: list[str]
    """Kinds of tracks that ended."""
    sound: int
    """Samples of sound, silence included."""


class RoomPage:
    """One participant."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def join(self, url: str, token: str) -> None:
        await self.page.evaluate("([url, token]) => roomOfTest.connect(url, token)", [url, token])

    async def witnessed(self) -> Witnessed:
        found: dict[str, Any] = await self.page.evaluate("seenByTest()")
        return Witnessed(
            shown=[(at, number, epoch) for at, number, epoch in found["shown"]],
            sizes=[(at, size) for at, size in found["sizes"]],
            pips=found["pips"],
            words=[(who, segment, final, text) for who, segment, final, text in found["words"]],
            chats=[(who, text) for who, text in found["chats"]],
            unread=found["unread"],
            left=found["left"],
            sound=found["sound"],
        )

    async def stats(self) -> dict[str, dict[str, Any]]:
        """Chromium's own counters of what it receives, by kind."""
        found: dict[str, dict[str, Any]] = await self.page.evaluate("statsOfTest()")
        return found

    async def people(self) -> list[dict[str, Any]]:
        """Who else is there: identity, name, attributes."""
        found: list[dict[str, Any]] = await self.page.evaluate("peopleOfTest()")
        return found

    async def until(self, met: Any, *, timeout_s: float = 15.0) -> Witnessed:
        """Wait until `met(witnessed)`; looks ten times a second."""
        async with asyncio.timeout(timeout_s):
            while not met(seen := await self.witnessed()):  # noqa: ASYNC110  the page announces nothing
                await asyncio.sleep(0.1)
        return seen

    async def leave(self) -> None:
        await self.page.evaluate("roomOfTest.disconnect()")


@asynccontextmanager
async def room_page() -> AsyncIterator[RoomPage]:
    """An empty page with livekit-client, in a browser of its own."""
    script, path = client(), chromium()
    app = web.Application()
    app.router.add_get("/", _html)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with async_playwright() as playwright:
            flags = [*FLAGS, "--disable-features=WebRtcHideLocalIpsWithMdns"]
            browser = await playwright.chromium.launch(executable_path=path, args=flags, headless=True)
            try:
                page = await browser.new_page()
                await page.goto(f"http://127.0.0.1:{port}/")
                await page.add_script_tag(path=script)
                await page.evaluate(reduce(lambda page, n: page.replace(n, str(_NUMBERS[n])), _NUMBERS, _PAGE))
                yield RoomPage(page)
            finally:
                await browser.close()
    finally:
        await runner.cleanup()


async def _html(request: web.Request) -> web.Response:
    return web.Response(body=_HTML, content_type="text/html")
