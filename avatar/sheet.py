"""A face in many states, on one sheet: for whoever has to look at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import cv2
import numpy as np

from avatar.controls import Control, Controls, at_rest
from avatar.picture import Box, Picture
from avatar.puppet import Rgb
from avatar.rig import Rig

_PAPER: Final = 248
_INK: Final = (40, 40, 40)
_FROM_YUV: Final = np.array(
    [[255 / 219, 0, 1.596027], [255 / 219, -0.391762, -0.812968], [255 / 219, 2.017232, 0]], np.float32
)
"""ITU-R BT.601, limited-range YUV to full-range RGB."""

_POSES: Final[tuple[dict[str, dict[str, float]], ...]] = (
    {
        "rest": {},
        "aa": {"jaw_open": 0.55, "lower_lip_down": 0.2},
        "ee": {"jaw_open": 0.18, "lips_wide": 0.8, "upper_lip_up": 0.2, "lower_lip_down": 0.3},
        "oo": {"jaw_open": 0.15, "lips_pucker": 0.9},
        "oh": {"jaw_open": 0.4, "lips_funnel": 0.7, "lips_pucker": 0.2},
        "p b m": {"lips_press": 0.8},
    },
    {
        "f v": {"lip_tuck": 0.9, "upper_lip_up": 0.15},
        "th": {"jaw_open": 0.2, "tongue_out": 0.8},
        "l": {"jaw_open": 0.28, "tongue_up": 0.9},
        "blink": {"blink": 1.0},
        "half blink": {"blink": 0.5},
        "look left": {"gaze_x": -0.8},
    },
    {
        "look right": {"gaze_x": 0.8},
        "look up": {"gaze_y": 0.8},
        "look down": {"gaze_y": -0.8, "blink": 0.2},
        "turn left": {"head_yaw": -1.0},
        "turn right": {"head_yaw": 1.0},
        "chin up": {"head_pitch": 1.0},
    },
    {
        "tilt": {"head_roll": 0.8},
        "smile": {"smile": 0.7, "cheek_raise": 0.5, "lips_wide": 0.2},
        "sad": {"frown": 0.6, "brow_inner_up": 0.7, "gaze_y": -0.2},
        "surprised": {"jaw_open": 0.3, "brow_inner_up": 0.7, "brow_outer_up": 0.8, "eye_wide": 0.7},
        "thoughtful": {"gaze_x": 0.5, "gaze_y": 0.5, "brow_down": 0.4, "lips_press": 0.3, "head_roll": 0.2},
        "laughing": {"jaw_open": 0.35, "smile": 0.9, "cheek_raise": 0.9, "blink": 0.3, "head_pitch": 0.3},
    },
)


def rgb(picture: Picture) -> Rgb:
    """The picture as (height, width, 3) red, green, blue."""
    size = (picture.width, picture.height)
    chroma = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (picture.u, picture.v)]
    yuv = np.stack([picture.y, *chroma], axis=-1).astype(np.float32) - np.array([16, 128, 128], np.float32)
    return np.asarray(np.clip(np.rint(yuv @ _FROM_YUV.T), 0, 255), np.uint8)


def controls(**values: float) -> Controls:
    """At rest but for what is named, in lower case: `controls(jaw_open=0.4)`. A name with both a left and a right
    may be given without: `controls(smile=1)`."""
    told = at_rest()
    for name, value in values.items():
        names = [name.upper(), f"{name.upper()}_LEFT", f"{name.upper()}_RIGHT"]
        found = [Control[each] for each in names if each in Control.__members__]
        if not found:
            raise ValueError(f"no control is called {name!r}")
        told[found] = value
    return told


Row: TypeAlias = list[tuple[str, Controls]]


def poses() -> list[Row]:
    """The sheet that every face is judged by: what it says, where it looks, how it turns and feels."""
    return [[(name, controls(**values)) for name, values in row.items()] for row in _POSES]


def sheet(
    rig: Rig,
    rows: Sequence[Sequence[tuple[str, Controls]]],
    *,
    crop: Box | None = None,
    scale: float = 1.0,
) -> Rgb:
    """Rows of pictures with a caption under each; of each picture only `crop`, enlarged by `scale`."""
    box = crop or Box(0, 0, rig.width, rig.height)
    width, height = round(box.width * scale), round(box.height * scale)
    caption = max(18, width // 10)
    columns = max((len(row) for row in rows), default=0)
    page = np.full((max(1, len(rows) * (height + caption)), max(1, columns * width), 3), _PAPER, np.uint8)
    picture = rig.blank()
    for row, cells in enumerate(rows):
        for column, (text, told) in enumerate(cells):
            rig.draw(told, picture)
            seen = rgb(picture)[box.y : box.bottom, box.x : box.right]
            if scale != 1.0:
                kind = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
                seen = np.asarray(cv2.resize(seen, (width, height), interpolation=kind), np.uint8)
            top, left = row * (height + caption), column * width
            page[top : top + height, left : left + width] = seen
            _write(page, text, left, top + height, width, caption)
    return page


def _write(page: Rgb, text: str, left: int, top: int, width: int, height: int) -> None:
    size = height / 42
    (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    size *= min(1.0, (width - 4) / max(1, wide))
    at = (left + max(2, round(width - wide) // 2), top + (height + tall) // 2)
    cv2.putText(page, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, _INK, 1, cv2.LINE_AA)
