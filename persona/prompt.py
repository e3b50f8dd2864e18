"""What a brain is asked: the one place where profile, facts and the conversation are composed.

A prompt has three parts. `system` (see `persona.stable`) is the same for all callers of an audience on one day.
`turns` are the last words of both sides. `notes` change from turn to turn and stand just before the caller's last
words: who calls, what was said before the turns that are shown, what the owner is doing, what this caller told in
earlier calls, how the owner talks to such people, and what was found for the question. Each has a budget of its
own, so that a long one cannot push out another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from persona import notes
from persona.budget import tokens, within
from persona.caller import STRANGER, Audience, Caller
from persona.documents import Passage
from persona.examples import Examples
from persona.facts import Fact
from persona.home import Persona
from persona.people import Person
from persona.quoting import clipped, spoken
from persona.settings import PersonaSettings
from persona.source import Memory, Source
from persona.stable import CUT, system
from persona.statements import Statement
from persona.style import Style, measure, own_words
from persona.tool import Exchange, Tool

TURN_CHARS = 4000
"""How much of one turn is shown: four minutes of speech."""
_KEPT_SYSTEMS = 64
"""Audiences times languages; more are composed anew each time they are needed."""


Entry = Fact | Statement | Passage
"""What the owner knows: a fact, a statement, or a piece of a document."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's words in the conversation, as they were heard."""

    who: Literal["caller", "twin"]
    text: str
    cut: bool = False
    """True when the twin was interrupted: `text` ends at the last word that was heard."""


