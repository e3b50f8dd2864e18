"""Conversations for the tests of what moves: words with times, and other people's sound."""

from __future__ import annotations

import random
from collections.abc import Callable

from avatar.scene import Scene
from avatar.timeline import Said

SENTENCES = (
    "Hello, thanks for calling today. I looked at the contract with my lawyer yesterday, and honestly it is a "
    "wonderful offer for everybody! Unfortunately there is one problem: the delivery moved to November, because "
    "the factory was closed for seven weeks. Could you tell me whether that is acceptable for your team?"
)


def said(text: str, start_ms: float = 0.0) -> list[Said]:
    """Each word as long as its letters, with pauses at commas and full stops."""
    words, at_ms = [], start_ms
    for word in text.split():
        lasts_ms = 60.0 * len(word.strip(".,:!?")) + 80.0
        words.append(Said(word, at_ms, at_ms + lasts_ms))
        at_ms += lasts_ms + (450.0 if word[-1] in ".!?" else 150.0 if word[-1] in ",:" else 20.0)
    return words


def sounds(
    scene: Scene, start_ms: int, end_ms: int, person: str = "a", bearing: float = 0.0, dbfs: float = -22.0
) -> None:
    """Speech without a pause."""
    for t_ms in range(start_ms, end_ms, 20):
        scene.other(t_ms, person, dbfs, True, bearing)


def silence(scene: Scene, start_ms: int, end_ms: int, person: str = "a") -> None:
    for t_ms in range(start_ms, end_ms, 20):
        scene.other(t_ms, person, -70.0, False)


def monologue(scene: Scene, start_ms: int, end_ms: int) -> None:
    """Talk with half a second of pause every three and a half."""
    for t_ms in range(start_ms, end_ms, 4_000):
        sounds(scene, t_ms, t_ms + 3_500)
        silence(scene, t_ms + 3_500, t_ms + 4_000)


class Call:
    """A lively call of three people: the twin is interrupted, resumes or gives up, and others talk at once.

    `tell(t_ms)` tells the scene everything up to `t_ms`, each thing when it happens.
    """

    def __init__(self, seed: int) -> None:
        self.scene = Scene()
        self._random = random.Random(seed)
        self._words = said(SENTENCES)
        self._utterance = 0
        self._next_ms = 500.0
        self._cut_ms = float("inf")
        self._other: tuple[float, float, str] = (-1.0, -1.0, "b")
        self._held: Callable[[float], None] | None = None

    def tell(self, t_ms: float) -> None:
        if t_ms >= self._cut_ms:
            self._interrupt(t_ms)
        if t_ms >= self._next_ms:
            self._speak(t_ms)
        start_ms, end_ms, person = self._other
        for name, bearing in (("b", -0.7), ("c", 0.9)):
            on = name == person and start_ms <= t_ms < end_ms and t_ms % 1_500 < 1_300
            level_dbfs = (-20.0 if on else -65.0) + self._random.uniform(-6.0, 6.0)
            self.scene.other(t_ms, name, level_dbfs, on if name == "b" else None, bearing)

    def _speak(self, t_ms: float) -> None:
        if self._held is not None and self._random.random() < 0.5:
            self._held(t_ms)
            self._held = None
            self._next_ms = t_ms + 6_000.0
            return
        self._utterance += 1
        words = self._words[: self._random.randrange(3, len(self._words))]
        start_ms = t_ms + self._random.choice((0.0, 150.0, 600.0))
        self.scene.phrase(self._utterance, start_ms, words, told_ms=t_ms)
        self._next_ms = start_ms + words[-1].end_ms + self._random.uniform(300.0, 5_000.0)
        if self._random.random() < 0.6:
            self._cut_ms = t_ms + self._random.uniform(20.0, words[-1].end_ms)
            utterance = self._utterance

            def resume(now_ms: float, cut_ms: float = self._cut_ms) -> None:
                self.scene.phrase(utterance, start_ms + now_ms - cut_ms, words, told_ms=now_ms)

            self._held = resume

    def _interrupt(self, t_ms: float) -> None:
        self._cut_ms = float("inf")
        self.scene.silenced(t_ms)
        self._next_ms = t_ms + self._random.uniform(20.0, 4_000.0)
        self._other = (t_ms, t_ms + self._random.uniform(200.0, 7_000.0), self._random.choice("bc"))
