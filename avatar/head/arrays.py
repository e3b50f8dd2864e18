"""The arrays that the kernels work on."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

F32: TypeAlias = npt.NDArray[np.float32]
F64: TypeAlias = npt.NDArray[np.float64]
I32: TypeAlias = npt.NDArray[np.int32]
U8: TypeAlias = npt.NDArray[np.uint8]


class Mesh(NamedTuple):
    """What never changes: N vertices, M triangles, S surfaces, C channels; heads are 1 high and look along z."""

    positions: F32
    """(N, 3)."""
    normals: F32
    """(N, 3)."""
    uv: F32
    """(N, 2)."""
    base: F32
    """(N, 4): colour and alpha, linear, of the vertex and its material."""
    kind: U8
    """(N,): the `Shading` of the surface."""
    gloss: F32
    """(N,): how smooth it is, 0 to 1."""
    shade: F32
    """(N, 3): a toon's colour in the dark, relative to `base`."""
    sky: F32
    """(N, 2): how open to the sky, mouth shut and open."""
    sun: F32
    """(N,): how much of the key light arrives."""
    follow: F32
    """(N,): how much of the head's motion it takes."""
    weld: I32
    """(N,): which point in space with which normal; vertices on a texture's seam share one."""
    triangles: I32
    """(M, 3): the opaque, then the masked, then the blended from back to front."""
    surface: I32
    """(M,)."""
    double: U8
    """(M,): seen from behind too."""
    live: I32
    """Triangles that some channel moves."""
    live_vertices: I32
    live_rest: F32
    """(N, 3): the unit normals that the live triangles give the live vertices at rest."""
    starts: I32
    """(C + 1,): where each channel's moves begin in the two that follow."""
    moved: I32
    moves: F32
    """(..., 3)."""
    eyes: I32
    """The vertices that turn with an eye."""
    eye_share: F32
    """(len(eyes), 2): with the left and the right one."""
    pivots: F32
    """(3, 3): of the left eye, the right eye, the head."""
    texels: U8
    """All textures, one after the other, RGBA."""
    texture: I32
    """(S, 3): where a surface's texture begins in `texels`, its width and height; width 0 is none."""
    look: F32
    """(S, 2): its `Shading`, and the alpha below which it is not there."""
    camera: F32
    """focal length in samples, distance, height, and where its axis meets the region, x and y in samples."""


class Scratch(NamedTuple):
    """What one thread draws with."""

    positions: F32
    normals: F32
    welded: F32
    lights: F32
    """(N, 4): red, green, blue that a white texture would show, linear; and the highlight on top."""
    screen: F32
    """(N, 3): x and y in samples of the region, and one over the distance."""
    setup: F64
    """(M, 6): what takes a sample to the weights of a triangle's second and third corner. With half the digits,
    two neighbours would now and then disagree on their common edge and leave a hole."""
    depth: F32
    """(2 * height, 2 * width): one over the distance of what is nearest, 0 where nothing is."""
    ids: I32
    """The triangle that is nearest; undefined where `depth` is 0."""
    rgb: U8
    """(height, width, 3) of the region."""