@dataclass(frozen=True, slots=True)
class Company:
    """Who hears an answer, where it is more than one person."""

    names: tuple[str, ...]
    """Of those who gave one."""
    people: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything a brain needs to answer the last of `turns` (which is the caller's)."""

    system: str
    """Stable through the call, so that providers' prompt caches hit."""
    turns: tuple[Turn, ...]
    language: str = "en"
    notes: str = ""
    """What changes from turn to turn (retrieved facts, live state); placed after the stable part."""
    caller: Caller = STRANGER
    """Whom it is said to."""
    sources: tuple[Source, ...] = ()
    """Everything that a brain is shown and may therefore say; what else it says of the owner is invented."""
    memories: tuple[Memory, ...] = ()
    """What this caller told in earlier calls and may be used now."""
    basis: str = ""
    """A digest of all that is shown besides the turns and the caller's name and number, when all of it is the
    owner's and fit for anybody of the audience; empty when something is about this caller or this hour. Two
    prompts with the same basis and turns have the same answers; see `persona.canned`."""
    tools: tuple[Tool, ...] = ()
    """What the brain may ask for besides speaking."""
    exchanges: tuple[Exchange, ...] = ()
    """What it asked for within this answer, and what came of it."""


class Composer:
    """Composes the prompts of one persona. Made once, and shared by all calls: it measures the owner's style and
    indexes the examples once, a second or two for thousands of each, and keeps the stable parts it has
    composed."""

    def __init__(self, persona: Persona, settings: PersonaSettings | None = None) -> None:
        self._persona = persona
        self._settings = settings or PersonaSettings()
        self._examples = Examples(
            persona.examples,
            strangers=persona.profile.formality.strangers_are or "",
            languages=persona.profile.languages,
        )
        everything: list[Fact | Statement] = [*persona.facts, *persona.statements]
        # What anyone may hear comes first: the prompts of all audiences begin with the same bytes then.
        self._entries = sorted(everything, key=lambda entry: _reach(entry.tell))
        self._named = frozenset(
            name for entry in everything if isinstance(entry.tell, tuple) for name in entry.tell
        )
        self._styles = {language: self._measured(language) for language in persona.profile.languages}
        self._stables: dict[tuple[object, ...], _Stable] = {}

    def compose(
        self,
        turns: Sequence[Turn],
        *,
        language: str = "",
        today: date | None = None,
        caller: Caller | None = None,
        found: Sequence[Entry] = (),
        memories: Sequence[Memory] = (),
        summary: str = "",
        live: str = "",
        company: Company | None = None,
    ) -> Prompt:
        """The prompt for the last of `turns`.

        `system` depends only on the persona, the day, the language and the caller's audience. Facts and statements
        stand in it when all of them fit; otherwise those marked `overview` stand in it, and `found` (what the
        ranking found for the caller's last words) goes into the notes, as documents always do. What the caller may
        not hear goes nowhere, also not when it is in `found`. `summary` is of the turns before those that are
        shown (see `window`), `live` what the owner is doing, `company` who else hears it. Without `language` it
        is the owner's first one, without `today` the date in the owner's time zone."""
        profile, settings = self._persona.profile, self._settings
        caller, language = caller or STRANGER, language or profile.languages[0]
        today = today or datetime.now(ZoneInfo(profile.time_zone)).date()
        person = self._persona.people.named(caller.person) if caller.person else None
        stable = self._stable(caller, person, language, today)
        said = turns[-1].text if turns else ""
        fitting = self._examples.find(said, caller, language, settings.examples)
        examples = within(((one, notes.exchange(one)) for one in fitting), settings.examples_tokens)
        theirs = _of(memories, caller)
        told = within(((one, notes.told(one, today, profile.time_zone)) for one in theirs), settings.memory_tokens)
        fresh = within(self._found(found, stable, caller, today), settings.notes_tokens)
        short = profile.short
        personal = (
            *notes.about(caller, person, short),
            notes.meeting(company.names, company.people) if company is not None else "",
            notes.section(notes.EARLIER, notes.lines(summary, settings.summary_tokens)),
            notes.section(notes.LIVE.format(short=short), notes.lines(live, settings.live_tokens)),
            notes.section(notes.TOLD.format(short=short), [line for _, line in told]),
        )
        common = (
            notes.section(notes.EXAMPLES.format(short=short), [line for _, line in examples]),
            notes.section(notes.FOUND, [line for _, line in fresh]),
        )
        shared = not any(personal[2:]) and not any(
            caller.person and example.to.casefold() == caller.person.casefold() for example, _ in examples
        )
        return Prompt(
            system=stable.system,
            turns=_shown(turns, settings),
            language=language,
            notes="\n\n".join(part for part in (*personal, *common) if part),
            caller=caller,
            sources=(
                *stable.sources,
                *(source for source, _ in fresh),
                *(Source("memory", memory.about, memory.text) for memory, _ in told),
            ),
            memories=tuple(memory for memory, _ in told),
            basis=_digest(stable.system, language, today.isoformat(), *common) if shared else "",
        )

    def style(self, language: str) -> Style:
        """How the owner talks in a language, as far as their own words for anyone's ears show."""
        if language not in self._styles:
            self._styles[language] = self._measured(language)
        return self._styles[language]

    def _measured(self, language: str) -> Style:
        return measure(own_words(self._persona, language), language)

    def _stable(self, caller: Caller, person: Person | None, language: str, today: date) -> _Stable:
        profile = self._persona.profile
        formality = profile.formality_with(caller, person.formality if person else None)
        named = caller.person if caller.person in self._named else ""
        greeting = profile.greeting_for(caller, language, formality)
        key = (today, language, caller.known, named, formality, greeting)
        if key not in self._stables:
            if len(self._stables) >= _KEPT_SYSTEMS:
                self._stables.clear()
            entries = [entry for entry in self._entries if may_say(entry, today=today, caller=caller)]
            lines = _fitting(
                [(entry, notes.line(source_of(entry), profile.short)) for entry in entries],
                self._settings.facts_tokens,
            )
            self._stables[key] = _Stable(
                system(
                    profile,
                    self.style(language),
                    [line for _, line in lines],
                    formality,
                    greeting,
                    language=language,
                    today=today,
                ),
                tuple(source_of(entry) for entry, _ in lines),
            )
        return self._stables[key]

    def _found(
        self, found: Sequence[Entry], stable: _Stable, caller: Caller, today: date
    ) -> Iterable[tuple[Source, str]]:
        shown = set(stable.sources)
        for entry in found:
            source = source_of(entry)
            if source not in shown and may_say(entry, today=today, caller=caller):
                shown.add(source)
                if source.kind == "document":
                    # A piece may be longer than the room there is; its beginning is better than nothing.
                    source = replace(source, text=clipped(source.text, 2 * self._settings.notes_tokens))
                yield source, notes.line(source, self._persona.profile.short)


@dataclass(frozen=True, slots=True)
class _Stable:
    """A stable part, and everything it shows."""

    system: str
    sources: tuple[Source, ...]


def compose(
    persona: Persona,
    turns: Sequence[Turn],
    settings: PersonaSettings | None = None,
    *,
    language: str = "",
    today: date | None = None,
    caller: Caller | None = None,
    found: Sequence[Entry] = (),
    memories: Sequence[Memory] = (),
    summary: str = "",
    live: str = "",
) -> Prompt:
    """One prompt, as `Composer.compose` makes it. Who composes many keeps a `Composer`."""
    return Composer(persona, settings).compose(
        turns,
        language=language,
        today=today,
        caller=caller,
        found=found,
        memories=memories,
        summary=summary,
        live=live,
    )


def may_say(entry: Entry, *, today: date, caller: Caller) -> bool:
    """True when the twin may say it to this caller on this day."""
    return caller.may_hear(entry.tell) and (not isinstance(entry, Fact) or entry.holds(today))


def source_of(entry: Entry) -> Source:
    """The entry as one thing that a brain was shown."""
    if isinstance(entry, Fact):
        return Source("fact", entry.about, entry.say)
    return Source("statement" if isinstance(entry, Statement) else "document", entry.about, entry.text)


def window(turns: Sequence[Turn], settings: PersonaSettings) -> int:
    """The place of the first turn that is shown; never smaller when turns are added.

    The oldest go half of the limit at a time, because a window that slides with every turn would make providers'
    prompt caches miss every time.
    """
    start = cost = 0
    costs = [tokens(turn.text[:TURN_CHARS]) for turn in turns]
    for at, of_turn in enumerate(costs):
        cost += of_turn
        if at + 1 - start > settings.turns:
            keep, room = at + 1 - start - max(1, settings.turns // 2), settings.turns_tokens
        elif cost > settings.turns_tokens:
            keep, room = settings.turns, settings.turns_tokens // 2
        else:
            continue
        while start < at and (at + 1 - start > keep or cost > room):
            cost -= costs[start]
            start += 1
    return start


def chat_messages(prompt: Prompt) -> list[dict[str, str]]:
    """The prompt in the form of OpenAI's chat completions: stable part first, notes just before the last words.

    Sides alternate, because many models' templates refuse anything else: what others said before a question stands
    in one message with it.
    """
    messages = [{"role": "system", "content": prompt.system}]
    for turn in prompt.turns:
        role, said = ("user", spoken(turn.text)) if turn.who == "caller" else ("assistant", turn.text)
        said += CUT if turn.cut and turn.who == "twin" else ""
        if messages[-1]["role"] == role == "user":
            messages[-1]["content"] += f"\n\n{said}"
        else:
            messages.append({"role": role, "content": said})
    if prompt.notes:
        messages.insert(max(1, len(messages) - 1), {"role": "system", "content": prompt.notes})
    return messages


def _fitting(lines: list[tuple[Fact | Statement, str]], budget: int) -> list[tuple[Fact | Statement, str]]:
    """What stands in the stable part: everything, or what belongs to a survey as far as it fits."""
    if sum(tokens(line) for _, line in lines) <= budget:
        return lines
    fitting: list[tuple[Fact | Statement, str]] = []
    for entry, line in lines:
        if isinstance(entry, Fact) and entry.overview and tokens(line) <= budget:
            fitting.append((entry, line))
            budget -= tokens(line)
    return fitting


def _reach(tell: Audience) -> int:
    return {"anyone": 0, "known": 1}.get(tell, 2) if isinstance(tell, str) else 2


def _of(memories: Sequence[Memory], caller: Caller) -> list[Memory]:
    """Without those of somebody else who uses the same number."""
    names = {name.casefold().split()[0] for name in (caller.name, caller.person) if name.strip()}
    return [
        memory
        for memory in memories
        if not names or not memory.person.strip() or memory.person.casefold().split()[0] in names
    ]


def _shown(turns: Sequence[Turn], settings: PersonaSettings) -> tuple[Turn, ...]:
    return tuple(
        replace(turn, text=clipped(turn.text, TURN_CHARS)) if len(turn.text) > TURN_CHARS else turn
        for turn in turns[window(turns, settings) :]
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()
