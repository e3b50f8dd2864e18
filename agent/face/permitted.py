"""The owner's likeness is shown only while the owner's consent stands."""

from __future__ import annotations

from agent.permission import Permit
from avatar.controls import Controls
from avatar.picture import Picture
from avatar.rig import Rig


class Permitted:
    """A `Rig` of the owner's likeness that is another's from the very frame at which the owner's consent ends."""

    def __init__(self, own: Rig, other: Rig, permit: Permit) -> None:
        """Both are of one size. `own` is let go of when the consent ends, so that memory forgets it too."""
        if (own.width, own.height) != (other.width, other.height):
            raise ValueError(f"faces of two sizes: {own.width}x{own.height}, {other.width}x{other.height}")
        self._shown = own
        self._other = other
        self._permit = permit
        self._blank = other.blank()

    @property
    def name(self) -> str:
        return self._rig.name

    @property
    def width(self) -> int:
        return self._other.width

    @property
    def height(self) -> int:
        return self._other.height

    def blank(self) -> Picture:
        return self._rig.blank()

    def draw(self, controls: Controls, picture: Picture) -> None:
        """See `Rig`."""
        self._prepared(picture).draw(controls, picture)

    def draw_at(self, controls: Controls, picture: Picture, t_ms: float) -> None:
        """The same at a time of the clock, for a face whose background goes by it."""
        rig = self._prepared(picture)
        at = getattr(rig, "draw_at", None)
        if at is None:
            rig.draw(controls, picture)
        else:
            at(controls, picture, t_ms)

    def _prepared(self, picture: Picture) -> Rig:
        rig = self._rig
        if rig is self._other:
            # The picture may still hold the owner's background.
            picture.i420[...] = self._blank.i420
        return rig

    @property
    def _rig(self) -> Rig:
        # It does not come back by itself: a face that changes to and fro is worse than the wrong one.
        if not self._permit.valid:
            self._shown = self._other
        return self._shown
