"""A head drawn in numbers, as GLB or VRM files with the namings that tools use: for tests, and decent to look at.

Heads are 1 high, the chin at 0; x is the viewer's right, z towards the viewer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MOUTH_Y = 0.215
MOUTH_HALF = 0.112
EYE_Y = 0.50
EYE_X = 0.142
EYE_HALF = 0.068
EYE_Z = 0.194
EYE_RADIUS = 0.075
LID_UP, LID_LOW = 0.027, 0.019

_ROWS = np.array(
    [  # height, half width, front, back
        (1.000, 0.004, -0.045, -0.055),
        (0.990, 0.090, 0.070, -0.160),
        (0.955, 0.190, 0.175, -0.285),
        (0.900, 0.258, 0.250, -0.360),
        (0.830, 0.302, 0.308, -0.415),
        (0.750, 0.326, 0.338, -0.440),
        (0.660, 0.336, 0.350, -0.440),
        (0.580, 0.336, 0.348, -0.428),
        (0.500, 0.330, 0.338, -0.405),
        (0.420, 0.322, 0.338, -0.370),
        (0.340, 0.308, 0.340, -0.330),
        (0.270, 0.290, 0.344, -0.290),
        (0.215, 0.272, 0.343, -0.265),
        (0.150, 0.266, 0.330, -0.240),
        (0.080, 0.236, 0.318, -0.220),
        (0.030, 0.198, 0.294, -0.210),
        (0.000, 0.172, 0.240, -0.205),
        (-0.020, 0.172, 0.155, -0.203),
        (-0.050, 0.172, 0.080, -0.203),
        (-0.090, 0.178, 0.045, -0.205),
        (-0.150, 0.188, 0.040, -0.220),
        (-0.205, 0.228, 0.055, -0.245),
        (-0.245, 0.310, 0.085, -0.275),
        (-0.290, 0.500, 0.110, -0.290),
        (-0.360, 0.690, 0.150, -0.300),
        (-0.500, 0.800, 0.200, -0.300),
        (-0.900, 0.830, 0.230, -0.300),
    ]
)


def smooth(values: Any, low: float, high: float) -> Array:
    share = np.clip((np.asarray(values, float) - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def bump(values: Any, middle: Any, width: float) -> Array:
    return np.asarray(np.exp(-(((np.asarray(values, float) - middle) / width) ** 2)))


@dataclass
class Piece:
    """A surface with what moves it."""

    name: str
    points: Array
    triangles: npt.NDArray[np.int64]
    uv: Array
    material: str
    shapes: dict[str, Array] = field(default_factory=dict)
    bone: Callable[[Array], Array] | None = None
    """Shares in (Neck, Head, Jaw, LeftEye, RightEye) for each point; None is all in the head."""


def _profile(y: Array, column: int) -> Array:
    heights = _ROWS[::-1, 0]
    return np.asarray(np.interp(y, heights, _ROWS[::-1, column]))


def _surface(angle: Array, y: Array) -> Array:
    """The bare skull, jaw, neck and shoulders at an angle from the front and a height."""
    wide, front, back = (outline(y, column) for column in (1, 2, 3))
    sin, cos = np.sin(angle), np.cos(angle)
    square = 0.80 - 0.10 * smooth(y, -0.15, 0.0) + 0.10 * smooth(y, 0.55, 0.9)
    x = wide * np.sign(sin) * np.abs(sin) ** (0.95 - 0.15 * smooth(-y, 0.28, 0.4))
    z = np.where(cos > 0, front, -back) * np.sign(cos) * np.abs(cos) ** square
    aside = smooth(np.abs(angle), 0.35, 1.75)
    rise = 0.16 * np.exp(-(((y - 0.0) / 0.12) ** 2)) * aside
    return np.stack([x, y + rise, z], axis=-1)


def outline(y: Array, column: int) -> Array:
    return np.asarray(sum(_profile(y + d, column) * w for d, w in ((-0.012, 0.25), (0, 0.5), (0.012, 0.25))))


def _features(points: Array) -> Array:
    """Nose, sockets, brows, cheeks, lips and chin, as what they add to z of the front."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    ax = np.abs(x)
    ridge = np.interp(
        y, [0.300, 0.322, 0.342, 0.365, 0.40, 0.46, 0.52, 0.57], [0, 0.022, 0.085, 0.112, 0.088, 0.05, 0.022, 0]
    )
    width = np.interp(y, [0.30, 0.36, 0.42, 0.52], [0.052, 0.046, 0.034, 0.030])
    out = ridge * np.exp(-((x / width) ** 2))
    out += 0.040 * bump(ax, 0.046, 0.021) * bump(y, 0.352, 0.022)
    out -= 0.052 * bump(ax, EYE_X - 0.008, 0.085) * bump(y, EYE_Y, 0.050)
    out += 0.016 * bump(ax, 0.12, 0.10) * bump(y, 0.588, 0.032)
    out += 0.020 * bump(ax, 0.205, 0.07) * bump(y, 0.40, 0.06)
    inside = smooth(MOUTH_HALF * 1.12 - ax, 0, 0.06)
    out += 0.020 * inside * bump(y, MOUTH_Y + 0.019, 0.020)
    out += 0.025 * inside * bump(y, MOUTH_Y - 0.022, 0.021)
    out -= 0.013 * inside * bump(y, MOUTH_Y, 0.007)
    out -= 0.006 * bump(x, 0, 0.014) * bump(y, 0.275, 0.022)
    out -= 0.018 * bump(x, 0, 0.10) * bump(y, 0.140, 0.026)
    out += 0.024 * bump(x, 0, 0.055) * bump(y, 0.062, 0.045)
    out -= 0.009 * bump(ax, 0.135 + 0.25 * (0.27 - y).clip(-0.1, 0.1), 0.018) * bump(y, 0.27, 0.06)
    return out * smooth(z, 0.05, 0.18)


