"""What can go wrong with a face.

    FaceError
    ├── UnfitPicture     a photo or clip that no face can be made of
    ├── UnfitModel       a 3D head that cannot be read or lacks what a face needs
    └── FaceMissing      a library, a model file or an enrolled face is not there

A message is one line for the person who has to act on it.
"""

from __future__ import annotations


class FaceError(Exception):
    """The root; `code` is stable."""

    code = "face"


class UnfitPicture(FaceError):
    """No face can be made of this picture; the message says why and what to take instead."""

    code = "unfit_picture"


class UnfitModel(FaceError):
    """This 3D head cannot be used; the message says why."""

    code = "unfit_model"


class FaceMissing(FaceError):
    """Something a face needs is not there; the message has the command that adds it."""

    code = "face_missing"
