"""Which blend shapes make which control, whatever the model's tool called them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from avatar.controls import Control

_ARKIT: Final = """
    browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
    cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight
    eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft
    eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft
    mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight
    mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft
    mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft
    noseSneerRight tongueOut
"""
_WIDER: Final = """
    browInnerUpLeft browInnerUpRight mouthSmile mouthFrown eyesLookUp eyesLookDown tongueUp mouthOpen browDown
    browOuterUp cheekSquint eyeSquint eyeWide eyeBlink mouthStretch mouthPress mouthUpperUp mouthLowerDown
"""
ARKIT: Final = tuple(_ARKIT.split())
"""The 52 names that most tools agree on."""
_CANONICAL: Final = {name.lower(): name for name in (*ARKIT, *_WIDER.split())}
_LONGEST_FIRST: Final = sorted(_CANONICAL, key=len, reverse=True)
_OTHER_NAMES: Final = {"eyesclosed": "eyeBlink", "blink": "eyeBlink", "mouthsmileleftright": "mouthSmile"}
_VISEME: Final = re.compile(r"(?:viseme|vrc\.v|^v)[_.\- ]?(pp|ff|th|dd|kk|ch|ss|nn|rr|aa|e|ih|i|oh|o|ou|u)$")
_VISEMES: Final = {"ih": "i", "oh": "o", "ou": "u"}
_VROID: Final = re.compile(r"fcl_mth_(a|i|u|e|o)$")
_EXPRESSIONS: Final = {
    "ih": "i",
    "ou": "u",
    "ee": "e",
    "oh": "o",
    "aa": "a",
    "blinkleft": "blink_l",
    "blinkright": "blink_r",
    "joy": "happy",
    "sorrow": "sad",
    "fun": "relaxed",
}
_PRESETS: Final = frozenset(
    {
        "a",
        "i",
        "u",
        "e",
        "o",
        "blink",
        "blink_l",
        "blink_r",
        "happy",
        "angry",
        "sad",
        "relaxed",
        "surprised",
        "lookup",
        "lookdown",
        "lookleft",
        "lookright",
    }
)


def canonical(name: str) -> str | None:
    """The ARKit name (`jawOpen`), or `viseme:aa`, or `vrm:a` for a blend shape; None where it is none of them."""
    lowered = name[:120].lower()
    if match := _VISEME.search(lowered):
        return f"viseme:{_VISEMES.get(match[1], match[1])}"
    if match := _VROID.search(lowered):
        return f"vrm:{match[1]}"
    plain = re.sub(r"[_.\- ]l$", "left", re.sub(r"[_.\- ]r$", "right", lowered))
    plain = re.sub(r"[^a-z0-9]", "", plain)
    if plain in _OTHER_NAMES:
        return _OTHER_NAMES[plain]
    for known in _LONGEST_FIRST:
        # "Face_Shapes.eyeBlinkLeft" is one; "eyeBlinkLeftCorrective" is something else.
        if plain.endswith(known):
            return _CANONICAL[known]
    return None


def expression(name: str) -> str | None:
    """The same for the name of a VRM expression: its presets, and the ARKit names of "perfect sync"."""
    lowered = name[:120].lower()
    preset = _EXPRESSIONS.get(lowered, lowered)
    return f"vrm:{preset}" if preset in _PRESETS else canonical(name)


@dataclass(frozen=True, slots=True)
class Pinch:
    """One blend shape's share in a control, taken where `where` says: `all`, `left` or `right` of the face (the
    twin's own), the `upper` part of it (eyes and brows), the `lower` one, or two of them: `lower left`."""

    shape: str
    amount: float
    where: str = "all"


Recipe = tuple[Pinch, ...]


def _both(name: str, amount: float) -> Recipe:
    return Pinch(f"{name}Left", amount), Pinch(f"{name}Right", amount)


