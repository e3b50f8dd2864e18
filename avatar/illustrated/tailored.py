"""Shirt and suit."""

from __future__ import annotations

import numpy as np

from avatar.illustrated.canvas import Colour, Field, filled, mix
from avatar.illustrated.cloth import LOW, Cloth, below, folds, shoulder_y, torso
from avatar.illustrated.curve import line, mirrored, shifted, smooth
from avatar.illustrated.palette import Tones


def shirt(cloth: Cloth) -> Field:
    """A collar, open at the top button."""
    shape, frame = cloth.shape, cloth.layer.frame
    w = shape.neck_width
    opening = smooth(line((w + 0.06, shoulder_y(shape, w + 0.06)), (w * 0.66, 1.95), (0.14, 2.36), (0.0, 2.55)))
    edge = np.vstack((mirrored(opening), opening[::-1]))
    # Cloth at the back of the neck, behind the throat, is not seen: the shirt begins at the opening.
    whole = cloth.cut(below(shape, edge)).whole()
    folds(cloth, whole, 0.8)
    middle = smooth(line((0.02, 2.5), (0.03, 3.4), (0.02, LOW)))
    cloth.hem(shifted(middle, -0.11, 0), 0.014, -0.2, whole)
    cloth.hem(shifted(middle, 0.11, 0), 0.02, -0.26, whole)
    for i in range(6):
        button = np.array((0.02, 2.78 + 0.52 * i))
        disc = button + 0.032 * np.stack(
            (np.cos(np.linspace(0, 6.28, 24)), np.sin(np.linspace(0, 6.28, 24))), axis=1
        )
        cloth.layer.shade(filled(frame, shifted(disc, 0.012, 0.018)).soft(0.012), (0.5, 0.5, 0.55), 0.6)
        cloth.layer.tint(filled(frame, disc), mix(cloth.colour, (1.0, 0.99, 0.96), 0.55))
    for side in (-1, 1):
        wing = line(
            (w * 0.99, 1.5),
            (w * 0.78, 1.78),
            (0.17, 2.28),
            (0.31, 2.6),
            (0.66, 2.4),
            (w + 0.32, 1.96),
            (w + 0.15, 1.66),
            (w + 0.06, 1.5),
        )
        outline = np.vstack((smooth(wing[:3]), wing[3:4], smooth(wing[4:]))) * (side, 1.0)
        piece = filled(frame, outline)
        cloth.layer.shade(
            filled(frame, shifted(outline, 0.03, 0.055)).soft(0.035).within(whole), (0.5, 0.49, 0.55), 0.6
        )
        on = cloth.cut(piece, 0.06 if side < 0 else 0.0).whole()
        cloth.hem(wing[2:5] * (side, 1.0), 0.016, -0.16, on, 0.6)
        whole = np.maximum(whole, on)
    return whole


def suit(cloth: Cloth, shirt_colour: Colour) -> Field:
    """A jacket over an open shirt."""
    shape, frame = cloth.shape, cloth.layer.frame
    whole = shirt(Cloth(cloth.layer, shape, shirt_colour, cloth.light))
    w, s = shape.neck_width, shape.shoulder_x
    for side in (1, -1):
        turn = line((w + 0.09, 1.62), (w + 0.05, 2.0), (w - 0.05, 2.32), (0.38, 2.95), (0.08, 3.7))
        inner = np.vstack((smooth(turn), line((0.0, LOW))))
        body = torso(shape, 0.05)
        right = body[: len(body) // 2]
        outline = np.vstack((inner[::-1], right[right[:, 0] > w + 0.12])) * (side, 1.0)
        cloth.layer.shade(
            filled(frame, shifted(outline, -0.05 * side + 0.02, 0.03)).soft(0.05).within(whole),
            (0.5, 0.5, 0.56),
            0.7,
        )
        half = cloth.cut(outline).whole()
        for path in (
            ((s - 0.25, 2.6), (s - 0.42, 3.0), (s - 0.38, 3.7)),
            ((s - 0.6, 2.7), (s - 0.85, 3.1), (s - 0.9, 3.7)),
        ):
            way = smooth([(side * x, y) for x, y in path])
            cloth.fold(way, 0.1, -0.2, 0.04, half)
            cloth.fold(shifted(way, -0.09, 0), 0.07, 0.1, 0.04, half, 0.7)
        seam = smooth(line((s - 0.33, 2.14), (s - 0.2, 2.5), (s - 0.2, 3.0))) * (side, 1.0)
        cloth.fold(seam, 0.03, -0.26, 0.01, half, 0.8)
        gorge = line((w - 0.03, 2.26), (0.9, 2.4), (1.16, 2.44))
        lapel = np.vstack(
            (gorge, smooth(line((1.16, 2.44), (0.9, 2.86), (0.5, 3.32), (0.08, 3.7))), smooth(turn[2:])[::-1])
        )
        collar = np.vstack((smooth(turn[:3]), line((0.93, 2.41), (1.1, 2.24)), smooth(
            line((1.1, 2.24), (w + 0.36, 1.92), (w + 0.2, 1.66), (w + 0.11, 1.56),
                (w + 0.09, 1.62)))))  # fmt: skip
        on = half
        for piece in (lapel, collar):
            shape_of = piece * (side, 1.0)
            cloth.layer.shade(
                filled(frame, shifted(shape_of, 0.03, 0.05)).soft(0.04).within(half), (0.42, 0.42, 0.48), 0.75
            )
            on = cloth.cut(shape_of, 0.085 if piece is lapel else 0.05).whole()
            inside = filled(frame, shifted(shape_of, -0.014 * side, -0.014)).whole()
            cloth.layer.tint(
                filled(frame, shape_of).outside(inside).within(on),
                Tones(cloth.light, cloth.ramp, 0.3),
                0.45,
            )
            half = np.maximum(half, on)
        cloth.fold(gorge[:2] * (side, 1.0), 0.022, -0.34, 0.005, half, 0.8)
        whole = np.maximum(whole, half)
    return whole
