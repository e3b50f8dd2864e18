"""Which device draws a puppet: `[face] device` of the settings, or what is faster here."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final, Literal, get_args

import numpy as np

from avatar.controls import CONTROLS
from avatar.puppet import Puppet
from avatar.render.swift import SwiftPuppet
from avatar.render.torch import TorchPuppet
from avatar.rig import Rig

Device = Literal["auto", "cpu", "cuda"]

_WARM: Final = 3
_FRAMES: Final = 9
_PATIENCE_S: Final = 2.0
"""For kernels that were compiled before, and only have to be loaded."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A face, loaded and warm."""

    rig: Rig
    device: Literal["cpu", "cuda"]
    frame_ms: float
    """What a frame took, from controls to a picture in memory."""
    why: str
    """In one line, for the log and for `twin doctor`."""


def choose(puppet: Puppet, device: Device = "auto") -> Choice:
    """Draw a few frames and decide. Where CUDA is asked for and not there, the CPU draws, and `why` says so.

    Takes some tenths of a second, and seconds where torch is imported for it or where the kernels are not compiled
    yet; then OpenCV draws until they are, and `why` says so.
    """
    if device not in get_args(Device):
        raise ValueError(f"device is one of {', '.join(get_args(Device))}, got {device!r}")
    cpu = SwiftPuppet(puppet)
    cpu.wait(_PATIENCE_S)
    by = f"by OpenCV while {cpu.lacking}, " if cpu.lacking else ""
    cpu_ms = measured_ms(cpu)
    if device == "cpu":
        return Choice(cpu, "cpu", cpu_ms, f"cpu as set: {by}{cpu_ms:.1f} ms a frame")
    cuda, lacking = _cuda(puppet)
    if cuda is None:
        asked = "cuda is set, but " if device == "cuda" else ""
        return Choice(cpu, "cpu", cpu_ms, f"cpu: {asked}{lacking}; {by}{cpu_ms:.1f} ms a frame")
    cuda_ms = measured_ms(cuda)
    times = f"{cuda_ms:.1f} ms a frame, {cpu_ms:.1f} ms on the cpu"
    if device == "cuda":
        return Choice(cuda, "cuda", cuda_ms, f"cuda as set: {times}")
    if cuda_ms < cpu_ms:
        return Choice(cuda, "cuda", cuda_ms, f"cuda is faster: {times}")
    return Choice(cpu, "cpu", cpu_ms, f"cpu is faster: {by}{cpu_ms:.1f} ms a frame, {cuda_ms:.1f} ms on cuda")


def measured_ms(rig: Rig) -> float:
    """The median time of a frame in which everything moves, after a few to warm up."""
    picture = rig.blank()
    told = np.random.default_rng(0).uniform(-0.5, 0.5, (_WARM + _FRAMES, CONTROLS)).astype(np.float32)
    times_ms = []
    for controls in told:
        begin = time.perf_counter()
        rig.draw(controls, picture)
        times_ms.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times_ms[_WARM:])


def _cuda(puppet: Puppet) -> tuple[Rig | None, str]:
    """The face on the first CUDA device, or why there is none."""
    if find_spec("torch") is None:
        return None, "torch is not installed"
    try:
        import torch

        if not torch.cuda.is_available():
            return None, "torch finds no CUDA device"
        return TorchPuppet(puppet, "cuda"), ""
    except (ImportError, OSError, RuntimeError) as error:
        # A build that does not fit the driver, or a device that is full or broken.
        return None, f"CUDA does not start ({type(error).__name__})"
