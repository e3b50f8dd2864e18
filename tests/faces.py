"""The networks that find faces in pictures, for tests that measure what a picture shows."""

from __future__ import annotations

import fcntl
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from avatar.errors import FaceMissing
from avatar.portrait import models
from avatar.portrait.landmarks import Landmarker

CACHE = "TWIN_TEST_FACES"
"""Names a folder that keeps the networks; else it is one of the user's cache."""


def faces_cache() -> Path:
    """The folder to hand to `Landmarker`, with the networks in it; they are downloaded where they are not here.

    Where they cannot be had the test is skipped; under `CI=true` it fails.
    """
    if find_spec("ai_edge_litert") is None:
        _without("ai-edge-litert is not installed: pip install 'ai-twin[portrait]'")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get(CACHE) or base / "ai-twin-tests" / "faces")
    folder.mkdir(parents=True, exist_ok=True)
    # The tests run in several processes, and one download is enough.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            models.fetch(folder)
        except FaceMissing as error:
            _without(str(error))
    return folder


@cache
def landmarker() -> Landmarker:
    """One for all tests of this process; they take turns."""
    return Landmarker(faces_cache())


def _without(why: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)
