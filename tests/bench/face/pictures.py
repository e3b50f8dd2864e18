"""The pictures of faces that the documentation shows.

python -m tests.bench.face.pictures        # writes avatar/pictures/*.jpg anew
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from avatar.controls import Controls
from avatar.illustrated.look import Look
from avatar.illustrated.person import illustrated
from avatar.mark import stamp
from avatar.picture import Box
from avatar.puppet import Rgb
from avatar.render.cpu import CpuPuppet
from avatar.rig import Rig
from avatar.sheet import controls, rgb, sheet
from tests.bench.face import people

FOLDER = Path(__file__).parents[3] / "avatar/pictures"
MAX_BYTES = 250_000
SIDE = 512
CELL = 250
"""Pixels of one picture on a sheet."""

Cells = list[tuple[str, Controls]]

VISEMES: Final[Cells] = [
    ("rest", controls()),
    ("a", controls(jaw_open=0.5, lower_lip_down=0.2)),
    ("e", controls(jaw_open=0.25, lips_wide=0.6)),
    ("i", controls(jaw_open=0.1, lips_wide=0.9, upper_lip_up=0.2)),
    ("o", controls(jaw_open=0.3, lips_funnel=0.6, lips_pucker=0.3)),
    ("u", controls(jaw_open=0.1, lips_pucker=0.9, lips_funnel=0.2)),
    ("p b m", controls(lips_press=1.0)),
    ("f v", controls(jaw_open=0.1, lip_tuck=1.0, upper_lip_up=0.2)),
    ("th", controls(jaw_open=0.18, tongue_out=1.0)),
    ("l n", controls(jaw_open=0.25, tongue_up=1.0)),
    ("s", controls(jaw_open=0.06, lips_wide=0.5, upper_lip_up=0.3, lower_lip_down=0.4)),
    ("sh", controls(jaw_open=0.1, lips_funnel=0.7, upper_lip_up=0.2)),
]
BLINK: Final[Cells] = [
    ("open", controls()),
    ("0.35", controls(blink=0.35)),
    ("0.7", controls(blink=0.7)),
    ("closed", controls(blink=1.0)),
    ("wink", controls(blink_left=1.0)),
    ("wide", controls(eye_wide=1.0, brow_inner_up=0.5, brow_outer_up=0.5)),
    ("look left", controls(gaze_x=-0.8)),
    ("look right", controls(gaze_x=0.8)),
    ("look up", controls(gaze_y=0.7)),
    ("look down", controls(gaze_y=-0.7)),
    ("half, up", controls(gaze_y=0.5, blink=0.2)),
    ("squint", controls(cheek_raise=0.8, blink=0.15)),
]
TURN: Final[Cells] = [
    ("left", controls(head_yaw=-0.9)),
    ("half left", controls(head_yaw=-0.45)),
    ("straight", controls()),
    ("half right", controls(head_yaw=0.45)),
    ("right", controls(head_yaw=0.9)),
    ("up", controls(head_pitch=0.8)),
    ("down", controls(head_pitch=-0.8)),
    ("tilted", controls(head_roll=0.8)),
    ("nod and turn", controls(head_yaw=0.5, head_pitch=-0.5)),
    ("talking", controls(head_yaw=-0.4, head_roll=-0.3, jaw_open=0.4, lips_wide=0.3)),
]
EMOTIONS: Final[Cells] = [
    ("friendly", controls(smile=0.2)),
    ("smile", controls(smile=0.7, cheek_raise=0.5)),
    ("laughing", controls(smile=0.9, cheek_raise=0.8, jaw_open=0.25, upper_lip_up=0.4)),
    ("sorry", controls(frown=0.5, brow_inner_up=0.7, gaze_y=-0.2)),
    ("serious", controls(brow_down=0.6, lips_press=0.3)),
    ("surprised", controls(eye_wide=0.8, brow_inner_up=0.9, brow_outer_up=0.9, jaw_open=0.3)),
    ("thinking", controls(gaze_x=0.5, gaze_y=0.5, brow_inner_up=0.3, lips_press=0.3, head_roll=0.2)),
    ("asking", controls(brow_outer_up=0.6, brow_inner_up=0.5, head_pitch=0.2, jaw_open=0.1)),
    ("listening", controls(smile=0.15, brow_inner_up=0.25, head_roll=0.25, head_pitch=-0.15)),
    ("doubtful", controls(brow_down_left=0.7, brow_outer_up_right=0.8, frown_left=0.3)),
]
SHEETS: Final[dict[str, tuple[Cells, int]]] = {
    "visemes": (VISEMES, 6),
    "eyes": (BLINK, 6),
    "turns": (TURN, 5),
    "emotions": (EMOTIONS, 5),
}
"""Of each face, with how many stand in a row."""
LOOKS: Final = Path(__file__).with_name("looks.toml")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    looks = [Look(**chosen) for chosen in tomllib.loads(LOOKS.read_text("utf-8"))["look"]]
    _write("faces", _grid([_seen(CpuPuppet(illustrated(look, SIDE, SIDE))) for look in looks], 4))
    faces: dict[str, Rig] = {
        "illustrated": CpuPuppet(illustrated(Look(), SIDE, SIDE)),
        "portrait": people.photographed(SIDE, SIDE),
        "head": people.modelled(SIDE, SIDE),
    }
    for name, rig in faces.items():
        for what, (cells, columns) in SHEETS.items():
            rows = [cells[at : at + columns] for at in range(0, len(cells), columns)]
            crop = _close(rig) if what in ("visemes", "eyes") else Box(0, 0, rig.width, rig.height)
            _write(f"{name}-{what}", sheet(rig, rows, crop=crop, scale=CELL / crop.width))


def _close(rig: Rig) -> Box:
    """The face, where every kind of rig has it."""
    side = rig.width * 5 // 8 // 2 * 2
    return Box((rig.width - side) // 4 * 2, rig.height // 10 // 2 * 2, side, side)


def _seen(rig: Rig) -> Rgb:
    """A friendly face with its mark, as a call begins."""
    picture = rig.blank()
    rig.draw(controls(smile=0.2), picture)
    stamp(picture)
    return np.asarray(cv2.resize(rgb(picture), (CELL, CELL), interpolation=cv2.INTER_AREA), np.uint8)


def _grid(pictures: list[Rgb], columns: int) -> Rgb:
    return np.vstack([np.hstack(pictures[at : at + columns]) for at in range(0, len(pictures), columns)])


def _write(name: str, picture: Rgb) -> None:
    """As JPEG, as good as its size allows."""
    for quality in range(90, 40, -5):
        written, data = cv2.imencode(
            ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        if written and len(data) <= MAX_BYTES:
            break
    else:
        raise ValueError(f"{name}: no JPEG under {MAX_BYTES} bytes")
    file = FOLDER / f"{name}.jpg"
    file.write_bytes(data.tobytes())
    print(f"{file.relative_to(FOLDER.parents[1])}  {len(data) // 1000} kB")


if __name__ == "__main__":
    main()
