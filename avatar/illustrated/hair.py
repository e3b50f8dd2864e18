"""The hair styles by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from avatar.illustrated.cropped import afro, bun, buzz, crop, curly, quiff, side_part
from avatar.illustrated.hanging import bob, fringe, long, wavy
from avatar.illustrated.style import Style

STYLES: Final[dict[str, Callable[[], Style]]] = {
    "bald": Style,
    "buzz": buzz,
    "crop": crop,
    "side part": side_part,
    "quiff": quiff,
    "curly": curly,
    "afro": afro,
    "bob": bob,
    "fringe": fringe,
    "long": long,
    "wavy": wavy,
    "bun": bun,
}
