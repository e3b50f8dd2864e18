"""A hair style is masses of strands in three places."""

from __future__ import annotations

from dataclasses import dataclass

from avatar.illustrated.curve import Line, line, smooth
from avatar.illustrated.strands import Mass


@dataclass(frozen=True, slots=True)
class Style:
    """A head of hair, each part back to front."""

    behind: tuple[Mass, ...] = ()
    """Behind neck and shoulders."""
    head: tuple[Mass, ...] = ()
    """On the skull; it moves with the head as one."""
    front: tuple[Mass, ...] = ()
    """Hangs over face and shoulders."""
    shorn: Line | None = None
    """Where hair of a millimetre grows."""


def outline(*points: tuple[float, float]) -> Line:
    return smooth(line(*points), closed=True)
