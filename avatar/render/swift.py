"""A puppet on the CPU that can be drawn at once and soon faster: by OpenCV until the compiled kernels are there.

Numba compiles them once on a machine, for some seconds, and keeps them beside their file or where NUMBA_CACHE_DIR
says; from then on a process loads them in less than one. Either happens in a thread beside.
"""

from __future__ import annotations

import atexit
import threading

from avatar.controls import Controls
from avatar.picture import Picture
from avatar.puppet import Puppet
from avatar.render.cpu import CpuPuppet
from avatar.rig import Rig


class SwiftPuppet:
    """A `Rig` for a puppet. Its pictures differ by no more than rounding before and after it has become swift."""

    def __init__(self, puppet: Puppet) -> None:
        self._rig: Rig = CpuPuppet(puppet)
        self._puppet: Puppet | None = puppet
        self._lacking = "its kernels are made ready"
        self._beside = threading.Thread(target=self._hasten, name="face-kernels", daemon=True)
        # Nobody has to end it; but a process must not end while LLVM is at work in it.
        atexit.register(self._beside.join)
        self._beside.start()

    @property
    def name(self) -> str:
        return self._rig.name

    @property
    def width(self) -> int:
        return self._rig.width

    @property
    def height(self) -> int:
        return self._rig.height

    @property
    def lacking(self) -> str:
        """Why OpenCV draws it; nothing once the kernels do."""
        return self._lacking

    def wait(self, timeout_s: float) -> bool:
        """Whether the kernels draw it, now or within that time."""
        self._beside.join(timeout_s)
        return not self._lacking

    def blank(self) -> Picture:
        return self._rig.blank()

    def draw(self, controls: Controls, picture: Picture) -> None:
        """See `Rig`. A value that is no number counts as 0."""
        self._rig.draw(controls, picture)

    def _hasten(self) -> None:
        puppet, self._puppet = self._puppet, None
        assert puppet is not None
        try:
            # Only here: it imports numba, which takes some tenths of a second.
            from avatar.render.fused import FusedPuppet

            self._rig = FusedPuppet(puppet)
            self._lacking = ""
        except Exception as error:  # noqa: BLE001  numba and LLVM fail in ways of their own; OpenCV goes on
            self._lacking = f"numba fails ({type(error).__name__})"
        atexit.unregister(self._beside.join)
