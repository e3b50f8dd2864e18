"""What becomes of what is remembered when somebody says something new. Pure; the newer goes before the older.

"works at A" is known, "works at B" is said  ->  Replace
"works at A" is known, "no longer at A" is said  ->  Drop
the same is said again  ->  nothing
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from persona.introduced import same_name
from persona.memory.changes import Change, Drop, Keep, Replace
from persona.memory.extraction import Extracted
from persona.source import Memory

SINGLE = frozenset(
    (
        *("name", "nickname", "employer", "calls_from", "job", "city", "origin", "address", "phone", "email"),
        *("birthday", "partner", "contact_time"),
    )
)
"""What is so only once: the newest counts. So is every `plan:...`; of all else there may be several."""
_ALIKE = 0.75
"""From this share of common words on, two sentences of the same kind say the same, and the newer one stays."""
_SMALL = re.compile(
    r"an?|the|is|are|was|were|be|been|has|have|had|of|to|in|on|at|for|from|with|and|or|that|this|their|they|them|also|"
    r"now|der|die|das|den|dem|des|eine?[nmr]?|ist|sind|war|hat|haben|vo[nm]|zu[mr]?|i[nm]|am|bei|mit|und|oder|dass|"
    r"dieser|ihre?|auch|jetzt|caller|person"
)
"""Words that say nothing of what a sentence is about."""
_NUMBERS = re.compile(r"\d+")


@dataclass(slots=True)
class _Shelf:
    """The memories as they would be after the changes so far."""

    memories: dict[str, Memory]
    """By id; what the speaker may change."""
    changes: dict[str, Change]
    """By the id of the memory that they make or end."""


def resolve(
    known: Sequence[Memory],
    said: Sequence[Extracted],
    *,
    now_ms: int,
    new_id: Callable[[], str],
    person: str = "",
    call_id: str = "",
) -> tuple[Change, ...]:
    """What is to be done to `known` after `said`, in the order in which it was said.

    `now_ms` is when it was said; what is known since later stays, because an older call may be worked through
    after a newer one. `new_id` makes an id for each new memory, and is called once for every entry of `said`, so
    that the ids do not depend on what is known. `person` is who spoke, by name, where known: on a shared number
    what others said is neither changed nor taken for theirs.
    """
    shelf = _Shelf({memory.id: memory for memory in known if _is_of(memory, person, known)}, {})
    for entry in said:
        memory_id = new_id()
        if entry.text:
            who = person or entry.name
            memory = Memory(memory_id, entry.text, now_ms, about=entry.about, person=who, call_id=call_id)
            _say(memory, shelf)
        else:
            _end(entry, shelf, now_ms)
    return tuple(shelf.changes.values())


def _is_of(memory: Memory, person: str, known: Sequence[Memory]) -> bool:
    """Whether it is the speaker's to change: their own, or nobody's by name where nobody else is known."""
    if memory.person:
        return bool(person) and same_name(person, memory.person)
    return not any(other.person and not (person and same_name(person, other.person)) for other in known)


def _say(memory: Memory, shelf: _Shelf) -> None:
    rivals = [old for old in shelf.memories.values() if _is_rival(old, memory)]
    newest = max(rivals, key=lambda old: old.at_ms, default=None)
    if newest is None:
        _put(memory, shelf)
        return
    if newest.at_ms > memory.at_ms or _plain(newest.text) == _plain(memory.text):
        return
    for extra in rivals:
        if extra is not newest:
            _drop(extra, shelf)
    _replace(newest, memory, shelf)


def _is_rival(old: Memory, new: Memory) -> bool:
    """Whether both cannot be so, or say the same."""
    if _plain(old.text) == _plain(new.text):
        return True
    if old.about != new.about:
        return False
    if new.about in SINGLE or new.about.startswith("plan:"):
        return True
    return _share(old.text, new.text) >= _ALIKE


def _end(entry: Extracted, shelf: _Shelf, now_ms: int) -> None:
    hint = set(_words(entry.replaces_hint))
    for old in list(shelf.memories.values()):
        meant = old.about == entry.about and (not hint or hint <= set(_words(old.text)))
        if meant and old.at_ms <= now_ms:
            _drop(old, shelf)


def _put(memory: Memory, shelf: _Shelf) -> None:
    shelf.memories[memory.id] = memory
    shelf.changes[memory.id] = Keep(memory)


def _replace(old: Memory, new: Memory, shelf: _Shelf) -> None:
    del shelf.memories[old.id]
    shelf.memories[new.id] = new
    match shelf.changes.pop(old.id, None):
        case Keep():  # said and corrected in the same call: it never was
            shelf.changes[new.id] = Keep(new)
        case Replace(old_id=before):
            shelf.changes[new.id] = Replace(before, new)
        case _:
            shelf.changes[new.id] = Replace(old.id, new)


def _drop(old: Memory, shelf: _Shelf) -> None:
    del shelf.memories[old.id]
    match shelf.changes.pop(old.id, None):
        case Keep():
            pass
        case Replace(old_id=before):
            shelf.changes[old.id] = Drop(before)
        case _:
            shelf.changes[old.id] = Drop(old.id)


def _share(one: str, other: str) -> float:
    """The share of words that two sentences have in common; none when their numbers or dates differ."""
    if _NUMBERS.findall(one) != _NUMBERS.findall(other):
        return 0.0
    a, b = set(_words(one)), set(_words(other))
    return len(a & b) / len(a | b) if a | b else 0.0


def _words(text: str) -> list[str]:
    return [word for word in _plain(text).split() if not _SMALL.fullmatch(word)]


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    folded = "".join(ch for ch in folded if not unicodedata.combining(ch))
    return " ".join(re.findall(r"\w+", re.sub(r"'s\b", "", folded)))
