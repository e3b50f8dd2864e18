"""The form of head and body as a height field, and the light on it."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.canvas import Field, Frame
from avatar.illustrated.shape import Shape

LIGHT = np.array((-0.46, -0.5, 0.735), np.float32)
"""Where the light comes from: left, above, in front."""


class Relief:
    """A height field over the picture that grows by bumps and hollows, in face units."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.x, self.y = frame.grid()
        self.z: Field = np.zeros((frame.height, frame.width), np.float32)

    def bump(self, height: float, x: float, y: float, wide: float, high: float) -> None:
        across = np.exp(-0.5 * ((self.x - x) / wide) ** 2)
        down = np.exp(-0.5 * ((self.y - y) / high) ** 2)
        self.z += np.float32(height) * down * across

    def both(self, height: float, x: float, y: float, wide: float, high: float) -> None:
        """On both sides of the face."""
        self.bump(height, x, y, wide, high)
        self.bump(height, -x, y, wide, high)

    def lit(self, ambient: float, strength: float) -> Field:
        """How much light each pixel gets, about 0 to 1."""
        down, across = np.gradient(self.z * self.frame.unit_px)
        facing = (LIGHT[2] - LIGHT[0] * across - LIGHT[1] * down) / np.sqrt(1 + across**2 + down**2)
        # Half of the light goes around corners, as it does on skin.
        return np.asarray(ambient + strength * (facing * 0.62 + 0.38), np.float32)


def head_relief(frame: Frame, shape: Shape) -> Relief:
    relief = Relief(frame)
    x, y = relief.x, relief.y
    u = np.abs(x) / (shape.half_width(y) ** 4 + 0.5**4) ** 0.25
    v = np.abs(y - 0.02) / np.where(y > 0, shape.chin_y + 0.07, 1.66)
    relief.z += np.float32(0.92) * _dome(u, 2.4) * _dome(v, 3.0)
    mouth, nose, strong = shape.mouth_y, shape.nose_y, shape.strength
    relief.both(-0.075, shape.eye_x - 0.03, -0.03, 0.24, 0.15)
    relief.both(-0.03, 0.2, -0.06, 0.07, 0.14)
    relief.both(0.07, shape.eye_x, -0.02, 0.17, 0.12)
    relief.both(0.028 + 0.02 * strong, 0.42, -0.36, 0.26, 0.085)
    relief.both(0.075, 0.56, 0.46, 0.24, 0.23)
    relief.bump(0.075, 0.0, mouth + 0.02, 0.36, 0.24)
    relief.bump(-0.016, 0.0, nose + 0.16, 0.04, 0.07)
    relief.both(0.012, 0.075, nose + 0.16, 0.03, 0.08)
    relief.bump(-0.045, 0.0, mouth + shape.lip_lower + 0.075, 0.2, 0.05)
    relief.bump(0.075 + 0.02 * strong, 0.0, shape.chin_y - 0.17, 0.2 + 0.05 * strong, 0.12)
    relief.both(-0.016, shape.mouth_width + 0.05, mouth, 0.06, 0.08)
    # The nose: a ridge that rises to a round tip and falls off below.
    t = np.clip((y + 0.22) / (nose - 0.09 + 0.22), 0, 1)
    ridge = (0.06 + 0.2 * t**1.5) * np.clip((y + 0.34) / 0.16, 0, 1)
    below = np.clip((nose + 0.05 - y) / 0.19, 0, 1)
    below = below * below * (3 - 2 * below)
    wide = 0.09 + 0.035 * t**2
    relief.z += (ridge * below * np.exp(-0.5 * (x / wide) ** 2)).astype(np.float32)
    relief.bump(0.05, 0.0, nose - 0.1, 0.08, 0.075)
    relief.both(0.07, shape.nose_width - 0.055, nose - 0.07, 0.05, 0.06)
    relief.both(-0.03, shape.nose_width + 0.035, nose - 0.06, 0.04, 0.08)
    return relief


def _dome(u: Field, power: float) -> Field:
    """1 in the middle and steep at 1, where it goes on down instead of ending: an edge would shine."""
    edge = 0.955
    height = np.sqrt(1 - edge**power)
    slope = 0.5 * power * edge ** (power - 1) / height
    inside = np.sqrt(1 - np.minimum(u, edge) ** power)
    return np.asarray(inside - slope * np.clip(u - edge, 0, 0.3), np.float32)
