"""The lines of a prompt's notes: what is the owner's as it is, and everybody else's words as data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from persona.budget import within
from persona.caller import Caller
from persona.examples import Example
from persona.people import Person
from persona.quoting import plain_line, quoted
from persona.source import Memory, Source
from persona.when import roughly

EARLIER = "Earlier in this call:"
LIVE = "{short} just now:"
FOUND = "What may answer the last question:"
TOLD = (
    "What this caller told in earlier calls, by their own account; it says nothing about {short}. Use it where it "
    "helps, and do not recite it:"
)
MEETING = (
    "This is a meeting with {people} people{names}. All of them hear you. Lines that begin with a name are what "
    "people said among themselves; only the last words are for you. Answer them in one to three sentences. Where "
    "you do not know, or may not promise, say so."
)
MOST_NAMES = 20
EXAMPLES = "How {short} talks with such people. Take the manner from it and nothing else; none of it is a fact:"


def line(source: Source, short: str) -> str:
    """A fact, a statement or a piece of a document. The owner's files are trusted to say what they like, documents
    are not: somebody else may have written them."""
    about = " ".join(source.about.split())
    if source.kind == "fact":
        return f"- {about}: {source.text}"
    if source.kind == "statement":
        words = " ".join(source.text.split()).replace('"', "'")
        return f'- {about}, in {short}\'s own words: "{words}"'
    about = quoted(about, limit_chars=200)
    return f"- from a document about {about}: {quoted(source.text, limit_chars=len(source.text))}"


def about(caller: Caller, person: Person | None, short: str) -> tuple[str, str, str]:
    """Name and number, which another caller of the audience would have too; then what is only of this person."""
    name = f"The caller's name: {quoted(caller.name, limit_chars=100)}" if caller.name.strip() else ""
    number = f"The caller's number: {quoted(caller.number, limit_chars=40)}" if caller.number.strip() else ""
    relation = f" Relation to {short}: {plain_line(caller.relation)}." if caller.relation else ""
    known = f"The caller is known.{relation}" if caller.known else ""
    note = (
        f"What {short} wants you to keep in mind with them: {plain_line(person.note)}"
        if person and person.note
        else ""
    )
    return "\n".join(line for line in (name, number) if line), known, note


def meeting(names: Sequence[str], people: int) -> str:
    """That several hear it, and who."""
    shown = ", ".join(quoted(name, limit_chars=60) for name in names[:MOST_NAMES])
    return MEETING.format(people=people, names=f": {shown}" if shown else "")


def told(memory: Memory, today: date, time_zone: str) -> str:
    """What the caller said in an earlier call, and about when."""
    return f"- told {roughly(memory.at_ms, today, time_zone)}: {quoted(memory.text)}"


def exchange(example: Example) -> str:
    """An example of how the owner talks."""
    return f"- asked {quoted(example.they, limit_chars=300)}, answered {quoted(example.me, limit_chars=500)}"


def section(head: str, lines: Sequence[str]) -> str:
    """Lines under their head; nothing where there are none."""
    return "\n".join((head, *lines)) if lines else ""


def lines(text: str, budget: int) -> list[str]:
    """Several lines of somebody else's, as far as they fit."""
    shown = (f"- {quoted(line)}" for line in text.splitlines() if line.strip())
    return [line for line, _ in within(((line, line) for line in shown), budget)]
