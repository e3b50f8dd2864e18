"""What a frame of a face costs on one core: controls in, I420 out, with the head and everything else moving."""

from __future__ import annotations

import statistics
import time
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from avatar.controls import CONTROLS, RIGID, SIGNED, at_rest, within_limits
from avatar.flesh.bake import bake
from avatar.illustrated.draw import draw
from avatar.illustrated.look import Look
from avatar.mark import stamp
from avatar.render.choose import choose
from avatar.render.fused import FusedPuppet
from tests.bench import report

SIZES = ((512, 512), (1280, 720), (360, 640))
NAMES = ("Ada", "Ben", "Chen")
FRAMES = 400
GOAL_FPS = {(512, 512): 500, (1280, 720): 280}


async def measure(frames: int = FRAMES) -> dict[str, Any]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        rows = [_row(name, size, frames) for size in SIZES for name in NAMES]
    finally:
        cv2.setNumThreads(threads)
    report.show("Face: one frame on one core, the thread's own time", rows)
    chosen = choose(bake(draw(Look.of(NAMES[0]), 512, 512), NAMES[0]))
    print(chosen.why)
    return {"rows": rows, "frames": frames, "device": chosen.device, "why": chosen.why}


def _row(name: str, size: tuple[int, int], frames: int) -> dict[str, Any]:
    artwork = draw(Look.of(name), *size)
    puppet = bake(artwork, name)
    began = time.thread_time()
    rig = FusedPuppet(puppet)
    prepared_ms = (time.thread_time() - began) * 1000
    picture = rig.blank()
    times_ms = []
    for told in moving(frames):
        began = time.thread_time()
        rig.draw(told, picture)
        stamp(picture)
        times_ms.append((time.thread_time() - began) * 1000)
    median = statistics.median(times_ms)
    return {
        "face": name,
        "size": f"{size[0]}x{size[1]}",
        "face_px": round(artwork.contours.width),
        "layers": len(puppet.layers),
        "ms": round(median, 2),
        "p99_ms": round(report.quantile(times_ms, 0.99), 2),
        "fps": round(1000 / median),
        "goal_fps": GOAL_FPS.get(size, ""),
        "prepare_ms": round(prepared_ms),
    }


def moving(frames: int) -> npt.NDArray[np.float32]:
    """Controls of as many frames at 25 fps; each goes to and fro at a pace of its own, about its middle."""
    rng = np.random.default_rng(7)
    pace_hz, phase = rng.uniform(0.2, 3.0, CONTROLS), rng.uniform(0, 2 * np.pi, CONTROLS)
    at_s = np.arange(frames)[:, None] / 25
    wave = np.sin(2 * np.pi * pace_hz * at_s + phase).astype(np.float32)
    middle, swing = at_rest() + 0.25, at_rest() + 0.25
    both = [control for control in SIGNED if control not in RIGID] + [
        control for control in RIGID if control in SIGNED
    ]
    middle[both], swing[both] = 0.0, 0.5
    return within_limits(middle + swing * wave)
