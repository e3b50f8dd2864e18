"""How the words feel, and how that shows in a face."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

from avatar.controls import Control
from avatar.noise import Waves, ease
from avatar.temper import Temper

if TYPE_CHECKING:
    from avatar.scene import Moment

_COMES_MS: Final = 700.0
_STAYS_MS: Final = 600.0
_GOES_MS: Final = 2_600.0
_NEGATED: Final = -0.5
_NEGATION_REACH: Final = 3
_TOKEN: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_CJK: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_KANA: Final = re.compile(r"[\u3040-\u30ff]")
_MOST_SMILE: Final = 0.8


class Tone(NamedTuple):
    valence: float
    """-1 grave, 0 plain, 1 joyful."""
    arousal: float
    """0 calm, 1 excited."""


@dataclass(frozen=True, slots=True)
class _Lexicon:
    common: frozenset[str]
    """Little words that tell the language."""
    negators: frozenset[str]
    words: dict[str, Tone]
    """One word each; of a language written without spaces, any piece of text."""
    phrases: dict[tuple[str, ...], Tone]


@cache
def _lexicons() -> tuple[dict[str, _Lexicon], dict[str, Tone]]:
    """By language, and the emoji."""
    data = tomllib.loads(resources.files("avatar").joinpath("mood.toml").read_text("utf-8"))
    tones = {name: Tone(*values) for name, values in data["tones"].items()}
    emoji = {sign: tones[name] for name, signs in data["emoji"].items() for sign in signs}
    lexicons = {}
    for language, entry in data["language"].items():
        known = {tuple(text.split()): tones[name] for name in tones for text in entry.get(name, ())}
        lexicons[language] = _Lexicon(
            frozenset(entry["common"]),
            frozenset(entry["negators"]),
            {text[0]: tone for text, tone in known.items() if len(text) == 1},
            {text: tone for text, tone in known.items() if len(text) > 1},
        )
    return lexicons, emoji


def tone_of(text: str) -> Tone:
    """The mood of a few words in any of the languages of `mood.toml`; the language is guessed from the words."""
    lexicons, emoji = _lexicons()
    found = [tone for sign, tone in emoji.items() if sign in text]
    if _CJK.search(text):
        found += _pieces(lexicons["ja" if _KANA.search(text) else "zh"], text.replace(" ", ""))
    else:
        tokens = [token.replace("’", "'") for token in _TOKEN.findall(text.lower())]
        found += _best(lexicons, tokens)
    valence, arousal = _together(found)
    exclaimed = min(text.count("!") + text.count("！"), 3)
    louder = 1.0 + 0.15 * exclaimed
    return Tone(min(max(valence * louder, -1.0), 1.0), min(arousal + 0.15 * exclaimed, 1.0))


def _together(found: list[Tone]) -> Tone:
    """Bad news outweighs good: who is sorry that it went well is not amused."""
    good = sum(tone.valence for tone in found if tone.valence > 0.0)
    bad = -sum(tone.valence for tone in found if tone.valence < 0.0)
    valence = math.tanh(1.2 * good) * (1.0 - min(bad / 0.5, 1.0)) - math.tanh(1.2 * bad)
    return Tone(valence, max((tone.arousal for tone in found), default=0.0))


def _best(lexicons: dict[str, _Lexicon], tokens: list[str]) -> list[Tone]:
    """By the language with the most little words in it; if there is none, the first that knows a word."""
    spaced = [lexicons[language] for language in lexicons if language not in ("ja", "zh")]
    hits = [sum(token in lexicon.common or token in lexicon.negators for token in tokens) for lexicon in spaced]
    most = max(hits)
    for lexicon, count in zip(spaced, hits, strict=True):
        if count == most and (found := _tokens(lexicon, tokens)):
            return found
    return []


def _tokens(lexicon: _Lexicon, tokens: list[str]) -> list[Tone]:
    found: list[Tone] = []
    negated = at = 0
    while at < len(tokens):
        phrase = next((words for words in lexicon.phrases if tuple(tokens[at : at + len(words)]) == words), None)
        tone = lexicon.phrases[phrase] if phrase else lexicon.words.get(tokens[at])
        negated = _NEGATION_REACH if tokens[at] in lexicon.negators and not phrase else max(negated - 1, 0)
        if tone is not None:
            found.append(Tone(tone.valence * _NEGATED, tone.arousal / 2.0) if negated else tone)
        at += len(phrase) if phrase else 1
    return found


def _pieces(lexicon: _Lexicon, text: str) -> list[Tone]:
    found: list[Tone] = []
    for piece in sorted(lexicon.words, key=len, reverse=True):
        at = text.find(piece)
        if at < 0:
            continue
        around = text[max(at - 2, 0) : at] + text[at + len(piece) : at + len(piece) + 5]
        tone = lexicon.words[piece]
        negated = any(negator in around for negator in lexicon.negators)
        found.append(Tone(tone.valence * _NEGATED, tone.arousal / 2.0) if negated else tone)
        text = text.replace(piece, "　" * len(piece))
    return found


class Mood:
    """Smile, brows and cheeks. A grave word takes the smile away before anything can bring one."""

    def __init__(self, seed: int, temper: Temper) -> None:
        self._temper = temper
        _lexicons()  # Read now: the first words come in the middle of a call.
        self._waves = Waves(seed, 41, ((0.03, 0.12), (0.04, 0.15)))

    def at(self, moment: Moment) -> Tone:
        """What shows now of what was said lately."""
        good = bad = aroused = 0.0
        for clause in moment.clauses:
            if clause.tone.valence == 0.0 and clause.tone.arousal == 0.0:
                continue
            comes = ease((moment.t_ms - clause.start_ms) / _COMES_MS)
            goes = 1.0 - ease((moment.t_ms - clause.over_ms - _STAYS_MS) / _GOES_MS)
            shown = comes * goes
            good += shown * max(clause.tone.valence, 0.0)
            bad += shown * max(-clause.tone.valence, 0.0)
            aroused += shown * clause.tone.arousal
        bad = math.tanh(1.2 * bad)
        return Tone(math.tanh(1.2 * good) * (1.0 - bad) ** 2 - bad, math.tanh(aroused))

    def add(self, values: list[float], mouth: float, moment: Moment) -> None:
        """`mouth` is how rounded the lips are: rounded lips do not smile."""
        tone = self.at(moment)
        shown = self._temper.emotion / 0.6
        good, bad = max(tone.valence, 0.0) * shown, min(max(-tone.valence, 0.0) * shown, 1.0)
        slow, uneven = self._waves.at(moment.t_ms)
        rest = (0.05 + 0.22 * self._temper.smile) * (1.0 + 0.5 * slow)
        smile = (rest + 1.4 * good * self._temper.smile) * (1.0 - min(1.6 * bad, 1.0)) ** 2
        smile = _MOST_SMILE * math.tanh(smile / _MOST_SMILE) * (1.0 - 0.6 * mouth)
        cheek = 0.55 * smile * smile / (smile + 0.15)
        values[Control.SMILE_LEFT] += smile * (1.0 + 0.06 * uneven)
        values[Control.SMILE_RIGHT] += smile * (1.0 - 0.06 * uneven)
        values[Control.CHEEK_RAISE_LEFT] += cheek
        values[Control.CHEEK_RAISE_RIGHT] += cheek
        values[Control.FROWN_LEFT] += 0.16 * bad
        values[Control.FROWN_RIGHT] += 0.16 * bad
        values[Control.BROW_INNER_UP] += 0.5 * bad + 0.08 * good
        values[Control.BROW_DOWN_LEFT] += 0.12 * bad
        values[Control.BROW_DOWN_RIGHT] += 0.12 * bad
        lift = 0.3 * max(tone.arousal - bad, 0.0) * shown * (0.4 + self._temper.liveliness)
        values[Control.BROW_OUTER_UP_LEFT] += lift
        values[Control.BROW_OUTER_UP_RIGHT] += lift
        values[Control.BROW_INNER_UP] += 0.7 * lift
        values[Control.EYE_WIDE_LEFT] += 0.4 * lift
        values[Control.EYE_WIDE_RIGHT] += 0.4 * lift
