"""How the owner talks, measured from their own words: statements, and their side of the examples.

What cannot be told yet is unknown and says how many words it takes; a manner guessed from thirty words would be
anybody's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from persona import commonplace, stylometry
from persona.home import Persona

ENOUGH_WORDS = 120
"""Words from which sentences can be measured."""
ENOUGH_FOR_PHRASES = 300
"""Words from which favourite turns can be told from chance."""
_MOST_SPOKEN = 20
"""Words in a sentence that a listener can follow."""


@dataclass(frozen=True, slots=True)
class Length:
    """Words per sentence."""

    low: float
    """A quarter of the sentences is shorter."""
    middle: float
    high: float
    """A quarter is longer."""


@dataclass(frozen=True, slots=True)
class Style:
    """How somebody talks in one language. `None` is unknown: too few words, or no occasion."""

    language: str
    words: int = 0
    """How many it was measured on."""
    sentences: int = 0
    length: Length | None = None
    contractions: float | None = None
    """Share of the places where two words could be spoken as one and were."""
    questions: float | None = None
    """Share of sentences."""
    exclamations: float | None = None
    """Share of sentences."""
    familiar: float | None = None
    """Share of "du" among du and Sie; for German alone."""
    fillers_per_100: float | None = None
    """All fillers in a hundred words: with contractions, the sign of spoken language."""
    fillers: tuple[str, ...] | None = None
    """Those the owner says more often than people do, commonest first."""
    phrases: tuple[str, ...] | None = None
    """Favourite turns, most telling first."""
    common: tuple[float, ...] = ()
    """How often each of the language's commonest words comes, in the order of `persona.commonplace`."""

    def lines(self) -> tuple[str, ...]:
        """For `twin doctor`: what was measured, a line each."""
        few = f"unknown: it takes {ENOUGH_WORDS} of the owner's own words, there are {self.words}"
        phrases = f"unknown: it takes {ENOUGH_FOR_PHRASES} of the owner's own words, there are {self.words}"
        enough = self.words >= ENOUGH_WORDS
        none = "unknown: there was no occasion" if enough else few
        length = self.length
        rows = [
            (f"words ({self.language})", f"{self.words} in {self.sentences} sentences"),
            (
                "words per sentence",
                f"{length.middle:g}, half of them {length.low:g} to {length.high:g}" if length else few,
            ),
            ("fillers", few if self.fillers is None else ", ".join(self.fillers) or "none of their own"),
            ("favourite turns", phrases if self.phrases is None else ", ".join(self.phrases) or "none found"),
            ("contractions", none if self.contractions is None else f"{self.contractions:.0%} of places"),
            ("questions", few if self.questions is None else f"{self.questions:.0%} of sentences"),
            ("exclamations", few if self.exclamations is None else f"{self.exclamations:.0%} of sentences"),
            ("spoken register", self._register() or few),
        ]
        if self.language.startswith("de"):
            rows.append(("du or Sie", none if self.familiar is None else _address(self.familiar)))
        return tuple(f"{name}: {value}" for name, value in rows)

    def instructions(self, *, length: bool = True, fillers: bool = True, phrases: bool = True) -> str:
        """For a prompt: two to four plain sentences on what was measured; empty when nothing was. What the owner
        has written down themselves is left out by the flags."""
        told: list[str] = []
        if length and self.length:
            told.append(_lengths(self.length))
        habits = [habit for habit in (self._contracting(), self._asking()) if habit]
        if habits:
            told.append(f"{' and '.join(habits).capitalize()}.")
        if phrases and self.phrases:
            told.append(f"Likes to say {_listed(self.phrases[:4])}; use one only where it fits.")
        if fillers and self.fillers:
            told.append(f"Sometimes begins or fills a sentence with {_listed(self.fillers[:4])}.")
        return " ".join(told)

    def _contracting(self) -> str:
        if self.contractions is None:
            return ""
        if self.contractions >= 0.7:
            return (
                "contracts words as in speech" if self.language.startswith("en") else "shortens words as in speech"
            )
        return "speaks without contractions" if self.contractions <= 0.3 else ""

    def _asking(self) -> str:
        if self.questions is None or self.exclamations is None:
            return ""
        if self.exclamations >= 0.15:
            return "exclaims often"
        return "often asks back" if self.questions >= 0.25 else "hardly ever exclaims"

    def _register(self) -> str:
        if self.length is None or self.fillers_per_100 is None:
            return ""
        signs = (
            (self.length.middle <= 12)
            + (self.fillers_per_100 >= 1.5)
            + (self.contractions is not None and self.contractions >= 0.6)
        )
        return ("written", "between written and spoken", "spoken", "spoken")[signs]


