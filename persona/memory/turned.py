"""A turn of the space of vectors that only one person's key knows.

Turned by the same secret, two vectors keep their angle, so that a store can search among one person's; without
the secret a vector says nothing of the words it was made from. It does say which of a person's are alike.
"""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from numpy.typing import NDArray

SECRET_BYTES = 32
_MIRRORS = 16
"""Reflections one after another: enough that every number of the result hangs on every number of the vector."""


class Turn:
    """One person's turn of vectors of `dims` numbers. Making it is cheap; the first use takes a millisecond."""

    def __init__(self, secret: bytes, dims: int) -> None:
        self._secret = secret
        self._dims = dims

    def turned(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Vectors (n, dims) as they are stored; lengths and the angles between them stay."""
        order, signs, mirrors = self._parts
        result: NDArray[np.float64] = vectors.astype(np.float64)[:, order] * signs
        for mirror in mirrors:
            result -= np.outer(2 * (result @ mirror), mirror)
        return result.astype(np.float32)

    @cached_property
    def _parts(self) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
        # Not numpy's generators: their numbers may differ in its next version, and what is stored must still fit.
        numbers = _stream(self._secret, (2 + _MIRRORS) * self._dims).reshape(2 + _MIRRORS, self._dims)
        order = np.argsort(numbers[0], kind="stable")
        signs = np.where(numbers[1] & 1, 1.0, -1.0)
        mirrors = numbers[2:].astype(np.float64) / 2**63 - 1
        return order, signs, mirrors / np.linalg.norm(mirrors, axis=1, keepdims=True)


def _stream(secret: bytes, count: int) -> NDArray[np.uint64]:
    key = hashlib.sha256(b"twin memory vectors\x00" + secret).digest()
    cipher = Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor()
    return np.frombuffer(cipher.update(bytes(8 * count)), dtype="<u8")
