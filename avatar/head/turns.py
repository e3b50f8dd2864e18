"""Rotations in the world of a head, as (3, 3)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


def turn_x(radians: float) -> npt.NDArray[np.float64]:
    """About the axis to the viewer's right."""
    cos, sin = math.cos(radians), math.sin(radians)
    return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])


def turn_y(radians: float) -> npt.NDArray[np.float64]:
    """About the axis up."""
    cos, sin = math.cos(radians), math.sin(radians)
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])


def turned(yaw: float, pitch: float, roll: float) -> npt.NDArray[np.float64]:
    """A rotation, angles in radians: yaw to the viewer's right, pitch up, roll clockwise for the viewer."""
    cos, sin = math.cos(roll), math.sin(roll)
    turn: npt.NDArray[np.float64] = turn_y(yaw) @ turn_x(-pitch) @ [[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]]
    return turn
