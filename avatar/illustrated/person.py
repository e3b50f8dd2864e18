"""The illustrated face, ready to move."""

from __future__ import annotations

from avatar.flesh.bake import bake
from avatar.illustrated.draw import draw
from avatar.illustrated.look import Look
from avatar.puppet import Puppet


def illustrated(look: Look, width: int, height: int) -> Puppet:
    """About a second on one core at 512x512. Sides are even, 64 pixels or more."""
    return bake(draw(look, width, height), "illustrated")
