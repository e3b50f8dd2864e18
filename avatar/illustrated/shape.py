"""Where the parts of a face lie, in face units: x to the viewer's right, y down, (0, 0) between the eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatar.illustrated.canvas import Field
from avatar.illustrated.curve import Line, line, mirrored, resample, shifted, smooth

_SKULL = ((0.0, -1.6), (0.3, -1.565), (0.6, -1.44), (0.85, -1.14), (0.965, -0.72), (0.99, -0.3))
_JAWS: dict[str, tuple[tuple[float, float], ...]] = {
    "oval": ((0.985, 0.05), (0.945, 0.42), (0.855, 0.8), (0.69, 1.13), (0.45, 1.39), (0.21, 1.515), (0.0, 1.54)),
    "round": ((1.0, 0.05), (0.985, 0.42), (0.91, 0.8), (0.745, 1.12), (0.49, 1.35), (0.23, 1.46), (0.0, 1.485)),
    "square": (
        (0.985, 0.05),
        (0.955, 0.42),
        (0.89, 0.81),
        (0.755, 1.14),
        (0.52, 1.39),
        (0.26, 1.515),
        (0.0, 1.54),
    ),
    "heart": ((0.985, 0.05), (0.935, 0.4), (0.825, 0.76), (0.635, 1.1), (0.39, 1.38), (0.175, 1.53), (0.0, 1.56)),
    "long": ((0.965, 0.05), (0.915, 0.44), (0.825, 0.86), (0.67, 1.22), (0.45, 1.5), (0.22, 1.63), (0.0, 1.655)),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The measures of one face."""

    strength: float
    """0 soft to 1 strong: jaw, brows, neck and shoulders."""
    head: Line
    """The outline of skull and jaw, closed, clockwise from the crown."""
    chin_y: float
    eye_x: float
    eye_width: float
    """Half of the distance of the corners."""
    eye_upper: float
    """How high the upper lid's edge arches over the line of the corners."""
    eye_lower: float
    iris_radius: float
    brow_y: float
    nose_y: float
    """Where the nose ends."""
    nose_width: float
    """Half, at the wings."""
    mouth_y: float
    mouth_width: float
    """Half of the distance of the corners."""
    lip_upper: float
    lip_lower: float
    neck_width: float
    """Half."""
    shoulder_x: float

    def half_width(self, y: Field) -> Field:
        """Half of the head's width at heights y."""
        right = self.head[self.head[:, 0] >= 0]
        order = np.argsort(right[:, 1])
        return np.asarray(np.interp(y, right[order, 1], right[order, 0]), np.float32)

    def eye(self, side: int) -> tuple[Line, Line]:
        """The edges of the upper and the lower lid from the inner to the outer corner, 9 points each.

        `side` is -1 for the eye at the viewer's left, 1 for that at the right.
        """
        wide, up, low = self.eye_width, self.eye_upper, self.eye_lower
        upper = smooth(
            line((-wide, 0.028), (-wide * 0.72, -up * 0.52), (-wide * 0.2, -up), (wide * 0.38, -up * 0.9),
                 (wide * 0.8, -up * 0.42), (wide, -0.018))
        )  # fmt: skip
        lower = smooth(
            line((-wide, 0.028), (-wide * 0.62, low * 0.72), (0.0, low), (wide * 0.5, low * 0.86),
                 (wide * 0.84, low * 0.4), (wide, -0.018))
        )  # fmt: skip
        lids = [shifted(resample(lid, 9), self.eye_x, 0.0) for lid in (upper, lower)]
        return (lids[0], lids[1]) if side > 0 else (mirrored(lids[0]), mirrored(lids[1]))

    def brow(self, side: int) -> Line:
        """The middle of the brow from the inner to the outer end, 5 points."""
        lift = 0.035 + 0.02 * (1 - self.strength)
        middle = line(
            (self.eye_x - 0.26, self.brow_y - 0.03),
            (self.eye_x - 0.12, self.brow_y - 0.042),
            (self.eye_x + 0.04, self.brow_y - 0.025 - lift),
            (self.eye_x + 0.2, self.brow_y - 0.02 - lift * 0.85),
            (self.eye_x + 0.375, self.brow_y + 0.035),
        )
        return middle if side > 0 else mirrored(middle)

    def lips(self) -> tuple[Line, Line, Line]:
        """The upper lip's upper edge, the line between the lips and the lower lip's lower edge: from the corner at
        the viewer's left to that at the right, 11 points each."""
        wide, y, up, low = self.mouth_width, self.mouth_y, self.lip_upper, self.lip_lower
        corner = (wide, y - 0.064)
        upper_half = line((0.0, y - up * 0.8), (wide * 0.19, y - up), (wide * 0.55, y - up * 0.62), corner)
        middle_half = line((0.0, y + 0.02), (wide * 0.2, y + 0.004), (wide * 0.58, y - 0.002), corner)
        lower_half = line((0.0, y + low), (wide * 0.3, y + low * 0.94), (wide * 0.68, y + low * 0.52), corner)
        upper, middle, lower = (
            resample(smooth(np.vstack((mirrored(half)[:0:-1], half))), 11)
            for half in (upper_half, middle_half, lower_half)
        )
        return upper, middle, lower

    def oval(self) -> Line:
        """The outline of the face from the top of the forehead, clockwise, 36 points."""
        temple, top = -0.4, -1.04
        right = self.head[self.head[:, 0] >= 0]
        low = right[right[:, 1] > temple]
        wide = float(low[0, 0])
        turn = np.linspace(np.pi / 2, 0, 24)[:-1]
        brow = np.stack((wide * np.cos(turn), temple + (top - temple) * np.sin(turn)), axis=1)
        half = np.vstack((brow, low[np.argsort(low[:, 1])]))
        around = np.vstack((half, mirrored(half)[::-1]))
        return resample(around, 37)[:36]


def shaped(face: str, strength: float) -> Shape:
    """The measures of a kind of face, soft (0) to strong (1)."""
    widen = 1 + 0.045 * (strength - 0.5)
    jaw = [
        (x * (1 + (widen - 1) * min(max(y / 1.2, 0), 1) * 1.6), y + 0.03 * (strength - 0.5) * (y > 1))
        for x, y in _JAWS[face]
    ]
    right = np.array(_SKULL + tuple(jaw))
    outline = smooth(np.vstack((right, mirrored(right)[-2:0:-1])), 10, closed=True)
    chin_y = float(right[-1, 1])
    reach = (chin_y - 1.54) * 0.5
    return Shape(
        strength=strength,
        head=outline,
        chin_y=chin_y,
        eye_x=0.445,
        eye_width=0.256 - 0.018 * strength,
        eye_upper=0.117 - 0.026 * strength,
        eye_lower=0.072 - 0.006 * strength,
        iris_radius=0.122 - 0.01 * strength,
        brow_y=-0.315 + 0.04 * strength,
        nose_y=0.625 + reach * 0.6,
        nose_width=0.172 + 0.026 * strength,
        mouth_y=0.955 + reach,
        mouth_width=0.37 + 0.02 * strength,
        lip_upper=0.104 - 0.026 * strength,
        lip_lower=0.142 - 0.026 * strength,
        neck_width=0.53 + 0.17 * strength,
        shoulder_x=1.95 + 0.4 * strength,
    )
