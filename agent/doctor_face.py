"""`twin doctor`, fourth part: the face of video calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from agent.face.alone import alone
from agent.face.elsewhere import Elsewhere
from agent.face.elsewhere_options import Options
from agent.face.lineup import check_look, illustrated
from agent.findings import Check, Patient
from agent.settings import ELSEWHERE, FaceSection
from avatar.errors import FaceError
from avatar.render.choose import measured_ms
from avatar.rig import Rig
from compliance.errors import ConsentMissing, TwinError

LIMIT_S = 60.0
ENROL = "twin enroll face FILE"


async def face(patient: Patient) -> Check:
    """Whether the chosen face can be made, where it is drawn, and what a picture of it takes."""
    settings = patient.settings.face
    if not settings.moves:
        return Check(
            "face", "ok", f"no video: [face] engine = {settings.engine}", '[face]\nengine = "illustrated"'
        )
    try:
        owner = patient.home.persona().profile.name
        check_look(settings, owner)
        async with asyncio.timeout(LIMIT_S):
            if settings.engine == "illustrated":
                loaded = await asyncio.to_thread(illustrated, settings, owner)
                return _drawn(settings, loaded.rig, loaded.device)
            if settings.engine in ELSEWHERE:
                return await _elsewhere(settings, patient.environment)
            async with alone(patient.home, patient.settings, owner, "calls") as rig:
                took_ms = await asyncio.to_thread(measured_ms, rig)
                return _drawn(settings, rig, f"{took_ms:.1f} ms a frame")
    except ConsentMissing as error:
        return Check("face", "warn", f"the drawn face is shown in calls: {error.message}", ENROL)
    except TwinError as error:
        return Check("face", "fail", error.message, "correct [face] in twin.toml")
    except FaceError as error:
        return Check("face", "fail", str(error), "correct [face] in twin.toml")
    except TimeoutError:
        detail = f"it was not made within {LIMIT_S:g} s; calls have sound only until it is"
        return Check("face", "warn", detail, "[face]\nwidth = 512\nheight = 512")


async def _elsewhere(settings: FaceSection, secrets: Mapping[str, str]) -> Check:
    """Whether those who draw elsewhere can be begun with; no call is made."""
    try:
        elsewhere = Elsewhere(Options.of(settings), secrets)
    except ValueError as error:
        return Check("face", "fail", f"[face] {error}", "correct [face] in twin.toml")
    try:
        await elsewhere.start()
    finally:
        await elsewhere.close()
    return Check("face", "ok", f"drawn by {elsewhere.name}; the twin's own face where it has no picture")


def _drawn(settings: FaceSection, rig: Rig, device: str) -> Check:
    size = f"{rig.width}x{rig.height} at {settings.fps} fps"
    return Check("face", "ok", f"{rig.name}, {size}, up to {settings.max_faces} calls at once; {device}")
