"""What the conversation so far means for the next sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from persona.guarding.numbers import Numbers, numbers
from persona.guarding.rules import Names, plain, rules
from persona.guarding.wording import content
from persona.prompt import Turn

_HEARD_TURNS = 12
"""How far back it counts what the caller said."""


@dataclass(frozen=True, slots=True)
class Context:
    """The caller's side of the conversation, prepared once per turn."""

    words: frozenset[str] = frozenset()
    """Everything the caller said, in plain words."""
    terms: frozenset[str] = frozenset()
    numbers: Numbers = field(default_factory=lambda: Numbers(("",), ()))
    last: str = ""
    """The caller's last words, plain, with `theowner` for the owner's names."""
    last_terms: frozenset[str] = frozenset()
    asks_about_owner: bool = False
    """The last words ask something about the owner or the office."""
    others: bool = False
    """The last words name somebody whom "he" or "she" may mean instead of the owner."""


@lru_cache(maxsize=256)
def context(turns: tuple[Turn, ...], language: str, names: Names, pronoun: str) -> Context:
    """What the caller's turns mean; `pronoun` is the owner's: he, she or they."""
    said = [turn.text for turn in turns[-_HEARD_TURNS:] if turn.who == "caller"]
    if not said:
        return Context()
    together = " . ".join(said)
    last = names.plain(said[-1], language)
    known = rules("said", language)
    rest = known.without("lead", last)
    about = known.has("life", rest) or known.has(pronoun, rest) or _asks_twin(rest)
    return Context(
        words=frozenset(plain(together, language).split()),
        terms=content(together, language),
        numbers=numbers(together, language),
        last=last,
        last_terms=content(said[-1], language) - names.words,
        asks_about_owner=about and not known.has("others", rest),
        others=known.has("others", last),
    )


_YOU = frozenset(
    ("you", "your", "yours", "sie", "ihr", "ihre", "ihren", "du", "dein", "deine", "ihnen", "vous", "votre", "vos")
)


def _asks_twin(rest: str) -> bool:
    """ "When are you open": people say "you" to the twin and mean the owner or the office."""
    return not _YOU.isdisjoint(rest.split())
