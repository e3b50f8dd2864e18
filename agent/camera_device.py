"""The virtual camera, from the side of the calls: pictures into the process that holds the device."""

from __future__ import annotations

from agent.engines.child import Child
from channels.camera.settings import CameraSettings
from compliance.errors import EngineFailed

READY_S = 15.0
SHOW_S = 2.0


class VirtualCamera:
    """`channels.camera.pictures.Screen` for one size of picture. One picture is on its way at a time."""

    def __init__(self, settings: CameraSettings, width: int, height: int, fps: int) -> None:
        self._size = (width, height)
        self._child = Child(
            "agent.camera_child",
            [settings.backend, settings.device, str(width), str(height), str(fps)],
            name="virtual camera",
            ready_timeout_s=READY_S,
        )

    @property
    def name(self) -> str:
        """The device, as the meeting's program lists it."""
        return str(self._child.greeting.get("device", ""))

    async def open(self) -> None:
        """Raises `EngineMissing`, `EngineFailed` and `EngineTimeout`, with what would mend it."""
        await self._child.start()

    async def show(self, width: int, height: int, i420: bytes) -> None:
        """Show this picture from now on. Raises `EngineError`."""
        if (width, height) != self._size:
            raise EngineFailed(f"the camera was opened for pictures of {self._size[0]}x{self._size[1]}")
        await self._child.request("frame", i420, timeout_s=SHOW_S)

    async def close(self) -> None:
        """Let the device go, within 5 s. Safe to call twice."""
        await self._child.close()
