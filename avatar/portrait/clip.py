"""A short clip of somebody sitting still, that goes on for ever and speaks.

The clip runs forwards and backwards, which has no seam, and shows the head as it was filmed. The lower half of the
face is a puppet's, baked from the clip's best picture and laid over the face of each one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from avatar.controls import Control, Controls
from avatar.errors import UnfitPicture
from avatar.flesh.bake import bake
from avatar.flesh.contours import Artwork, Contours
from avatar.picture import Picture, Plane
from avatar.portrait import fitness, footage, frame, measure, mouth
from avatar.portrait.arrays import Floats, floats, octets
from avatar.portrait.cutout import Cutter, layers
from avatar.portrait.landmarks import FoundFace, Landmarker
from avatar.puppet import Rgb
from avatar.render.cpu import CpuPuppet

MAX_BYTES: Final = 160_000_000
"""All pictures of a clip together; a larger size keeps fewer seconds."""
_TURN_S: Final = 0.5
"""At its ends the clip slows down and turns for so long."""
_STILL: Final = [33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 10, 151, 9, 8, 70, 300, 234, 454, 127, 356, 93, 323]
"""Points of the face that speech does not move."""
_FEWEST: Final = 25

_DRIVEN: Final = Control.CHEEK_RAISE_RIGHT + 1
"""The puppet shows the controls before this one; the rest the clip does by itself."""


@dataclass(frozen=True, slots=True)
class Take:
    """The part of a clip that is used."""

    pictures: tuple[Picture, ...]
    places: Floats
    """Shape (n, 2, 3): for each picture, where in it a point of the puppet's face lies."""
    artwork: Artwork
    """Of the best picture, at the same size."""


class ClipRig:
    """A `Rig` with a time: `draw_at` shows the clip as it is then, `draw` as it begins."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._puppet = CpuPuppet(bake(take.artwork, "clip"))
        self._mask = _mask(take.artwork)
        self._small_mask = floats(
            cv2.resize(self._mask, (self.width // 2, self.height // 2), interpolation=cv2.INTER_AREA)
        )
        self._corners = _corners(self._mask)
        self._own = threading.local()

    @property
    def name(self) -> str:
        return "clip"

    @property
    def width(self) -> int:
        return self._puppet.width

    @property
    def height(self) -> int:
        return self._puppet.height

    @property
    def seconds(self) -> float:
        """How long the clip is."""
        return len(self._take.pictures) / footage.RATE_HZ

    def blank(self) -> Picture:
        return self._take.pictures[0].copy()

    def draw(self, controls: Controls, picture: Picture) -> None:
        """See `Rig`."""
        self.draw_at(controls, picture, 0.0)

    def draw_at(self, controls: Controls, picture: Picture, t_ms: float) -> None:
        """Like `Rig.draw`, with the clip as it is at a time; the result depends on both and on nothing else."""
        face: Picture | None = getattr(self._own, "face", None)
        if face is None:
            face = self._own.face = self._puppet.blank()
            self._own.controls = np.zeros_like(controls)
        told = self._own.controls
        told[:_DRIVEN] = controls[:_DRIVEN]
        self._puppet.draw(told, face)
        index = at(t_ms, len(self._take.pictures))
        np.copyto(picture.i420, self._take.pictures[index].i420)
        self._lay(face, self._take.places[index], picture)

    def _lay(self, face: Picture, place: Floats, picture: Picture) -> None:
        """The puppet's lower face over the clip's picture, where that face is."""
        corners = self._corners @ place.T
        low = np.maximum(np.floor(corners.min(0)).astype(np.intp) - 2, 0) // 2 * 2
        high = np.minimum(np.ceil(corners.max(0)).astype(np.intp) + 3, (picture.width, picture.height)) // 2 * 2
        if (high <= low).any():
            return
        _blend(face.y, self._mask, place, (low, high), picture.y)
        half = place.copy()
        # Chroma samples lie between the pixels: half a pixel further in both pictures.
        half[:, 2] = (place[:, :2] @ np.full(2, 0.5, np.float32) + place[:, 2] - 0.5) / 2
        for source, target in ((face.u, picture.u), (face.v, picture.v)):
            _blend(source, self._small_mask, half, (low // 2, high // 2), target)


def at(t_ms: float, count: int) -> int:
    """Which of the pictures shows at a time: there and back again, slower at both ends."""
    last = count - 1
    if last <= 0:
        return 0
    turn = min(_TURN_S * footage.RATE_HZ, last / 2)
    place = abs((t_ms * footage.RATE_HZ / 1000) % (2 * last) - last)
    near = min(place, last - place)
    if near < turn:
        eased = near * near * (2 * turn - near) / turn**2
        place = eased if place < last / 2 else last - eased
    return round(last - place)


def clip(data: bytes, width: int, height: int, cache: Path) -> ClipRig:
    """A live face of a clip's file; takes seconds. Raises `UnfitPicture`, or `FaceMissing` as `Studio` does."""
    return ClipRig(take(data, width, height, cache))


