"""The digest of a meeting by rules: what was decided, asked of the owner, taken on, and what the twin said. Pure.

Rules find the usual wordings and miss the unusual ones; every entry is the words as they were said, with their
place, so that whoever reads it can look.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from agent.meeting.minutes.rules import Rulebook, found, rulebook
from agent.meeting.minutes.said import Spoken, sentences
from compliance.entries import MinuteEntry, MinuteKind, TurnEntry

MOST = 60
"""Entries of one kind; a meeting of a day has fewer, and a page that is not read has more."""
CHARS = 400
_ANSWER_S = 12.0
"""How long after a request a yes to it may come."""
_OWN = ("fact", "statement", "document", "memory")
"""Where what the twin says in the owner's name comes from."""
_LEAST_TASK = 2
"""Words of a task; "I'll do." says nothing."""
_PROPOSED_BACK = 3
"""How many sentences before an assent a proposal is looked for."""


def digest(
    turns: Iterable[TurnEntry],
    *,
    owner: Sequence[str],
    language: str,
    noted: Collection[int] = (),
    owner_identities: Collection[str] = (),
) -> tuple[MinuteEntry, ...]:
    """What the turns come down to, in order of time.

    `owner`: the owner's names. `noted`: sequences of turns that were questions for the owner, as the meeting
    itself judged. Where the owner took part under one of `owner_identities`, nothing is a question for later.
    """
    listed = list(turns)
    people = [turn.name for turn in listed if turn.who == "caller" and turn.name]
    rules = rulebook(language, owner=owner, people=list(dict.fromkeys(people)))
    said = sentences(listed)
    here = any(turn.speaker in owner_identities for turn in listed if turn.who == "caller")
    found_ = [
        *([] if here else _questions(said, rules, noted)),
        *_decisions(said, rules),
        *_actions(said, rules),
        *_twins(said, rules),
    ]
    return _settled(found_)


def _questions(said: Sequence[Spoken], rules: Rulebook, noted: Collection[int]) -> list[MinuteEntry]:
    """The exact words of each turn in which the owner was asked something that the twin did not answer."""
    asked: dict[int, MinuteEntry] = {}
    for at, one in enumerate(said):
        if one.twin or one.turn.sequence in asked:
            continue
        by_rule = (
            found(rules.to_owner, one.plain)
            and found(rules.mark, one.plain)
            and not found(rules.not_to_owner, one.plain)
        )
        if one.turn.sequence in noted or (by_rule and not _answered(said, at)):
            asked[one.turn.sequence] = _entry("question", one, one.turn.text)
    return list(asked.values())


def _answered(said: Sequence[Spoken], at: int) -> bool:
    """Whether the next that is heard is the twin with something of the owner's own."""
    after = next((one for one in said[at + 1 :] if one.turn is not said[at].turn), None)
    return after is not None and after.twin and _is_own(after)


def _decisions(said: Sequence[Spoken], rules: Rulebook) -> list[MinuteEntry]:
    made: list[MinuteEntry] = []
    for at, one in enumerate(said):
        if one.twin or one.plain.endswith("?"):
            continue
        if found(rules.assent, one.plain):
            proposed = _proposed(said, at, rules)
            if proposed is not None:
                made.append(_entry("decision", proposed, proposed.text))
        elif found(rules.decided, one.plain) and not found(rules.undecided, one.plain):
            made.append(_entry("decision", one, one.text))
    return made


def _proposed(said: Sequence[Spoken], at: int, rules: Rulebook) -> Spoken | None:
    """What somebody else has just proposed."""
    for one in reversed(said[max(0, at - _PROPOSED_BACK) : at]):
        if not one.twin and one.speaker != said[at].speaker and found(rules.proposal, one.plain):
            return one
    return None


def _actions(said: Sequence[Spoken], rules: Rulebook) -> list[MinuteEntry]:
    made: list[MinuteEntry] = []
    yes: set[int] = set()
    """Turns that said yes to a request: what was taken on stands there already."""
    for at, one in enumerate(said):
        if one.twin:
            continue
        if requested := _request(said, at, rules):
            action, answer = requested
            yes.add(answer)
        elif one.turn.sequence in yes and one.first:
            continue
        else:
            action = _taken_on(one, rules)
        if action is not None:
            made.append(action)
    return made


