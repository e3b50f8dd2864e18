"""A browser in a room of a real LiveKit server: it sees the face and hears the voice, together."""

from __future__ import annotations

import asyncio
import base64
import statistics
from pathlib import Path

import numpy as np
import pytest

from agent.house import House
from agent.settings import load
from avatar.mark import stamp
from avatar.picture import Picture
from channels.livekit.session import RoomSession
from channels.livekit.settings import LiveKitSettings
from channels.livekit.signs import Signs
from compliance.disclosure import disclosure
from persona.home import demo
from tests.behaviour.room_seen import ROOM, Ticket, seen
from tests.behaviour.room_times import backwards, offsets_ms, stale
from tests.doubles.room_page import room_page
from tests.livekit_server import livekit_server

pytestmark = pytest.mark.alone
_PAINTED = """
() => {
  const video = document.getElementById("video");
  const canvas = new OffscreenCanvas(512, 512);
  const paint = canvas.getContext("2d");
  paint.drawImage(video, 0, 0, 512, 512);
  const { data } = paint.getImageData(0, 0, 512, 512);
  let text = "";
  for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
  return btoa(text);
}
"""


async def test_picture_and_sound_come_together_and_an_interruption_leaves_nothing_old() -> None:
    got = await seen(seconds=14.0, interruptions=3)
    middle_ms = statistics.median(got.offsets_ms)
    print(f"\n{len(got.offsets_ms)} pips, picture less sound {middle_ms:.0f} ms")
    assert len(got.offsets_ms) >= 8
    assert abs(middle_ms) <= 40.0
    assert got.epochs == 3
    assert got.stale == 0
    assert got.backwards == 0
    assert got.captured == got.sent
    assert [size for _, size in got.witnessed.sizes] == ["512x512"]
    assert got.witnessed.unread <= len(got.witnessed.shown) // 50


async def test_the_whole_twin_is_seen_with_its_mark_heard_and_known_as_a_machine(home: Path) -> None:
    _furnish(home)
    house = House(load(home), demo(), {}, home=home)
    texts = disclosure("en", owner="Martin Alder")
    signs = Signs(texts.participant, texts.chat, "Martin Alder")
    async with livekit_server() as server, room_page() as page:
        await house.start()
        try:
            await house.faces.ready()
            token = server.token("twin", ROOM, name=texts.participant, kind="agent")
            session = RoomSession(house, LiveKitSettings(), Ticket(server.url, token, ROOM), signs)
            running = asyncio.create_task(session.run(), name="session")
            await page.join(server.url, server.token("anna", ROOM, name="Anna"))
            await page.until(lambda got: got.unread > 50, timeout_s=30)
            pcm = base64.b64decode(await page.page.evaluate(_PAINTED))
            await page.until(lambda got: any("AI" in text for *_, text in got.words), timeout_s=30)
            witnessed, (twin,) = await page.witnessed(), await page.people()
            stats = await page.stats()
            session.leave("test_over")
            await asyncio.wait_for(running, 20)
        finally:
            await house.close()
    rgb = np.frombuffer(pcm, np.uint8).reshape(512, 512, 4)[:, :, :3].astype(np.float64)
    assert marked(16 + (rgb @ np.array([0.299, 0.587, 0.114])) * 219 / 255)
    assert twin["name"] == texts.participant
    assert twin["attributes"]["ai.twin"] == "true"
    assert twin["attributes"]["ai.twin.of"] == "Martin Alder"
    assert [text for _, text in witnessed.chats] == [texts.chat]
    assert float(stats["audio"]["totalAudioEnergy"]) > 0.01
    assert {size for _, size in witnessed.sizes} == {"512x512"}


def _furnish(home: Path) -> None:
    home.mkdir()
    (home / "twin.toml").write_text('[speech]\nengine = "pocketsphinx"\n', encoding="utf-8")


def marked(luma: np.ndarray) -> bool:
    """Whether the AI mark is at its place."""
    dark, bright = Picture(512, 512), Picture(512, 512)
    bright.y.fill(255)
    stamp(dark)
    stamp(bright)
    covered = dark.y == bright.y
    return float(np.corrcoef(dark.y[covered].astype(float), luma[covered])[0, 1]) > 0.9


def test_the_comparison_sees_what_it_looks_for() -> None:
    shown = [(1_000.0 + 40 * n, n, 0) for n in range(100)]
    said = [0.5, 1.5, 2.5]
    assert offsets_ms(shown, [1_500.0, 2_500.0, 3_500.0], said, 25) == pytest.approx([0, 0, 0])
    assert offsets_ms(shown, [1_450.0, 2_450.0, 3_450.0], said, 25) == pytest.approx([50, 50, 50])
    assert offsets_ms([*shown[:10], *shown[20:]], [1_500.0, 2_500.0], said[:2], 25) == pytest.approx([0])
    assert stale(shown, [(50, 1)]) == 50
    assert stale([(0.0, 49, 0), (40.0, 50, 1)], [(50, 1)]) == 0
    assert backwards([(0.0, 2, 0), (1.0, 1, 0)]) == 1
