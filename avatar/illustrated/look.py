"""How the illustrated person looks: a closed list of choices, and a pleasant one for any name."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Final

from avatar.illustrated.palette import CLOTH, EYES, HAIR, LIPSTICK, SKIN

CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "skin": tuple(SKIN),
    "face": ("oval", "round", "square", "heart", "long"),
    "features": ("soft", "even", "strong"),
    "hair": (
        "bald", "buzz", "crop", "side part", "quiff", "curly", "afro", "bob", "fringe", "long", "wavy", "bun",
    ),
    "hair_colour": tuple(HAIR),
    "eyes": tuple(EYES),
    "brows": ("thin", "natural", "full"),
    "beard": ("none", "stubble", "moustache", "goatee", "short", "full"),
    "glasses": ("none", "round", "square"),
    "lipstick": ("none", *LIPSTICK),
    "clothes": ("suit", "shirt", "sweater", "turtleneck", "tee", "hoodie", "blouse"),
    "cloth_colour": tuple(CLOTH),
    "background": ("plain", "gradient", "office", "bookshelf", "room"),
    "background_colour": tuple(CLOTH),
}  # fmt: skip
"""What each part of a look can be."""

STRENGTH: Final = {"soft": 0.08, "even": 0.42, "strong": 0.8}


@dataclass(frozen=True, slots=True)
class Look:
    """Every part is one of its `CHOICES`; a wrong one raises ValueError, which lists them."""

    skin: str = "light"
    face: str = "oval"
    features: str = "even"
    """How soft or strong jaw, brows, neck and shoulders are."""
    hair: str = "side part"
    hair_colour: str = "brown"
    """Of brows and beard too."""
    eyes: str = "hazel"
    brows: str = "natural"
    beard: str = "none"
    glasses: str = "none"
    lipstick: str = "none"
    clothes: str = "suit"
    cloth_colour: str = "navy"
    background: str = "office"
    background_colour: str = "sky"
    """Of the plain and the gradient background; the others have colours of their own."""
    age: float = 0.15
    """0 to 1: how deep folds and creases are."""

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ValueError(f"{name} is one of {', '.join(choices)}; got {value!r}")
        if isinstance(self.age, bool) or not isinstance(self.age, int | float) or not 0 <= self.age <= 1:
            raise ValueError(f"age is a number from 0 to 1; got {self.age!r}")

    @property
    def strength(self) -> float:
        return STRENGTH[self.features]

    @staticmethod
    def of(name: str) -> Look:
        """The same for the same name, on every machine. Only the picture of a stranger: it knows nothing about the
        person of that name."""
        digest = hashlib.sha256(name.strip().casefold().encode()).digest()

        def one(index: int, *choices: str) -> str:
            return choices[digest[index] % len(choices)]

        soft = digest[0] & 1 == 1
        skin = one(1, *SKIN)
        dark_hair = ("black", "black", "espresso", "brown")
        light_hair = ("espresso", "brown", "chestnut", "auburn", "blond", "blond", "grey")
        dark_skinned = skin in ("olive", "tan", "brown", "deep", "ebony")
        return Look(
            skin=skin,
            face=one(2, "oval", "heart", "round") if soft else one(2, "oval", "square", "long"),
            features="soft" if soft else one(3, "strong", "even", "strong"),
            hair=one(4, "bob", "long", "wavy", "bun", "fringe")
            if soft
            else one(4, "crop", "side part", "quiff", "buzz", "curly"),
            hair_colour=one(5, *(dark_hair if dark_skinned else light_hair)),
            eyes=one(6, "brown", "dark", "brown") if dark_skinned else one(6, *EYES),
            brows="natural",
            # A name tells nothing about its bearer, and these would be wrong for one in two.
            beard="none",
            glasses=one(8, "none", "none", "none", "round", "square"),
            lipstick="none",
            clothes=one(10, "blouse", "sweater", "suit", "turtleneck")
            if soft
            else one(10, "suit", "shirt", "sweater", "tee"),
            cloth_colour=one(11, "navy", "charcoal", "teal", "sage", "burgundy", "cream", "sky"),
            background=one(12, "office", "gradient", "room", "bookshelf"),
            background_colour=one(13, "sky", "sage", "sand", "teal", "lavender"),
            age=0.1 + 0.3 * digest[14] / 255,
        )

    def as_settings(self) -> dict[str, str | float]:
        """What `Look(**settings)` takes."""
        return asdict(self)


NAMES: Final = tuple(field.name for field in fields(Look))
