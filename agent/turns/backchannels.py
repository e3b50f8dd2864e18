"""Words of listening, which do not take the turn: "mm-hmm", "yeah", "right"."""

from __future__ import annotations

import re
from collections.abc import Iterable


class Backchannels:
    """Tells them from what somebody means to say."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases = frozenset(_normal(phrase) for phrase in phrases)
        self._words = frozenset(word for phrase in self._phrases for word in phrase.split())

    def more_than(self, text: str) -> bool:
        """True when the words are more than listening."""
        normal = _normal(text)
        if not normal or normal in self._phrases:
            return False
        return any(word not in self._words for word in normal.split())


def _normal(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s']", " ", text.lower()).split())
