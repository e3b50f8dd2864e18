"""`twin doctor`: whether `twin camera` would find a camera and sound devices. Nothing is made."""

from __future__ import annotations

import sys
from pathlib import Path

from agent.camera_child import ADVICE
from agent.engines.base import importable, install
from agent.findings import Check, Patient
from channels.camera import pulse
from channels.camera.port_audio import by_default
from compliance.errors import SoundMissing

LOOPBACK = Path("/sys/devices/virtual/video4linux")
"""Where Linux lists cameras that no hardware stands behind."""

START = "systemctl --user start pipewire-pulse, or: pulseaudio --start"


async def examine(patient: Patient) -> list[Check]:
    """The picture, and the sound."""
    return [picture(patient), await sound(patient)]


def picture(patient: Patient, loopback: Path = LOOPBACK) -> Check:
    """Whether there is a virtual camera."""
    settings = patient.settings.camera
    if not settings.picture or not patient.settings.face.moves:
        return Check("camera", "ok", "no picture is wanted")
    if not importable("pyvirtualcam"):
        return Check("camera", "warn", "no virtual camera: pyvirtualcam is not installed", install("camera"))
    if sys.platform == "linux" and not settings.backend and not (loopback.is_dir() and any(loopback.iterdir())):
        return Check("camera", "warn", "no virtual camera: v4l2loopback is not loaded", ADVICE["linux"])
    return Check("camera", "ok", f"pyvirtualcam is here; {settings.device or 'the first virtual camera'} is used")


async def sound(patient: Patient) -> Check:
    """Whether there are sound devices, or a server that makes them."""
    settings = patient.settings.camera
    if settings.plays_into or by_default():
        named = f"{settings.plays_into}, {settings.listens_to}" if settings.plays_into else ""
        mend = '[camera]\nplays_into = "BlackHole 2ch"\nlistens_to = "BlackHole 16ch"'
        if not named:
            return Check("microphone", "warn", "no sound devices are named for `twin camera`", mend)
        if not importable("sounddevice"):
            return Check("microphone", "warn", "sounddevice is not installed", install("microphone"))
        return Check("microphone", "ok", f"`twin camera` uses {named}")
    try:
        connection = await pulse.connect(patient.environment, {"application.name": "twin doctor"})
    except SoundMissing as error:
        return Check("microphone", "warn", f"no sound for `twin camera`: {error.message}", START)
    await connection.close()
    return Check("microphone", "ok", "a sound server answers; `twin camera` makes its devices there")
