"""Which rule, if any, the words of a caller, a name, a chat line, a document or a tool's answer fall under."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compliance.language.plain import base
from persona.guarding.findings import Code, Finding
from persona.guarding.rules import Names, Rules, languages, rules
from persona.guarding.views import views, visible

_CRISES = ("suicide", "violence", "medical")
_TAKEOVERS: tuple[Code, ...] = ("extraction", "injection", "roleplay")
_MARKUP = re.compile(
    r"<\|[^|>]{0,40}\|?>|<{1,2}/?(?:SYS|system|assistant|user|instructions?|prompt|tool|context)[^>]{0,60}>{1,2}|\[/?INST\]"
    r"|\[/?(?:system|assistant|admin|developer)[^\]]{0,40}\]|^#{2,}.*$|`{3,}|\{\{|\}\}|-{4,}|={4,}"
    r"|(?:^|[.!?\n])\s*(?:system|assistant|developer)\s*:|^\s*(?:human|user)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_SENTENCE = re.compile(r"(?<=[.!?。！？\n])\s*")
LONGEST = 4_000
"""Letters of one turn that are looked at; the rest is dropped."""


def cleaned(text: str) -> str:
    """Without invisible and look-alike letters."""
    return visible(text[-LONGEST:])


def has_markup(text: str) -> bool:
    """Whether it imitates the marks by which a model tells instructions from words."""
    return _MARKUP.search(text) is not None


def without_markup(text: str) -> str:
    return " ".join(_MARKUP.sub(" ", text).split())


def sentences(text: str) -> list[str]:
    """The sentences of a text, so that only the offending ones need to go."""
    return [part for part in _SENTENCE.split(text) if part.strip()]


def crisis(text: str, language: str, names: Names) -> Finding | None:
    """Somebody is in danger: of themselves, of others, or of their life."""
    for known in _mine(language):
        said = known.without("calm", names.plain(text, known.language))
        for kind in _CRISES:
            if known.has(kind, said):
                return Finding("crisis", f"{known.language}.{kind}")
    return None


def abuse(text: str, language: str, names: Names) -> Finding | None:
    """An insult, a threat or an indecency, directed at the twin."""
    for known in _mine(language):
        if known.has("abuse", names.plain(text, known.language)):
            return Finding("abuse", known.language)
    return None


def takeover(text: str, language: str, names: Names) -> Finding | None:
    """An attempt to give the twin other instructions, to get its own, or to make it somebody else."""
    found = _takeover(text, language, names)
    if found:
        return found
    for disguise, other in views(text):
        # Words in another order fit a pattern by chance, and nobody obeys initials.
        if disguise not in ("initials", "reversed words"):
            found = _takeover(other, language, names, only=(base(language), "en"))
            if found:
                return Finding(found.code, f"{found.rule}.{disguise}")
    return None


def _takeover(text: str, language: str, names: Names, only: tuple[str, ...] = ()) -> Finding | None:
    for known in _all(language):
        if only and known.language not in only:
            continue
        said = known.without("benign", names.plain(text, known.language))
        for code in _TAKEOVERS:
            if known.has(code, said):
                return Finding(code, known.language)
    return None


def _mine(language: str) -> Iterator[Rules]:
    """The rules of the call's language, and English: callers change to it in distress."""
    for code in dict.fromkeys((rules("heard", language).language, "en")):
        yield rules("heard", code)


def _all(language: str) -> Iterator[Rules]:
    for code in dict.fromkeys((rules("heard", language).language, *languages("heard"))):
        yield rules("heard", code)
