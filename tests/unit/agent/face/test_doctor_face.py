"""What `twin doctor` says of the face."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from agent.doctor_face import ENROL, face
from agent.findings import Patient
from agent.home import Home
from agent.settings import FaceSection, Settings

SMALL = {"width": 128, "height": 128}


def patient(tmp_path: Path, **settings: Any) -> Patient:
    return Patient(Home(tmp_path, demo=True), Settings(face=FaceSection(**settings)), {})


async def test_it_names_the_face_where_it_is_drawn_and_what_a_picture_takes(tmp_path: Path) -> None:
    check = await face(patient(tmp_path, **SMALL, device="cpu"))
    assert check.verdict == "ok"
    assert check.detail.startswith("illustrated, 128x128 at 25 fps, up to 8 calls at once; cpu as set: ")
    assert check.detail.endswith(" ms a frame")


async def test_without_video_it_says_how_to_have_it(tmp_path: Path) -> None:
    check = await face(patient(tmp_path, engine="none"))
    assert (check.verdict, check.detail) == ("ok", "no video: [face] engine = none")
    assert "illustrated" in check.mend


async def test_a_look_that_cannot_be_fails_with_what_can(tmp_path: Path) -> None:
    check = await face(patient(tmp_path, look={"glasses": "pink"}))
    assert check.verdict == "fail"
    assert "round" in check.detail


@pytest.mark.parametrize("engine", ["portrait", "head"])
async def test_a_face_that_nobody_enrolled_is_a_warning_because_calls_show_the_drawn_one(
    tmp_path: Path, engine: str
) -> None:
    check = await face(patient(tmp_path, **SMALL, engine=engine))
    assert (check.verdict, check.mend) == ("warn", ENROL)


async def test_a_program_that_draws_is_begun_with(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.doubles.avatar_program"]
    check = await face(patient(tmp_path, engine="neural", command=command))
    assert (check.verdict, check.detail) == (
        "ok",
        "drawn by neural; the twin's own face where it has no picture",
    )


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"engine": "neural"}, "needs command"),
        ({"engine": "neural", "command": ["/no/such/program"]}, "/no/such/program"),
        ({"engine": "heygen"}, "HEYGEN_API_KEY"),
    ],
)
async def test_what_a_face_drawn_elsewhere_lacks_is_said(
    tmp_path: Path, settings: dict[str, Any], why: str
) -> None:
    check = await face(patient(tmp_path, **settings))
    assert check.verdict == "fail"
    assert why in check.detail
