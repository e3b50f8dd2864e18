"""An artwork as one flat picture: the face at rest, without a puppet."""

from __future__ import annotations

import numpy as np

from avatar.flesh.contours import Artwork
from avatar.puppet import Rgb


def flat(artwork: Artwork) -> Rgb:
    """All pieces over each other, back to front."""
    picture = artwork.plate.astype(np.float32)
    pieces = [artwork.behind, artwork.body, artwork.head, *(front.image for front in artwork.front)]
    for piece in pieces:
        if piece is not None:
            alpha = piece[..., 3:].astype(np.float32) / 255
            picture += (piece[..., :3].astype(np.float32) - picture) * alpha
    return np.asarray(np.clip(picture + 0.5, 0, 255), np.uint8)
