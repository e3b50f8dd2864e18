"""Words as the ranking sees them: normalised, stemmed lightly, common synonyms folded together, per language.

What is known of a language is data (`persona/language/*.toml`). A language without such a file is read word by
word as it is written, and text without spaces between words (Chinese, Japanese, Thai) by pairs of letters.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from persona.stemming import STEMMERS, folded

DESCRIBED = ("en", "de")
"""Languages with a file of their own."""
_SURE_MARKS = 3
"""How many of its little words a text must have to be taken for a language that was not expected."""
_UNSPACED = re.compile("([\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+)")


class Language:
    """How the words of one language are told apart."""

    def __init__(self, code: str, data: dict[str, Any]) -> None:
        self.code = code
        self._forms: Callable[[str], tuple[str, ...]] = STEMMERS[data.get("stemmer", "")]
        self._fold: Callable[[str], str] = folded if code == "de" else str
        numbers = data.get("numbers", "").split()
        self._numbers = {str(number): word for number, word in enumerate(numbers)}
        self._stop = frozenset(self._fold(data.get("stop", "")).split())
        self._marks = frozenset(data.get("marks", "").split())
        self._phrases = [(re.compile(pattern), f" {to} ") for pattern, to in data.get("phrases", ())]
        self._same: dict[str, str] = {}
        for head, words in data.get("same", {}).items():
            # German stems meet their head; English ones do not, or "building" would be the same as "build".
            for form in self._forms(head) if code == "de" else (head,):
                self._same.setdefault(form, head)
            self._same |= dict.fromkeys(words.split(), head)
        self.stem = lru_cache(maxsize=50_000)(self._stem)
        self.asking = frozenset(self.stem(word) for word in data.get("asking", "").split())
        """Words that say what is wanted, but not of what; they count for less."""
        self._related: dict[str, dict[str, None]] = {}
        for asked, words in data.get("answers", {}).items():
            stems = dict.fromkeys(self.stem(self._fold(word)) for word in words.split())
            self._related.setdefault(self.stem(asked), {}).update(stems)
        groups = [self._fold(group).split() for group in data.get("related", "").split(",")]
        for group in groups:
            stems = dict.fromkeys(map(self.stem, group))
            for stem in stems:
                self._related.setdefault(stem, {}).update(stems)
        self.lexicon = frozenset(word for group in groups for word in group)
        """Common words, besides those that the owner uses."""
        endings = sorted(data.get("derived", "").split(), key=len, reverse=True)
        self._derived = re.compile(rf"(?<=\w{{4}})({'|'.join(endings)})$") if endings else None
        self.short = frozenset(data.get("short", "").split())
        """Words of three letters that other words are made of."""

    @property
    def compounds(self) -> bool:
        """True when words are made by joining words."""
        return self.code in ("de", "nl", "sv", "da", "no", "nb", "nn", "fi")

    def words(self, text: str) -> list[str]:
        """The words of `text` that matter, as they are written, in order."""
        text = self._fold(plain(text))
        for pattern, replacement in self._phrases:
            text = pattern.sub(replacement, text)
        words = _apart(text.replace("'", " ").split())
        return [word for word in words if word not in self._stop and len(word) > 1]

    def terms(self, text: str) -> list[str]:
        """The words that matter, as stems, in order; a word may come twice."""
        return [self.stem(word) for word in self.words(text)]

    def related(self, stem: str) -> Iterable[str]:
        """Stems that are near it in meaning."""
        return (other for other in self._related.get(stem, ()) if other != stem)

    def root(self, stem: str) -> str:
        """What a stem shares with the words that are made of it, or that it is made of."""
        return self._derived.sub("", stem.removesuffix("e")).removesuffix("e") if self._derived else stem

    def marked(self, words: Iterable[str]) -> int:
        """How many of the words are this language's little words."""
        return sum(word in self._marks for word in words)

    def _stem(self, word: str) -> str:
        """The word without its commonest endings, after synonyms."""
        forms = self._forms(self._numbers.get(word, word))
        return next((self._same[form] for form in forms if form in self._same), forms[-1])


def plain(text: str) -> str:
    """Lower case, no accents, no punctuation but the apostrophe, single spaces."""
    text = unicodedata.normalize("NFKD", text.replace("’", "'").lower())
    text = "".join(ch for ch in text if not unicodedata.combining(ch))
    return " ".join(re.sub(r"[^\w']+", " ", text).split())


@lru_cache(maxsize=32)
def language(code: str) -> Language:
    """The language of a code such as `de` or `en-GB`; read from its file once, when it is first asked for."""
    base = code.lower().split("-")[0].split("_")[0]
    if base != code:
        return language(base)
    if base not in DESCRIBED:
        return Language(base, {})
    text = files("persona.language").joinpath(f"{base}.toml").read_text(encoding="utf-8")
    return Language(base, tomllib.loads(text))


def terms(text: str) -> list[str]:
    """The words of an English text that matter, as stems."""
    return language("en").terms(text)


def language_of(text: str, expected: Sequence[str]) -> Language:
    """The language of a text, the first of `expected` when nothing tells. `expected` must not be empty."""
    words = plain(text).split()
    usual = max((language(code) for code in expected), key=lambda known: known.marked(words))
    marked = usual.marked(words)
    for code in DESCRIBED:
        if (count := language(code).marked(words)) >= _SURE_MARKS and count > 2 * marked:
            return language(code)
    return usual if marked else language(expected[0])


def _apart(words: Iterable[str]) -> Iterable[str]:
    for word in words:
        if word.isascii() or not _UNSPACED.search(word):
            yield word
            continue
        for run in filter(None, _UNSPACED.split(word)):
            pairs = [run[at : at + 2] for at in range(max(1, len(run) - 1))]
            yield from pairs if _UNSPACED.match(run) else (run,)
