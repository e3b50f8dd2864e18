"""The keyed pattern: whether a cell is louder (+1) or softer (-1).

Whoever has no key sees fair coin tosses: the signs are the output of SHAKE-256. The cells of the token carry, on
top of such a sign, one bit of a random linear code: the parity of the token's 16 bits under the cell's own keyed
mask. So the best guess at a token is one Walsh-Hadamard transform over all 65,536 of them (`payload.py`).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from compliance.watermark.layout import BANDS, PERIOD_SLOTS, PRESENCE, REST, SHORT, layers

TOKEN_BITS = 32
SHORT_BITS = 16
_CELLS = PERIOD_SLOTS * BANDS

Signs = NDArray[np.int8]


@lru_cache(maxsize=512)
def presence(key: bytes) -> Signs:
    """The signs of the cells that say "this twin, this day", 0 elsewhere; (PERIOD_SLOTS, BANDS), read-only."""
    signs = np.where(layers() == PRESENCE, _tosses(key, b"presence"), 0).astype(np.int8)
    signs.setflags(write=False)
    return signs


@lru_cache(maxsize=64)
def code(key: bytes, layer: int, short: int = 0) -> tuple[Signs, NDArray[np.uint16]]:
    """The signs of a token's layer for the token 0 (0 elsewhere), and each cell's mask. Read-only.

    The rest of a token has a key of its own for every call, made from the day's and the token's beginning.
    """
    label = b"short" if layer == SHORT else b"rest" + short.to_bytes(2, "big")
    signs = np.where(layers() == layer, _tosses(key, label), 0).astype(np.int8)
    masks = np.frombuffer(_expanded(key, label + b" masks", 2 * _CELLS), dtype="<u2").reshape(PERIOD_SLOTS, BANDS)
    signs.setflags(write=False)
    return signs, masks


@lru_cache(maxsize=64)
def whole(key: bytes, call_token: int) -> Signs:
    """The signs of all cells for one call; shape (PERIOD_SLOTS, BANDS). Read-only."""
    short, rest = call_token >> SHORT_BITS, call_token & 0xFFFF
    signs = presence(key) + coded(*code(key, SHORT), short) + coded(*code(key, REST, short), rest)
    signs.setflags(write=False)
    return signs


def coded(signs: Signs, masks: NDArray[np.uint16], bits: int) -> Signs:
    """The signs of a layer that carries these 16 bits."""
    odd = np.bitwise_count(masks & np.uint16(bits)) & 1
    found: Signs = np.where(odd == 1, -signs, signs).astype(np.int8)
    return found


def _tosses(key: bytes, label: bytes) -> Signs:
    bits = np.unpackbits(np.frombuffer(_expanded(key, label, _CELLS // 8), dtype=np.uint8))
    return (bits.astype(np.int8) * 2 - 1).reshape(PERIOD_SLOTS, BANDS)


def _expanded(key: bytes, label: bytes, count: int) -> bytes:
    return hashlib.shake_256(b"ai-twin watermark 1\0" + len(key).to_bytes(1, "big") + key + label).digest(count)
