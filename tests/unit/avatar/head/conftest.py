"""Compiled kernels and loaded heads, shared by the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from avatar.controls import Control, at_rest
from avatar.head.rig import HeadRig, load
from avatar.picture import Picture
from tests.unit.avatar.head.files import head

SIDE = 256


@pytest.fixture(scope="session")
def kernels_folder(pytestconfig: pytest.Config) -> Path | None:
    """Kept from one run to the next: compiling takes some seconds."""
    return Path(pytestconfig.cache.mkdir("head-kernels")) if pytestconfig.cache else None


@pytest.fixture(scope="session")
def rig(kernels_folder: Path | None) -> HeadRig:
    return load(head(), width=SIDE, height=SIDE, cache=kernels_folder)


def drawn(rig: HeadRig, **controls: float) -> Picture:
    """A frame with the controls of these names."""
    values = at_rest()
    for name, value in controls.items():
        values[Control[name]] = value
    picture = rig.blank()
    rig.draw(values, picture)
    return picture


def changed(one: Picture, other: Picture) -> npt.NDArray[np.bool_]:
    """Which pixels differ to the eye."""
    return np.asarray(np.abs(one.y.astype(int) - other.y.astype(int)) > 12)
