"""The words of a text as they are written: what a timeline counts, and what the transcript keeps."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

_TOKEN = re.compile(r"\S+")
# Han, hiragana and katakana are written without spaces; one sentence would be one word, and a barge-in could
# only keep all or nothing of it. So there each character is a word, with the marks that belong to it.
_UNSPACED = re.compile(r"[\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_CONTINUES = re.compile(r"[\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087\u308e\u3099-\u309e"
                        r"\u30a1\u30a3\u30a5\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7\u30ee\u30fc-\u30fe]")  # fmt: skip
_CLAUSE_END = frozenset(".,;:!?…。，、；：！？؟،।")
_VOWELS = re.compile(r"[aeiouyà-öø-ýÿāăąēĕėęěīĭįıōŏőœūŭůűųαεηιουωάέήίόύώаеёиоуыэюяіїє]+")
_SAID = frozenset("&@#%*/\\_")  # punctuation to Unicode, words to a voice
_SENTENCE_END = frozenset(".!?…。！？؟।")


@dataclass(frozen=True, slots=True)
class Written:
    """One written word and where it stands, in code points of the text."""

    text: str
    start: int
    end: int

    @property
    def spoken(self) -> bool:
        """False for a dash, a bracket or an ellipsis that stands alone: it is a pause, not a sound."""
        return any(unicodedata.category(c)[0] in "LNS" or c in _SAID for c in self.text)

    @property
    def units(self) -> float:
        """How long it takes to say, in syllables or so; 0 when it is not spoken."""
        return _units(self.text) if self.spoken else 0.0

    @property
    def pause(self) -> int:
        """The break after the word: 0 none, 1 a clause's, 2 a sentence's."""
        tail = self.text.rstrip("\"'’”»)]}」』）")[-1:]
        return 2 if tail in _SENTENCE_END and tail else 1 if tail in _CLAUSE_END and tail else 0


def _units(word: str) -> float:
    """Vowel groups where the script shows them; digits and capitals by name; else by letters."""
    letters = "".join(c for c in word if unicodedata.category(c)[0] == "L")
    others = sum(1.6 for c in word if c.isdigit()) + sum(2.0 for c in word if c in _SAID)
    others += sum(2.5 for c in word if unicodedata.category(c)[0] == "S")
    if not letters:
        return others or 1.0
    if 1 < len(letters) <= 5 and letters.isupper() and letters.isascii():
        return others + len(letters)
    if _UNSPACED.match(letters[0]):
        return others + len(letters)
    groups = len(_VOWELS.findall(letters.lower()))
    syllables = groups if groups else len(letters) / 2.2
    # Consonants take time too: "strengths" is longer than "a".
    return others + max(0.7 * syllables + 0.1 * len(letters), 0.5)


def written_words(text: str) -> tuple[Written, ...]:
    """Every word of `text`, in order, with its punctuation attached: what `text.split()` gives, except that
    Chinese and Japanese are cut at each character. Unpaired surrogates become U+FFFD."""
    words = []
    for token in _TOKEN.finditer(text):
        cuts = [token.start(), *_cuts(token.group(), token.start()), token.end()]
        words += [Written(encodable(text[a:b]), a, b) for a, b in pairwise(cuts)]
    return tuple(words)


def _cuts(token: str, offset: int) -> Iterable[int]:
    """Where a token is cut: before each unspaced character and after a run of them, marks kept with the
    character before them, opening brackets with the one after."""
    for index in range(1, len(token)):
        before, here = token[index - 1], token[index]
        if not (_UNSPACED.match(here) or _UNSPACED.match(before)) or _CONTINUES.match(here):
            continue
        here_stands = unicodedata.category(here)[0] in "LN" or unicodedata.category(here) in ("Ps", "Pi")
        if here_stands and unicodedata.category(before) not in ("Ps", "Pi"):
            yield offset + index


def joined(words: Iterable[str]) -> str:
    """Written words as running text again: a space between them, none between unspaced characters."""
    text = ""
    for word in words:
        if not text or not word:
            text += word
            continue
        bare = text.rstrip("。、，！？：；」』）…")
        tight = bool(_UNSPACED.match(bare[-1:])) and bool(_UNSPACED.match(word.lstrip("「『（")[:1]))
        text += word if tight else f" {word}"
    return text


def speakable(text: str) -> str:
    """`text`, of the same length, with everything that is no writing turned into spaces.

    Control characters go because espeak-ng takes some as commands (`\\x01` sets speed and pitch), private-use
    ones because it uses them internally, unpaired surrogates because they cannot be encoded.
    """
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") else c for c in text)


def encodable(text: str) -> str:
    """`text` with unpaired surrogates, which no file or socket takes, as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
