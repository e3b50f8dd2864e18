"""Looking for what must be gone: the byte scan after an erasure."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_HEAD = 8
"""Bytes that a needle is found by; a shorter text (yes, hello) says nothing about a person."""
_PIECE = 32
"""Longer texts are looked for in pieces, so that one that survives in part, or across pages, is found."""
_STEP = 4 * 1024 * 1024
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_LEAST_BITS, _MOST_BITS = 20, 26
_MOST_UNPACKED = 1 << 30
"""An archive is read up to so many bytes: a small file can unpack to any size."""


class Needles:
    """Byte strings of one person, found in any file in one pass, whatever their number."""

    def __init__(self, texts: Iterable[bytes], *, always: Iterable[bytes] = (), most: int | None = None) -> None:
        """`texts` that are too short are left out; `always` are looked for however short.

        Of more than `most` byte strings evenly chosen ones are kept; `offered` says how many there were.
        """
        always = set(always)
        found = {piece for text in texts for piece in pieces(text)}
        names = {text for text in always if len(text) >= _HEAD}
        self._short = sorted(text for text in always if 0 < len(text) < _HEAD)
        self.offered = len(found | names) + len(self._short)
        """How many there are to look for; more than `count` when they were too many."""
        if most is not None and len(found) > most:
            ordered = sorted(found)
            found = {ordered[at * len(ordered) // most] for at in range(most)}
        found |= names
        # By head and then by length: people begin sentences alike, so one head may have very many pieces.
        self._by_head: dict[int, dict[int, set[bytes]]] = {}
        for piece in found:
            lengths = self._by_head.setdefault(int.from_bytes(piece[:_HEAD], "little"), {})
            lengths.setdefault(len(piece), set()).add(piece)
        self._heads = np.array(sorted(self._by_head), dtype=np.uint64)
        # Sixty-four places for each head, so that few places of a file have to be looked at twice.
        bits = min(max(_LEAST_BITS, (len(self._heads) * 64).bit_length()), _MOST_BITS)
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(1 << bits, dtype=np.bool_)
        self._table[self._spread(self._heads)] = True
        self._longest = max((len(piece) for piece in (*found, *self._short)), default=1)
        self.count = len(found) + len(self._short)
        """How many byte strings are looked for."""

    def hits_in(self, data: bytes) -> dict[bytes, int]:
        """Which needles occur in `data`, and how often."""
        return self._hits(data, len(data))

    def hits_in_file(self, path: Path) -> tuple[dict[bytes, int], int]:
        """Which needles occur in the file, and how many bytes were read. Raises `OSError`."""
        with path.open("rb") as file:
            return self.hits_in_stream(file)

    def hits_inside(self, path: Path) -> dict[bytes, int]:
        """Which needles occur in what a ZIP or gzip file holds; nothing for any other file. Raises `OSError`."""
        hits: dict[bytes, int] = {}
        try:
            for stream in _unpacked(path):
                _add(hits, self.hits_in_stream(stream, limit=_MOST_UNPACKED)[0])
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise OSError(0, f"an archive that cannot be read ({type(error).__name__})") from None
        return hits

    def hits_in_stream(self, file: BinaryIO, *, limit: int | None = None) -> tuple[dict[bytes, int], int]:
        """The same for an open file; one longer than `limit` raises `OSError`."""
        hits: dict[bytes, int] = {}
        size = 0
        rest = b""
        while chunk := file.read(_STEP):
            size += len(chunk)
            if limit is not None and size > limit:
                raise OSError(0, "an archive that unpacks to too much")
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
            near = np.flatnonzero(self._table[self._spread(words)])
            exact = near[np.isin(words[near], self._heads)]
            for at in (int(index) * _HEAD + shift for index in exact):
                if at >= stop:
                    break
                lengths = self._by_head[int.from_bytes(data[at : at + _HEAD], "little")]
                for length, known in lengths.items():
                    if (piece := data[at : at + length]) in known:
                        hits[piece] = hits.get(piece, 0) + 1
        return hits

    def _spread(self, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return (words * _SPREAD) >> self._shift


def pieces(text: bytes) -> Iterable[bytes]:
    """What a text is looked for by: itself, or when it is long every 32 bytes of it; nothing when it is short."""
    if _HEAD <= len(text) <= _PIECE:
        yield text
    elif len(text) > _PIECE:
        for start in range(0, len(text) - _HEAD + 1, _PIECE):
            yield text[start : start + _PIECE]


def _unpacked(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(b"\x1f\x8b"):
        with gzip.open(path) as packed:
            yield packed  # type: ignore[misc]
    elif head == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    yield member  # type: ignore[misc]


def _add(hits: dict[bytes, int], more: dict[bytes, int]) -> None:
    for needle, count in more.items():
        hits[needle] = hits.get(needle, 0) + count
