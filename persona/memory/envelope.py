"""A memory as bytes: what is sealed under the person's key, and all that is stored of it.

Four bytes say how long the JSON is that follows, and after it come the numbers of its vector, of two bytes each.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona.source import Memory

_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Page:
    """A memory with its vector, unless that was made by another embedder."""

    memory: Memory
    vector: NDArray[np.float32] | None


def packed(memory: Memory, vector: NDArray[np.float32], *, embedder: str) -> bytes:
    """For `unpacked`. `embedder` is the name of the one that made the vector."""
    head = json.dumps({**asdict(memory), "embedder": embedder}, ensure_ascii=False).encode("utf-8", "replace")
    return len(head).to_bytes(_LENGTH_BYTES, "big") + head + vector.astype("<f2").tobytes()


def unpacked(data: bytes, *, embedder: str, dims: int) -> Page:
    """What `packed` was given. Raises `ValueError` when it is something else."""
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    fields: dict[str, Any] = json.loads(data[_LENGTH_BYTES:end])
    made_by = fields.pop("embedder")
    try:
        memory = Memory(**fields)
    except TypeError as error:
        raise ValueError("a memory with other fields than this version knows") from error
    if made_by != embedder or len(data) - end != 2 * dims:
        return Page(memory, None)
    return Page(memory, np.frombuffer(data, dtype="<f2", offset=end).astype(np.float32))
