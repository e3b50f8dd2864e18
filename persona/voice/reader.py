"""From what is written to what is said: the owner's pronunciations first, then numbers and dates. Pure."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from persona.voice.pronunciation import FILE, Pronunciations, SayIpa, load
from persona.voice.reading import Read, read


class Reader:
    """Reads texts aloud on paper; one per process."""

    def __init__(self, pronunciations: Pronunciations | None = None, *, digest: str = "") -> None:
        """`digest` changes with the pronunciations."""
        self.digest = digest
        self._pronunciations = pronunciations or Pronunciations({})

    def read(self, text: str, language: str, say_ipa: SayIpa | None = None) -> Read:
        """`text` for a voice; `say_ipa` where the voice can be given phonemes."""
        # Private characters carry phonemes to the voice; those of people mean nothing.
        clean = text
        if any(unicodedata.category(c) == "Co" for c in text):
            clean = "".join("\ufffd" if unicodedata.category(c) == "Co" else c for c in text)
        fixed = self._pronunciations.replacements(clean, language, say_ipa)
        result = _read(clean, language) if not fixed else read(clean, language, fixed)
        return replace(result, written=text)


def of_home(home: Path) -> Reader:
    """With the owner's pronunciations, where there are any. Blocks for the disk. Raises `PersonaError`."""
    path = home / FILE
    if not path.exists():
        return Reader()
    pronunciations = load(path)
    return Reader(pronunciations, digest=hashlib.sha256(path.read_bytes()).hexdigest()[:16])


@lru_cache(maxsize=256)
def _read(text: str, language: str) -> Read:
    """Kept, as a sentence is often read twice: for one voice and, when that fails, for the next."""
    return read(text, language)
