"""What a recording hears of the two doors, and that it hears nothing until there is one."""

from __future__ import annotations

import numpy as np

from agent.tap import Tap
from channels.clock import Clock


class Kept:
    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes, int]] = []

    def twin(self, pcm: bytes, position: int) -> None:
        self.heard.append(("twin", pcm, position))

    def caller(self, pcm: bytes, position: int) -> None:
        self.heard.append(("caller", pcm, position))

    def unheard(self, begin: int, end: int) -> None:
        self.heard.append(("unheard", b"", end - begin))


class Ear:
    def __init__(self) -> None:
        self.heard: list[object] = []

    def audio(self, pcm: bytes) -> None:
        self.heard.append(pcm)

    def digit(self, digit: str) -> None:
        self.heard.append(digit)

    def text(self, text: str) -> None:
        self.heard.append(text)


def test_everything_passes_unchanged_with_and_without_a_recording() -> None:
    ear, clock = Ear(), Clock(8_000)
    tap = Tap(ear, clock)
    samples = np.arange(160, dtype=np.int16)
    for recording in (None, Kept()):
        tap.recording = recording
        assert np.array_equal(tap.process(samples, 0), samples)
        tap.audio(b"\x01\x00")
        tap.digit("5")
        tap.text("hello")
    assert ear.heard == [b"\x01\x00", "5", "hello"] * 2


def test_a_recording_gets_each_side_at_the_clocks_position() -> None:
    clock, kept = Clock(8_000), Kept()
    tap = Tap(Ear(), clock)
    tap.audio(b"before")
    tap.recording = kept
    tap.process(np.array([7], dtype=np.int16), 320)
    clock.left(480)
    tap.audio(b"ab")
    tap.recording = None
    tap.audio(b"after")
    tap.process(np.array([8], dtype=np.int16), 640)
    assert kept.heard == [("twin", b"\x07\x00", 320), ("caller", b"ab", 480)]