def _ball(points: Array, side: int, offset: float) -> Array:
    """The height of an eyeball's front at points, and below it far back where there is none."""
    dx, dy = points[..., 0] - side * EYE_X, points[..., 1] - EYE_Y
    inside = (EYE_RADIUS + offset) ** 2 - dx * dx - dy * dy
    return np.where(inside > 0, EYE_Z + np.sqrt(np.maximum(inside, 0)), -1)


def _lids(x: Array) -> tuple[Array, Array]:
    """How far the upper and lower lid are from the line of the eye."""
    share = np.clip((np.abs(x) - EYE_X) / EYE_HALF, -1, 1)
    arch = np.clip(1 - share**2, 0, 1)
    return LID_UP * arch**0.62 * (1 - 0.12 * share), LID_LOW * arch**0.75 * (1 + 0.15 * share)


@dataclass
class Skin:
    """The face as a grid: rows from the top, with two rows each where eyes and mouth open."""

    angle: Array
    y: Array
    above: npt.NDArray[np.bool_]
    """Whether a vertex of the doubled rows, or any other, lies above the mouth."""
    upper: npt.NDArray[np.bool_]
    """The same for the eyes."""
    points: Array


@cache
def skin() -> tuple[Skin, npt.NDArray[np.int64]]:
    y = np.concatenate(
        [
            1 - 0.35 * np.linspace(0, 1, 12) ** 1.7,
            np.linspace(0.64, EYE_Y, 13),
            np.linspace(EYE_Y, 0.30, 17),
            np.linspace(0.288, MOUTH_Y, 8),
            np.linspace(MOUTH_Y, 0.14, 8),
            np.linspace(0.125, 0.0, 10),
            np.linspace(-0.012, -0.24, 11),
            np.linspace(-0.27, -0.9, 9),
        ]
    )
    doubled_eye, doubled_mouth = 12 + 13 - 1, 12 + 13 + 17 + 8 - 1
    front = np.linspace(-70, 70, 73)
    angle = np.radians(np.concatenate([np.linspace(-180, -75, 13), front, np.linspace(75, 180, 13)]))
    rows, columns = len(y), len(angle)
    grid_y, grid_angle = np.repeat(y[:, None], columns, 1), np.repeat(angle[None], rows, 0)
    number = np.repeat(np.arange(rows)[:, None], columns, 1)
    upper, above = number <= doubled_eye, number <= doubled_mouth
    points = _surface(grid_angle, grid_y)
    points[..., 2] += _features(points)
    _open_eyes(points, grid_y, upper)
    quads = []
    for row in range(rows - 1):
        if row in (doubled_eye, doubled_mouth):
            continue
        for column in range(columns - 1):
            a = row * columns + column
            quads.append((a, a + columns, a + 1))
            quads.append((a + 1, a + columns, a + columns + 1))
    flat = Skin(grid_angle.ravel(), grid_y.ravel(), above.ravel(), upper.ravel(), points.reshape(-1, 3))
    return flat, np.array(quads)


