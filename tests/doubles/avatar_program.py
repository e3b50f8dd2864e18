"""A renderer of the tests' own, in a process of its own, by the protocol that ships: `python -m` this module.

Its pictures are bars: as high as the sound is loud, and all grey in silence. The first argument may make it
misbehave.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable

import numpy as np

from agent.face.neural.renderer import Face, Renderer, refuse, serve

RATE_HZ = 16_000
FRAME = RATE_HZ // 25
SIDE_PX = 64
IDLE_LUMA = 90


class Bars(Face):
    def __init__(self, how: str) -> None:
        self._how = how
        self._rest = np.zeros(0, np.int16)
        self._at = 0
        self._pieces = 0

    def speech(self, utterance: int, offset: int, pcm: bytes, last: bool) -> Iterable[tuple[int, bytes]]:
        print("this must not reach the protocol")
        self._pieces += 1
        if self._how == "die" and self._pieces == 3:
            os._exit(7)
        if self._how == "hang":
            time.sleep(60)
        if self._how == "slow":
            time.sleep(0.05)
        if not len(self._rest):
            self._at = offset
        self._rest = np.concatenate([self._rest, np.frombuffer(pcm, np.int16)])
        while len(self._rest) >= FRAME or (last and len(self._rest)):
            loud = float(np.abs(self._rest[:FRAME].astype(np.float32)).mean()) / 32_768
            yield self._at, bars(loud)
            self._rest, self._at = self._rest[FRAME:], self._at + min(FRAME, len(self._rest))

    def clear(self) -> None:
        self._rest = self._rest[:0]

    def idle(self) -> bytes:
        return np.full(SIDE_PX * SIDE_PX * 3, IDLE_LUMA, np.uint8).tobytes()


def bars(loud: float) -> bytes:
    """RGB: white from below, as high as the sound is loud (full scale fills it), over black."""
    rgb = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    rgb[SIDE_PX - round(loud * SIDE_PX) :] = 255
    return rgb.tobytes()


class Program(Renderer):
    name, width, height, fps, rate_hz, kind = "bars", SIDE_PX, SIDE_PX, 25, RATE_HZ, "rgb"

    def __init__(self, how: str) -> None:
        self._how = how
        if how == "wrong kind":
            self.kind = "gif"

    def open(self) -> Face:
        return Bars(self._how)


def main() -> None:
    how = sys.argv[1] if len(sys.argv) > 1 else ""
    if how == "refuse":
        refuse("the weights are missing: put them into weights/")
    if how == "late":
        time.sleep(60)
    if how == "babble":
        sys.stdout.write("loading the network, please wait ...\n" * 20)
        sys.stdout.flush()
        time.sleep(60)
    serve(Program(how))


if __name__ == "__main__":
    main()