def _sided(*recipes: Callable[[str, str], Recipe]) -> Callable[[str], tuple[Recipe, ...]]:
    return lambda side: tuple(recipe(side, side.lower()) for recipe in recipes)


_SMILE: Final = _sided(
    lambda side, where: (Pinch(f"mouthSmile{side}", 1.0),),
    lambda side, where: (Pinch("mouthSmile", 1.0, where),),
    lambda side, where: (Pinch("vrm:happy", 0.6, f"lower {where}"),),
)
_FROWN: Final = _sided(
    lambda side, where: (Pinch(f"mouthFrown{side}", 1.0),),
    lambda side, where: (Pinch("mouthFrown", 1.0, where),),
    lambda side, where: (Pinch("vrm:sad", 0.7, f"lower {where}"),),
)
_CHEEK: Final = _sided(
    lambda side, where: (Pinch(f"cheekSquint{side}", 1.0), Pinch(f"eyeSquint{side}", 0.5)),
    lambda side, where: (Pinch(f"eyeSquint{side}", 0.6),),
    lambda side, where: (Pinch("cheekSquint", 1.0, where),),
    lambda side, where: (Pinch("vrm:happy", 0.25, f"upper {where}"),),
)
_BLINK: Final = _sided(
    lambda side, where: (Pinch(f"eyeBlink{side}", 1.0),),
    lambda side, where: (Pinch(f"vrm:blink_{where[0]}", 1.0),),
    lambda side, where: (Pinch("eyeBlink", 1.0, where),),
    lambda side, where: (Pinch("vrm:blink", 1.0, where),),
)
_EYE_WIDE: Final = _sided(
    lambda side, where: (Pinch(f"eyeWide{side}", 1.0),),
    lambda side, where: (Pinch("eyeWide", 1.0, where),),
    lambda side, where: (Pinch("vrm:surprised", 0.4, f"upper {where}"),),
)
_BROW_UP: Final = _sided(
    lambda side, where: (Pinch(f"browOuterUp{side}", 1.0),),
    lambda side, where: (Pinch("browOuterUp", 1.0, where),),
    lambda side, where: (Pinch("vrm:surprised", 0.6, f"upper {where}"),),
)
_BROW_DOWN: Final = _sided(
    lambda side, where: (Pinch(f"browDown{side}", 1.0),),
    lambda side, where: (Pinch("browDown", 1.0, where),),
    lambda side, where: (Pinch("vrm:angry", 0.7, f"upper {where}"),),
)

