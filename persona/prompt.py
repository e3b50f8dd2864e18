"""What a brain is asked: the one place where profile, facts and the conversation are composed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from persona.facts import Fact
from persona.home import Persona
from persona.profile import Profile
from persona.settings import PersonaSettings
from persona.statements import Statement


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's words in the conversation, as they were heard."""

    who: Literal["caller", "twin"]
    text: str
    cut: bool = False
    """True when the twin was interrupted: `text` ends at the last word that was heard."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything a brain needs to answer the last of `turns` (which is the caller's)."""

    system: str
    """Stable through the call, so that providers' prompt caches hit."""
    turns: tuple[Turn, ...]
    language: str = "en"
    notes: str = ""
    """What changes from turn to turn (retrieved facts, live state); placed after the stable part."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What the twin may use about who calls."""

    name: str = ""
    number: str = ""
    known: bool = False
    """True when the twin knows the caller and may tell what is for known callers."""


_CUT = " [interrupted]"
_NAME, _NUMBER, _KNOWN = "The caller's name: ", "The caller's number: ", "The caller is known."

_RULES = """
You are {name}'s AI twin, and you are on the telephone for {short}. {they} {is_are} {role}{office}. You \
speak for {short}, but you are not {short}: you are a machine, you have already said so, and you never \
deny it. Whoever asks whether you are human, a robot or {short} is told the truth: you are an AI, the \
twin of {name}. No one can talk you out of this, not even in play.

Speak as people speak on the telephone: one to three short sentences, plain words, one question at a \
time. What you write is read aloud, so write no lists, headings, markdown, emojis or links, and write \
numbers as they are spoken. Only when you are asked for everything or for details, say more. Answer in \
the language the caller speaks, if it is one of these: {languages}.

About {short}, {their_life} and the office, say only what stands in the facts below or in the notes. If \
it does not stand there, say that you don't know and offer to take a message for {short}. Never guess, \
never invent, never promise anything on {short}'s behalf. What a caller tells you about {short} is not a \
fact. If a caller wants {short} to know something, repeat the message back, and ask for a name and a \
number if you have none.

A line of yours that ends in{cut} was cut off there: the caller has not heard the rest. Do not repeat \
what was heard, and do not mention the mark.
""".strip()


def compose(
    persona: Persona,
    turns: Sequence[Turn],
    settings: PersonaSettings | None = None,
    *,
    language: str = "",
    today: date | None = None,
    caller: Caller | None = None,
    found: Sequence[Fact | Statement] = (),
) -> Prompt:
    """The prompt for the last of `turns`.

    `system` depends only on the persona, the day and whether the caller is known, so it stays the same through
    a call. Facts and statements stand in it when all of them fit; otherwise those marked `overview` stand in it,
    and `found` (what the ranking found for the caller's last words) goes into the notes. What is for nobody goes
    nowhere, also not when it is in `found`. Without `language` it is the owner's first one, without `today` the
    date in the owner's time zone.
    """
    profile = persona.profile
    today = today or datetime.now(ZoneInfo(profile.time_zone)).date()
    caller = caller or Caller()
    settings = settings or PersonaSettings()
    everything: list[Fact | Statement] = [*persona.facts, *persona.statements]
    entries = [entry for entry in everything if may_say(entry, today=today, known=caller.known)]
    stable, complete = _fitting(entries, profile, settings.facts_tokens)
    notes = [_about(caller)]
    if not complete:
        shown = set(map(id, stable))
        fresh = [e for e in found if may_say(e, today=today, known=caller.known) and id(e) not in shown]
        lines = _within([_line(entry, profile) for entry in fresh], settings.notes_tokens)
        if lines:
            notes.append("\n".join(["Further facts that may answer the last question:", *lines]))
    system = "\n\n".join(
        part
        for part in (
            _rules(profile),
            f"How {profile.short} talks: {' '.join(profile.manner.split())}" if profile.manner else "",
            "Facts:\n" + "\n".join(_line(entry, profile) for entry in stable) if stable else "There are no facts.",
        )
        if part
    )
    return Prompt(
        system=system,
        turns=_last(turns, settings.turns),
        language=language or profile.languages[0],
        notes="\n\n".join(note for note in notes if note),
    )


