"""Scripted meetings as text files, read into utterances with what went before each.

language: en            of the meeting
owner: Full Name; Nick  whose twin it is, and what they are called besides
people: Anna, Ben       everybody else, as they call themselves
field: release, budget  words of what the owner's own facts speak of
minutes: 20             how long such a meeting lasts, with what the script leaves out
owner_here: yes         the owner is one of the people

x Anna: Ben, can you?   a line of somebody: for whom it is (t twin, o owner, x somebody else, r room,
                        n nobody), `+` when something is to be done, `-` when nothing is wanted, `!leave` for an
                        order to the twin; `#` right after for whom it is: typed in the chat
. Words of the twin.
^ up                    the twin's hand
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agent.meeting.addressee import Addressee, Heard, Names, Scene, Target
from agent.meeting.addressee.model import Model

FOLDER = Path(__file__).parent / "meetings"
Part = Literal["tuning", "scoring", "blind", "independent", "fresh"]
WORDS_PER_S = 2.6
GAP_S = 0.7
REMEMBERED_S = 90.0
_TARGETS: dict[str, Target] = {"t": "twin", "o": "owner", "x": "other", "r": "room", "n": "nobody"}
_LINE = re.compile(
    r"(?P<target>[toxrn])(?P<typed>#?)(?P<wants>[+-]?)(?:!(?P<command>\w+))? (?P<name>[^:]+): (?P<text>.+)"
)


@dataclass(frozen=True, slots=True)
class Case:
    """One utterance, what is known when it ends, and what is right."""

    heard: Heard
    scene: Scene
    target: Target
    wants: str
    command: str
    hard: bool
    """Not for the twin, though something speaks for it: a question, a "you", the owner's or the twin's name, or
    the twin spoke just before."""


@dataclass(slots=True)
class Meeting:
    """One script."""

    name: str
    language: str = "en"
    names: Names = field(default_factory=lambda: Names(""))
    people: tuple[str, ...] = ()
    in_field: Callable[[str], bool] = bool
    minutes: float = 0.0
    owner_here: bool = False
    cases: list[Case] = field(default_factory=list)

    def addressee(self, model: Model | None = None) -> Addressee:
        return Addressee(self.names, self.in_field, self.language, model=model)

    @property
    def spoken_s(self) -> float:
        """How long the lines alone take."""
        return self.cases[-1].heard.end_s


def load(part: Part) -> list[Meeting]:
    """The meetings of one part, by name."""
    return [_read(path) for path in sorted((FOLDER / part).glob("*.txt"))]


def digest(part: Part) -> str:
    """Changes with any letter of that part."""
    total = hashlib.sha256()
    for path in sorted((FOLDER / part).glob("*.txt")):
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def _read(path: Path) -> Meeting:
    head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
    said = dict(line.split(": ", 1) for line in head.splitlines())
    owner, _, called = said["owner"].partition("; ")
    topics = tuple(word.strip().lower() for word in said["field"].split(","))
    meeting = Meeting(
        name=path.stem,
        language=said["language"],
        names=Names(owner, tuple(called.split(", ")) if called else ()),
        people=tuple(name.strip() for name in said["people"].split(",")),
        in_field=lambda text: any(topic in text.lower() for topic in topics),
        minutes=float(said["minutes"]),
        owner_here=said.get("owner_here") == "yes",
    )
    meeting.cases.extend(_cases(meeting, body.splitlines()))
    return meeting


def _cases(meeting: Meeting, lines: list[str]) -> Iterator[Case]:
    past: list[Heard] = []
    hand = False
    partner = asked = ""
    at_s = 0.0
    for line in filter(None, lines):
        if line.startswith("^"):
            hand = line.endswith("up")
            continue
        match = _LINE.fullmatch(line)
        name, text = (_full(meeting, match["name"]), match["text"]) if match else ("", line.removeprefix(". "))
        start_s, at_s = at_s + GAP_S, at_s + GAP_S + len(text.split()) / WORDS_PER_S
        heard = Heard(name.lower(), name, text, start_s, at_s, typed=bool(match and match["typed"]))
        if match is None:
            assert line.startswith(". "), line
            asked = partner if text.endswith("?") else ""
        else:
            yield _case(meeting, match, heard, past, hand, asked)
            partner = heard.who if match["target"] == "t" else partner
            asked = "" if asked == heard.who else asked
        past = [each for each in (*past, heard) if at_s - each.end_s < REMEMBERED_S]


def _case(meeting: Meeting, match: re.Match[str], heard: Heard, past: list[Heard], hand: bool, asked: str) -> Case:
    scene = Scene(
        before=tuple(past),
        people=tuple(each for each in meeting.people if each != heard.name),
        owner_here=meeting.owner_here,
        asked=asked,
        hand_raised=hand,
    )
    target = _TARGETS[match["target"]]
    wants = {"+": "action", "-": "nothing"}.get(match["wants"], "answer")
    command = match["command"] or ""
    return Case(heard, scene, target, wants, command, target != "twin" and _hard(meeting, heard, past))


def _full(meeting: Meeting, name: str) -> str:
    """A person's name as they call themselves; a line may have its beginning alone."""
    return next(person for person in meeting.people if person.startswith(name))


def _hard(meeting: Meeting, heard: Heard, past: list[Heard]) -> bool:
    words = set(re.findall(r"[^\W\d_]+", heard.text.lower()))
    owner = {word.lower() for name in (meeting.names.owner, *meeting.names.called) for word in name.split()}
    named = words & (owner | {f"{word}s" for word in owner} | {"twin", "ai", "bot", "zwilling", "ki"})
    you = words & {"you", "your", "du", "dir", "dich", "sie", "ihnen"}
    return bool(named or you or "?" in heard.text or (past and not past[-1].who))
