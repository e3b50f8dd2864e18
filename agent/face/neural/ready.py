"""What a renderer says about itself when it has loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.face.neural.renderer import VERSION
from avatar.ahead_fit import KINDS, MAX_SIDE_PX, Kind


@dataclass(frozen=True, slots=True)
class Ready:
    """Checked at birth."""

    name: str
    width: int
    height: int
    fps: float
    rate_hz: int
    kind: Kind

    def __post_init__(self) -> None:
        if not (16 <= self.width <= MAX_SIDE_PX and 16 <= self.height <= MAX_SIDE_PX):
            raise ValueError(
                f"its pictures have sides of 16 to {MAX_SIDE_PX} pixels, not {self.width}x{self.height}"
            )
        if not 1 <= self.fps <= 120:
            raise ValueError(f"its fps are 1 to 120, not {self.fps}")
        if not 8_000 <= self.rate_hz <= 48_000:
            raise ValueError(f"its rate_hz is 8000 to 48000, not {self.rate_hz}")
        if self.kind not in KINDS:
            raise ValueError(f"its kind is one of {', '.join(KINDS)}, not {self.kind!r}")

    @classmethod
    def of(cls, header: Mapping[str, Any]) -> Ready:
        """From the program's first message. Raises `ValueError`, one line."""
        if header.get("op") != "ready" or header.get("version") != VERSION:
            raise ValueError(f"its first message is not `ready` of version {VERSION}")
        try:
            return cls(
                str(header["name"])[:100],
                int(header["width"]),
                int(header["height"]),
                float(header["fps"]),
                int(header["rate_hz"]),
                header["kind"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"its `ready` lacks something ({type(error).__name__})") from None
