"""A caller with a real browser: headless Chromium, a WAV file for a microphone, and an ear on what it plays."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

WAIT_MS = 15_000
FLAGS = (
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
    "--disable-dev-shm-usage",
)
_EAR = """
(() => {
  const pieces = [];
  let samples = 0;
  window.heardByTest = () => {
    const whole = new Int16Array(samples);
    let at = 0;
    for (const piece of pieces) { whole.set(piece.pcm, at); at += piece.pcm.length; }
    let text = "";
    const bytes = new Uint8Array(whole.buffer);
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return { pcm: btoa(text), rate: pieces[0]?.rate ?? 48000,
             times: pieces.map((piece) => [piece.at, piece.pcm.length]) };
  };
  const listen = async (track) => {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const sound = new Float32Array(value.numberOfFrames);
      value.copyTo(sound, { planeIndex: 0, format: "f32-planar" });
      if (samples < value.sampleRate * 120) {
        const pcm = Int16Array.from(sound, (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
        pieces.push({ pcm, rate: value.sampleRate, at: performance.now() });
        samples += pcm.length;
      }
      value.close();
    }
  };
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      window.peerOfTest = this;
      this.addEventListener("track", ({ track }) => track.kind === "audio" && listen(track));
    }
  };
})();
"""


def chromium() -> str:
    """The path of Chromium. Without one the test is skipped, and under `CI=true` it fails."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        path = shutil.which(name)
        if path:
            return path
    if os.environ.get("CI") == "true":
        pytest.fail("Chromium is not installed, and under CI=true it has to be.")
    pytest.skip("Chromium is not installed.")


@dataclass(frozen=True)
class Heard:
    """What the page's loudspeaker was given."""

    samples: NDArray[np.int16]
    rate_hz: int
    arrived_ms: NDArray[np.float64]
    """For every sample, the page's time (milliseconds since it was opened) at which it came out."""

    def loudness(self, piece_ms: int = 20) -> NDArray[np.float64]:
        """Root mean square of each piece."""
        size = self.rate_hz * piece_ms // 1000
        whole = self.samples[: len(self.samples) // size * size].astype(np.float64).reshape(-1, size)
        return cast("NDArray[np.float64]", np.sqrt((whole**2).mean(axis=1)))

    def pitch_hz(self, start_ms: float, end_ms: float) -> float:
        """The strongest frequency between two times, counted from the first sample."""
        part = self.samples[int(start_ms * self.rate_hz / 1000) : int(end_ms * self.rate_hz / 1000)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        return float(np.argmax(spectrum) * self.rate_hz / len(part))


class TalkPage:
    """The page, with the words of somebody who uses it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        """Errors and warnings of the console, and exceptions."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.set_default_timeout(WAIT_MS)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    async def press(self, label: str) -> None:
        await self.page.get_by_role("button", name=label).click()

    async def start(self, *, typing: bool = False) -> None:
        """Press the button and wait until the call is up."""
        await self.press("I would rather type" if typing else "Start talking")
        await self.page.wait_for_selector("body[data-phase=in-call]")

    async def type(self, text: str) -> None:
        await self.page.get_by_label("Type to the twin").fill(text)
        await self.page.keyboard.press("Enter")

    async def mute(self) -> None:
        await self.press("Mute")

    async def hang_up(self) -> None:
        await self.press("Hang up")
        await self.page.wait_for_selector("body[data-phase=ended]")

    async def until_ended(self) -> None:
        await self.page.wait_for_selector("body[data-phase=ended]")

    async def until_state(self, state: str) -> None:
        """Wait for `listening`, `thinking`, `speaking`, ..."""
        await self.page.wait_for_selector(f"body[data-state={state}]")

    async def until_caption(self, who: Literal["caller", "twin"], text: str) -> None:
        """Wait until somebody's words hold `text`."""
        await self.page.locator(f".{who}-says .said", has_text=text).first.wait_for()

    async def captions(self) -> list[tuple[str, str]]:
        """Everything that was said, as `(who, text)`."""
        found: list[list[str]] = await self.page.eval_on_selector_all(
            "#conversation li:not(.mark)",
            """items => items.map(item => [item.className.startsWith("twin") ? "twin" : "caller",
                                          item.querySelector(".said").textContent])""",
        )
        return [(who, text) for who, text in found]

    async def problem(self) -> tuple[str, str]:
        """Wait for the error that is shown; its title and text."""
        await self.page.wait_for_selector("#problem:not([hidden])")
        return (await self.page.inner_text("#problem-title"), await self.page.inner_text("#problem-text"))

    async def heard(self) -> Heard:
        """All sound the page received until now."""
        got: dict[str, Any] = await self.page.evaluate("heardByTest()")
        samples = np.frombuffer(base64.b64decode(got["pcm"]), dtype=np.int16)
        times = [np.full(length, at) for at, length in got["times"]]
        return Heard(samples, got["rate"], np.concatenate(times) if times else np.zeros(0))

    async def until_heard(self, milliseconds: float) -> Heard:
        """Wait until so much sound, silence included, was received."""
        async with asyncio.timeout(WAIT_MS / 1000):
            while True:
                heard = await self.heard()
                if len(heard.samples) >= milliseconds * heard.rate_hz / 1000:
                    return heard
                await asyncio.sleep(0.1)

    async def screenshot(self, path: Path) -> None:
        await self.page.screenshot(path=path)


class BrowserCaller:
    """One browser: its microphone is the same for all of its pages."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    async def open(
        self,
        url: str,
        *,
        width: int = 1200,
        height: int = 800,
        dark: bool = False,
        reduced_motion: bool = False,
        path: str = "/",
    ) -> TalkPage:
        """The talk page at a base URL, in a profile of its own."""
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced_motion else "no-preference",
        )
        self._contexts.append(context)
        page = await context.new_page()
        await page.add_init_script(_EAR)
        talk = TalkPage(page)
        await page.goto(url + path)
        return talk

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()


@asynccontextmanager
async def browser_caller(
    microphone: Path | Literal["beep", "denied", "none"] = "beep", *, hide_addresses: bool = False
) -> AsyncIterator[BrowserCaller]:
    """A browser whose microphone hears a WAV file once, or beeps, or is denied, or is not there.

    With `hide_addresses` it keeps its addresses from the page, as browsers do for pages without a microphone.
    """
    flags = [*FLAGS]
    if microphone != "none":
        flags += ["--use-fake-device-for-media-stream"]
        answer = "=deny" if microphone == "denied" else ""
        flags += [f"--use-fake-ui-for-media-stream{answer}"]
    if isinstance(microphone, Path):
        flags += [f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    if not hide_addresses:
        flags += ["--disable-features=WebRtcHideLocalIpsWithMdns"]
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags, headless=True)
        try:
            caller = BrowserCaller(browser)
            yield caller
            await caller.close()
        finally:
            await browser.close()
