"""What a real browser plays: the received streams recorded by Chromium itself, and what it says about them."""

from __future__ import annotations

import asyncio
import base64
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import av
import numpy as np
import numpy.typing as npt

from channels.spoken import Spoken
from channels.web import reports as reports_of_calls
from channels.web.peer import HEARD_RATE_HZ, SEEN_RATE_HZ
from tests.behaviour.twin import twin
from tests.bench.face.live import ILLUSTRATED, QUESTIONS, from_48k, sentences, starts_ms, with_a_face
from tests.bench.face.mouths import Mouths, Trace
from tests.bench.face.takes import RATE_HZ, Take
from tests.doubles.browser import TalkPage, browser_caller

RECORDED_HZ = 48_000
NEAR_MS = 500.0
"""How long around a picture's time the sound's delay is looked at; a browser changes it by stretching sound."""
_POLL_S = 0.5

Reports = dict[int, tuple[int, int]]
"""(timestamp of RTP, NTP) by ticks per second."""
_RECORD = """
() => {
  const tracks = peerOfTest.getReceivers().map((receiver) => receiver.track);
  const recorder = new MediaRecorder(new MediaStream(tracks), {
    mimeType: "video/webm;codecs=vp8,opus", videoBitsPerSecond: 4000000,
  });
  const pieces = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  window.recordedByTest = () => new Promise((resolve) => {
    recorder.onstop = async () => {
      const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
      let text = "";
      for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
      resolve(btoa(text));
    };
    recorder.stop();
  });
  recorder.start(1000);
}
"""
_PLAYOUT = """
async () => {
  const found = {};
  for (const report of (await peerOfTest.getStats()).values())
    if (report.type === "inbound-rtp" && report.estimatedPlayoutTimestamp)
      found[report.kind] = report.estimatedPlayoutTimestamp;
  return found;
}
"""
_TIMES = """
() => {
  const shown = [], played = [];
  window.timesOfTest = () => ({ shown, played });
  const video = document.getElementById("video");
  const look = (now, frame) => {
    if (frame.rtpTimestamp !== undefined) shown.push([frame.rtpTimestamp, frame.expectedDisplayTime]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  const ear = peerOfTest.getReceivers().find((receiver) => receiver.track.kind === "audio");
  let last;
  setInterval(() => {
    const [source] = ear.getSynchronizationSources();
    if (!source || source.rtpTimestamp === last) return;
    last = source.rtpTimestamp;
    const at = source.timestamp > 1e11 ? source.timestamp - performance.timeOrigin : source.timestamp;
    played.push([last, at]);
  }, 4);
}
"""
_HEALTH = """
async () => {
  const video = [...(await peerOfTest.getStats()).values()].find(
    (report) => report.type === "inbound-rtp" && report.kind === "video");
  return { frames: video.framesDecoded, freezes: video.freezeCount ?? 0 };
}
"""


@dataclass(frozen=True, slots=True)
class Played:
    """One call in a browser."""

    take: Take
    gaps: Trace
    widths: Trace
    said: list[Spoken]
    late_ms: list[float]
    """Of each picture that was shown: how much later than the sound of its moment was played."""
    ahead_ms: list[float]
    """By Chromium's own estimate: how much later in the twin's time the picture is that it shows than the sound
    that it plays at the same moment."""
    frames: int
    freezes: int
    """As Chromium counts them."""


async def call(home: Path, mouths: Mouths, *, seconds: float) -> Played:
    """Talk with the demo twin by typing on its page. Skips where there is no Chromium."""
    with _reported() as reports:
        return await _call(home, mouths, seconds, reports)


async def _call(home: Path, mouths: Mouths, seconds: float, reports: Reports) -> Played:
    async with twin(home, ILLUSTRATED) as running, browser_caller() as browser:
        overheard = await with_a_face(running)
        page = await browser.open(running.url)
        await page.start(typing=True)
        await page.page.wait_for_selector("body[data-face]")
        await page.until_state("listening")
        # What costs least comes first: a recorder takes a core for itself.
        await page.page.evaluate(_TIMES)
        ahead_ms = await _talk(page, seconds / 2)
        times: dict[str, list[tuple[int, float]]] = await page.page.evaluate("timesOfTest()")
        health: dict[str, Any] = await page.page.evaluate(_HEALTH)
        await page.page.evaluate(_RECORD)
        await _talk(page, seconds / 2)
        data = base64.b64decode(await page.page.evaluate("recordedByTest()"))
        await page.hang_up()
        await running.all_over()
    said = sentences(overheard, RATE_HZ)
    take, gaps, widths = await asyncio.to_thread(_decoded, data, mouths)
    take.starts_ms.update(starts_ms(take.sound, said))
    late_ms = _late_ms(times["shown"], times["played"], reports)
    return Played(take, gaps, widths, said, late_ms, ahead_ms, health["frames"], health["freezes"])


