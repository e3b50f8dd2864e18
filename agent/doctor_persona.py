"""`twin doctor`, third part: what the owner wrote, how they talk, what is remembered, what the twin may do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx

from agent.findings import Check, Patient
from agent.mind import NOTIFY_SECRET
from agent.tools.diary import Diary
from compliance.errors import TwinError
from compliance.vault import Vault
from persona.facts import Fact
from persona.home import Persona
from persona.memory.library import Library
from persona.memory.queue import MemoryQueue
from persona.prompt import Composer, Entry
from persona.style import ENOUGH_WORDS

STORE_LIMIT_S = 30.0
"""Importing mem0 alone takes seconds."""
MODERATION_LIMIT_S = 0.5
SOON_DAYS = 14
_ASKED = {"leaving": "before they leave", "start": "at the start", "never": "never, so nobody is remembered"}
_NAMED = 3
"""So many are named; of more, how many."""


async def examine(patient: Patient) -> list[Check]:
    """Every check of this file; none when what the owner wrote cannot be read: `home` says why."""
    try:
        persona = await asyncio.to_thread(patient.home.persona)
    except TwinError:
        return []
    today = datetime.now(ZoneInfo(persona.profile.time_zone)).date()
    checks = [knowledge(patient, persona, today), await asyncio.to_thread(style, patient, persona)]
    return [*checks, await memory(patient), await tools(patient, persona), await guard(patient)]


# ---- what the owner wrote


def knowledge(patient: Patient, persona: Persona, today: date) -> Check:
    """How much there is, who can hear it, and what soon does not hold any more."""
    facts = persona.facts
    superseded = sum(fact.valid(today) and not fact.holds(today) for fact in facts)
    over = sum(fact.last_day < today for fact in facts)
    files = len({passage.file for passage in persona.documents})
    detail = ", ".join((
        _many(len(facts), "fact") + _notes((superseded, "superseded"), (over, "over")),
        _many(len(persona.statements), "statement"),
        f"{_many(len(persona.documents), 'passage')} of {_many(files, 'document')}",
        _many(len(persona.people), "person", "people"),
        _many(len(persona.examples), "example"),
    ))  # fmt: skip
    unheard = _unheard(patient, persona)
    expiring = _expiring(persona, today)
    warnings, mends = [], []
    if unheard:
        warnings.append(f"nobody can ever hear {_named(unheard)}")
        mends.append("give those named in `tell` a number or an address in people.toml, or widen `tell`")
    if expiring:
        warnings.append(f"within {SOON_DAYS} days {_named(expiring)} will not hold any more")
        mends.append(f"write what holds from then on into {patient.path / 'facts.toml'}, with 'valid_from'")
    if warnings:
        return Check("knowledge", "warn", "; ".join((detail, *warnings)), "\n".join(mends))
    return Check("knowledge", "ok", detail)


def _unheard(patient: Patient, persona: Persona) -> list[str]:
    """What is meant for somebody, and for nobody who could be recognised. `nobody` is what it says."""
    entries: list[Entry] = [*persona.facts, *persona.statements, *persona.documents]
    settings = patient.settings.memory
    meets = {person.name for person in persona.people if person.subjects}
    knows = bool(meets) or (settings.enabled and settings.ask != "never")

    def can_be_met(entry: Entry) -> bool:
        if isinstance(entry.tell, tuple):
            return any(name in meets for name in entry.tell)
        return entry.tell != "known" or knows

    return _once(entry.about for entry in entries if not can_be_met(entry))


def _expiring(persona: Persona, today: date) -> list[str]:
    """What holds today, ends soon, and has nothing that follows it."""
    until, ledger = today + timedelta(days=SOON_DAYS), persona.ledger

    def ends(fact: Fact) -> bool:
        if not fact.holds(today) or fact.last_day > until:
            return False
        after = fact.last_day + timedelta(days=1)
        return not any(other.holds(after) for other in ledger.history(fact.about))

    return _once(fact.about for fact in persona.facts if ends(fact))


def style(patient: Patient, persona: Persona) -> Check:
    """How the owner talks, as the prompt says it, in every language of the profile."""
    composer = Composer(persona, patient.settings.persona)
    parts, missing = [], 0
    for language in persona.profile.languages:
        found = composer.style(language)
        if found.length is None:
            parts.append(
                f"in {language!r} unknown: {max(1, ENOUGH_WORDS - found.words)} more of the owner's own words"
                f" are needed ({found.words} of {ENOUGH_WORDS})"
            )
            missing += language == persona.profile.languages[0]
        else:
            parts.append("; ".join(found.lines()))
    if missing:
        where = f"{patient.path / 'statements.md'} or {patient.path / 'examples.jsonl'}"
        return Check("style", "warn", "\n".join(parts), f"write down how the owner says things, in {where}")
    return Check("style", "ok", "\n".join(parts))


# ---- what is remembered


async def memory(patient: Patient) -> Check:
    """Whether the memory opens, and whether what callers agreed to is being written."""
    settings = patient.settings.memory
    if not settings.enabled:
        return Check("memory", "ok", "off: nobody is remembered")
    library: Library | None = None
    try:
        async with asyncio.timeout(STORE_LIMIT_S), Vault(patient.path, patient.settings.store) as vault:
            library = Library(patient.path, vault, settings, api_key=patient.environment.get("OPENAI_API_KEY", ""))
            await library.start()
            waiting = await MemoryQueue(vault).waiting()
    except (TwinError, TimeoutError, OSError) as error:
        why = error.message if isinstance(error, TwinError) else f"it does not open: {type(error).__name__}"
        mend = "see the line of the store" if library is None else "correct [memory], or: enabled = false"
        return Check("memory", "fail", f"{settings.store}: {why}", mend)
    finally:
        if library is not None:
            await library.close()
    waits = f"{_many(waiting.due, 'call')} waiting to be written"
    detail = f"{settings.store} opens; callers are asked {_ASKED[settings.ask]}; {waits}"
    if waiting.dead:
        detail += f", {_many(waiting.dead, 'call')} given up after too many attempts"
        mend = 'the log says why, at "memories were not written"; the transcripts still have what was said'
        return Check("memory", "warn", detail, mend)
    return Check("memory", "ok", detail)


# ---- what the twin may do, and must not


async def tools(patient: Patient, persona: Persona) -> Check:
    """Which tools a model has, and what those lack that were meant to be there."""
    settings = patient.settings.tools
    if not settings.enabled:
        return Check("tools", "ok", "off: a language model may only speak")
    there, lacks = ["take_message", "hang_up"], _lacking(patient)
    if (settings.owner_number and not _absent_for_texts(patient)) or settings.notify_url:
        there.append("reach_owner")
    if settings.transfer and settings.owner_number:
        there.append("transfer_call")
    if settings.calendar:
        diary = Diary(
            settings.calendar,
            patient.path,
            zone=persona.profile.time_zone,
            hours=settings.working_hours,
            days=settings.calendar_days,
        )
        try:
            there.append(f"look_up_calendar ({_many(await diary.count(), 'entry', 'entries')})")
        except TwinError as error:
            lacks.append((error.message, "correct [tools] calendar"))
    detail = ", ".join(there)
    if patient.settings.brain.engine == "grounded":
        detail += " (for a language model; [brain] engine is grounded, which uses none)"
    if lacks:
        said = "; ".join((detail, *(what for what, _ in lacks)))
        return Check("tools", "warn", said, "\n".join(dict.fromkeys(mend for _, mend in lacks)))
    return Check("tools", "ok", detail)


def _lacking(patient: Patient) -> list[tuple[str, str]]:
    """What a setting asks for and another one does not give: what it is, and what mends it."""
    settings, lacks = patient.settings.tools, []
    if settings.owner_number and (absent := _absent_for_texts(patient)):
        lacks.append((f"owner_number cannot be texted without {absent}", f"set {absent}"))
    if settings.transfer and not settings.owner_number:
        lacks.append(("transfer is true without an owner_number", '[tools]\nowner_number = "+493012345"'))
    if settings.notify_url and not patient.environment.get(NOTIFY_SECRET):
        lacks.append((
            f"what is sent to notify_url is not signed: {NOTIFY_SECRET} is not set",
            f"set {NOTIFY_SECRET} in the environment or the home's .env",
        ))  # fmt: skip
    return lacks


def _absent_for_texts(patient: Patient) -> str:
    """What is missing for a text to the owner; empty when nothing is."""
    absent = [] if patient.settings.twilio.sms_number else ["[twilio] sms_number"]
    absent += [name for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN") if not patient.environment.get(name)]
    return " and ".join(absent)


async def guard(patient: Patient, *, limit_s: float = MODERATION_LIMIT_S) -> Check:
    """What is not talked about, and whether the model that is asked besides the rules is there."""
    settings = patient.settings.guard
    banned = len(settings.topics) + len(settings.no_advice)
    detail = f"rules, {_many(banned, 'banned topic')}" if banned else "rules; no topics are banned"
    url = settings.moderation_base_url
    if not url:
        return Check("guard", "ok", f"{detail}; no model is asked besides")
    try:
        async with asyncio.timeout(limit_s), httpx.AsyncClient(timeout=limit_s) as client:
            # Any answer will do: what matters is that somebody is there in time.
            await client.get(f"{url}/models")
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
        detail += f"; the moderation server does not answer within {limit_s:g} s ({type(error).__name__})"
        return Check("guard", "warn", f"{detail}: the rules decide alone", "start it, or correct [guard]")
    return Check("guard", "ok", f"{detail}; the moderation server answers")


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"


def _notes(*counts: tuple[int, str]) -> str:
    said = ", ".join(f"{count} {what}" for count, what in counts if count)
    return f" ({said})" if said else ""


def _named(abouts: Sequence[str]) -> str:
    more = len(abouts) - _NAMED
    said = ", ".join(f"{about!r}" for about in abouts[:_NAMED])
    return f"{said} and {more} more" if more > 0 else said


def _once(abouts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(abouts))
