"""What may be kept of one call: who was told, who was asked, who said yes, and what follows from it.

Pure: events and times in, actions out; nothing here plays, records or stores. Three rules hold whatever comes:
sound is kept only while everybody present has said yes; anything that is not a clear yes is a no; a no never ends
the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from compliance.jurisdiction import Flow, stricter
from compliance.language.answers import Answer as Answer
from compliance.language.answers import Purpose as Purpose

Method = Literal["voice", "key", "button", "silence"]
"""How somebody answered. `silence`: no answer came; hand it in as `unclear`."""

CALLER = "caller"
"""Who is meant where a call has one person at the other end."""


# ---- events


@dataclass(frozen=True, slots=True)
class Disclosed:
    """`who` has heard the disclosure (or, later in the call, its short form) to its end."""

    at: float
    who: str = CALLER


@dataclass(frozen=True, slots=True)
class Answered:
    """`who` answered. By voice it counts only for the question that was just asked."""

    purpose: Purpose
    answer: Answer
    method: Method
    at: float
    who: str = CALLER


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """`who` wants it to stop: "stop recording", `*9`, a button; "stop writing"."""

    purpose: Purpose
    at: float
    method: Method = "voice"
    who: str = CALLER


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody came into the call. `flow` is the one with them in it, where it is another.

    They get the short disclosure; the first in a room, who hears the whole one, does not need it.
    """

    at: float
    who: str
    flow: Flow | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody left the call. What they refused stays refused."""

    at: float
    who: str


@dataclass(frozen=True, slots=True)
class Learnt:
    """Where somebody is has become known; the flow can only become stricter by it."""

    at: float
    flow: Flow


@dataclass(frozen=True, slots=True)
class Leaving:
    """`who` takes their leave: the last moment to ask whether they may be remembered."""

    at: float
    who: str = CALLER


Event: TypeAlias = Disclosed | Answered | Withdrawn | Joined | Left | Learnt | Leaving


# ---- actions


@dataclass(frozen=True, slots=True)
class Say:
    """Play the fixed text of this name (a field of `Disclosure`)."""

    key: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Play `ask_<purpose>` and hand in the answer; silence for some seconds is `unclear`."""

    purpose: Purpose
    who: str = CALLER


@dataclass(frozen=True, slots=True)
class StartRecording:
    """From now on sound may be stored."""


@dataclass(frozen=True, slots=True)
class StopRecording:
    """Not one sample more. `delete`: and all that was recorded of this call goes, unless it is held."""

    delete: bool


@dataclass(frozen=True, slots=True)
class KeepWords:
    """Whether the words of `who` (None: of everybody, the twin's too) are written down from now on.

    `delete`: and all that was written of this call goes. Where voices cannot be told apart, as on a telephone
    conference, a `who` whose words are not kept means that nobody's are.
    """

    keep: bool
    delete: bool = False
    who: str | None = None


@dataclass(frozen=True, slots=True)
class Remember:
    """Whether what `who` said may be remembered for the next call. False: and what waits to be, goes."""

    keep: bool
    who: str = CALLER


@dataclass(frozen=True, slots=True)
class Note:
    """For the evidence. `detail` may name a person and has to be sealed."""

    kind: str
    at: float
    detail: Mapping[str, str]


Action: TypeAlias = Say | Ask | StartRecording | StopRecording | KeepWords | Remember | Note


@dataclass(slots=True)
class _Person:
    disclosed: bool = False
    asked: set[Purpose] = field(default_factory=set)
    answers: dict[Purpose, Answer] = field(default_factory=dict)


