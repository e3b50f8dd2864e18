"""What is known of a language for telling whom words are meant for; data in the TOML files beside this."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

DESCRIBED = ("en", "de")
WHO = "{who}"
"""In a pattern: it is asked once of each who can be meant."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One language."""

    words: Mapping[str, frozenset[str]]
    cues: Mapping[str, re.Pattern[str]]
    """What an utterance has, by name. A cue about somebody ends in `_twin`, `_owner` or `_other`."""
    commands: Mapping[str, re.Pattern[str]]
    kept: Mapping[str, re.Pattern[str]]
    """What looks like a command and is none."""
    verb_first: bool
    """A verb at the beginning of a sentence asks, whatever follows it."""


def described(code: str) -> str:
    """The described language that is nearest to a code such as `de-AT`; English where there is none."""
    base = code.lower().replace("_", "-").split("-")[0]
    return base if base in DESCRIBED else DESCRIBED[0]


@lru_cache(maxsize=8)
def wording(code: str) -> Wording:
    """Read once, when it is first asked for. `code` is one of `DESCRIBED`."""
    text = files("agent.meeting.addressee").joinpath(f"{code}.toml").read_text(encoding="utf-8")
    data = tomllib.loads(folded(text))
    return Wording(
        words={name: frozenset(listed.split()) for name, listed in data["words"].items()},
        cues=_patterns(data["cues"]),
        commands=_patterns(data["commands"]),
        kept=_patterns(data["kept"]),
        verb_first=data["verb_first"],
    )


@lru_cache(maxsize=8)
def listed(code: str) -> frozenset[str]:
    """Every word that is listed for a language, whatever for."""
    return frozenset().union(*wording(code).words.values())


def folded(text: str) -> str:
    """Without accents, as the words of an utterance are compared."""
    text = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(ch for ch in text if not unicodedata.combining(ch))


def _patterns(data: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    found: dict[str, re.Pattern[str]] = {}
    for name, pattern in data.items():
        if WHO not in pattern:
            found[name] = re.compile(pattern)
            continue
        for who in ("twin", "owner", "other"):
            found[f"{name}_{who}"] = re.compile(pattern.replace(WHO, f"@{who}"))
    return found
