"""The virtual camera's own process: pyvirtualcam is GPL-2.0, and it is loaded here and nowhere else.

Arguments: backend (or `module:class`), device, width, height, frames per second; empty is whatever there is.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from agent.engines.base import install
from agent.engines.child import Job, Message, serve
from compliance.errors import EngineFailed, EngineMissing

_camera: Any = None
OWN = "own"
ADVICE = {
    "linux": "sudo apt install v4l2loopback-dkms; "
    'sudo modprobe v4l2loopback exclusive_caps=1 video_nr=10 card_label="AI twin"',
    "darwin": "install OBS and start its virtual camera once",
    "win32": "install OBS and start its virtual camera once, or install UnityCapture",
}


def handle(job: Job) -> Iterator[Message]:
    """`frame`: show this picture, I420 of the size that was opened."""
    _camera.send(np.frombuffer(job.payload, np.uint8))
    yield Message()


def setup() -> Mapping[str, Any]:
    """Open the camera; says which it is. Raises `EngineMissing` and `EngineFailed`."""
    global _camera
    backend, device, width, height, fps = sys.argv[1:6]
    try:
        library = importlib.import_module("pyvirtualcam")
    except ImportError:
        raise EngineMissing(f"the virtual camera: {install('camera')}") from None
    if ":" in backend:
        library.register_backend(OWN, _backend(backend))
        backend = OWN
    try:
        _camera = library.Camera(
            int(width),
            int(height),
            float(fps),
            fmt=library.PixelFormat.I420,
            device=device or None,
            backend=backend or None,
        )
    except KeyError:
        raise EngineMissing(f"this system has no virtual camera of the kind {backend}") from None
    except Exception as error:  # noqa: BLE001  each backend raises what it likes when there is no device
        advice = ADVICE.get(sys.platform, ADVICE["linux"])
        raise EngineFailed(f"no virtual camera can be opened ({type(error).__name__}): {advice}") from None
    return {"device": _camera.device, "backend": _camera.backend}


def _backend(name: str) -> Any:
    module, _, thing = name.partition(":")
    try:
        return getattr(importlib.import_module(module), thing)
    except (ImportError, AttributeError):
        raise EngineMissing(f"[camera] backend: there is no {name}") from None


if __name__ == "__main__":
    serve(handle, setup=setup)
