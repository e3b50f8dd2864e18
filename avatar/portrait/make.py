"""From a photo to a face: everything in between, in under a second."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from avatar.errors import UnfitPicture
from avatar.flesh.bake import bake
from avatar.flesh.contours import Artwork
from avatar.portrait import fitness, frame, mouth, photo, spectacles
from avatar.portrait.cutout import Cutter, backdrop, layers
from avatar.portrait.landmarks import Landmarker
from avatar.puppet import Puppet

_SHARP_TEETH: Final = 3.0
"""Teeth out of a photo that was enlarged by more than this are a blur; made up ones look better."""


class Studio:
    """What making portraits needs, loaded once: a quarter of a second. One thread at a time may use it.

    Raises `FaceMissing` when the networks are not in `cache` (`models.fetch`) or their runtime is not installed.
    """

    def __init__(self, cache: Path) -> None:
        self._landmarker = Landmarker(cache)
        self._cutter = Cutter(cache)

    def artwork(self, data: bytes, width: int, height: int) -> Artwork:
        """The picture in a photo's file, in pieces. Raises `UnfitPicture`, which says what to do better."""
        taken = photo.load(data)
        whole = taken.before(backdrop(*taken.rgb.shape[1::-1]))
        found = fitness.fit(whole, self._landmarker.find(whole, everyone=True))
        cut = frame.cut_for(found.contours, whole.shape[:2], width, height)
        rgb = frame.cut_out(whole, cut, width, height)
        outline = None
        if taken.alpha is not None:
            # The backdrop is put in anew at the picture's size, to reach where the photo does not.
            outline = frame.cut_out(taken.alpha, cut, width, height)
            rgb = photo.Photo(frame.cut_out(taken.rgb, cut, width, height), outline).before(
                backdrop(width, height)
            )
        faces = self._landmarker.find(rgb)
        if not faces:
            raise UnfitPicture(
                "the face cannot be made out at the size of the picture: take a larger, sharper one"
            )
        face = max(faces, key=lambda each: float(np.ptp(each.points[:, 0])))
        shut = mouth.closed(rgb, face.contours)
        glasses = spectacles.taken_off(shut.rgb, shut.contours)
        bare = shut.rgb if glasses is None else glasses[0]
        if outline is None:
            # The matte is found with the glasses on, where the network expects them.
            head, plate = layers(bare, self._cutter.matte(shut.rgb, shut.contours))
        else:
            head, plate = np.dstack((bare, outline)), backdrop(width, height)
        return Artwork(
            plate=plate,
            head=head,
            contours=shut.contours,
            front=() if glasses is None else (glasses[1],),
            teeth=shut.teeth if cut.scale < _SHARP_TEETH else None,
        )

    def portrait(self, data: bytes, width: int, height: int) -> Puppet:
        """A live face of a photo. Raises `UnfitPicture`."""
        return bake(self.artwork(data, width, height), "portrait")


def portrait(data: bytes, width: int, height: int, cache: Path) -> Puppet:
    """A live face of one photo, for who makes only one. Raises what `Studio` raises."""
    return Studio(cache).portrait(data, width, height)
