from pathlib import Path

import pytest

from agent import doctor_camera
from agent.findings import Patient
from agent.home import Home
from agent.settings import FaceSection, Settings
from channels.camera.settings import CameraSettings


def patient(tmp_path: Path, camera: CameraSettings | None = None, **sections: object) -> Patient:
    settings = Settings(camera=camera or CameraSettings(), **sections)  # type: ignore[arg-type]  # sections by name
    return Patient(Home(tmp_path), settings, {"PULSE_SERVER": f"unix:{tmp_path / 'none'}"})


def test_without_the_extra_the_command_that_adds_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_camera, "importable", lambda module: False)
    check = doctor_camera.picture(patient(tmp_path), tmp_path)
    assert check.verdict == "warn"
    assert "[camera]" in check.mend


def test_without_a_device_the_kernel_module_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_camera, "importable", lambda module: True)
    monkeypatch.setattr("sys.platform", "linux")
    check = doctor_camera.picture(patient(tmp_path), tmp_path)
    assert "modprobe v4l2loopback" in check.mend
    (tmp_path / "video10").mkdir()
    assert doctor_camera.picture(patient(tmp_path), tmp_path).verdict == "ok"


def test_who_wants_no_picture_needs_no_camera(tmp_path: Path) -> None:
    assert doctor_camera.picture(patient(tmp_path, CameraSettings(picture=False)), tmp_path).verdict == "ok"
    assert doctor_camera.picture(patient(tmp_path, face=FaceSection(engine="none")), tmp_path).verdict == "ok"


async def test_without_a_sound_server_it_says_what_to_start(tmp_path: Path) -> None:
    check = await doctor_camera.sound(patient(tmp_path))
    assert check.verdict == "warn"
    assert "PipeWire" in check.detail


async def test_named_devices_need_their_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = patient(tmp_path, CameraSettings(plays_into="BlackHole 2ch", listens_to="BlackHole 16ch"))
    monkeypatch.setattr(doctor_camera, "importable", lambda module: False)
    assert (await doctor_camera.sound(named)).verdict == "warn"
    monkeypatch.setattr(doctor_camera, "importable", lambda module: True)
    check = await doctor_camera.sound(named)
    assert check.verdict == "ok"
    assert "BlackHole 16ch" in check.detail


async def test_where_no_devices_can_be_made_they_must_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_camera, "by_default", lambda: True)
    check = await doctor_camera.sound(patient(tmp_path))
    assert check.verdict == "warn"
    assert "plays_into" in check.mend
