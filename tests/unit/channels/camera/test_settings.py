import pytest
from pydantic import ValidationError

from channels.camera.settings import CameraSettings


def test_without_a_word_there_is_a_camera_and_the_desktops_sound() -> None:
    settings = CameraSettings()
    assert settings.picture
    assert settings.plays_into == settings.listens_to == ""
    assert settings.lead_ms <= 100


@pytest.mark.parametrize("backend", ["", "v4l2loopback", "obs", "unitycapture", "mine.camera:Camera"])
def test_a_known_backend_or_one_of_yours(backend: str) -> None:
    assert CameraSettings(backend=backend).backend == backend


@pytest.mark.parametrize(
    "wrong",
    [
        {"backend": "webcam"},
        {"lead_ms": 101},
        {"lead_ms": 10},
        {"plays_into": "BlackHole 2ch"},
        {"listens_to": "x"},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CameraSettings.model_validate(wrong)
