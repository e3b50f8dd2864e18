"""Words without their endings, per language.

Light on purpose: a stem only has to be the same for the question and for the owner's text. Each function gives the
forms of a word from what is written to the stem, so that a list of synonyms can name any of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_ENDINGS = (("ation", ""), ("ing", ""), ("ed", ""), ("ly", ""))
_DIGRAPH = re.compile(r"(?<![aeqo])([aou])e(?=[^e]|$)")
_DERIVED = re.compile(r"(?<=\w{4})(ung|atur|ier|in|heit|keit)$")
"""What makes nouns of verbs and women of men: one asks for the repair, the other says what was repaired."""
_JOINED = re.compile(r"^(an|auf|aus|ab|ein|vor|mit|um|nach|weg|her|hin|zuruck|los)(zu|ge)(?=\w{4})")


def english(word: str) -> tuple[str, ...]:
    singular = word
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        singular = word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]
    stem = singular[:-3] + "y" if len(singular) > 4 and singular.endswith("ied") else singular
    for ending, rest in _ENDINGS:
        if stem.endswith(ending) and len(stem) - len(ending) >= 3:
            stem = stem[: -len(ending)] + rest
            break
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "aeiouls":
        stem = stem[:-1]
    if len(stem) > 3 and stem.endswith("e"):
        stem = stem[:-1]
    return word, singular, stem


def german(word: str) -> tuple[str, ...]:
    """After CISTEM (Weissweiler and Fraser, 2017), with separable verbs joined: `anzurufen`, `angerufen`."""
    joined = _JOINED.sub(r"\1", word)
    stem = joined
    if len(stem) >= 6 and stem.startswith("ge"):
        stem = stem[2:]
    stem = _uninflected(stem)
    derived = _DERIVED.sub("", stem)
    return word, joined, stem if derived == stem else _uninflected(derived)


def _uninflected(stem: str) -> str:
    # Kept together while endings are cut: "sch", "ei", "ie", and double letters, of which one is as good as two.
    stem = stem.replace("sch", "$").replace("ei", "%").replace("ie", "&")
    stem = re.sub(r"(.)\1", r"\1*", stem)
    while len(stem) > 3:
        if len(stem) > 5 and stem.endswith(("em", "er", "nd")):
            stem = stem[:-2]
        elif stem[-1] in "tesn":
            stem = stem[:-1]
        else:
            break
    return re.sub(r"(.)\*", r"\1\1", stem).replace("$", "sch").replace("%", "ei").replace("&", "ie")


def no_language(word: str) -> tuple[str, ...]:
    return (word,)


STEMMERS: dict[str, Callable[[str], tuple[str, ...]]] = {"english": english, "german": german, "": no_language}


def folded(text: str) -> str:
    """German as it is written without umlauts: `Küche` and `Kueche` become `kuche`, `Straße` becomes `strasse`."""
    return _DIGRAPH.sub(r"\1", text.replace("ß", "ss"))
