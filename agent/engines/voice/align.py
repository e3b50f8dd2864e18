"""Word times that a service reports, put onto the words as written. Pure.

Services report what they said, not what was written: other spelling, numbers in words, single characters,
punctuation apart, words left out. Their letters are matched in order against the letters of the text; a
written word begins where its first matched letter does.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.engines.voice.written import written_words
from channels.spoken import Word

_LOOK_AHEAD = 48
"""Letters of the text that one reported word may skip; more is taken for a word that was never written."""


class Alignment:
    """One sentence."""

    def __init__(self, text: str) -> None:
        self._written = written_words(text)
        self._letters: list[str] = []
        self._owner: list[int] = []
        for index, word in enumerate(self._written):
            letters = _letters(word.text)
            self._letters += letters
            self._owner += [index] * len(letters)
        self._text = "".join(self._letters)
        self._at = 0  # the first letter not matched yet
        self._starts_ms: dict[int, float] = {}
        self._latest_ms = 0.0
        self._given = 0
        self._end_ms = 0.0

    @property
    def heard_any(self) -> bool:
        """True when at least one reported word was found in the text."""
        return bool(self._starts_ms)

    def report(self, words: Iterable[tuple[str, float]]) -> None:
        """Take in reported words with their starts in seconds from the first sample of the sentence."""
        for token, start_s in words:
            letters = "".join(_letters(token))
            if not letters:
                continue
            # A single letter is found anywhere, so it may not look ahead.
            reach = len(letters) + (_LOOK_AHEAD if len(letters) > 1 else 0)
            found = self._text.find(letters, self._at, self._at + reach)
            if found < 0:
                continue
            self._latest_ms = max(self._latest_ms, 1000 * start_s)
            for place in range(found, found + len(letters)):
                self._starts_ms.setdefault(self._owner[place], self._latest_ms)
            self._at = found + len(letters)

    def ready(self, audio_ms: float) -> tuple[Word, ...]:
        """The words whose end is known, because the next one's start is, and lies in the audio so far."""
        words: list[Word] = []
        for index in sorted(self._starts_ms):
            start_ms = self._starts_ms[index]
            if index > self._given and start_ms <= audio_ms:
                words += self._give(index, start_ms)
        return tuple(words)

    def finish(self, audio_ms: float) -> tuple[Word, ...]:
        """The rest of the words, to the end of what sounds in the audio."""
        words: list[Word] = []
        for index in sorted(self._starts_ms):
            if index > self._given:
                words += self._give(index, min(self._starts_ms[index], audio_ms))
        words += self._give(len(self._written), audio_ms)
        return tuple(words)

    def _give(self, until: int, end_ms: float) -> list[Word]:
        """Words from the first not given up to `until`: the first of them begins where it was reported, those
        that were not reported share its time by their weight."""
        waiting = self._written[self._given : until]
        if not waiting:
            return []
        start_ms = min(max(self._starts_ms.get(self._given, self._end_ms), self._end_ms), end_ms)
        units = [word.units for word in waiting]
        whole = sum(units)
        words, done = [], 0.0
        for word, unit in zip(waiting, units, strict=True):
            begin, done = done, min(done + (unit / whole if whole else 1 / len(waiting)), 1.0)
            words.append(
                Word(word.text, start_ms + begin * (end_ms - start_ms), start_ms + done * (end_ms - start_ms))
            )
        self._given = until
        self._end_ms = end_ms
        return words


def _letters(word: str) -> list[str]:
    """One string per letter or digit, case folded; `ß` folds to two letters and stays one place each."""
    return [folded for c in word for folded in c.casefold() if folded.isalnum()]
