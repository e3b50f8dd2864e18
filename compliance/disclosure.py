"""What every caller hears first, in the call's language: that it is an AI, in whose likeness, what is kept.

The texts are data (`disclosure.toml`), so that counsel can check them. A file in the twin's home may reword them
or add a language; `load` refuses one that no longer says what must be said.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from compliance.errors import SettingsError
from compliance.language.intents import claims_human
from compliance.language.plain import base

FALLBACK_LANGUAGE = "en"

Kept = Literal["words", "nothing"]
"""What is kept of a call when it begins. Sound never is: it needs a yes first."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The fixed texts of one language, with the owner's name filled in."""

    language: str
    version: str
    """The date of the texts and a digest of these very words, for the evidence."""
    text: str
    """Played first and whole; at most 8 s."""
    help: str
    """What follows it, and may be interrupted."""
    rights: str
    """How to object to writing; where there is time for it, after `text`."""
    ask_recording: str
    ask_transcription: str
    recording_on: str
    recording_off: str
    """The answer to a no, and to anything that is not a clear yes."""
    recording_stopped: str
    is_recorded: str
    """The answer to "are you recording this?" while it is so."""
    is_not_recorded: str
    writing_on: str
    writing_off: str
    """The answer to a no to `ask_transcription`, and to anything that is not a clear yes."""
    writing_stopped: str
    ask_memory: str
    """Whether the twin may remember the caller, when they take their leave."""
    memory_on: str
    """The answer to a yes to it, and a goodbye."""
    memory_off: str
    """The answer to anything else, and a goodbye."""
    human: str
    """The true answer to "are you a human?" and to "are you a machine?"."""
    short: str
    """To everybody who comes later, at the next pause; at most 5 s."""
    reminder: str
    """Again and again in a long call."""
    handover: str
    """When the twin speaks again after a person has."""
    forget_taken: str
    """Keeps `{number}`, the number of the request, to be replaced."""
    access_taken: str
    """Keeps `{number}` too."""
    apology: str
    """The last thing that sounds when the outlet has to close."""
    label: str
    """On the video, for as long as there is one."""
    participant: str
    """The name in a meeting."""
    chat: str
    """Written in a meeting's chat."""