RECIPES: Final[dict[Control, tuple[Recipe, ...]]] = {
    Control.JAW_OPEN: (
        (Pinch("jawOpen", 1.0),),
        (Pinch("mouthOpen", 1.0),),
        (Pinch("viseme:aa", 1.3),),
        (Pinch("vrm:a", 1.2),),
    ),
    Control.LIPS_PUCKER: ((Pinch("mouthPucker", 1.0),), (Pinch("viseme:u", 1.0),), (Pinch("vrm:u", 0.8),)),
    Control.LIPS_FUNNEL: ((Pinch("mouthFunnel", 1.0),), (Pinch("viseme:o", 0.9),), (Pinch("vrm:o", 0.6),)),
    Control.LIPS_WIDE: (
        (*_both("mouthStretch", 0.7), *_both("mouthSmile", 0.2)),
        (*_both("mouthSmile", 0.5),),
        (Pinch("viseme:i", 0.8),),
        (Pinch("viseme:e", 0.8),),
        (Pinch("vrm:i", 0.7),),
    ),
    Control.LIPS_PRESS: (
        (*_both("mouthPress", 0.5), Pinch("mouthRollLower", 0.5), Pinch("mouthRollUpper", 0.5)),
        (Pinch("mouthRollLower", 0.6), Pinch("mouthRollUpper", 0.6)),
        (Pinch("viseme:pp", 1.0),),
    ),
    Control.LIP_TUCK: (
        (Pinch("mouthRollLower", 0.8), *_both("mouthUpperUp", 0.2)),
        (Pinch("mouthRollLower", 0.8),),
        (Pinch("viseme:ff", 1.0),),
    ),
    Control.UPPER_LIP_UP: (_both("mouthUpperUp", 1.0), (Pinch("mouthUpperUp", 1.0),), (Pinch("viseme:ss", 0.4),)),
    Control.LOWER_LIP_DOWN: (
        _both("mouthLowerDown", 1.0),
        (Pinch("mouthLowerDown", 1.0),),
        (Pinch("viseme:ss", 0.5),),
    ),
    Control.SMILE_LEFT: _SMILE("Left"),
    Control.SMILE_RIGHT: _SMILE("Right"),
    Control.FROWN_LEFT: _FROWN("Left"),
    Control.FROWN_RIGHT: _FROWN("Right"),
    Control.TONGUE_UP: ((Pinch("tongueUp", 1.0),),),
    Control.TONGUE_OUT: ((Pinch("tongueOut", 0.35),), (Pinch("viseme:th", 1.0),)),
    Control.CHEEK_RAISE_LEFT: _CHEEK("Left"),
    Control.CHEEK_RAISE_RIGHT: _CHEEK("Right"),
    Control.BLINK_LEFT: _BLINK("Left"),
    Control.BLINK_RIGHT: _BLINK("Right"),
    Control.EYE_WIDE_LEFT: _EYE_WIDE("Left"),
    Control.EYE_WIDE_RIGHT: _EYE_WIDE("Right"),
    Control.BROW_INNER_UP: (
        (Pinch("browInnerUp", 1.0),),
        _both("browInnerUp", 1.0),
        (Pinch("vrm:sad", 0.6, "upper"),),
    ),
    Control.BROW_OUTER_UP_LEFT: _BROW_UP("Left"),
    Control.BROW_OUTER_UP_RIGHT: _BROW_UP("Right"),
    Control.BROW_DOWN_LEFT: _BROW_DOWN("Left"),
    Control.BROW_DOWN_RIGHT: _BROW_DOWN("Right"),
}
"""What makes a control, best first: the first whose shapes are all there is taken."""

LOOKS: Final[dict[tuple[Control, int], tuple[Recipe, ...]]] = {
    (Control.GAZE_X, 1): (
        (Pinch("eyeLookOutLeft", 1.0), Pinch("eyeLookInRight", 1.0)),
        (Pinch("vrm:lookleft", 1.0),),
    ),
    (Control.GAZE_X, -1): (
        (Pinch("eyeLookInLeft", 1.0), Pinch("eyeLookOutRight", 1.0)),
        (Pinch("vrm:lookright", 1.0),),
    ),
    (Control.GAZE_Y, 1): (_both("eyeLookUp", 1.0), (Pinch("eyesLookUp", 1.0),), (Pinch("vrm:lookup", 1.0),)),
    (Control.GAZE_Y, -1): (
        _both("eyeLookDown", 1.0),
        (Pinch("eyesLookDown", 1.0),),
        (Pinch("vrm:lookdown", 1.0),),
    ),
}
"""The same for where the eyes look: towards the viewer's right is the twin's own left."""

_EYE: Final = re.compile(
    r"eye(?!.*(lash|brow|lid|shadow|wet|occl|line|glass|extra|tear|lens))|cornea|iris|sclera", re.I
)
_LEFT: Final = re.compile(r"left|(^|[_.\- ])l($|[_.\- ])", re.I)
_RIGHT: Final = re.compile(r"right|(^|[_.\- ])r($|[_.\- ])", re.I)


def eye_of(name: str) -> str | None:
    """`left`, `right` or `both` where a name is an eye's, otherwise None."""
    if not _EYE.search(name):
        return None
    left, right = bool(_LEFT.search(name)), bool(_RIGHT.search(name))
    return "both" if left == right else "left" if left else "right"
