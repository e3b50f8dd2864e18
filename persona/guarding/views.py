"""A text as whoever wants to smuggle it may have meant it: without disguise.

`views` returns further readings of a text, each with the name of the disguise; the rules are tried on all of them.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]"
)
_ALIKE = str.maketrans(
    "аеорсухіјѕԁӏԛԝАВЕКМНОРСТУХІЈЅαβεικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdlqwABEKMHOPCTYXIJSabeiknoptuxABEZHIKMNOPTYX",
)
_LEET = str.maketrans("013457@$!|", "oieastasil")
_SPELLED = re.compile(r"(?<!\w)(?:\w[\s.\-_*,/]{1,3}){3,}\w(?!\w)")
_WIDE_GAP = re.compile(r"\s{2,}")
_GAP = re.compile(r"[\s.\-_*,/]+")
_BASE64 = re.compile(r"(?<![\w+/])[A-Za-z0-9+/\-_]{6,}={0,2}(?![\w+/])")
_HEX = re.compile(r"(?<!\w)(?:0x)?(?:[0-9a-fA-F]{2}[\s:]?){3,}(?!\w)")
_ALPHABETS = """
    alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa
    quebec romeo sierra tango uniform victor whiskey whisky xray yankee zulu anton berta casar dora emil friedrich
    gustav heinrich ida julius kaufmann ludwig martha nordpol otto paula quelle richard samuel theodor ulrich
    viktor wilhelm xanthippe ypsilon zacharias
"""
_SPELLING_WORDS = {word: word[0] for word in _ALPHABETS.split()}
_WORD = re.compile(r"\w+")
_LONGEST = 2_000


def visible(text: str) -> str:
    """The text as it looks: without invisible marks, and with look-alike letters as the plain ones."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    # Whole texts in Cyrillic or Greek stay as they are: only letters among Latin ones are a disguise.
    if re.search("[A-Za-z]", text):
        text = text.translate(_ALIKE)
    return text


@lru_cache(maxsize=1024)
def views(text: str) -> tuple[tuple[str, str], ...]:
    """Other readings of `text` (already `visible`), each after the name of its disguise."""
    text = text[-_LONGEST:]
    found = [(name, other) for name, other in _readings(text) if other.strip() and other != text]
    return tuple(dict.fromkeys(found))


def _readings(text: str) -> Iterator[tuple[str, str]]:
    if _SPELLED.search(text):
        yield "spelled", " ".join(_spelled(part) for part in _WIDE_GAP.split(text))
    words = _WORD.findall(text)
    lower = [word.lower() for word in words]
    if sum(word in _SPELLING_WORDS for word in lower) >= 3:
        yield "alphabet", _by_alphabet(lower)
    if any(_mixed(word) for word in words):
        yield "leet", text.translate(_LEET)
    yield "reversed", text[::-1]
    if len(words) > 1:
        yield "reversed words", " ".join(reversed(words))
    yield "rot13", codecs.decode(text, "rot13")
    if len(words) >= 4:
        yield "initials", "".join(word[0] for word in words)
    yield from _decoded(text)


def _spelled(part: str) -> str:
    """Between wide gaps every row of single letters is a word; otherwise only a long one is surely spelled."""
    if all(len(piece) == 1 for piece in _GAP.split(part) if piece):
        return _GAP.sub("", part)
    return _SPELLED.sub(_joined, part)


def _joined(spelled: re.Match[str]) -> str:
    return _GAP.sub("", spelled[0])


def _by_alphabet(words: list[str]) -> str:
    """ "hotel echo romeo" as "her"."""
    letters: list[str] = []
    for word in words:
        if word in _SPELLING_WORDS:
            letters.append(_SPELLING_WORDS[word])
        elif len(word) > 1:
            letters.append(f" {word} ")
    return "".join(letters)


def _mixed(word: str) -> bool:
    return any(ch.isdigit() for ch in word) and any(ch.isalpha() for ch in word)


def _decoded(text: str) -> Iterator[tuple[str, str]]:
    for found in _BASE64.finditer(text):
        raw = found[0].rstrip("=").replace("-", "+").replace("_", "/")
        try:
            decoded = base64.b64decode(raw + "=" * (-len(raw) % 4)).decode("utf-8")
        except (binascii.Error, ValueError):
            continue
        if decoded.isprintable() and (decoded.isascii() or not raw.isalpha()):
            yield "base64", decoded
    for found in _HEX.finditer(text):
        digits = re.sub(r"0x|[\s:]", "", found[0])
        try:
            decoded = bytes.fromhex(digits).decode("utf-8")
        except ValueError:
            continue
        if decoded.isprintable():
            yield "hex", decoded


def is_code(text: str) -> bool:
    """Whether the text carries something encoded, which nobody says on the telephone."""
    decoded = [other for _, other in _decoded(text)]
    return any(
        len(other) >= 4 and sum(ch.isalpha() or ch == " " for ch in other) >= 0.8 * len(other) for other in decoded
    )