_VARIANTS = ("kept_words", "kept_nothing", "noted_words", "noted_nothing")
_KEYS = (*(f.name for f in fields(Disclosure) if f.name not in ("language", "version")), *_VARIANTS)
_FILLED = {
    "text": ("owner", "kept"),
    "short": ("owner", "noted"),
    "chat": ("owner", "kept"),
    "human": ("owner",),
    "reminder": ("owner",),
    "handover": ("owner",),
    "label": ("owner",),
    "participant": ("owner",),
    "forget_taken": ("number",),
    "access_taken": ("number",),
}
"""What a text has to leave room for."""
_SAYS_AI = ("text", "short", "chat", "human", "reminder", "handover", "label", "participant")
_LONGEST = {"text": 120, "short": 80}
"""In letters, without what is filled in; a letter of Chinese or Japanese counts as three. What cannot be
interrupted has to be over in 8 s, and what interrupts a meeting in 5 s."""
_LONGEST_OTHER = 400
_AI_WITHIN = 80
"""So far into `text` at the latest it says that it is an AI."""
_CODE = re.compile(r"[a-z]{2,3}")
_SENTENCE = re.compile(r"[^.!?:;。！？：；]*[.!?:;。！？：；]*\s*")
_WIDE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Texts:
    """The fixed texts of every language, as data."""

    dated: date
    tables: Mapping[str, Mapping[str, str]]
    ai_words: Mapping[str, tuple[str, ...]]
    negations: Mapping[str, tuple[str, ...]]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are texts for."""
        return tuple(self.tables)

    def nearest(self, language: str) -> str:
        """The language that is spoken for `language` (`de-CH`: `de`); English where there are no texts for it."""
        code = base(language)
        return code if code in self.tables else FALLBACK_LANGUAGE

    def disclosure(self, language: str, *, owner: str, kept: Kept = "words") -> Disclosure:
        """The texts for `language`, or English where there are none for it."""
        code = self.nearest(language)
        table = self.tables[code]
        filled = {
            key: text.replace("{kept}", table[f"kept_{kept}"])
            .replace("{noted}", table[f"noted_{kept}"])
            .replace("{owner}", owner)
            for key, text in table.items()
            if key not in _VARIANTS
        }
        digest = hashlib.sha256("\n".join(f"{key}={table[key]}" for key in sorted(table)).encode()).hexdigest()
        return Disclosure(language=code, version=f"{self.dated.isoformat()}:{digest[:12]}", **filled)


def languages() -> tuple[str, ...]:
    """The languages that are built in."""
    return built_in().languages


def disclosure(language: str, *, owner: str, kept: Kept = "words", texts: Texts | None = None) -> Disclosure:
    """The texts for `language` (`de`, `de-CH`), or English where there are none for it.

    `texts` are those of `load`, where the twin's home has some of its own.
    """
    return (texts or built_in()).disclosure(language, owner=owner, kept=kept)


@cache
def built_in() -> Texts:
    """The texts that come with the program."""
    data = tomllib.loads(resources.files("compliance").joinpath("disclosure.toml").read_text("utf-8"))
    dated, words, negations = data.pop("dated"), data.pop("ai_words"), data.pop("negations")
    return Texts(dated, data, _tuples(words), _tuples(negations))


def _tuples(lists: Mapping[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    return {code: tuple(listed) for code, listed in lists.items()}


def load(folder: Path) -> Texts:
    """The built-in texts with those of `folder/*.toml` over them; the folder need not exist.

    Each file holds tables by language, like the built-in one, and `dated`. Raises `SettingsError` with file,
    language and key when a text has lost what must be said: that this is an AI, in whose likeness, what is kept.
    """
    texts = built_in()
    for path in sorted(folder.glob("*.toml")):
        texts = _with(texts, path)
    return texts


def _with(texts: Texts, path: Path) -> Texts:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, RecursionError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as TOML: {_one_line(str(error))}") from None
    dated = data.pop("dated", None)
    if type(dated) is not date:  # A datetime is a date too, and cannot be compared with one.
        raise SettingsError(f"{path}: write the date of these texts on top, as: dated = {texts.dated}")
    tables = dict(texts.tables)
    for code, table in data.items():
        tables[code] = _checked(texts, code, table, path)
    return Texts(max(texts.dated, dated), tables, texts.ai_words, texts.negations)


def _checked(texts: Texts, code: str, table: Any, path: Path) -> Mapping[str, str]:
    where = f"{path}: [{_one_line(code)}]"
    if not _CODE.fullmatch(code) or not isinstance(table, dict):
        raise SettingsError(f"{where}: must be a table named by a language, such as [nl]")
    for key, text in table.items():
        if key not in _KEYS:
            raise SettingsError(
                f"{where} {_one_line(key)}: there is no such text; the texts are {', '.join(_KEYS)}"
            )
        if not isinstance(text, str) or not text.strip():
            raise SettingsError(f"{where} {key}: must be a text")
    whole = {**texts.tables.get(code, {}), **table}
    missing = [key for key in _KEYS if key not in whole]
    if missing:
        raise SettingsError(f"{where}: a new language needs every text; missing: {', '.join(missing)}")
    for key, text in whole.items():
        problem = _problem(texts, code, key, text)
        if problem:
            raise SettingsError(f"{where} {key}: {problem}")
    return whole


def _one_line(text: str) -> str:
    """Without what would make two lines of an error."""
    return "".join(character for character in text if character.isprintable())


def _problem(texts: Texts, code: str, key: str, text: str) -> str | None:
    allowed = (*_FILLED.get(key, ()), "owner")
    for name in _FILLED.get(key, ()):
        if "{" + name + "}" not in text:
            return "must hold {" + name + "}"
    for brace in re.findall(r"\{.*?\}|[{}]", text):
        if brace.strip("{}") not in allowed or len(brace) < 3:
            return f"{brace} is not filled in; only " + ", ".join("{" + name + "}" for name in allowed) + " are"
    if _length(text) > _LONGEST.get(key, _LONGEST_OTHER):
        return f"is too long to be heard out; use at most {_LONGEST.get(key, _LONGEST_OTHER)} letters"
    if key in _SAYS_AI:
        words = texts.ai_words.get(code, ("AI",))
        at = _said_at(text, words, texts.negations.get(code, ()))
        if at is None or (key in ("text", "short") and at > _AI_WITHIN):
            return f"must say in its first words that this is an AI; use one of: {', '.join(words)}"
    # A person behind the words may be promised nowhere.
    if claims_human(text.replace("{owner}", "Owner"), code):
        return "says or seems to say that this is a person; it is an AI, and must say so"
    return None


def _length(text: str) -> int:
    bare = re.sub(r"\{.*?\}", "", text)
    return len(bare) + 2 * len(_WIDE.findall(bare))


def _said_at(text: str, words: tuple[str, ...], negations: tuple[str, ...]) -> int | None:
    """Where `text` first says one of `words`: not in a question, and with no negation before or behind it."""
    first: int | None = None
    start = 0
    for sentence in _SENTENCE.findall(text):
        places = [place for word in words if (place := find_word(word, sentence)) is not None]
        if places and sentence.rstrip()[-1:] not in "?？" and not _denied(sentence, words, negations):
            first = start + min(places) if first is None else first
        start += len(sentence)
    return first


def _denied(sentence: str, words: tuple[str, ...], negations: tuple[str, ...]) -> bool:
    said = "|".join(map(re.escape, words))
    # Japanese and Turkish negate behind the word; "AI-free" does so in any language.
    if re.search(
        rf"(?:{said})(?:では|じゃ|でな| değil|[- ]?free\b|[- ]?frei\b|[- ]?less\b)", sentence, re.IGNORECASE
    ):
        return True
    for negation in negations:
        gap = "[一个什么由的]{0,3}" if _WIDE.search(negation) else r"\b\W+(?:\w+\W+){0,2}"
        edge = "" if _WIDE.search(negation) else r"\b"
        if re.search(rf"{edge}{re.escape(negation)}{gap}(?:{said})", sentence, re.IGNORECASE):
            return True
    return False


def find_word(word: str, text: str) -> int | None:
    """Where `word` stands in `text`: whole, where the script has spaces; abbreviations only in capitals."""
    if _WIDE.search(word) or re.search(r"[\u0e00-\u0e7f]", word):
        found = re.search(re.escape(word), text)
    else:
        # Letters of the word's own kind may not touch it; those of Japanese or Chinese may ("こちらはAIで").
        edge = r"[^\W_\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
        flags = 0 if word.isupper() else re.IGNORECASE
        found = re.search(rf"(?<!{edge}){re.escape(word)}(?!{edge})", text, flags)
    return found.start() if found else None