def _open_eyes(points: Array, y: Array, upper: npt.NDArray[np.bool_]) -> None:
    up, low = _lids(points[..., 0])
    front = smooth(points[..., 2], 0.0, 0.1)
    near_up = np.clip(1 - (y - EYE_Y) / 0.085, 0, 1) * upper
    near_low = np.clip(1 - (EYE_Y - y) / 0.075, 0, 1) * ~upper
    points[..., 1] += front * (up * near_up - low * near_low)
    for side in (-1, 1):
        lid = _ball(points, side, 0.008)
        points[..., 2] = np.where(points[..., 2] > 0, np.maximum(points[..., 2], lid), points[..., 2])


def jaw_share(points: Array, y: Array, above: npt.NDArray[np.bool_]) -> Array:
    """How much each point swings with the jaw: all of the chin, half at the corners, none of the upper lip."""
    x, z = points[:, 0], points[:, 2]
    angle = np.abs(np.arctan2(x, np.maximum(z, 1e-3)))
    whole = (
        smooth(-y, -0.34, -0.09) * smooth(-angle, -1.25, -0.55) * smooth(z, 0.02, 0.12) * smooth(y, -0.16, -0.03)
    )
    lips = np.sqrt(np.clip(1 - (x / MOUTH_HALF) ** 2, 0, 1)) * (z > 0.1)
    lower = whole + (1 - whole) * lips * smooth(y, -0.01, 0.03)
    return np.where(above, whole * (1 - lips * smooth(-y, -0.34, -0.25)), lower)


def swung(points: Array, share: Array, degrees: float = 19.0) -> Array:
    turn = np.radians(degrees)
    dy, dz = points[:, 1] - 0.42, points[:, 2] + 0.06
    down = np.stack(
        [
            np.zeros(len(points)),
            np.cos(turn) * dy - np.sin(turn) * dz - dy,
            np.sin(turn) * dy + np.cos(turn) * dz - dz,
        ],
        axis=1,
    )
    return down * share[:, None]


def _move(x: Any = 0.0, y: Any = 0.0, z: Any = 0.0, like: Array | None = None) -> Array:
    assert like is not None
    return np.stack([np.broadcast_to(np.asarray(part, float), len(like)) for part in (x, y, z)], axis=1)