def own_words(persona: Persona, language: str) -> tuple[str, ...]:
    """The owner's own words in a language: statements for anyone's ears, when it is the profile's first, and the
    owner's side of the examples."""
    wanted, usual = _base(language), _base(persona.profile.languages[0])
    statements = [one.text for one in persona.statements if one.tell == "anyone"] if wanted == usual else []
    return (*statements, *(one.me for one in persona.examples if _base(one.language or usual) == wanted))


def measure(texts: Iterable[str], language: str) -> Style:
    """Measure somebody's own words; one text is a statement or an answer."""
    common = commonplace.of(language)
    read = stylometry.read(texts)
    words = [word for text in read for sentence in text for clause in sentence.clauses for word in clause]
    sentences = [sentence for text in read for sentence in text]
    style = Style(language=language, words=len(words), sentences=len(sentences))
    if len(words) < ENOUGH_WORDS or len(sentences) < 2:
        return style
    lengths = sorted(len(sentence) for sentence in sentences)
    low, _, high = quantiles(lengths, n=4, method="inclusive")
    plain = [sentence.text.lower() for sentence in sentences]
    fillers = stylometry.fillers(plain, common, len(words)) if common else None
    return Style(
        language=language,
        words=len(words),
        sentences=len(sentences),
        length=Length(low, median(lengths), high),
        contractions=stylometry.contractions(plain, common) if common else None,
        questions=sum(sentence.text.rstrip("\"'”’)").endswith("?") for sentence in sentences) / len(sentences),
        exclamations=sum(sentence.text.rstrip("\"'”’)").endswith("!") for sentence in sentences) / len(sentences),
        familiar=stylometry.familiar(sentences) if _base(language) == "de" else None,
        fillers_per_100=fillers[1] if fillers else None,
        fillers=fillers[0] if fillers else None,
        phrases=stylometry.phrases(read, common) if common and len(words) >= ENOUGH_FOR_PHRASES else None,
        common=stylometry.frequencies(words, common) if common else (),
    )


def distance(style: Style, text: str) -> float:
    """How far `text` is from the style: 0 is as the owner talks, 1 and more is as somebody else does.

    The mean over what can be compared: length of sentences, contractions, questions, address, fillers, favourite
    turns, and the frequencies of the commonest words, which give an author away best.
    """
    common = commonplace.of(style.language)
    read = [sentence for part in stylometry.read([text]) for sentence in part]
    words = [word for sentence in read for clause in sentence.clauses for word in clause]
    if style.length is None or not words:
        raise ValueError("the style is unknown or the text empty; there is nothing to compare")
    plain = [sentence.text.lower() for sentence in read]
    parts = [abs(math.log2(max(1.0, median(map(len, read))) / max(1.0, style.length.middle)))]
    asks = sum(sentence.text.endswith("?") for sentence in read) / len(read)
    parts.append(abs(asks - (style.questions or 0.0)))
    if _base(style.language) == "de":
        parts += _difference(stylometry.familiar(read, places=1), style.familiar)
    if common:
        parts += _difference(stylometry.contractions(plain, common, places=2), style.contractions)
        per_100 = stylometry.fillers(plain, common, len(words))[1]
        parts.append(min(1.0, abs(per_100 - (style.fillers_per_100 or 0.0)) / 5))
        favourites = (*(style.fillers or ()), *(style.phrases or ()))
        if favourites:
            joined = " ".join(words)
            said = sum(joined.count(phrase) for phrase in favourites)
            parts.append(max(0.0, 1 - said / max(1.0, len(words) / 40)))
        parts.append(stylometry.apart(stylometry.frequencies(words, common), style.common))
    return sum(parts) / len(parts)


def _lengths(length: Length) -> str:
    if length.middle > _MOST_SPOKEN:
        # Who writes long sentences is not understood in them on the telephone.
        return f"Likes long sentences; on the telephone keep them under {_MOST_SPOKEN} words."
    most = min(_MOST_SPOKEN, max(length.high, length.middle + 1))
    return f"Sentences have about {length.middle:.0f} words, seldom more than {most:.0f}."


def _address(familiar: float) -> str:
    if familiar >= 0.7:
        return f"du ({familiar:.0%})"
    return f"Sie ({1 - familiar:.0%})" if familiar <= 0.3 else f"both (du {familiar:.0%})"


def _listed(phrases: Sequence[str]) -> str:
    return ", ".join(f"'{phrase}'" for phrase in phrases)


def _base(language: str) -> str:
    return language.split("-")[0].lower()


def _difference(one: float | None, other: float | None) -> list[float]:
    return [] if one is None or other is None else [abs(one - other)]
