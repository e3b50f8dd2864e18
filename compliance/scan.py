"""Looking for what must be gone: the byte scan after an erasure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_HEAD = 8
"""Bytes that a needle is found by; a shorter text (yes, hello) says nothing about a person."""
_PIECE = 32
"""Longer texts are looked for in pieces, so that one that survives in part, or across pages, is found."""
_STEP = 4 * 1024 * 1024
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_BITS = 20


class Needles:
    """Byte strings of one person, found in any file in one pass, whatever their number."""

    def __init__(self, texts: Iterable[bytes], *, always: Iterable[bytes] = ()) -> None:
        """`texts` that are too short are left out; `always` are looked for however short."""
        always = set(always)
        pieces = {piece for text in texts for piece in _pieces(text)}
        pieces |= {text for text in always if len(text) >= _HEAD}
        self._short = sorted(text for text in always if 0 < len(text) < _HEAD)
        # By head and then by length: people begin sentences alike, so one head may have very many pieces.
        self._by_head: dict[int, dict[int, set[bytes]]] = {}
        for piece in pieces:
            lengths = self._by_head.setdefault(int.from_bytes(piece[:_HEAD], "little"), {})
            lengths.setdefault(len(piece), set()).add(piece)
        self._heads = np.array(sorted(self._by_head), dtype=np.uint64)
        self._table = np.zeros(1 << _BITS, dtype=np.bool_)
        self._table[_spread(self._heads)] = True
        self._longest = max((len(piece) for piece in (*pieces, *self._short)), default=1)
        self.count = len(pieces) + len(self._short)
        """How many byte strings are looked for."""

    def hits_in(self, data: bytes) -> dict[bytes, int]:
        """Which needles occur in `data`, and how often."""
        return self._hits(data, len(data))

    def hits_in_file(self, path: Path) -> tuple[dict[bytes, int], int]:
        """Which needles occur in the file, and how many bytes were read. Raises `OSError`."""
        hits: dict[bytes, int] = {}
        size = 0
        rest = b""
        with path.open("rb") as file:
            while chunk := file.read(_STEP):
                size += len(chunk)
                data = rest + chunk
                # A needle that begins in the last bytes may go on in the next chunk; it is counted there.
                keep = min(self._longest - 1, len(data))
                _add(hits, self._hits(data, len(data) - keep))
                rest = data[len(data) - keep :]
            _add(hits, self._hits(rest, len(rest)))
        return hits, size

    def _hits(self, data: bytes, stop: int) -> dict[bytes, int]:
        """Count the needles that begin before `stop`."""
        hits: dict[bytes, int] = {}
        for short in self._short:
            at = data.find(short, 0)
            while 0 <= at < stop:
                hits[short] = hits.get(short, 0) + 1
                at = data.find(short, at + 1)
        for shift in range(_HEAD if self._by_head else 0):
            count = (len(data) - shift) // _HEAD
            if count <= 0:
                break
            words = np.frombuffer(data, dtype="<u8", count=count, offset=shift)
            near = np.flatnonzero(self._table[_spread(words)])
            exact = near[np.isin(words[near], self._heads)]
            for at in (int(index) * _HEAD + shift for index in exact):
                if at >= stop:
                    break
                lengths = self._by_head[int.from_bytes(data[at : at + _HEAD], "little")]
                for length, pieces in lengths.items():
                    if (piece := data[at : at + length]) in pieces:
                        hits[piece] = hits.get(piece, 0) + 1
        return hits


def _pieces(text: bytes) -> Iterable[bytes]:
    if _HEAD <= len(text) <= _PIECE:
        yield text
    elif len(text) > _PIECE:
        for start in range(0, len(text) - _HEAD + 1, _PIECE):
            yield text[start : start + _PIECE]


def _spread(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return (words * _SPREAD) >> np.uint64(64 - _BITS)


def _add(hits: dict[bytes, int], more: dict[bytes, int]) -> None:
    for needle, count in more.items():
        hits[needle] = hits.get(needle, 0) + count
