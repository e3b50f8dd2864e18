"""Whether a photo is good enough for a face, and if not, what to do better."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from avatar.errors import UnfitPicture
from avatar.portrait import measure
from avatar.portrait.landmarks import FoundFace

MIN_FACE_PX: Final = 80
MAX_YAW_DEG: Final = 20.0
MAX_PITCH_DEG: Final = 24.0
MAX_ROLL_DEG: Final = 25.0
OTHER_FACE: Final = 0.35
"""A second face of this share of the first one's width is somebody, and not a picture on the wall."""
MIN_SHARPNESS: Final = 0.0055
"""By `sharpness`; a photo enlarged threefold is just above, one that was moved while taken is below."""
MIN_OPEN: Final = 0.055
"""Lids apart, in eye distances."""
MAX_GAP: Final = 0.4
"""Lips apart, likewise; a smile with teeth is at 0.2."""
DARK: Final = 38.0
BRIGHT: Final = 232.0
"""Mean brightness of the face, 0 to 255."""
_PROBE_PX: Final = 160


def fit(rgb: npt.NDArray[np.uint8], faces: list[FoundFace]) -> FoundFace:
    """The one face of a photo. Raises `UnfitPicture` with the first thing that is wrong."""
    if not faces:
        raise UnfitPicture(
            "there is no face in the picture: take one of head and shoulders from the front, in good light"
        )
    face = max(faces, key=_width)
    if any(other is not face and _width(other) > OTHER_FACE * _width(face) for other in faces):
        raise UnfitPicture("there are two faces or more in the picture: take one of you alone, or cut it")
    _well_placed(rgb, face)
    _well_held(face)
    _well_lit(rgb, face)
    if max(measure.eye_openness(face)) < MIN_OPEN:
        raise UnfitPicture("the eyes are closed: take a picture with open eyes that looks into the camera")
    if measure.mouth_gap(face) > MAX_GAP:
        raise UnfitPicture("the mouth is wide open: take a picture with closed lips or a small smile")
    if sharpness(rgb, face) < MIN_SHARPNESS:
        raise UnfitPicture("the face is blurred: hold the camera still, in more light, and focus on the face")
    return face


def sharpness(rgb: npt.NDArray[np.uint8], face: FoundFace) -> float:
    """How much fine detail the face has at the size it is used in, relative to its contrast."""
    grey = _face(rgb, face)
    fine = cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 0.8), cv2.CV_32F)
    inner = fine[20:-20, 20:-20]
    return float(np.percentile(np.abs(inner), 95) / 255 / max(0.08, float(grey.std()) / 255) * 0.1)


def _width(face: FoundFace) -> float:
    return float(np.ptp(face.points[:, 0]))


def _well_placed(rgb: npt.NDArray[np.uint8], face: FoundFace) -> None:
    width, contours = _width(face), face.contours
    if width < MIN_FACE_PX:
        raise UnfitPicture(
            f"the face is only {width:.0f} pixels wide: come closer, or take a picture where it has 250 or more"
        )
    slack = 0.06 * width
    low, high = contours.oval.min(0), contours.oval.max(0)
    height, across = rgb.shape[:2]
    if low[0] < -slack or low[1] < -slack or high[0] > across + slack or high[1] > height + slack:
        raise UnfitPicture("the face is cut off at the picture's edge: take one that shows head and shoulders")


def _well_held(face: FoundFace) -> None:
    pose = face.pose
    if abs(pose.yaw) > MAX_YAW_DEG:
        side = "right" if pose.yaw > 0 else "left"
        raise UnfitPicture(f"the head is turned {abs(pose.yaw):.0f} degrees to the {side}: look into the camera")
    if abs(pose.pitch) > MAX_PITCH_DEG:
        way = "back" if pose.pitch > 0 else "down"
        raise UnfitPicture(f"the head is tilted {abs(pose.pitch):.0f} degrees {way}: hold the camera at eye level")
    if abs(pose.roll) > MAX_ROLL_DEG:
        raise UnfitPicture(f"the head leans {abs(pose.roll):.0f} degrees to the side: hold it upright")


def _well_lit(rgb: npt.NDArray[np.uint8], face: FoundFace) -> None:
    grey = _face(rgb, face)[30:-20, 30:-30]
    mean = float(grey.mean())
    if mean < DARK:
        raise UnfitPicture(
            "the face is too dark: turn towards a window or a lamp, with no bright light behind you"
        )
    if mean > BRIGHT or float((grey > 252).mean()) > 0.35:
        raise UnfitPicture("the face is too bright: take the picture without flash or direct sun")


def _face(rgb: npt.NDArray[np.uint8], face: FoundFace) -> npt.NDArray[np.float32]:
    """The face in grey, upright from brows to chin, as a square of a fixed size."""
    low, high = face.contours.oval.min(0), face.contours.oval.max(0)
    scale = float((high - low).max()) / _PROBE_PX
    middle, source = (low + high) / 2, np.asarray(rgb)
    if scale > 1:
        # Without the mean of what falls into a pixel a large photo would count as sharper than it is.
        source = np.asarray(cv2.resize(rgb, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA))
        middle, scale = middle / scale, 1.0
    crop = cv2.getRectSubPix(
        source, (round(_PROBE_PX * scale), round(_PROBE_PX * scale)), tuple(map(float, middle))
    )
    crop = cv2.resize(crop, (_PROBE_PX, _PROBE_PX), interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
