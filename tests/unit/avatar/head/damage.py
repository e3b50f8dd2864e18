"""Files that were damaged on purpose, in ways that a seed decides."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

from tests.unit.avatar.head.files import packed, unpacked

_ODD: tuple[Any, ...] = (
    -1,
    0,
    1,
    3,
    77,
    2**31,
    2**63,
    1e9,
    1e300,
    10**400,
    -1e300,
    0.5,
    "x",
    "",
    None,
    True,
    [],
    {},
    [[]],
    [0, 0],
)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """A GLB file with something wrong: bytes changed, the end missing, or values in its document replaced."""
    way = int(rng.integers(4))
    if way == 0:
        return data[: int(rng.integers(len(data)))]
    if way == 1:
        changed = bytearray(data)
        for at in rng.integers(len(data), size=int(rng.integers(1, 12))):
            changed[at] = int(rng.integers(256))
        return bytes(changed)
    document, binary = unpacked(data)
    if way == 2:
        changed = bytearray(binary)
        for at in rng.integers(len(binary) // 4, size=int(rng.integers(1, 40))):
            odd = (float("nan"), float("inf"), 1e38, -1e38, 1e-40)[int(rng.integers(5))]
            struct.pack_into("<f", changed, int(at) * 4, odd)
        return packed(document, bytes(changed))
    for _ in range(int(rng.integers(1, 4))):
        _replace(document, rng)
    try:
        return packed(document, binary)
    except ValueError:
        return json.dumps(str(document)).encode()


def _replace(tree: Any, rng: np.random.Generator) -> None:
    """One value somewhere in it by an odd one, or nothing."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            return
        key = keys[int(rng.integers(len(keys)))]
        if isinstance(tree[key], dict | list) and rng.random() < 0.85:
            tree = tree[key]
            continue
        if isinstance(tree, dict) and rng.random() < 0.2:
            del tree[key]
        else:
            tree[key] = _ODD[int(rng.integers(len(_ODD)))]
        return
