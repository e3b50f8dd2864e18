"""Sentences as vectors: the one question an embedder answers, and our own answer, which needs no model.

Ours counts words and pieces of words, each at a place and with a sign that a hash gives it. It knows nothing of
meaning, but finds a word again in another ending, a typing error, or inside a German compound.
"""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

DIMS = 384


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORD = re.compile(r"[^\W_]+")
_PIECES = (3, 4, 5)
"""Lengths of the pieces of a word, in characters."""
_PIECES_WEIGHT = 1.0
"""What all pieces of a word weigh together, beside the word itself."""
_COMMON_WEIGHT = 0.1
_COMMON = _listed(
    """a about an and any are as at be been but by can could did do does for from go going had has have he hello
    her here hers hey him his how i if in is it its just know let like me my no not now of okay on or our please
    she should so some tell than thank thanks that the their them then there they this to up us very was we were
    what when where which who whom whose why will with would yes you your
    aber als am an auch auf aus bei bin bitte da danke das dass dein deine dem den denn der des die doch du ein
    eine einem einen einer es etwas euch fur ganz gern gerne guten habe haben hallo hast hat hatte ich ihm ihn
    ihnen ihr ihre im ist ja kann kannst konnen konnten man mein meine meinem meinen meiner mich mir mit mochte
    muss nach nein nicht noch nun oder schon sehr sein seine sich sie sind soll tag um und uns unser von war
    waren warum was wann weil welche wenn wer wie wieder will wir wird wissen wo wollen wurde zu zum zur uber"""
)
"""Words that are in every sentence, without accents; in other languages the shortest words stand for them."""


class Embedder(Protocol):
    """Turns sentences into vectors whose scalar product says how alike they are."""

    name: str
    """Vectors of different names cannot be compared."""
    dims: int
    in_ram: bool
    """True when it answers at once without input or output, so that a question can be embedded within a call; any
    other blocks, and is used from a thread."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, (n, dims); zeros for a text without words. Blocks. Raises `EngineError`."""


class LocalEmbedder:
    """Hashed words and pieces of words: the same on every machine and in every version."""

    in_ram = True

    def __init__(self, dims: int = DIMS) -> None:
        self.name = f"local-{dims}-1"
        self.dims = dims

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, (n, dims); zeros for a text without words."""
        vectors = np.zeros((len(texts), self.dims), dtype=np.float32)
        # Only for this call: a cache that lasts would hold people's words after they were forgotten.
        known: dict[str, tuple[NDArray[np.intp], NDArray[np.float64]]] = {}
        for row, text in zip(vectors, texts, strict=True):
            counts = Counter(words(text))
            if not counts:
                continue
            places, values = [], []
            for word, count in counts.items():
                if word not in known:
                    known[word] = self._features(word)
                where, what = known[word]
                places.append(where)
                values.append(what if count == 1 else what * (1 + math.log(count)))
            row[:] = np.bincount(np.concatenate(places), np.concatenate(values), minlength=self.dims)
        return unit(vectors)

    def _features(self, word: str) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        marked = f"<{word}>"
        pieces = [marked[at : at + size] for size in _PIECES for at in range(len(marked) - size + 1)]
        hashes = [zlib.crc32(part.encode()) for part in (f"={word}", *pieces)]
        weights = np.full(len(hashes), _PIECES_WEIGHT / math.sqrt(max(1, len(pieces))))
        weights[0] = 1.0
        weights *= weight(word)
        signs = np.array([1.0 if number & 1 else -1.0 for number in hashes])
        return np.array([(number >> 1) % self.dims for number in hashes], dtype=np.intp), weights * signs


def words(text: str) -> list[str]:
    """The words of a text, in small letters and without accents, so that `Grüße` and `grusse` are one."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(mark for mark in folded if not unicodedata.combining(mark)))


def weight(word: str) -> float:
    """How much a word says, 0 to 1, before anything is known of the texts it is in."""
    return _COMMON_WEIGHT if word in _COMMON or (len(word) <= 2 and not word.isdigit()) else 1.0


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row to length one; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
