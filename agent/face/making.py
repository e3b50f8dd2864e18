"""A face from a file: which kind it is, what it needs, and the rig that comes of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.face.enrolled import Kind, write_private
from agent.settings import FaceSection
from avatar.errors import FaceError, FaceMissing
from avatar.render.choose import Device, choose
from avatar.rig import Rig
from compliance.errors import EngineMissing, FaceUnfit


@dataclass(frozen=True, slots=True)
class Made:
    """A face that is ready to be drawn."""

    rig: Rig
    kept: bytes
    """What is to be kept of the file; `make` makes the same face of it again."""
    about: tuple[str, ...]
    """What was found in it, in lines for people."""
    device: str = "cpu"
    why: str = ""
    """Why that device, in one line."""

    def write_sheet(self, file: Path) -> None:
        """A sheet of the face as PNG, readable by its owner alone: at rest, talking, blinking, turning, in moods.
        Raises `OSError`."""
        import cv2

        from avatar.sheet import poses, sheet

        _, data = cv2.imencode(".png", cv2.cvtColor(sheet(self.rig, poses()), cv2.COLOR_RGB2BGR))
        write_private(file, data.tobytes())


class Making:
    """Makes faces of one size. Everything here blocks, for up to a second or some, and may run in any thread."""

    def __init__(self, settings: FaceSection, cache: Path) -> None:
        """`cache` is where models and compiled code are kept between runs."""
        self._settings = settings
        self._cache = cache

    def fetch(self, progress: Callable[[str, int, int], None]) -> None:
        """Have the networks that find a face here; `progress` is told a name, the bytes that are here, and how
        many there will be (0: unknown). Raises `EngineMissing`."""
        from avatar.portrait import models

        self._cache.mkdir(parents=True, exist_ok=True)
        with _translated():
            models.fetch(self._cache, lambda done, total: progress("the networks", done, total or 0))

    def make(self, kind: Kind, data: bytes, name: str) -> Made:
        """The face of a file. Raises `FaceUnfit` with what to take instead, after `name`, and `EngineMissing`."""
        with _translated(name):
            match kind:
                case "head":
                    return self._head(data)
                case "photo":
                    return self._photo(data)
                case "clip":
                    return self._clip(data)

    def _head(self, data: bytes) -> Made:
        from avatar.head.report import describe
        from avatar.head.rig import load

        cache = self._cache / "head"
        cache.mkdir(parents=True, exist_ok=True)
        rig = load(data, width=self._settings.width, height=self._settings.height, cache=cache)
        return Made(rig, data, describe(data).lines, why="3D heads are drawn on the CPU")

    def _photo(self, data: bytes) -> Made:
        from avatar.portrait.make import Studio
        from avatar.portrait.photo import plain

        kept = plain(data)
        puppet = Studio(self._cache).portrait(kept, self._settings.width, self._settings.height)
        device: Device = self._settings.device
        chosen = choose(puppet, device)
        return Made(chosen.rig, kept, ("one face, sharp and large enough",), chosen.device, chosen.why)

    def _clip(self, data: bytes) -> Made:
        from avatar.portrait.clip import clip

        made = clip(data, self._settings.width, self._settings.height, self._cache)
        return Made(made, data, (f"one face in {made.seconds:.1f} s of video",), why="clips are drawn on the CPU")


def kind_of(data: bytes) -> Kind:
    """By the first bytes; what is neither a 3D head nor a film is taken for a photo, which says what it is not."""
    if data[:4] == b"glTF":
        return "head"
    if data[4:8] == b"ftyp" and data[8:12] not in (b"avif", b"heic", b"heix", b"mif1"):
        return "clip"
    if data[:4] == b"\x1aE\xdf\xa3" or (data[:4] == b"RIFF" and data[8:12] == b"AVI "):
        return "clip"
    return "photo"


@contextmanager
def _translated(name: str = "") -> Iterator[None]:
    """The face's own errors as those of the program."""
    try:
        yield
    except FaceMissing as error:
        raise EngineMissing(str(error)) from None
    except FaceError as error:
        raise FaceUnfit(f"{os.path.basename(name)}: {error}" if name else str(error)) from None