def _taken_on(one: Spoken, rules: Rulebook) -> MinuteEntry | None:
    if found(rules.no_task, one.plain):
        return None
    if match := found(rules.by_other, one.plain):
        return _action(one, match, rules, who=_as_said(one, match, "who"))
    if match := found(rules.by_speaker, one.plain):
        return _action(one, match, rules, who=one.name)
    return None


def _request(said: Sequence[Spoken], at: int, rules: Rulebook) -> tuple[MinuteEntry | None, int] | None:
    """Something asked of somebody who then said yes, and the turn in which they did."""
    one = said[at]
    match = found(rules.request, one.plain)
    if match is None:
        return None
    who = _as_said(one, match, "who")
    limit = one.turn.end_samples + _ANSWER_S * one.turn.rate_hz
    for other in said[at + 1 :]:
        if other.turn.start_samples > limit:
            break
        if other.twin or other.speaker == one.speaker or not other.first:
            continue
        if who and who.lower().split()[0] not in other.name.lower():
            continue
        if found(rules.yes, other.plain):
            return _action(one, match, rules, who=other.name or who), other.turn.sequence
        if who:
            break
    return None


def _action(one: Spoken, match: re.Match[str], rules: Rulebook, *, who: str) -> MinuteEntry | None:
    task = _as_said(one, match, "task") or one.text
    task = task.strip(" .,;:!?")
    if len(task.split()) < _LEAST_TASK:
        task = one.text
        if len(task.split()) <= _LEAST_TASK:
            return None
    due = found(rules.due, one.plain)
    words = one.text[due.start() : due.end()].strip(" .,") if due and _aligned(one) else due.group() if due else ""
    return replace(_entry("action", one, task), who=who, due=words)


def _twins(said: Sequence[Spoken], rules: Rulebook) -> list[MinuteEntry]:
    made: list[MinuteEntry] = []
    for one in said:
        if not one.twin:
            continue
        kinds: list[MinuteKind] = []
        if found(rules.unknown, one.plain):
            kinds.append("unknown")
        if found(rules.promise, one.plain):
            kinds.append("promise")
        if not kinds and _is_own(one):
            kinds.append("statement")
        made += [_entry(kind, one, one.text) for kind in kinds]
    return made


def _is_own(one: Spoken) -> bool:
    return not set(_OWN).isdisjoint(one.provenance.split("-"))


def _as_said(one: Spoken, match: re.Match[str], group: str) -> str:
    """The words of a group as they were written, capital letters and all."""
    if group not in match.re.groupindex or match.group(group) is None:
        return ""
    return one.text[match.start(group) : match.end(group)] if _aligned(one) else match.group(group)


def _aligned(one: Spoken) -> bool:
    """Whether places in the plain text are places in the text."""
    return len(one.plain) == len(one.text)


def _entry(kind: MinuteKind, one: Spoken, text: str) -> MinuteEntry:
    turn = one.turn
    short = text if len(text) <= CHARS else text[: CHARS - 1].rsplit(" ", 1)[0] + "…"
    # The exact words of a question stay whole.
    words = text if kind == "question" else short
    return MinuteEntry(
        kind, words, turn.start_samples, turn.end_samples, turn.rate_hz, speaker=turn.speaker, name=turn.name
    )


def _settled(entries: Iterable[MinuteEntry]) -> tuple[MinuteEntry, ...]:
    """Each thing once, and no more of a kind than anybody reads."""
    kept: dict[tuple[str, str], MinuteEntry] = {}
    counts: dict[str, int] = {}
    for entry in sorted(entries, key=lambda entry: (entry.start_samples, entry.kind)):
        key = (entry.kind, entry.text.casefold().strip(" .!"))
        if key in kept or counts.get(entry.kind, 0) >= MOST:
            continue
        kept[key] = entry
        counts[entry.kind] = counts.get(entry.kind, 0) + 1
    return tuple(kept.values())