async def _talk(page: TalkPage, seconds: float) -> list[float]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    ahead_ms: list[float] = []
    number = 0
    while loop.time() < ends:
        await page.type(QUESTIONS[number % len(QUESTIONS)])
        number += 1
        await page.until_state("speaking")
        while await page.page.locator("body[data-state=speaking]").count():
            times: dict[str, float] = await page.page.evaluate(_PLAYOUT)
            if len(times) == 2:
                ahead_ms.append(times["video"] - times["audio"])
            await asyncio.sleep(_POLL_S)
        await asyncio.sleep(1.0)
    return ahead_ms


@contextmanager
def _reported() -> Iterator[Reports]:
    """What the sender reports of the calls in between say last, by the rate of the track."""
    seen: Reports = {}
    original = reports_of_calls._Reports.correct

    def correct(self: Any, info: Any) -> bool:
        right = original(self, info)
        if right:
            seen[self._ticks_hz] = info.rtp_timestamp, info.ntp_timestamp
        return right

    with patch.object(reports_of_calls._Reports, "correct", correct):
        yield seen


def _late_ms(
    shown: Sequence[tuple[int, float]], played: Sequence[tuple[int, float]], reports: Reports
) -> list[float]:
    """Both as (timestamp of RTP, the page's time in ms)."""
    if not shown or not played or len(reports) < 2:
        return []
    video, audio = _delays_ms(shown, SEEN_RATE_HZ, reports), _delays_ms(played, HEARD_RATE_HZ, reports)
    late: list[float] = []
    for at, delay in video:
        near = audio[np.abs(audio[:, 0] - at) < NEAR_MS, 1]
        if len(near):
            late.append(float(delay - np.median(near)))
    return late


def _delays_ms(seen: Sequence[tuple[int, float]], hz: int, reports: Reports) -> Trace:
    """(the page's time, by how much that is after the moment on the sender's clock), in ms; a common constant is
    left in."""
    rtp, ntp = reports[hz]
    rows = []
    for timestamp, at in seen:
        apart = (timestamp - rtp + (1 << 31)) % (1 << 32) - (1 << 31)
        # Seconds of NTP are too large for a float of milliseconds: one hour of them is enough.
        sent_ms = (ntp % (3_600 << 32)) / (1 << 32) * 1000 + apart * 1000 / hz
        rows.append((at, at - sent_ms))
    return np.array(rows, np.float64)


def _decoded(data: bytes, mouths: Mouths) -> tuple[Take, Trace, Trace]:
    with tempfile.NamedTemporaryFile(suffix=".webm") as file:
        file.write(data)
        file.flush()
        times: list[float] = []
        shapes: list[tuple[float, float]] = []
        with av.open(file.name) as container:
            for frame in container.decode(video=0):
                times.append(float(frame.time or 0.0) * 1000)
                shapes.append(mouths.shape(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)))
        with av.open(file.name) as container:
            sound = _laid_out(container)
    gaps, widths = np.array(shapes).reshape(-1, 2).T
    return Take(np.array(times), [], from_48k(sound), {}), gaps, widths


def _laid_out(container: Any) -> npt.NDArray[np.int16]:
    """The sound, each piece where its time puts it."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RECORDED_HZ)
    pieces: list[tuple[int, npt.NDArray[np.int16]]] = []
    for frame in container.decode(audio=0):
        at = round(float(frame.time or 0.0) * RECORDED_HZ)
        for mono in resampler.resample(frame):
            pcm = mono.to_ndarray()[0]
            pieces.append((at, pcm))
            at += len(pcm)
    sound = np.zeros(max((at + len(pcm) for at, pcm in pieces), default=0), np.int16)
    for at, pcm in pieces:
        sound[max(0, at) : at + len(pcm)] = pcm[max(0, -at) :]
    return sound