def take(data: bytes, width: int, height: int, cache: Path) -> Take:
    """What is used of a clip. Raises `UnfitPicture`."""
    landmarker = Landmarker(cache)
    faces: list[FoundFace] = []
    for rgb in footage.frames(data):
        if not faces:
            faces.append(fitness.fit(rgb, landmarker.find(rgb, everyone=True)))
        elif (face := landmarker.follow(rgb, faces[-1])) is not None:
            faces.append(face)
        else:
            break
    if len(faces) < footage.LEAST_S * footage.RATE_HZ:
        raise UnfitPicture(
            f"the face shows without a break for only {len(faces) / footage.RATE_HZ:.1f} seconds: hand in a clip "
            "of 3 to 20 seconds, looking into the camera all the time"
        )
    first, count = _calmest(faces, max(_FEWEST, MAX_BYTES // (width * height * 3 // 2)))
    used = faces[first : first + count]
    best = min(range(count), key=lambda index: _effort(used[index]))
    return _cut(data, (width, height), (first, best), used, cache)


def _cut(data: bytes, size: tuple[int, int], which: tuple[int, int], faces: list[FoundFace], cache: Path) -> Take:
    width, height = size
    first, best = which
    pictures: list[Picture] = []
    still: Rgb | None = None
    cut: frame.Cut | None = None
    for index, rgb in enumerate(footage.frames(data)):
        if index < first:
            continue
        cut = cut or frame.cut_for(faces[best].contours, rgb.shape[:2], width, height)
        shown = frame.cut_out(rgb, cut, width, height)
        pictures.append(Picture(width, height))
        cv2.cvtColor(shown, cv2.COLOR_RGB2YUV_I420, pictures[-1].i420)
        if len(pictures) == best + 1:
            still = shown
        if len(pictures) == len(faces):
            break
    if still is None or cut is None:
        raise UnfitPicture("the clip cannot be read twice alike: convert it to an MP4 file")
    found = Landmarker(cache).find(still)
    if not found:
        raise UnfitPicture("the face cannot be made out at the size of the picture: come closer")
    shut = mouth.closed(still, found[0].contours)
    head, plate = layers(shut.rgb, Cutter(cache).matte(shut.rgb, shut.contours))
    artwork = Artwork(plate=plate, head=head, contours=shut.contours, teeth=shut.teeth)
    return Take(tuple(pictures), _places(faces, best, cut), artwork)


def _effort(face: FoundFace) -> float:
    """How far a face is from looking straight ahead, eyes open and mouth closed."""
    pose = face.pose
    openness = min(measure.eye_openness(face))
    return (abs(pose.yaw) + abs(pose.pitch)) / 10 + 4 * measure.mouth_gap(face) + 3 * max(0.0, 0.15 - openness)


def _calmest(faces: list[FoundFace], most: int) -> tuple[int, int]:
    """The first and the number of the pictures to use: those in which the mouth does least."""
    count = min(most, len(faces))
    gaps = np.array([measure.mouth_gap(face) for face in faces])
    sums = np.convolve(gaps, np.ones(count), "valid")
    return int(np.argmin(sums)), count


def _places(faces: list[FoundFace], best: int, cut: frame.Cut) -> Floats:
    """For each picture the affine map of the best one's face to its own, the landmarks' trembling smoothed out."""
    still = faces[best].points[_STILL, :2].astype(np.float64)
    source = np.column_stack((still, np.ones(len(still))))
    maps = np.stack([np.linalg.lstsq(source, face.points[_STILL, :2], rcond=None)[0].T for face in faces])
    middle = still.mean(0)
    # Smoothed is where the face goes and how it turns, not the map's far-off origin.
    maps[:, :, 2] += maps[:, :, :2] @ middle
    flat = maps.reshape(len(maps), 6)
    smooth = cv2.GaussianBlur(flat, (1, 7), 0, sigmaY=1.3, borderType=cv2.BORDER_REPLICATE).reshape(-1, 2, 3)
    smooth[:, :, 2] -= smooth[:, :, :2] @ middle
    corner = np.array((cut.x, cut.y), np.float64) - 0.5 + 0.5 / cut.scale
    shifted = smooth[:, :, :2] @ corner + smooth[:, :, 2] - corner
    return floats(np.concatenate((smooth[:, :, :2], shifted[:, :, None] * cut.scale), axis=2))


def _mask(artwork: Artwork) -> Floats:
    """Where the puppet's face is laid over the clip's: around mouth and chin, within the person."""
    contours, (height, width) = artwork.contours, artwork.plate.shape[:2]
    shape = np.zeros((height, width), np.uint8)
    cv2.fillPoly(shape, [np.rint(_lower_face(contours)).astype(np.int32)], 255)
    soft = 0.045 * contours.width
    inside = cv2.erode(artwork.head[..., 3], np.ones((round(2 * soft) | 1, round(2 * soft) | 1), np.uint8))
    both = np.minimum(shape, inside)
    return floats(cv2.GaussianBlur(both, (0, 0), soft) / 255.0)


def _lower_face(contours: Contours) -> Floats:
    middle = contours.lips_inner_upper[5]
    nose, chin = contours.nose_tip[1], contours.chin[1]
    top = nose + 0.3 * (middle[1] - nose)
    aside, below = 0.36 * contours.width, chin + 0.30 * contours.width
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    centre_y = (top + below) / 2
    # Rounder than an ellipse: the corners of a mouth that smiles in the film must not look out beside ours.
    across, down = (np.sign(side) * np.abs(side) ** 0.7 for side in (np.cos(angles), np.sin(angles)))
    return floats(np.column_stack((middle[0] + aside * across, centre_y + (below - top) / 2 * down)))


def _corners(mask: Floats) -> Floats:
    """Shape (4, 3): the corners of the box that holds all of the mask, each with a 1."""
    rows, columns = np.flatnonzero(mask.max(1) > 0), np.flatnonzero(mask.max(0) > 0)
    return np.array([(columns[i], rows[j], 1) for i in (0, -1) for j in (0, -1)], np.float32)


def _blend(
    source: Plane,
    mask: Floats,
    place: Floats,
    box: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
    target: Plane,
) -> None:
    low, high = box
    moved = place.copy()
    moved[:, 2] -= low
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    patch = octets(cv2.warpAffine(source, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    share = floats(cv2.warpAffine(mask, moved, size, flags=cv2.INTER_LINEAR))
    view = target[low[1] : high[1], low[0] : high[0]]
    view[...] = cv2.blendLinear(patch, np.ascontiguousarray(view), share, 1 - share)
