"""E-mail and web addresses and telephone numbers, as people dictate them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from persona.voice.reading.language import Language
from persona.voice.reading.numbers import cardinal, digits
from persona.voice.reading.spans import Replacement

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@\w[\w-]*(?:\.\w[\w-]*)+")
_WEB = re.compile(
    r"(?<![\w@.])(?:(?:https?://)(?P<with>[\w-]+(?:\.[\w-]+)*(?::\d+)?(?:/[^\s<>\"'()\[\]]*)?)"
    r"|(?P<bare>(?:www\.[\w-]+(?:\.[\w-]+)+"
    r"|[\w-]{2,}(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|info|io|dev|app|ai|eu|de|at|ch|fr|es|it|pt|br|uk|us|nl|be))"
    r"(?![\w-])(?:/[^\s<>\"'()\[\]]*)?))"
)
_PHONE = re.compile(
    r"(?<![\w.,+/-])(?:\+\d{1,3}[ ./-]?|\(0|0(?=[\d ./-])|\(?\d{3}\)?[ .-](?=\d{3}[ .-]\d{4}\b))"
    r"[\d ()./-]{4,20}\d(?![\w/-]|[.,]\d)"
)
_LOCAL = re.compile(
    r"(?<![\w.,+/-])(?:1-\d{3}-\d{3}-\d{4}|[2-9]\d\d-(?!\d{3}0\b)\d{4}|[2-9]\d\d-0\d{3}"
    r"|\d{2,4}(?:[ .-]\d{2,4}){2,4})(?![\w/-]|[.,]\d)"
)
"""Without an area code, or in groups that no number has."""
_SIGNS = {".": "dot", "@": "at", "/": "slash", "-": "hyphen", "_": "underscore", "+": "plus", "?": "question",
          "=": "equals", "~": "tilde", "&": "and", "%": "percent", "#": "number", ":": ""}  # fmt: skip
_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}")
_PART = re.compile(r"\d+|[^\W\d_]+|.", re.DOTALL)


def addresses(text: str, language: Language) -> Iterator[Replacement]:
    """`anna.k@example.org` and `https://example.org/a`."""
    for found in _EMAIL.finditer(text):
        end = found.end()
        yield Replacement(found.start(), end, _dictated(found[0], language))
    for found in _WEB.finditer(text):
        address = found["with"] or found["bare"]
        shown = address.rstrip(".,;:!?/")
        cut = len(address) - len(address.rstrip(".,;:!?"))
        yield Replacement(found.start(), found.end() - cut, _dictated(shown, language))


def phones(text: str, language: Language) -> Iterator[Replacement]:
    """`+49 30 1234567`, digit by digit with a breath between the groups."""
    for found in (*_PHONE.finditer(text), *_LOCAL.finditer(text)):
        groups = re.findall(r"\d+", found[0])
        counted = re.fullmatch(r"\d{1,3}(?:[ .]\d{3})+", found[0]) is not None and not found[0].startswith("0")
        if counted or not 7 <= sum(map(len, groups)) <= 15 or _DATE.fullmatch(found[0]):
            continue
        said = ", ".join(_group(part, language) for group in groups for part in _short(group))
        plus = f"{language.words['plus']} " if found[0].startswith("+") else ""
        yield Replacement(found.start(), found.end(), plus + said)


def _short(group: str) -> list[str]:
    """Nobody says more than four digits in one breath."""
    if len(group) <= 4:
        return [group]
    sizes = [3] * (len(group) // 3) if len(group) % 3 == 0 else [3] * ((len(group) - 4) // 3)
    rest = len(group) - sum(sizes)
    sizes += {0: [], 4: [2, 2], 5: [3, 2], 6: [3, 3]}.get(rest, [rest])
    parts, at = [], 0
    for size in sizes:
        parts.append(group[at : at + size])
        at += size
    return parts


def _group(group: str, language: Language) -> str:
    if language.phone_pairs and len(group) == 2 and not group.startswith("0"):
        return cardinal(int(group), language.numerals)
    return digits(group, language.numerals)


def _dictated(address: str, language: Language) -> str:
    """An address part by part: words as words, what is no word letter by letter."""
    host_end = address.find("/") if "/" in address else len(address)
    words = []
    for found in _PART.finditer(address):
        part = found[0]
        if part in _SIGNS:
            words.append(language.words[_SIGNS[part]] if _SIGNS[part] else "")
        elif part.isdecimal():
            words.append(digits(part, language.numerals))
        else:
            top = found.end() == host_end and address[found.start() - 1 : found.start()] == "."
            words.append(" ".join(part.upper()) if _is_spelt(part, top=top) else part)
    return " ".join(word for word in words if word)


def _is_spelt(part: str, *, top: bool) -> bool:
    """No vowel, one letter, or a country at the end: its letters are named."""
    return len(part) == 1 or (top and len(part) == 2) or not re.search(r"[aeiouyà-ÿ]", part.lower())