def _mouth_shapes(p: Array, y: Array, above: npt.NDArray[np.bool_]) -> dict[str, Array]:
    x, ax = p[:, 0], np.abs(p[:, 0])
    front = smooth(p[:, 2], 0.05, 0.2)
    around = bump(ax, 0, 0.17) * bump(y, MOUTH_Y, 0.075) * front
    lips = np.sqrt(np.clip(1 - (x / MOUTH_HALF) ** 2, 0, 1)) * bump(y, MOUTH_Y, 0.045) * front
    up, low = lips * above, lips * ~above
    shapes = {
        "jawOpen": swung(p, jaw_share(p, y, above)),
        "mouthPucker": _move(
            -0.42 * x * around, 0, 0.038 * bump(ax, 0, 0.09) * bump(y, MOUTH_Y, 0.05) * front, like=p
        ),
        "mouthFunnel": _move(-0.26 * x * around, 0.016 * up - 0.018 * low, 0.030 * lips, like=p),
        "mouthRollUpper": _move(0, -0.010 * up, -0.018 * up, like=p),
        "mouthRollLower": _move(0, 0.012 * low, -0.020 * low, like=p),
        "mouthClose": _move(0, 0.10 * low, 0, like=p),
        "tongueOut": np.zeros_like(p),
        "jawForward": np.zeros_like(p),
        "mouthShrugLower": _move(0, 0.012 * low, 0.006 * low, like=p),
    }
    for side, name in ((1, "Left"), (-1, "Right")):
        half = smooth(side * x, -0.04, 0.06)
        corner = bump(side * x, MOUTH_HALF, 0.055) * bump(y, MOUTH_Y, 0.05) * front
        cheek = bump(side * x, 0.19, 0.07) * bump(y, 0.34, 0.06) * front
        shapes[f"mouthSmile{name}"] = _move(
            side * 0.026 * corner,
            0.036 * corner + 0.016 * cheek + 0.004 * half * up,
            0.010 * cheek - 0.012 * corner,
            like=p,
        )
        shapes[f"mouthFrown{name}"] = _move(0, -0.030 * corner, -0.004 * corner, like=p)
        shapes[f"mouthStretch{name}"] = _move(side * 0.030 * corner, -0.006 * corner, -0.008 * corner, like=p)
        shapes[f"mouthPress{name}"] = _move(0, (-0.006 * up + 0.006 * low) * half, -0.004 * lips * half, like=p)
        shapes[f"mouthUpperUp{name}"] = _move(0, 0.026 * up * half, 0.002 * up * half, like=p)
        shapes[f"mouthLowerDown{name}"] = _move(0, -0.030 * low * half, 0.002 * low * half, like=p)
    return shapes


def _eye_shapes(p: Array, y: Array, upper: npt.NDArray[np.bool_]) -> dict[str, Array]:
    up, low = _lids(p[:, 0])
    front = smooth(p[:, 2], 0.05, 0.15)
    near_up = np.clip(1 - (y - EYE_Y) / 0.085, 0, 1) * upper * front
    near_low = np.clip(1 - (EYE_Y - y) / 0.075, 0, 1) * ~upper * front
    shapes: dict[str, Array] = {
        "browInnerUp": _move(0, 0.035 * bump(p[:, 0], 0, 0.10) * bump(y, 0.60, 0.06) * front, 0, like=p)
    }
    for side, name in ((1, "Left"), (-1, "Right")):
        own = (side * p[:, 0] > 0) * 1.0
        to = p.copy()
        to[:, 1] -= own * (up + 0.92 * low) * near_up
        to[:, 1] += own * 0.08 * low * near_low
        lid = _ball(to, side, 0.009)
        to[:, 2] = np.where(
            (lid > 0) & (p[:, 2] > 0.1) & (near_up + near_low > 0), np.maximum(to[:, 2], lid), to[:, 2]
        )
        shapes[f"eyeBlink{name}"] = to - p
        shapes[f"eyeWide{name}"] = _move(0, 0.010 * own * near_up * (up > 0.002), 0, like=p)
        shapes[f"eyeSquint{name}"] = _move(
            0, own * (0.009 * near_low * (low > 0.002) - 0.006 * near_up * (up > 0.002)), 0, like=p
        )
        cheek = bump(side * p[:, 0], 0.16, 0.07) * bump(y, 0.41, 0.05) * front
        shapes[f"cheekSquint{name}"] = _move(
            0, 0.018 * cheek + own * 0.006 * near_low * (low > 0.002), 0.007 * cheek, like=p
        )
        outer = bump(side * p[:, 0], 0.20, 0.075) * bump(y, 0.595, 0.055) * front
        shapes[f"browOuterUp{name}"] = _move(0, 0.032 * outer, 0, like=p)
        brow = bump(side * p[:, 0], 0.10, 0.08) * bump(y, 0.59, 0.05) * front
        shapes[f"browDown{name}"] = _move(-side * 0.010 * brow, -0.024 * brow, 0.003 * brow, like=p)
    return shapes


