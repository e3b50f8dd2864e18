"""What is behind the lids: the white, the iris and the light upon them, drawn or made up from a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from avatar.flesh.contours import Eye, EyeArt
from avatar.flesh.frames import EyeFrame
from avatar.flesh.grids import pixels
from avatar.flesh.paint import rgba, soft, spread
from avatar.flesh.shapes import Values, fall, rise
from avatar.picture import Box
from avatar.puppet import Rgba


@dataclass(frozen=True, slots=True)
class Ball:
    """One eye and all that is known of it."""

    eye: Eye
    frame: EyeFrame
    art: EyeArt | None


def eyeballs(balls: Sequence[Ball], head: Rgba, box: Box) -> tuple[Rgba, Rgba, Rgba]:
    """Whites, irises and the shade of the lids, of all eyes in a box of the picture."""
    rows, columns = slice(box.y, box.bottom), slice(box.x, box.right)
    cut = head[rows, columns]
    points = pixels(box)
    whites = np.zeros((box.height, box.width, 4), np.uint8)
    irises, shades = whites.copy(), whites.copy()
    for ball in balls:
        mine = np.abs(ball.frame.place(points)[0]) < 1.45
        if ball.art is None:
            white, iris = _white(ball, cut, points), _iris(ball, cut, points)
        else:
            white, iris = _whole(ball, ball.art.white[rows, columns], points), ball.art.iris[rows, columns]
        whites[mine], irises[mine] = white[mine], iris[mine]
        shades[mine] = _shade(ball, points)[mine]
    return whites, irises, shades


def _opening(ball: Ball, points: Values, within: float) -> npt.NDArray[np.bool_]:
    u, y = ball.frame.place(points)
    upper, lower = ball.frame.lids(u)
    return np.asarray((y > upper + within) & (y < lower - within) & (np.abs(u) < 0.97))


def _from_iris(ball: Ball, points: Values) -> Values:
    return np.asarray(np.hypot(points[..., 0] - ball.eye.iris[0], points[..., 1] - ball.eye.iris[1]), np.float32)


def _region(ball: Ball, points: Values) -> Values:
    """Where an eyeball may ever show."""
    u, y = ball.frame.place(points)
    upper, lower = ball.frame.lids(u)
    span = 0.5 * ball.frame.opening
    return np.asarray(
        fall(np.abs(u), 1.02, 1.12) * fall(upper - y, span, 1.4 * span) * fall(y - lower, span, 1.4 * span)
    )


def _white(ball: Ball, cut: Rgba, points: Values) -> Rgba:
    """The picture's own white, with the iris taken out."""
    away = _from_iris(ball, points)
    known = _opening(ball, points, 0.6 + 0.10 * ball.frame.opening) & (away > 1.12 * ball.eye.iris_radius)
    colour = cut[..., :3].astype(np.float32)
    if known.sum() < 6:
        colour = np.broadcast_to(np.array([226, 218, 212], np.float32), colour.shape).copy()
        known = _opening(ball, points, -2.0)
    grey = colour @ np.array([0.3, 0.59, 0.11], np.float32)
    # Lashes and the corner's red are not white: they would smear over all of it.
    known &= grey >= (np.percentile(grey[known], 30) if known.any() else 0.0)
    filled = spread(colour, known.astype(np.float32), max(0.08 * ball.frame.width, 1.0))
    return rgba(filled, _region(ball, points))


def _whole(ball: Ball, art: Rgba, points: Values) -> Rgba:
    """Drawn white, going on under the lids wherever the drawing does not."""
    filled = spread(art[..., :3].astype(np.float32), art[..., 3].astype(np.float32) / 255, 2.0)
    return rgba(filled, _region(ball, points))


def _iris(ball: Ball, cut: Rgba, points: Values) -> Rgba:
    """The picture's own iris; what the lids hide of it is made up of the rest by its distance from the middle."""
    radius = ball.eye.iris_radius
    away = _from_iris(ball, points)
    colour = cut[..., :3].astype(np.float32)
    seen = _opening(ball, points, 1.5) & (away < 1.15 * radius)
    ring = np.minimum((away / max(radius, 1) * 12).astype(int), 15)
    rings = np.zeros((16, 3), np.float32)
    last = colour[seen].mean(axis=0) if seen.any() else np.array([70, 50, 40], np.float32)
    for i in range(16):
        here = seen & (ring == i)
        last = np.median(colour[here], axis=0) if here.sum() >= 3 else last
        rings[i] = last
    steps = away / max(radius, 1) * 12 - 0.5
    i = np.clip(np.floor(steps).astype(int), 0, 14)
    t = np.clip(steps - i, 0, 1)[..., None]
    made_up = rings[i] * (1 - t) + rings[i + 1] * t
    own = (rise(soft(seen.astype(np.float32), max(0.12 * radius, 0.6)), 0.45, 0.85) * seen)[..., None]
    return rgba(colour * own + made_up * (1 - own), fall(away, radius - 0.7, radius + 1.0))


def _shade(ball: Ball, points: Values) -> Rgba:
    """The upper lid's shadow on the eye; it goes with that lid."""
    u, y = ball.frame.place(points)
    upper, _ = ball.frame.lids(u)
    depth = (y - upper) / ball.frame.opening
    strength = 0.30 if ball.art is None else 0.40
    alpha = strength * fall(depth, 0.0, 0.38) * fall(-depth, 0.6, 0.9) * fall(np.abs(u), 1.1, 1.2)
    return rgba(np.array([38, 22, 20], np.float32), alpha)
