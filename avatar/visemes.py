"""From a speech sound to what the mouth does for it: the table `visemes.toml`, for every sound espeak-ng has."""

from __future__ import annotations

import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar.controls import Control

Floats = npt.NDArray[np.float32]

MOUTH: Final = (
    Control.JAW_OPEN,
    Control.LIPS_PUCKER,
    Control.LIPS_FUNNEL,
    Control.LIPS_WIDE,
    Control.LIPS_PRESS,
    Control.LIP_TUCK,
    Control.UPPER_LIP_UP,
    Control.LOWER_LIP_DOWN,
    Control.TONGUE_UP,
    Control.TONGUE_OUT,
)
"""The controls that speech moves; the columns of all arrays in here."""

_NAMES = ("jaw", "pucker", "funnel", "wide", "press", "tuck", "upper", "lower", "tongue_up", "tongue_out")
ROUNDING: Final = (_NAMES.index("pucker"), _NAMES.index("funnel"), _NAMES.index("wide"))
"""The columns that come ahead of their sound by more than the others."""
_TONGUE = (_NAMES.index("tongue_up"), _NAMES.index("tongue_out"))

CLOSURES: Final = ("lips", "teeth")
"""Sounds whose shape the mouth must reach: p b m, and f v."""

_table: dict[str, Any] = tomllib.loads(Path(__file__).with_name("visemes.toml").read_text("utf-8"))
SHAPES: Final = tuple(_table["shapes"])


def _row(values: dict[str, Any]) -> list[float]:
    return [float(values.get(name, 0.0)) for name in _NAMES]


def _grips(shape: dict[str, Any]) -> list[float]:
    grips = [float(shape["grip"])] * len(_NAMES)
    for column in ROUNDING:
        grips[column] = float(shape["round"])
    for column in _TONGUE:
        grips[column] = float(shape["tongue"])
    return grips


TARGETS: Final[Floats] = np.array([_row(shape) for shape in _table["shapes"].values()], np.float32)
"""Shape (shapes, MOUTH): where each shape wants the mouth."""
GRIPS: Final[Floats] = np.array([_grips(shape) for shape in _table["shapes"].values()], np.float32)
"""Likewise, how much it cares, against the sounds around it."""
CLOSES: Final = tuple(
    CLOSURES.index(shape["closes"]) if "closes" in shape else -1 for shape in _table["shapes"].values()
)
"""Which closure a shape is, or -1."""
CLOSURE_TARGETS: Final[Floats] = np.array([_row(_table["closures"][name]) for name in CLOSURES], np.float32)
CLOSURE_FIRMNESS: Final[Floats] = np.array(
    [_row(_table["closures"][name]["firm"]) for name in CLOSURES], np.float32
)
"""Shape (closures, MOUTH): how much a closure decides about a control, from 0 to 1."""

_VOWELS = frozenset("iɪeɛæaɑʌəɜɔoʊuyøœ")
VOWEL: Final = tuple(name in _VOWELS for name in SHAPES)
"""Whether a shape is a vowel's: its opening follows the loudness."""

_LETTERS = {letter: SHAPES.index(name) for name, letters in _table["letters"].items() for letter in letters}
_STOPS = frozenset("pbtdkgɡcɟqɢʈɖ")
_LONG = "ːˑ"
_FLOW = SHAPES.index("ə")
_ROUNDED = {SHAPES.index(plain): SHAPES.index(rounded) for plain, rounded in (("ə", "ɜ"), ("ʌ", "ɔ"), ("i", "y"))}
_FRICATION = frozenset(SHAPES.index(name) for name in ("hiss", "hush", "teeth", "side", "back", "near", "between"))


@lru_cache(maxsize=1024)
def shapes_of(ipa: str) -> tuple[tuple[int, float], ...]:
    """The shapes that make up a sound, as indices into `SHAPES`, each with its share of the time.

    A diphthong glides from one vowel to the next, an affricate from the stop to its release. Stress, tone,
    nasality and what else cannot be seen is ignored; a letter that is not in the table counts as the Latin
    letter it is made from, any other letter as a schwa. Empty for what is no sound at all.
    """
    parts: list[tuple[int, float]] = []
    previous = ""
    for sign in unicodedata.normalize("NFD", ipa):
        # NFD takes the cedilla off: ç is a sound of its own.
        if sign == "\u0327" and previous == "c":
            parts[-1] = (_LETTERS["ç"], parts[-1][1])
            continue
        if sign in _LONG and parts:
            parts[-1] = (parts[-1][0], parts[-1][1] * (1.6 if sign == "ː" else 1.25))
            continue
        if sign in "ʷᶣ" and parts:
            parts.append((SHAPES.index("w"), 0.5 * parts[-1][1]))
            continue
        if sign == "˞" and parts:
            parts[-1] = (_ROUNDED.get(parts[-1][0], parts[-1][0]), parts[-1][1])
            continue
        shape = _shape(sign)
        if shape is None:
            continue
        if previous in _STOPS and shape in _FRICATION and parts:
            parts[-1] = (parts[-1][0], 0.5)
        parts.append((shape, 1.0))
        previous = sign
    whole = sum(share for _, share in parts)
    return tuple((shape, share / whole) for shape, share in parts)


def stressed(ipa: str) -> bool:
    """Whether the sound has the main stress of its word."""
    return "ˈ" in ipa


def _shape(sign: str) -> int | None:
    """The shape of one sign; None for marks, which make no sound of their own."""
    if sign in _LETTERS:
        return _LETTERS[sign]
    if unicodedata.category(sign) not in ("Ll", "Lu", "Lo"):
        return None
    # "LATIN SMALL LETTER D WITH TAIL" is a kind of d.
    words = unicodedata.name(sign, "").split()
    base = words[words.index("LETTER") + 1] if "LETTER" in words[:-1] else ""
    if len(base) == 1 and words[0] == "LATIN":
        return _LETTERS.get(base.lower(), _FLOW)
    return _FLOW
