"""How the owner's own words are said: `pronunciation.toml` in the home. Reading the file apart, pure.

[words]                      # every language
Nguyen = "win"
"Saoirse" = { say = "seersha", ipa = "ˈsɪərʃə" }
[de]                         # only in German
Joy = "ipa:dʒɔʏ"
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.errors import PersonaError
from persona.files import read_toml
from persona.voice.reading.spans import Replacement

FILE = "pronunciation.toml"

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,4})?")
_LONGEST = 200
_MOST = 5000
_POSSESSIVE = re.compile(r"['’](?:s\b)?", re.IGNORECASE)

SayIpa = Callable[[str, str], str | None]
"""IPA and language -> a word of the text that the voice says by it, or None."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One word, or several that belong together."""

    word: str
    say: str = ""
    """In letters that a voice reads right; empty: only IPA is given."""
    ipa: str = ""


class Pronunciations:
    """The dictionary; made once, shared by all calls."""

    def __init__(self, tables: dict[str, tuple[Entry, ...]]) -> None:
        """`tables` by language in lower case, and `words` for every language."""
        self._tables = tables
        self._ready: dict[str, tuple[re.Pattern[str] | None, dict[str, Entry]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._tables.values()))

    def replacements(self, text: str, language: str, say_ipa: SayIpa | None = None) -> tuple[Replacement, ...]:
        """What is said otherwise in a text, from left to right, the longest entry first."""
        pattern, entries = self._for(language.lower().replace("_", "-"))
        if pattern is None:
            return ()
        return tuple(self._found(pattern, entries, text, language, say_ipa))

    def _found(
        self,
        pattern: re.Pattern[str],
        entries: dict[str, Entry],
        text: str,
        language: str,
        say_ipa: SayIpa | None,
    ) -> Iterator[Replacement]:
        for found in pattern.finditer(text):
            entry = _entry(entries, found[0])
            if entry is None:
                continue
            possessive = _POSSESSIVE.match(text, found.end()) if language.lower().startswith("en") else None
            spoken = (
                say_ipa(entry.ipa + (_genitive(entry.ipa) if possessive else ""), language)
                if (say_ipa and entry.ipa)
                else None
            )
            if spoken is not None:
                yield Replacement(found.start(), possessive.end() if possessive else found.end(), spoken)
            elif entry.say:
                yield Replacement(found.start(), found.end(), entry.say)

    def _for(self, language: str) -> tuple[re.Pattern[str] | None, dict[str, Entry]]:
        if language not in self._ready:
            entries: dict[str, Entry] = {}
            # The closest language has the last word.
            for name in dict.fromkeys(("words", language.partition("-")[0], language)):
                entries |= {_key(entry.word): entry for entry in self._tables.get(name, ())}
            self._ready[language] = (_pattern(entries), entries)
        return self._ready[language]


def load(path: Path) -> Pronunciations:
    """The dictionary of a home; empty when there is no such file. Raises `PersonaError` with file and line."""
    if not path.exists():
        return Pronunciations({})
    text, values = read_toml(path)
    tables: dict[str, tuple[Entry, ...]] = {}
    for name, table in values.items():
        if name != "words" and not _LANGUAGE.fullmatch(name.lower()):
            line = _line(text, name)
            raise PersonaError(f"{path}:{line}: [{name}]: write [words], or a language such as [de] or [pt-br]")
        if not isinstance(table, dict):
            raise PersonaError(f"{path}:{_line(text, name)}: {name}: put it below [words]")
        tables[name.lower()] = tuple(_checked(word, value, path, text) for word, value in table.items())
    if sum(map(len, tables.values())) > _MOST:
        raise PersonaError(f"{path}: more than {_MOST} words; keep those that a voice gets wrong")
    return Pronunciations(tables)


def _checked(word: str, value: Any, path: Path, text: str) -> Entry:
    where = f"{path}:{_line(text, word)}: {word!r}"
    if isinstance(value, str):
        value = {"ipa": value[4:].strip()} if value.startswith("ipa:") else {"say": value}
    if not isinstance(value, dict) or not value or set(value) - {"say", "ipa"}:
        raise PersonaError(f'{where}: write "as it is said", "ipa:..." or {{ say = "...", ipa = "..." }}')
    for part in (word, *value.values()):
        if not isinstance(part, str) or not part.strip() or len(part) > _LONGEST:
            raise PersonaError(f"{where}: write 1 to {_LONGEST} characters")
        if any(unicodedata.category(c) in ("Cc", "Co", "Cs") for c in part):
            raise PersonaError(f"{where}: it holds a character that cannot be said; write it anew")
    ipa = value.get("ipa", "").strip().strip("/[]")
    if "ipa" in value and (not ipa or " " in ipa):
        raise PersonaError(f"{where}: its ipa must be one word in the phonetic alphabet, without spaces")
    return Entry(" ".join(word.split()), " ".join(value.get("say", "").split()), ipa)


def _line(text: str, key: str) -> int:
    """The line on which a key or a table stands, quoted or not."""
    wanted = re.compile(rf"""\s*\[?\s*["']?{re.escape(key)}["']?\s*(?:=|\])""")
    return next((n for n, line in enumerate(text.splitlines(), 1) if wanted.match(line)), 1)


def _key(word: str) -> str:
    return " ".join(word.split())


def _entry(entries: dict[str, Entry], found: str) -> Entry | None:
    """The entry for a word as it stands in the text."""
    word = " ".join(found.split())
    if word in entries:
        return entries[word]
    if word.lower() in entries:
        return entries[word.lower()]
    if word.isupper():
        return next((entry for key, entry in entries.items() if key.upper() == word), None)
    return None


def _pattern(entries: dict[str, Entry]) -> re.Pattern[str] | None:
    if not entries:
        return None
    words = sorted(entries, key=len, reverse=True)
    either = "|".join(r"\s+".join(map(re.escape, word.split(" "))) for word in words)
    return re.compile(rf"(?<![\w])(?:{either})(?![\w])", re.IGNORECASE)


def _genitive(ipa: str) -> str:
    """The sound of an English 's after a word."""
    if ipa.endswith(("s", "z", "ʃ", "ʒ")):
        return "ɪz"
    return "s" if ipa.endswith(("p", "t", "k", "f", "θ")) else "z"