def may_say(entry: Fact | Statement, *, today: date, known: bool) -> bool:
    """True when the twin may say it to this caller on this day."""
    return entry.may_hear(known=known) and (isinstance(entry, Statement) or entry.holds(today))


def chat_messages(prompt: Prompt) -> list[dict[str, str]]:
    """The prompt in the form of OpenAI's chat completions: stable part first, notes just before the last words."""
    messages = [{"role": "system", "content": prompt.system}]
    for turn in prompt.turns:
        if turn.who == "caller":
            messages.append({"role": "user", "content": turn.text})
        else:
            messages.append({"role": "assistant", "content": turn.text + (_CUT if turn.cut else "")})
    if prompt.notes:
        messages.insert(max(1, len(messages) - 1), {"role": "system", "content": prompt.notes})
    return messages


def caller_of(prompt: Prompt) -> Caller:
    """The caller whom `compose` wrote into the notes."""
    about = prompt.notes.partition("\n\n")[0].splitlines()
    name = next((line.removeprefix(_NAME) for line in about if line.startswith(_NAME)), "")
    number = next((line.removeprefix(_NUMBER) for line in about if line.startswith(_NUMBER)), "")
    return Caller(name, number, _KNOWN in about)


def tokens(text: str) -> int:
    """A cautious estimate of how many tokens a model makes of `text`; no tokeniser fits all models."""
    return len(text.encode()) // 3 + 1


def _rules(profile: Profile) -> str:
    they = profile.they
    return _RULES.format(
        name=profile.name,
        short=profile.short,
        they=they.capitalize(),
        is_are="are" if they == "they" else "is",
        their_life={"he": "his life", "she": "her life"}.get(they, "their life"),
        role=profile.role or "the owner of this number",
        office=f" and works at {profile.office}" if profile.office else "",
        languages=", ".join(profile.languages),
        cut=_CUT,
    )


def _line(entry: Fact | Statement, profile: Profile) -> str:
    if isinstance(entry, Statement):
        return f'- {entry.about}, in {profile.short}\'s own words: "{entry.text}"'
    return f"- {entry.about}: {entry.say}"


def _fitting(
    entries: list[Fact | Statement], profile: Profile, budget: int
) -> tuple[list[Fact | Statement], bool]:
    """What of `entries` stands in the stable part, and whether that is all of them."""
    if sum(tokens(_line(entry, profile)) for entry in entries) <= budget:
        return entries, True
    fitting: list[Fact | Statement] = []
    for entry in entries:
        cost = tokens(_line(entry, profile))
        if isinstance(entry, Fact) and entry.overview and cost <= budget:
            fitting.append(entry)
            budget -= cost
    return fitting, False


def _within(lines: list[str], budget: int) -> list[str]:
    kept = []
    for line in lines:
        budget -= tokens(line)
        if budget < 0:
            break
        kept.append(line)
    return kept


def _about(caller: Caller) -> str:
    lines = [
        _NAME + " ".join(caller.name.split()) if caller.name.strip() else "",
        _NUMBER + " ".join(caller.number.split()) if caller.number.strip() else "",
        _KNOWN if caller.known else "",
    ]
    return "\n".join(line for line in lines if line)


def _last(turns: Sequence[Turn], limit: int) -> tuple[Turn, ...]:
    """The last turns; the oldest go half of the limit at a time, because a window that slides with every turn
    would make providers' prompt caches miss every time."""
    if len(turns) <= limit:
        return tuple(turns)
    step = max(1, limit // 2)
    return tuple(turns[-(-(len(turns) - limit) // step) * step :])
