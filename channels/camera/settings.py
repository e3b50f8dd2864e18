"""What the virtual camera and microphone can be told."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class CameraSettings(BaseModel):
    """Section `[camera]` of twin.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str = Field("", pattern=r"^(|v4l2loopback|obs|unitycapture|[\w.]+:\w+)$")
    """The kind of virtual camera: `v4l2loopback`, `obs` or `unitycapture`, or `module:class` for a pyvirtualcam
    backend of yours; empty: whichever this machine has."""
    device: str = ""
    """Which virtual camera, e.g. `/dev/video10` or `OBS Virtual Camera`; empty: the first."""
    picture: bool = True
    """Whether there is a camera at all. False: only a microphone and a speaker."""
    plays_into: str = ""
    """On macOS and Windows: the device the twin speaks into, whose other end the meeting's program takes as its
    microphone, e.g. `BlackHole 2ch` or `CABLE Input`. Empty: devices of PulseAudio or PipeWire are made."""
    listens_to: str = ""
    """On macOS and Windows: the device the twin hears, into which the meeting's program plays, e.g.
    `BlackHole 16ch` or `CABLE-A Output`."""
    lead_ms: Annotated[int, Field(ge=40, le=100)] = 60
    """How much of the twin's sound may wait to be played. More survives a busier machine; less is cut shorter when
    somebody interrupts."""
    stalled_s: Annotated[float, Field(ge=1, le=60)] = 5.0
    """Sound devices that take nothing for so long have stopped, and the call ends."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.plays_into) != bool(self.listens_to):
            raise ValueError("plays_into and listens_to belong together: name both devices, or neither")
        return self