class Consents:
    """The consents of one call. `take` every event, in order; carry out the actions in theirs.

    `caller` is in the call from the start; pass None for a call that begins empty, such as a room.
    """

    def __init__(self, flow: Flow, *, caller: str | None = CALLER) -> None:
        self.memory: Literal["off", "ask", "given"] = "off"
        """Nobody is remembered; whoever leaves is asked; or the caller said yes in an earlier call, which counts
        where it is known when they have heard the disclosure."""
        self._flow = flow
        self._present: dict[str, _Person] = {} if caller is None else {caller: _Person()}
        self._pending: tuple[Purpose, str] | None = None
        self._recording = False
        self._recorded = False
        self._refusers: set[str] = set()
        """Who wants nothing written down; one is enough, and stays so after leaving."""
        self._kept: frozenset[str] = frozenset()
        self._at = 0.0

    @property
    def flow(self) -> Flow:
        """The rules in force, which only become stricter."""
        return self._flow

    @property
    def recording(self) -> bool:
        """True while sound may be stored."""
        return self._recording

    @property
    def pending(self) -> tuple[Purpose, str] | None:
        """The question that waits for an answer, and whose."""
        return self._pending

    def keeps_words_of(self, who: str = CALLER) -> bool:
        """True while what `who` says may be stored as text."""
        return who in self._kept

    def take(self, event: Event) -> tuple[Action, ...]:
        """What follows from `event`; nothing, where it can mean nothing (an answer that nobody was asked for)."""
        self._at = event.at
        match event:
            case Disclosed():
                return self._disclosed(event)
            case Answered():
                return self._answered(event)
            case Withdrawn():
                return self._withdrawn(event)
            case Joined():
                return self._joined(event)
            case Left():
                return self._left(event)
            case Learnt():
                return self._learnt(event.flow)
            case Leaving():
                return self._leaving(event)

    def _disclosed(self, event: Disclosed) -> tuple[Action, ...]:
        person = self._present.get(event.who)
        if person is None or person.disclosed:
            return ()
        first = not any(other.disclosed for other in self._present.values())
        person.disclosed = True
        if first and self._flow.transcription == "off":
            return (KeepWords(False), self._not_kept(), *self._ask_next())
        if self.memory == "given" and event.who == CALLER:
            person.answers["memory"] = "yes"
            return (*self._words(), Remember(True, event.who), *self._ask_next())
        return (*self._words(), *self._ask_next())

    def _answered(self, event: Answered) -> tuple[Action, ...]:
        person = self._present.get(event.who)
        asked = self._pending == (event.purpose, event.who)
        # A spoken "yes" is to whatever was said last; a key or a button names what it is for.
        if person is None or not person.disclosed or not (asked or event.method in ("key", "button")):
            return ()
        if asked:
            self._pending = None
        answer: Answer = "yes" if event.answer == "yes" and self._level(event.purpose) != "off" else "no"
        given = answer == "yes"
        already = person.answers.get(event.purpose) == "yes" or (
            event.purpose == "transcription" and event.who in self._kept
        )
        if not given and already:
            return self._withdrawn(Withdrawn(event.purpose, event.at, event.method, event.who))
        person.answers[event.purpose] = answer
        detail = {"purpose": event.purpose, "answer": event.answer, "method": event.method, "who": event.who}
        note = Note("consent_given" if given else "consent_refused", event.at, detail)
        if event.purpose == "recording":
            return (note, *self._recording_answered(given=given), *self._ask_next())
        if event.purpose == "memory":
            return (note, Remember(given, event.who), Say("memory_on" if given else "memory_off"))
        return (note, *self._writing_answered(event.who, given=given), *self._ask_next())

    def _recording_answered(self, *, given: bool) -> tuple[Action, ...]:
        if not given:
            return (Say("recording_off"),)
        if self._recording or not self._all_agree("recording"):
            return ()
        self._recording = self._recorded = True
        return (Say("recording_on"), StartRecording())

    def _writing_answered(self, who: str, *, given: bool) -> tuple[Action, ...]:
        if given:
            self._refusers.discard(who)
            return (Say("writing_on"), *self._words())
        # Where the question came late, something may have been written before it.
        return (*self._stop_writing(who), self._not_kept(), Say("writing_off"))

    def _withdrawn(self, event: Withdrawn) -> tuple[Action, ...]:
        detail = {"purpose": event.purpose, "method": event.method, "who": event.who}
        note = Note("consent_withdrawn", event.at, detail)
        self._refuse("recording", event.who)
        if event.purpose == "recording":
            said = Say("recording_stopped" if self._recorded else "recording_off")
            return (*self._stop_recording(delete=True), note, said, *self._ask_next())
        self._refuse("memory", event.who)
        if event.purpose == "memory":
            return (note, Remember(False, event.who), Say("memory_off"))
        self._refuse("transcription", event.who)
        return (*self._stop_writing(event.who), note, Say("writing_stopped"))

    def _stop_writing(self, who: str) -> tuple[Action, ...]:
        """Sound holds every word: who wants nothing written is not asked for a recording, and none goes on."""
        self._refusers.add(who)
        self._pending, self._kept = None, frozenset()
        forgotten = () if self.memory == "off" else (Remember(False, who),)
        return (*self._stop_recording(delete=True), KeepWords(False, delete=True), *forgotten)

    def _joined(self, event: Joined) -> tuple[Action, ...]:
        if event.who in self._present:
            return ()
        self._present[event.who] = _Person()
        # What was recorded before they came stays: all who were there had said yes.
        actions = [*self._stop_recording(delete=False)]
        if self._kept:
            actions.append(KeepWords(False, who=event.who))
        if event.flow is not None:
            actions += self._learnt(event.flow)
        return (*actions, *self._words(), Say("short"))

    def _left(self, event: Left) -> tuple[Action, ...]:
        if self._present.pop(event.who, None) is None:
            return ()
        if self._pending is not None and self._pending[1] == event.who:
            self._pending = None
        ended = (KeepWords(False, who=event.who),) if event.who in self._kept else ()
        self._kept -= {event.who}
        if not self._present:
            return (*self._stop_recording(delete=False), *ended)
        # Recording never starts again by itself, even if all who are left had agreed: it takes a new yes.
        return (*ended, *self._words(), *self._ask_next())

    def _learnt(self, flow: Flow) -> tuple[Action, ...]:
        self._flow = stricter(self._flow, flow)
        actions: list[Action] = []
        if self._flow.recording == "off":
            actions += self._stop_recording(delete=True)
            if self._pending is not None and self._pending[0] == "recording":
                self._pending = None
        if self._flow.transcription == "off" and self._kept:
            self._kept = frozenset()
            actions += (KeepWords(False, delete=True), self._not_kept())
        return (*actions, *self._words(), *self._ask_next())

    def _leaving(self, event: Leaving) -> tuple[Action, ...]:
        """What is not written down cannot be remembered, so who wants nothing written is not asked."""
        person = self._present.get(event.who)
        if self.memory != "ask" or self._pending is not None or person is None or event.who not in self._kept:
            return ()
        if "memory" in person.asked or "memory" in person.answers:
            return ()
        person.asked.add("memory")
        self._pending = ("memory", event.who)
        detail = {"purpose": "memory", "who": event.who, "policy": self._flow.version}
        return (Note("consent_asked", event.at, detail), Ask("memory", event.who))

    def _level(self, purpose: Purpose) -> str:
        if purpose == "memory":
            return self.memory
        return self._flow.recording if purpose == "recording" else self._flow.transcription

    def _refuse(self, purpose: Purpose, who: str) -> None:
        if self._pending == (purpose, who):
            self._pending = None
        if who in self._present:
            self._present[who].answers[purpose] = "no"

    def _not_kept(self) -> Note:
        return Note("words_kept_not", self._at, {"policy": self._flow.transcription})

    def _all_agree(self, purpose: Purpose) -> bool:
        people = self._present.values()
        return bool(people) and all(p.disclosed and p.answers.get(purpose) == "yes" for p in people)

    def _stop_recording(self, *, delete: bool) -> tuple[Action, ...]:
        if not self._recording and not (delete and self._recorded):
            return ()
        self._recording = False
        self._recorded = self._recorded and not delete
        return (StopRecording(delete),)

    def _words(self) -> tuple[Action, ...]:
        """What changes for people's words. Nobody's are kept before they were told."""
        allowed = not self._refusers and (
            self._flow.transcription == "notice"
            or (self._flow.transcription == "ask" and self._all_agree("transcription"))
        )
        kept = frozenset(who for who, person in self._present.items() if allowed and person.disclosed)
        before, self._kept = self._kept, kept
        if kept == before:
            return ()
        if not kept:
            return (KeepWords(False), self._not_kept())
        ended = (KeepWords(False, who=who) for who in sorted(before - kept))
        begun = (KeepWords(True, who=who) for who in sorted(kept - before))
        return (*ended, *begun)

    def _ask_next(self) -> tuple[Action, ...]:
        """The next question to somebody who was told and not yet asked; one at a time."""
        if self._pending is not None:
            return ()
        purposes: tuple[Purpose, ...] = ("transcription", "recording")
        for purpose in purposes:
            if self._level(purpose) != "ask" or self._refusers:
                continue
            # One no is enough; the others need not be asked.
            if any(person.answers.get(purpose, "yes") != "yes" for person in self._present.values()):
                continue
            for who, person in self._present.items():
                if person.disclosed and purpose not in person.asked and purpose not in person.answers:
                    person.asked.add(purpose)
                    self._pending = (purpose, who)
                    detail = {"purpose": purpose, "who": who, "policy": self._flow.version}
                    return (Note("consent_asked", self._at, detail), Ask(purpose, who))
        return ()
