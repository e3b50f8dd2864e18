"""The twin as camera and microphone, on a real sound server: how far sound and picture are apart, what an
interruption leaves, what waits, and what a call costs. The camera only notes what it was sent, and when."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from agent.camera_device import VirtualCamera
from channels.call import Call
from channels.camera import devices
from channels.camera.pulse_sound import PulseSound
from channels.camera.session import CameraSession
from channels.camera.settings import CameraSettings
from channels.camera.sound import RATE_HZ
from channels.spoken import Spoken
from channels.view import View
from tests.bench import report
from tests.doubles.camera_backend import shots
from tests.doubles.face import BRIGHT, DARK, Lamp, shown
from tests.doubles.host import TestHost, tone
from tests.pulse import Server, server

SIZES = ((512, 512), (1_280, 720))
BEEPS = 30
BEEP_MS, PAUSE_MS = 240, 760
CUTS = 20
FILM = "tests.doubles.camera_backend:Film"


class _Ear:
    """A meeting's program: when it heard a sound begin, by `time.monotonic`."""

    def __init__(self) -> None:
        self.onsets: list[float] = []
        self.last_loud = 0.0
        self._loud = False

    async def listen(self, running: Server) -> None:
        program = await asyncio.create_subprocess_exec(
            *("parec", "--raw", "-d", devices.MICROPHONE, "--format=s16le", "--rate=48000", "--channels=1"),
            *("--latency-msec=10", "--process-time-msec=10"),
            env=running.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert program.stdout is not None
        try:
            while data := await program.stdout.read(65_536):
                self._hear(data, time.monotonic())
        finally:
            program.terminate()
            await program.wait()

    def _hear(self, data: bytes, at: float) -> None:
        """A piece whose last sample is there now."""
        samples = np.abs(np.frombuffer(data[: len(data) & ~1], np.int16).astype(np.int32))
        for begin in range(0, len(samples), RATE_HZ // 1000):
            loud = bool(samples[begin : begin + RATE_HZ // 1000].max() > 1_000)
            then = at - (len(samples) - begin) / RATE_HZ
            if loud and not self._loud and then - self.last_loud > 0.1:
                self.onsets.append(then)
            if loud:
                self.last_loud = then
            self._loud = loud


async def measure() -> dict[str, Any]:
    if not all(map(shutil.which, ("pulseaudio", "parec"))):
        print("\ncamera: needs pulseaudio and parec on the PATH")
        return {"camera": []}
    rows = [await _call(*size) for size in SIZES]
    report.show("The twin as camera and microphone (PulseAudio, a backend for the picture)", rows)
    return {"camera": rows}


async def _call(width: int, height: int) -> dict[str, Any]:
    with server() as running, tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        film = Path(folder) / "film"
        screen = VirtualCamera(CameraSettings(backend=FILM, device=str(film)), width, height, 25)
        sound = PulseSound(running.environment, lead_ms=CameraSettings().lead_ms)
        host = TestHost(disclosure_ms=300)

        def show(call: Call) -> View:
            return shown(call.outlet, call.clock, Lamp(width, height), pool)

        host.show = show
        began = time.monotonic()
        await sound.open()
        open_ms = (time.monotonic() - began) * 1000
        await screen.open()
        session = CameraSession(host, CameraSettings(), sound, screen)
        ear = _Ear()
        listening = asyncio.create_task(ear.listen(running), name="ear")
        held = asyncio.create_task(session.run(), name="session")
        try:
            while not host.conversations:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await host.conversations[0].disclosed_event.wait()
            row = await _measured(host.conversations[0].call, ear, film)
        finally:
            session.hang_up("measured")
            await held
            await screen.close()
            await sound.close()
            listening.cancel()
            await asyncio.wait({listening})
        pictures = session.pictures
        assert pictures is not None
        return {
            "size": f"{width}x{height}",
            "open_ms": round(open_ms),
            "lead_max_ms": round(session.max_lead_ms, 1),
            **row,
            "frames": pictures.shown,
            "skipped": pictures.skipped,
            "gaps": sound.gaps,
        }


async def _measured(call: Call, ear: _Ear, film: Path) -> dict[str, Any]:
    own = psutil.Process()
    children = {child.pid: child for child in own.children(recursive=True)}
    camera = next(c for c in children.values() if "agent.camera_child" in " ".join(c.cmdline()))
    used, began = _cpu_s(own), time.monotonic()
    camera_used = _cpu_s(camera)
    said = await _beeps(call)
    took = time.monotonic() - began
    cpu = (_cpu_s(own) - used) / took * 100
    camera_cpu = (_cpu_s(camera) - camera_used) / took * 100
    lit = _lit(film)
    delays = [(heard - left) * 1000 for left in said if (heard := _after(ear.onsets, left, 0.5))]
    apart = [(seen - heard) * 1000 for heard in ear.onsets if (seen := _near(lit, heard, 0.3))]
    left_ms = [await _cut(call, ear) for _ in range(CUTS)]
    return {
        "door_to_ear_ms": report.summary(delays)["p50"],
        "picture_minus_sound_ms": report.summary(apart)["p50"],
        "p95": report.summary([abs(value) for value in apart])["p95"],
        "sound_after_cut_ms": report.summary(left_ms)["p50"],
        "cut_p95": report.summary(left_ms)["p95"],
        "cpu_percent": round(cpu, 1),
        "camera_cpu_percent": round(camera_cpu, 1),
        "camera_rss_mb": round(camera.memory_info().rss / 1e6),
    }


async def _beeps(call: Call) -> list[float]:
    """Say them; the times at which the first chunk of each left the door."""
    said: list[float] = []
    outlet = call.outlet

    class Door:
        def sounded(self, position: int, spans: Sequence[Any]) -> None:
            if spans and spans[0].offset == 0:
                said.append(time.monotonic())

        def expected(self, spoken: Spoken) -> None: ...
        def stopped(self, position: int) -> None: ...
        def dropped(self, position: int, epoch: int) -> None: ...

    door = Door()
    outlet.watch(door)
    for number in range(BEEPS):
        pcm = tone(RATE_HZ, milliseconds=BEEP_MS)
        outlet.say(Spoken(10 + number, call.clock.epoch, pcm, last=True))
        await asyncio.sleep((BEEP_MS + PAUSE_MS) / 1000)
    outlet.unwatch(door)
    return said


async def _cut(call: Call, ear: _Ear) -> float:
    """How long the old sound is heard after an interruption, in milliseconds."""
    call.outlet.say(Spoken(1_000, call.clock.epoch, tone(RATE_HZ, milliseconds=2_000), last=True))
    await asyncio.sleep(0.5)
    at = time.monotonic()
    call.outlet.drop()
    await asyncio.sleep(0.4)
    return max(0.0, ear.last_loud - at) * 1000


def _lit(film: Path) -> list[float]:
    """When the camera was first sent each bright picture."""
    middle = (DARK + BRIGHT) // 2
    seen = shots(film)
    return [after.at_s for before, after in pairwise(seen) if before.luma < middle < after.luma]


def _after(times: Sequence[float], at: float, within_s: float) -> float | None:
    return next((found for found in times if at - 0.005 <= found <= at + within_s), None)


def _near(times: Sequence[float], at: float, within_s: float) -> float | None:
    found = min(times, key=lambda value: abs(value - at), default=None)
    return found if found is not None and abs(found - at) < within_s else None


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
