"""`python -m tests.unit.avatar.render.drawn_by_torch FROM TO`: draw the frames of one file into another, by
torch."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np

from avatar.puppet import Puppet
from avatar.render.torch import TorchPuppet, TorchPuppets
from tests.unit.avatar.puppets import checker_head

SKINS = ((225, 180, 150), (120, 80, 60), (250, 215, 200))


def main() -> None:
    import torch

    torch.set_num_threads(1)
    asked = np.load(sys.argv[1])
    width, height = asked["size"].tolist()
    faces = [checker_head(width, height, skin) for skin in SKINS]
    one = TorchPuppet(faces[0], "cpu")
    picture = one.blank()
    one.draw(asked["controls"][0], picture)
    np.savez(
        sys.argv[2],
        one=picture.i420,
        first=TorchPuppets(faces[:1]).draw(asked["controls"]).numpy(),
        many=TorchPuppets(faces).draw(asked["controls"], asked["faces"]).numpy(),
        uneven=TorchPuppets([lacking(faces[0]), faces[1]]).draw(asked["controls"], asked["faces"] % 2).numpy(),
    )


def lacking(face: Puppet) -> Puppet:
    """The face without its body and its blush."""
    kept = tuple(layer for layer in face.layers if layer.name not in ("body", "blush"))
    return dataclasses.replace(face, layers=kept)


if __name__ == "__main__":
    main()
