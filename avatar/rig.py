"""The contract of every face: the still part of its picture once, and the live part for the controls of a
frame."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from avatar.controls import Controls
from avatar.picture import Picture


class Rig(Protocol):
    """One person's face at one size, shared by all calls: drawing changes nothing in it, and threads may share it.

    It is loaded and warmed before the first call; nothing in here waits, downloads or reads a file.
    """

    @property
    def name(self) -> str:
        """Which kind of face: `illustrated`, `portrait`, `head`, ..."""
        ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def blank(self) -> Picture:
        """A new picture with all that never moves, for `draw` to be called on again and again."""
        ...

    def draw(self, controls: Controls, picture: Picture) -> None:
        """Draw the frame into a picture that came from `blank`. The result depends on `controls` alone, not on
        what was drawn before. Values outside their range count as the nearest within."""
        ...


@runtime_checkable
class Moving(Protocol):
    """A `Rig` whose picture also depends on the time: a clip that goes on by itself."""

    def draw_at(self, controls: Controls, picture: Picture, t_ms: float) -> None:
        """As `Rig.draw`, at `t_ms` of the call."""
        ...
