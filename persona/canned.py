"""Answers of a model that may be given again, because nothing they rest on has changed.

The rule. An answer holds for a prompt: for the bytes of the stable part (rules, manner, the facts and statements
that this audience may hear today), for what was found for the question, for the day, the language, the audience,
and for every word of the conversation so far. All of that is in the key, so there is nothing to invalidate: when a
fact changes, is superseded, expires at midnight or becomes private, the prompt is another, and the old answer is
not found. An answer is kept only when

- everything shown was the owner's and fit for anybody of the audience: no memories of this caller, no summary, no
  live state, no note on this person (`Prompt.basis`), and no tool was used;
- each of its sentences comes from a fact, a statement, a document, or is the twin's own courtesy: a guess is not
said
  twice, and general knowledge may depend on the hour;
- the conversation is still short and the caller has not said who they are, and the answer has neither the caller's
  name nor their number in it: it is said to others.

Keys are digests, so that no caller's words are kept.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from persona import mentions
from persona.prompt import Prompt
from persona.source import Provenance
from persona.words import plain

MAX_TURNS = 5
"""Two questions and their answers before the one at hand; longer conversations do not come again."""
_MAX_CHARS = 2000
"""Of the conversation, and of the answer."""
_WORDS = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s.,;:!?¿¡'\"’“”„()…–—-]")
_MAY_KEEP = frozenset[Provenance](("fact", "statement", "document", "notice"))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer, and where it comes from."""

    text: str
    provenance: Provenance


def key(prompt: Prompt) -> str:
    """The key of the prompt's answer; empty when its answer may not be given to others."""
    turns, caller = prompt.turns, prompt.caller
    if not prompt.basis or prompt.memories or prompt.exchanges:
        return ""
    if not turns or len(turns) > MAX_TURNS or turns[-1].who != "caller" or not _words(turns[-1].text):
        return ""
    if sum(len(turn.text) for turn in turns) > _MAX_CHARS:
        return ""
    before = ""
    for turn in turns:
        if turn.who == "twin":
            before = turn.text
        elif mentions.personal(turn.text, before):
            return ""
    said = [(turn.who, _words(turn.text), turn.cut) for turn in turns]
    audience = (caller.known, caller.person, caller.relation)
    tools = sorted(tool.name for tool in prompt.tools)
    parts = json.dumps([prompt.basis, prompt.language, audience, tools, said])
    return hashlib.sha256(parts.encode()).hexdigest()


class Canned:
    """The answers of one process, the longest unused given up first. Pure; in memory only."""

    def __init__(self, size: int = 500) -> None:
        self._size = size
        self._answers: OrderedDict[str, tuple[Sentence, ...]] = OrderedDict()
        self.hits = 0
        self.misses = 0
        """Of prompts whose answer could have been here."""

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, prompt_key: str) -> tuple[Sentence, ...] | None:
        """The answer to give again, if there is one under this key of `key`."""
        if not prompt_key:
            return None
        answer = self._answers.get(prompt_key)
        if answer is None:
            self.misses += 1
            return None
        self.hits += 1
        self._answers.move_to_end(prompt_key)
        return answer

    def put(self, prompt: Prompt, answer: Sequence[Sentence]) -> bool:
        """Keep the whole answer to a prompt if the rule allows it; whether it did."""
        prompt_key = key(prompt)
        if not prompt_key or not may_keep(prompt, answer):
            return False
        self._answers[prompt_key] = tuple(answer)
        self._answers.move_to_end(prompt_key)
        while len(self._answers) > self._size:
            self._answers.popitem(last=False)
        return True

    def clear(self) -> None:
        """Give all of it up, as when the owner's files were read anew: what is private now is not even kept."""
        self._answers.clear()


def may_keep(prompt: Prompt, answer: Sequence[Sentence]) -> bool:
    """Whether an answer can be said to anybody of the prompt's audience."""
    text = " ".join(sentence.text for sentence in answer)
    if not text.strip() or len(text) > _MAX_CHARS:
        return False
    if any(sentence.provenance not in _MAY_KEEP for sentence in answer):
        return False
    said = set(plain(text).split())
    if any(word in said for word in plain(prompt.caller.name).split() if len(word) > 1):
        return False
    number = mentions.digits(prompt.caller.number)[-6:]
    return not number or number not in mentions.digits(text)


def _words(text: str) -> list[str]:
    """What was said, however it was written. Accents stay: "schon" and "schön" are two questions."""
    return _WORDS.findall(unicodedata.normalize("NFC", text).lower())
