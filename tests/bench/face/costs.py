"""What a picture costs on one core: rendered, and rendered and encoded, with everything moving.

`python -m tests.bench.face.costs KIND WIDTH HEIGHT FRAMES` prints JSON; it takes one core and
counts the time that its process computed, so that what else runs on the machine counts little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.codeccontext import VideoCodecContext

from avatar.controls import Controls
from avatar.mark import stamp
from avatar.picture import Picture
from avatar.rig import Rig
from avatar.stage import Stage
from channels.web.vp8 import TICKS_HZ, Vp8
from tests.bench.face import people
from tests.bench.face.direct import leaving
from tests.bench.face.rows import Row
from tests.bench.face.takes import RATE_HZ
from tests.bench.face.talk import SENTENCES, spoken
from tests.bench.face_render import moving

KINDS: dict[str, Callable[[int, int], Rig]] = {
    "illustrated": people.drawn,
    "portrait": people.photographed,
    "3D head": people.modelled,
}
GOALS = {people.SQUARE: (500, 350), people.WIDE: (280, 160)}
"""Frames a second: rendered; rendered and encoded."""
FPS = 25
KBPS = {people.SQUARE: 700, people.WIDE: 1_500}
WARM = 10
_WITHOUT_GOAL = "3D head"
_LIMIT_S = 300


async def rows(frames: int) -> list[Row]:
    """Each face at each size, in a process of its own."""
    found = []
    for width, height in GOALS:
        for kind in KINDS:
            costs = await asyncio.to_thread(_run, kind, width, height, frames)
            found += _rows(kind, (width, height), costs, frames)
    return found


def _run(kind: str, width: int, height: int, frames: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.face.costs", kind, str(width), str(height), str(frames)],
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=True,
    )
    costs: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return costs


def _rows(kind: str, size: tuple[int, int], costs: dict[str, float], frames: int) -> list[Row]:
    name = f"{kind}, {size[0]}x{size[1]}, one core"
    swinging, talk, h264, vp8 = (costs[each] for each in ("moving", "talking", "h264", "vp8"))
    wanted = (0, 0) if kind == _WITHOUT_GOAL else GOALS[size]
    return [
        _row(f"render, everything moving: {name}", wanted[0], swinging, frames),
        _row(f"render, talking: {name}", 0, talk, frames),
        _row(f"render and H.264, talking: {name}", wanted[1], h264, frames),
        _row(f"render and VP8 as calls do, talking: {name}", 0, vp8, frames),
    ]


def _row(what: str, goal: int, fps: float, frames: int) -> Row:
    return Row(
        what,
        f">= {goal} fps" if goal else "",
        f"{fps:.0f} fps ({1000 / fps:.2f} ms)",
        f"{frames} frames",
        fps >= goal if goal else None,
    )


def measured(kind: str, width: int, height: int, frames: int) -> dict[str, float]:
    """Frames that one core makes in a second."""
    cv2.setNumThreads(1)
    rig = KINDS[kind](width, height)
    talk = talking(rig, frames + WARM)
    encoder = _h264(width, height)
    vp8 = Vp8(width, height, FPS)
    picture = rig.blank()
    return {
        "moving": _fps(rig, picture, moving(frames + WARM), lambda n: None),
        "talking": _fps(rig, picture, talk, lambda n: None),
        "h264": _fps(rig, picture, talk, lambda n: _encoded(encoder, picture, n)),
        "vp8": _fps(rig, picture, talk, lambda n: vp8.encode(picture, n * TICKS_HZ // FPS)),
    }


def talking(rig: Rig, frames: int) -> npt.NDArray[np.float32]:
    """The controls of so many frames of a twin that talks."""
    told: list[Controls] = []
    for one in asyncio.run(spoken(RATE_HZ, SENTENCES)):
        stage = Stage(rig, rate_hz=RATE_HZ, seed=1)
        told += [stage.controls_at(position) for position in leaving(stage, one, RATE_HZ, 1000 / FPS)]
        if len(told) >= frames:
            break
    return np.stack([told[number % len(told)] for number in range(frames)])


def _fps(rig: Rig, picture: Picture, told: npt.NDArray[np.float32], then: Callable[[int], Any]) -> float:
    began = 0.0
    for number, controls in enumerate(told):
        if number == WARM:
            began = time.process_time()
        rig.draw(controls, picture)
        stamp(picture)
        then(number)
    return (len(told) - WARM) / (time.process_time() - began)


def _h264(width: int, height: int) -> VideoCodecContext:
    codec: VideoCodecContext = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = width, height
    codec.pix_fmt = "yuv420p"
    codec.time_base = Fraction(1, FPS)
    codec.framerate = Fraction(FPS)
    codec.bit_rate = KBPS[width, height] * 1000
    codec.thread_count = 1
    codec.options = {"preset": "ultrafast", "tune": "zerolatency"}
    return codec


def _encoded(codec: VideoCodecContext, picture: Picture, number: int) -> None:
    frame = av.VideoFrame.from_ndarray(picture.i420, format="yuv420p")
    frame.pts = number
    frame.time_base = Fraction(1, FPS)
    codec.encode(frame)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=list(KINDS))
    for name in ("width", "height", "frames"):
        parser.add_argument(name, type=int)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(measured(arguments.kind, arguments.width, arguments.height, arguments.frames)))


if __name__ == "__main__":
    main()
