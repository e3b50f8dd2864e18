"""What the face learns of the person who speaks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from agent.face.attention import Attention, levels_dbfs
from channels.clock import Clock
from channels.inlet import Inlet
from channels.view import Film, View
from tests.doubles.face import Lamp

RATE_HZ = 16_000
WINDOW = 320


class Listener:
    def __init__(self) -> None:
        self.heard: list[object] = []

    def audio(self, pcm: bytes) -> None:
        self.heard.append(pcm)

    def digit(self, digit: str) -> None:
        self.heard.append(digit)

    def text(self, text: str) -> None:
        self.heard.append(text)


class Scene:
    """An inlet with a face behind it."""

    def __init__(self, *, shown: bool = True) -> None:
        self.lamp = Lamp()
        self.clock = Clock(48_000)
        self.view = View(self.clock, lambda: self.lamp, ThreadPoolExecutor(1), Film())
        self.listener = Listener()
        self.speech: bool | None = True
        attention = Attention(
            self.listener, RATE_HZ, face=lambda: self.view if shown else None, speech=lambda: self.speech
        )
        self.inlet = Inlet(RATE_HZ, attention)

    def told(self) -> list[tuple[object, ...]]:
        self.view.draw(0)
        return self.lamp.told


def noise(samples: int, amplitude: float) -> bytes:
    return np.full(samples, amplitude * 32_768, np.float64).clip(-32_768, 32_767).astype(np.int16).tobytes()


def test_the_face_hears_nothing_before_the_inlet_is_open() -> None:
    scene = Scene()
    scene.inlet.hear(noise(WINDOW * 10, 0.5))
    assert scene.told() == []
    scene.inlet.open()
    scene.inlet.hear(noise(WINDOW * 2, 0.1))
    assert len(scene.told()) == 2


def test_it_is_told_the_level_of_each_20_ms_and_whether_it_is_speech() -> None:
    scene = Scene()
    scene.inlet.open()
    scene.clock.left(4_800)
    scene.inlet.hear(noise(WINDOW, 0.1))
    scene.speech = None
    scene.clock.left(960)
    scene.inlet.hear(noise(WINDOW, 0.0))

    assert scene.told() == [
        ("heard", 4_800, "caller", -20, True, 0.0),
        ("heard", 5_760, "caller", -100, None, 0.0),
    ]


def test_pieces_of_any_length_make_whole_windows() -> None:
    scene = Scene()
    scene.inlet.open()
    pcm = noise(WINDOW * 5, 0.25)
    for at in range(0, len(pcm), 226):
        scene.inlet.hear(pcm[at : at + 226])

    assert len(scene.told()) == 5
    assert b"".join(piece for piece in scene.listener.heard if isinstance(piece, bytes)) == pcm


@pytest.mark.parametrize("shown", [True, False])
def test_everything_is_passed_on_unchanged(shown: bool) -> None:
    scene = Scene(shown=shown)
    scene.inlet.open()
    scene.inlet.hear(b"\1\0" * 100)
    scene.inlet.press("5")
    scene.inlet.type("hello")

    assert scene.listener.heard == [b"\1\0" * 100, "5", "hello"]


def test_levels_are_of_full_scale() -> None:
    sine = (32_767 * np.sin(np.arange(WINDOW) * 2 * np.pi / 32)).astype(np.int16).tobytes()
    assert levels_dbfs(sine, WINDOW) == [pytest.approx(-3.01, abs=0.01)]
    assert levels_dbfs(bytes(2 * WINDOW), WINDOW) == [-100.0]
