"""What a model must not say of itself, and what nobody says on the telephone."""

from __future__ import annotations

import re
from functools import lru_cache

from compliance.language.plain import base
from persona.guarding.rules import languages, plain, rules
from persona.guarding.views import is_code, views
from persona.home import Persona
from persona.prompt import Prompt

_ROW = 6
"""So many words in a row are taken from the prompt and not by chance."""
_MARKUP = re.compile(
    r"https?://|www\.|<[a-z/|!][^>]*>|`{2,}|\*\*|^#+ |\{\"|\]\(|\[[a-z_ ]+\]", re.IGNORECASE | re.MULTILINE
)


def prompt_leak(text: str, prompt: Prompt, own: tuple[str, ...], language: str) -> str | None:
    """Which rule the sentence breaks by repeating or describing the prompt; None when it does not.

    `own` are words of the owner that stand in the prompt to be said: greetings, examples, favourite phrases.
    """
    known = rules("said", language)
    readings = [("", text), *((name, other) for name, other in views(text) if name != "initials")]
    for disguise, reading in readings:
        words = plain(reading, language)
        if known.has("meta", words) or (not disguise and _describes_itself(text)):
            return f"meta.{disguise}" if disguise else "meta"
        if any(_hidden(row, prompt, own) for row in _rows(words)):
            return f"words.{disguise}" if disguise else "words"
    return None


def _describes_itself(text: str) -> bool:
    """In whichever language: who asks for the prompt in another one gets it in that."""
    return any(rules("said", code).has("meta", plain(text, code)) for code in languages("said"))


def unsafe(text: str, language: str) -> str | None:
    """Which rule the sentence breaks by asking for secrets, insulting, or carrying a link or a code."""
    if _MARKUP.search(text):
        return "markup"
    if is_code(text):
        return "code"
    for code in dict.fromkeys((base(language), "en")):
        if rules("said", code).has("unsafe", plain(text, code)):
            return code
    return None


def own_words(persona: Persona) -> tuple[str, ...]:
    """What stands in the prompt to be said."""
    profile = persona.profile
    return (
        f"an AI, the twin of {profile.name}. {profile.introduction}",
        profile.greeting,
        *(greeting.say for greeting in profile.greetings),
        *profile.talk.phrases,
        *(example.me for example in persona.examples),
    )


def _hidden(row: str, prompt: Prompt, own: tuple[str, ...]) -> bool:
    """Whether a row of words stands in the prompt and in nothing that may be said."""
    if row not in _rows_of(prompt.system) and row not in _rows_of(prompt.notes):
        return False
    if any(rules("said", code).has("courtesy", row) for code in ("en", "de")):
        return False
    return not any(row in _rows_of(text) for text in (*own, *(source.text for source in prompt.sources)))


@lru_cache(maxsize=4096)
def _rows_of(text: str) -> frozenset[str]:
    return frozenset(row for line in text.splitlines() for row in _rows(plain(line, "en")))


def _rows(words: str) -> list[str]:
    cut = words.split()
    return [" ".join(cut[at : at + _ROW]) for at in range(len(cut) - _ROW + 1)]