def _face_pieces() -> list[Piece]:
    grid, triangles = skin()
    p, y = grid.points, grid.y
    uv = np.stack([grid.angle / (2 * np.pi) + 0.5, (1.02 - y) / 1.95], axis=1)
    shapes = {**_mouth_shapes(p, y, grid.above), **_eye_shapes(p, y, grid.upper)}
    body = (y[triangles] < -0.185).all(axis=1)
    share = jaw_share(p, y, grid.above)

    def bones(points: Array) -> Array:
        head = smooth(y, -0.28, -0.02)
        neck = smooth(y, -0.36, -0.20) * (1 - head)
        return np.stack([neck, head * (1 - share), head * share, 0 * y, 0 * y], axis=1)

    face = Piece("Face", p, triangles[~body], uv, "skin", shapes, bones)
    still = Piece("Body", p, triangles[body], uv * [1.0, 1.0], "cloth", {}, bones)
    inner = _inner_lips(grid, shapes, share)
    return [_pruned(face), _pruned(still), inner]


def _inner_lips(grid: Skin, shapes: Mapping[str, Array], share: Array) -> Piece:
    """From the edge of each lip back into the mouth."""
    points: list[Array] = []
    triangles: list[tuple[int, int, int]] = []
    shares: list[Array] = []
    moved: dict[str, list[Array]] = {name: [] for name in shapes}
    for above, way in ((True, 1), (False, -1)):
        edge = np.flatnonzero(
            (grid.y == MOUTH_Y)
            & (grid.above == above)
            & (np.abs(grid.points[:, 0]) < MOUTH_HALF)
            & (grid.points[:, 2] > 0.1)
        )
        start = int(sum(len(item) for item in points))
        for back, lift in ((0.0, 0.0), (0.012, 0.006), (0.05, 0.012)):
            points.append(grid.points[edge] + [0, way * lift, -back])
            shares.append(share[edge])
            for name in shapes:
                moved[name].append(shapes[name][edge])
        count = len(edge)
        for row in range(2):
            for column in range(count - 1):
                a = start + row * count + column
                quad = [(a, a + count, a + 1), (a + 1, a + count, a + count + 1)]
                triangles.extend(quad)
    all_points = np.concatenate(points)
    all_shares = np.concatenate(shares)
    return Piece(
        "InnerLips",
        all_points,
        np.array(triangles),
        np.full((len(all_points), 2), 0.5),
        "lips",
        {name: np.concatenate(of) for name, of in moved.items() if np.abs(np.concatenate(of)).max() > 1e-5},
        lambda p: np.stack([0 * all_shares, 1 - all_shares, all_shares, 0 * all_shares, 0 * all_shares], axis=1),
    )


def _pruned(piece: Piece) -> Piece:
    used = np.unique(piece.triangles)
    back = np.zeros(len(piece.points), int)
    back[used] = np.arange(len(used))
    bones = piece.bone(piece.points)[used] if piece.bone else None
    return Piece(
        piece.name,
        piece.points[used],
        back[piece.triangles],
        piece.uv[used],
        piece.material,
        {name: moves[used] for name, moves in piece.shapes.items()},
        None if bones is None else (lambda p: bones),
    )


def sphere(middle: Any, radii: Any, rows: int, columns: int) -> tuple[Array, npt.NDArray[np.int64]]:
    """Its poles lie on the z axis, so that a pupil is round."""
    down = np.linspace(0.02, np.pi - 0.02, rows)[:, None]
    around = np.linspace(0, 2 * np.pi, columns + 1)[None]
    unit = np.stack(
        [np.sin(down) * np.cos(around), np.sin(down) * np.sin(around), np.cos(down) * np.ones_like(around)],
        axis=-1,
    ).reshape(-1, 3)
    found = []
    for row in range(rows - 1):
        for column in range(columns):
            a = row * (columns + 1) + column
            found += [(a, a + columns + 1, a + 1), (a + 1, a + columns + 1, a + columns + 2)]
    return unit * np.asarray(radii) + np.asarray(middle), np.array(found)


