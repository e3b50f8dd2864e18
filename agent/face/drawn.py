"""The illustrated face, drawn once and then kept: drawing it takes seconds, reading it a moment."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from importlib import resources
from pathlib import Path

from agent.face.enrolled import write_private
from avatar.errors import FaceError
from avatar.flesh.bake import bake
from avatar.flesh.storage import from_bytes, to_bytes
from avatar.illustrated.draw import draw
from avatar.illustrated.look import Look
from avatar.puppet import Puppet

logger = logging.getLogger(__name__)

FOLDER = "faces"
_CODE = ("avatar.illustrated", "avatar.flesh")
"""Whatever changes in these draws another face."""


def puppet(look: Look, width: int, height: int, cache: Path | None) -> Puppet:
    """The face of this look and size, from `cache` where it is there; None keeps nothing. Not for the loop."""
    if cache is None:
        return bake(draw(look, width, height), "illustrated")
    file = cache / FOLDER / f"{_digest(look, width, height)}.face"
    try:
        return from_bytes(file.read_bytes())
    except (OSError, FaceError):
        # Not there, of another version or damaged: drawn anew all the same.
        made = bake(draw(look, width, height), "illustrated")
    _keep(file, to_bytes(made))
    return made


def _keep(file: Path, data: bytes) -> None:
    """Whole or not at all, and instead of the faces of earlier settings."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, data)
        for other in file.parent.glob("*.face"):
            # What begins with a dot is being written by another process.
            if other != file and not other.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):
                    other.unlink()
    except OSError as error:
        logger.warning("the face could not be kept", extra={"error": type(error).__name__})


def _digest(look: Look, width: int, height: int) -> str:
    digest = hashlib.sha256(json.dumps([look.as_settings(), width, height], sort_keys=True).encode())
    for package in _CODE:
        for source in sorted(resources.files(package).iterdir(), key=lambda entry: entry.name):
            if source.name.endswith(".py"):
                digest.update(source.read_bytes())
    return digest.hexdigest()[:32]
