"""What a caller said about themselves and is worth remembering, found by rules, without a model.

    extract(turns, language="en", name="Anna", today=date(2026, 11, 22))
    # "I'm moving to Munich in May." -> Extracted("Anna is moving to Munich in May 2027.", about="plan:move", ...)

Rather too little than too much: only the caller's own words about themselves or their matter, said as plain
statements. Questions, jokes, what may be or was said by others, secrets, and whatever gives the twin orders or
claims something of its owner is not remembered. English and German; of other languages only the name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from persona.introduced import name_given
from persona.memory.refused import is_refused
from persona.memory.rules import LANGUAGES, Rule, Rules, rules_of
from persona.memory.values import Words, filled

TURN_CHARS = 2000
"""How much of a turn is read."""
NOTE_WORDS = 25
"""Longest thing that is kept in the caller's own words because they asked for it."""
_SENTENCE = re.compile(r"(?<=[.!?;\n])(?<!\bdr\.)(?<!\bmr\.)(?<!\bst\.)(?<!\d\.)\s+", re.IGNORECASE)
_CLOSED = re.compile(r"[.!?]\s*$")


class Spoken(Protocol):
    """A turn of a call: `persona.prompt.Turn` and `compliance.entries.TurnEntry` are such."""

    @property
    def who(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def cut(self) -> bool: ...


class Extractor(Protocol):
    """Finds what is worth remembering in the turns of one call."""

    async def extract(
        self, turns: Sequence[Spoken], *, language: str, name: str, today: date
    ) -> tuple[Extracted, ...]: ...


@dataclass(frozen=True, slots=True)
class Extracted:
    """Something that the caller said in this call."""

    text: str
    """One sentence about them in the third person; empty when it only says that something is no longer so."""
    about: str
    """`employer`, `city`, `plan:move`, ...; see `contradictions` for which of them can be so only once."""
    replaces_hint: str = ""
    """Of what is no longer so: the word that was named ("Siemens"); empty: whatever is known of `about`."""
    importance: float = 0.5
    """From 0 to 1."""
    name: str = ""
    """The name under which the speaker introduced themselves in this call."""


class RuleExtractor:
    """`extract` as an `Extractor`."""

    def __init__(self, *, owner: Sequence[str] = ()) -> None:
        """`owner` are the names of the twin's owner: nothing that names them is remembered."""
        self._owner = tuple(owner)

    async def extract(
        self, turns: Sequence[Spoken], *, language: str, name: str, today: date
    ) -> tuple[Extracted, ...]:
        return extract(turns, language=language, name=name, today=today, owner=self._owner)


@dataclass(slots=True)
class _Found:
    said: Extracted
    clause: str
    """The caller's words, to be read again when a part of them is corrected."""


@dataclass(slots=True)
class _Reading:
    """What was found so far, turn by turn."""

    rules: Rules
    words: Words
    owner: tuple[str, ...]
    turns: list[list[_Found]] = field(default_factory=list)


def extract(
    turns: Sequence[Spoken], *, language: str, name: str = "", today: date, owner: Sequence[str] = ()
) -> tuple[Extracted, ...]:
    """What the caller said, oldest first, each about once.

    `name` is who they are as far as known before the call; what they call themselves in it goes before that.
    `today` is the day of the call, from which "in May" gets its year.
    """
    own = [_whole(turn) for turn in turns if turn.who == "caller"]
    given = [said for text in own if text and not is_refused(text, ()) if (said := name_given(text, language))]
    short = re.split("[-_]", language)[0].lower()
    rules = rules_of(short if short in LANGUAGES else "en")
    speaker = given[-1] if given else name
    reading = _Reading(rules, Words(rules, short, speaker, today), tuple(owner))
    for text in own:
        reading.turns.append([])
        if text and short in LANGUAGES:
            _read_turn(text, reading)
    found = [found.said for turn in reading.turns for found in turn]
    if given:
        heading = "Name {of}: {x}." if short == "de" else "{names} name is {x}."
        text = reading.words.sentence(heading, {"x": speaker}, unnamed=True)
        found.insert(0, Extracted(text, "name", importance=1.0))
    return tuple(dict.fromkeys(_with_name(said, given[-1] if given else "") for said in found))


def believed(turns: Sequence[Spoken], *, language: str) -> list[str]:
    """The caller's own sentences that state something, in order: what a model may be shown of a call."""
    short = re.split("[-_]", language)[0].lower()
    rules = rules_of(short if short in LANGUAGES else "en")
    kept: list[list[str]] = []
    for turn in turns:
        if turn.who != "caller":
            continue
        kept.append([])
        text = _whole(turn)
        if is_refused(text, ()):
            continue
        for sentence in _SENTENCE.split(text):
            if rules.taken_back.search(sentence):
                _take_back(kept)
            else:
                clauses = [clause for clause in _statements(sentence, rules) if not clause.rstrip().endswith("?")]
                kept[-1] += [", ".join(clauses)] if clauses else []
    return [sentence for turn in kept for sentence in turn if sentence.strip()]


def _whole(turn: Spoken) -> str:
    """The turn without a last sentence that was cut off: its end may have said the opposite."""
    text = turn.text[:TURN_CHARS].replace("’", "'").strip()
    if not turn.cut or _CLOSED.search(text):
        return text
    return " ".join(part for part in _SENTENCE.split(text) if _CLOSED.search(part))


def _read_turn(text: str, reading: _Reading) -> None:
    rules = reading.rules
    if rules.orders.search(text) or is_refused(text, ()):
        return  # who gives the twin orders in one sentence is not believed in the next
    for sentence in _SENTENCE.split(text):
        if rules.taken_back.search(sentence):
            _take_back(reading.turns)
        elif not _correct(sentence, reading):
            for clause in _statements(sentence, rules):
                reading.turns[-1] += _read_clause(clause, reading)


def _take_back(turns: Sequence[list[Any]]) -> None:
    """ "Just kidding" is said of what was said just before, in this turn or the one before."""
    for turn in turns[:-3:-1]:
        if turn:
            turn.clear()
            return


def _statements(sentence: str, rules: Rules) -> list[str]:
    """The clauses of a sentence that state something; none when the whole of it is in doubt."""
    if rules.unreal.search(sentence) or rules.reported.search(sentence) or rules.secrets.search(sentence):
        return []
    if rules.remember.fullmatch(_bare(sentence, rules)):
        return [sentence]
    clauses = [sentence]
    if not re.search(r"[,.!?]", sentence):
        clauses = rules.joint_unpunctuated.split(sentence)
    clauses = [part for clause in clauses for part in rules.joint.split(clause)]
    for i in range(1, len(clauses)):
        if rules.elided.match(clauses[i]) and re.search(rf"(?i)\b{rules.subject}\b", clauses[i - 1]):
            clauses[i] = f"{rules.subject} {clauses[i]}"
    if sentence.rstrip().endswith("?"):
        # "I live in Munich, do you deliver there?", but not "so I live in Munich, right?"
        last = clauses[-1]
        if len(clauses) > 1 and (len(last.split()) < 4 or not rules.question.match(last)):
            return []
    return clauses


def _bare(clause: str, rules: Rules) -> str:
    """The clause without the words before it that say nothing, and without its mark."""
    return re.sub(r"[\s.,!?]+$", "", rules.lead_in.sub("", clause.strip(" -\"'"), count=1).strip())


def _read_clause(clause: str, reading: _Reading, *, asked_to_remember: bool = False) -> list[_Found]:
    rules = reading.rules
    bare = _bare(clause, rules)
    wanted = rules.remember.fullmatch(bare)
    if wanted and not asked_to_remember:
        if clause.endswith("?") and not rules.first_person.match(wanted["said"]):
            return []
        return _asked_to_remember(wanted["said"], reading)
    bare = reading.words.straight(bare)
    is_question = clause.endswith("?") or rules.question.match(bare) is not None
    for rule in rules.gone:
        if not is_question and (values := filled(rule, bare, reading.words)) is not None:
            hint = next(iter(values.values()), "")
            return [_Found(Extracted("", rule.about, replaces_hint=hint, importance=0.8), clause)]
    found: list[_Found] = []
    for rule in rules.facts:
        if asked_to_remember and rule.about == "family" and reading.words.language == "de":
            continue  # "dass meine Katze Mimi heißt" has its verb at the end
        if (is_question and not rule.request) or (found and rule.about in ("family", "plan")):
            continue
        said = _said(rule, bare, reading)
        if said is not None and all(said.about != other.said.about for other in found):
            found.append(_Found(said, clause))
    return found


def _said(rule: Rule, clause: str, reading: _Reading) -> Extracted | None:
    values = filled(rule, clause, reading.words)
    if values is None:
        return None
    text = reading.words.sentence(rule.say, values)
    if is_refused(text, reading.owner, language=reading.words.language, about=rule.about):
        return None
    return Extracted(text, rule.about, importance=rule.importance)


def _asked_to_remember(said: str, reading: _Reading) -> list[_Found]:
    """ "Remember that I ..." is about them, or it is nothing: neither a rule for the twin nor news of others."""
    if not reading.rules.first_person.match(said) or len(said.split()) > NOTE_WORDS:
        return []
    found = _read_clause(said, reading, asked_to_remember=True)
    if not found:
        words = reading.words
        text = words.sentence(reading.rules.remember_say, {"said": f'"{words.in_time(said)}".'})
        if not is_refused(text, reading.owner, language=words.language):
            found = [_Found(Extracted(text, "note", importance=0.9), said)]
    return found


def _correct(sentence: str, reading: _Reading) -> bool:
    """ "No, not Tuesday, Thursday": the newest statement with that word is read again with the other."""
    bare = re.sub(r"[\s.!]+$", "", sentence.strip())
    for pattern in reading.rules.corrections:
        found = pattern.fullmatch(bare)
        if not found:
            continue
        old = re.compile(rf"\b{re.escape(found['old'].strip())}\b", re.IGNORECASE)
        for turn in reversed(reading.turns):
            for i in reversed(range(len(turn))):
                if old.search(turn[i].clause):
                    turn[i : i + 1] = _read_clause(old.sub(found["new"], turn[i].clause), reading)
                    return True
    return False


def _with_name(said: Extracted, name: str) -> Extracted:
    return Extracted(said.text, said.about, said.replaces_hint, said.importance, name)