def _eye_piece(side: int) -> Piece:
    middle = np.array([side * EYE_X, EYE_Y, EYE_Z])
    points, triangles = sphere(middle, EYE_RADIUS, 18, 24)
    uv = 0.5 + 0.5 * (points - middle)[:, :2] / EYE_RADIUS * [1, -1]
    name = "Left" if side > 0 else "Right"
    shapes = {}
    for look, yaw, pitch in (("Out", side * 25, 0), ("In", -side * 25, 0), ("Up", 0, 20), ("Down", 0, -20)):
        a, b = np.radians(yaw), np.radians(-pitch)
        turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]) @ np.array(
            [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
        )
        shapes[f"eyeLook{look}{name}"] = (points - middle) @ turn.T + middle - points
    bone = np.tile([0, 0, 0, float(side > 0), float(side < 0)], (len(points), 1)).astype(float)
    return Piece(f"Eye{name}", points, triangles, uv, "eye", shapes, lambda p: bone)


def _mouth_pieces() -> list[Piece]:
    pieces = []
    for name, high, low, jaw in (("UpperTeeth", 0.258, 0.193, 0.0), ("LowerTeeth", 0.212, 0.16, 1.0)):
        columns = 40
        x = np.linspace(-0.102, 0.102, columns)
        rows = []
        for part in np.linspace(0, 1, 5):
            y = high + (low - high) * part
            z = 0.322 - 7.5 * x * x - (0.008 if jaw else 0) - 0.006 * (2 * part - 1) ** 2
            rows.append(np.stack([x, np.full(columns, y), z], axis=1))
        points = np.concatenate(rows)
        found = []
        for row in range(4):
            for column in range(columns - 1):
                a = row * columns + column
                found += [(a, a + columns, a + 1), (a + 1, a + columns, a + columns + 1)]
        uv = np.stack([np.tile(np.linspace(0, 1, columns), 5), np.repeat(np.linspace(0, 1, 5), columns)], axis=1)
        if jaw:
            uv[:, 1] = 1 - uv[:, 1]
        pieces.append(_jawed(Piece(name, points, np.array(found), uv, "teeth"), np.full(len(points), jaw)))
    points, triangles = sphere((0, 0.182, 0.222), (0.066, 0.026, 0.082), 12, 18)
    tongue = _jawed(
        Piece("Tongue", points, triangles, np.full((len(points), 2), 0.5), "tongue"), np.ones(len(points))
    )
    tongue.shapes["tongueOut"] = _move(0, 0.02, 0.16 * smooth(points[:, 2], 0.2, 0.3), like=points)
    bag, triangles = sphere((0, 0.205, 0.205), (0.172, 0.085, 0.130), 14, 22)
    share = smooth(-bag[:, 1], -0.23, -0.17)
    hollow = _jawed(Piece("Mouth", bag, triangles[:, ::-1], np.full((len(bag), 2), 0.5), "mouth"), share)
    return [*pieces, tongue, hollow]


def _jawed(piece: Piece, share: Array) -> Piece:
    if share.any():
        piece.shapes["jawOpen"] = swung(piece.points, share)
    piece.bone = lambda p: np.stack([0 * share, 1 - share, share, 0 * share, 0 * share], axis=1)
    return piece


def _hair_piece() -> Piece:
    y = np.concatenate([1 - 0.35 * np.linspace(0, 1, 14) ** 1.7, np.linspace(0.64, -0.02, 20)])
    angle = np.radians(np.linspace(-180, 180, 91))
    grid_y, grid_angle = np.repeat(y[:, None], len(angle), 1), np.repeat(angle[None], len(y), 0)
    points = _surface(grid_angle, grid_y)
    degrees = np.abs(np.degrees(grid_angle))
    line = np.interp(degrees, [0, 25, 45, 58, 72, 84, 100, 180], [0.835, 0.82, 0.77, 0.70, 0.52, 0.40, 0.16, 0.05])
    thick = -0.02 + 0.088 * smooth(grid_y - line, -0.02, 0.11)
    parting = np.degrees(grid_angle) + 22
    thick += 0.012 * np.sin(7 * grid_angle + 6 * grid_y) * (thick > 0.02) * 0.5
    thick += 0.030 * bump(grid_y, 0.93, 0.09) * bump(np.degrees(grid_angle), 10, 55)
    thick -= 0.016 * bump(parting, 0, 7) * smooth(grid_y, 0.82, 0.9) * (grid_y < 0.995)
    outward = points - [0, 0.52, -0.06]
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    points = points + outward * thick[..., None]
    columns = len(angle)
    found = []
    for row in range(len(y) - 1):
        for column in range(columns - 1):
            a = row * columns + column
            if thick.flat[[a, a + 1, a + columns]].max() > -0.015:
                found += [(a, a + columns, a + 1), (a + 1, a + columns, a + columns + 1)]
    uv = np.stack([grid_angle / (2 * np.pi) * 3 + 0.5, grid_y], axis=-1).reshape(-1, 2)
    return _pruned(Piece("Hair", points.reshape(-1, 3), np.array(found), uv, "hair"))


def _ear_piece(side: int) -> Piece:
    points, triangles = sphere((0, 0, 0), (0.022, 0.088, 0.052), 14, 18)
    dent = 0.6 * bump(points[:, 1], 0.012, 0.05) * bump(points[:, 2], 0.006, 0.026) * (points[:, 0] * side > 0)
    points[:, 0] -= side * 0.03 * dent
    turn = np.radians(side * 24)
    x, z = points[:, 0].copy(), points[:, 2].copy()
    points[:, 0], points[:, 2] = np.cos(turn) * x - np.sin(turn) * z * 1, np.sin(turn) * x + np.cos(turn) * z
    points += [side * 0.338, 0.45, -0.075]
    uv = np.tile([0.5 + side * 0.19, (1.02 - 0.40) / 1.95], (len(points), 1))
    return Piece(f"Ear{'L' if side > 0 else 'R'}", points, triangles, uv, "skin")


def _lash_piece(side: int) -> Piece:
    """A blended strip on the upper lid's edge, which goes with it."""
    grid, _ = skin()
    own = (grid.y == EYE_Y) & grid.upper & (side * grid.points[:, 0] > 0) & (grid.points[:, 2] > 0.05)
    edge = np.flatnonzero(own & (np.abs(np.abs(grid.points[:, 0]) - EYE_X) < EYE_HALF))
    low = grid.points[edge] + [0, -0.002, 0.002]
    share = np.clip((np.abs(low[:, 0]) - EYE_X) / EYE_HALF, -1, 1)
    high = low + np.stack([side * 0.006 * share, 0.010 + 0.003 * share, np.full(len(edge), 0.010)], axis=1)
    count = len(edge)
    found = [t for a in range(count - 1) for t in ((a, a + 1, a + count), (a + 1, a + count + 1, a + count))]
    u = np.linspace(0, 1, count)
    uv = np.concatenate([np.stack([u, np.ones(count)], axis=1), np.stack([u, np.zeros(count)], axis=1)])
    shapes = _eye_shapes(grid.points, grid.y, grid.upper)
    name = "Left" if side > 0 else "Right"
    moves = {
        key: np.concatenate([shapes[key][edge]] * 2)
        for key in (f"eyeBlink{name}", f"eyeWide{name}", f"eyeSquint{name}")
    }
    return Piece(f"Lash{name}", np.concatenate([low, high]), np.array(found), uv, "lash", moves)


@cache
def pieces() -> tuple[Piece, ...]:
    return (
        *_face_pieces(),
        _eye_piece(1),
        _eye_piece(-1),
        *_mouth_pieces(),
        _ear_piece(1),
        _ear_piece(-1),
        _hair_piece(),
        _lash_piece(1),
        _lash_piece(-1),
    )
