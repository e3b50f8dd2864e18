"""Answers without any model: only what stands in the owner's facts and statements, or "I don't know that".

Pure: the same persona, conversation and day give the same answer. Two promises hold by construction. Only
entries that the caller may hear are ever turned into words; the others are ranked all the same, so that a
question about them is recognised and not answered with something similar. And a question about a private matter
gets the very same answer as a question about an unknown one, so that nobody can find out by asking what is kept
private.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from persona import manners, message
from persona.facts import Fact
from persona.home import Persona
from persona.message import Ask, MessageTaken
from persona.prompt import Caller, Turn, may_say
from persona.ranking import Document, Index
from persona.statements import Statement
from persona.words import plain, terms

THRESHOLD = 0.58
"""Score from which an entry answers a question; chosen on the tuning half of the questions in the tests."""
MAYBE = 0.46
"""Score from which the caller is asked whether that was the question: on a bad line often enough it was."""
SURE = 0.66
"""Score below which the answer says what it takes the question to be about."""
_OVERVIEW_ENTRIES = 10
_RELATED_ENTRIES = 4
_PARTS = 4
"""How many questions of one turn are answered."""
CANNOT_LOOK_UP = "I can't look that up just now, but I can take a message."
"""What is said instead of "I don't know that" while the model that would know is out of reach."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence or a few, and where they come from."""

    text: str
    provenance: Literal["fact", "statement", "notice"]
    about: str = ""
    """What the fact or statement is about; empty for a notice."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the twin says to the caller's last turn, and what came of it."""

    said: tuple[Said, ...]
    message: MessageTaken | None = None
    """A message that this turn completed. A shell that also wants the unfinished one at the end of the call asks
    `persona.message.messages`."""
    goodbye: bool = False
    """True when the caller has taken leave and the call can end after this."""

    @property
    def text(self) -> str:
        return " ".join(said.text for said in self.said)


class Answerer:
    """One persona, indexed once, shared by all calls."""

    def __init__(self, persona: Persona) -> None:
        self._persona = persona
        self._profile = persona.profile
        self._entries: tuple[Fact | Statement, ...] = (*persona.facts, *persona.statements)
        documents = [
            Document((entry.about, *entry.asked), entry.say if isinstance(entry, Fact) else entry.text)
            for entry in self._entries
        ]
        self._index = Index(documents, names=(self._profile.name, self._profile.called))

    @property
    def persona(self) -> Persona:
        return self._persona

    def search(
        self, question: str, *, today: date, known: bool = False, limit: int = 5
    ) -> tuple[Fact | Statement, ...]:
        """Entries that have to do with the question and that the caller may hear, best first."""
        found = (self._entries[match.entry] for match in self._index.search(question, limit=4 * limit))
        return tuple(entry for entry in found if may_say(entry, today=today, known=known))[:limit]

    def reply(
        self, turns: Sequence[Turn], *, today: date, caller: Caller | None = None, stand_in: bool = False
    ) -> Reply:
        """The answer to the last of `turns`, which is the caller's.

        `stand_in`: a model should have answered and could not; the caller is told so where it matters.
        """
        caller = caller or Caller()
        said = turns[-1].text[: message.TURN_CHARS] if turns and turns[-1].who == "caller" else ""
        if not plain(said):
            return _notice("Pardon? I didn't catch that.")
        if manners.asks_to_repeat(said):
            return self._again(turns, today, caller, stand_in)
        desk = message.follow(turns, self._profile, caller)
        if desk.ask is not Ask.NOTHING:
            return self._at_desk(desk, said, today, caller)
        reply = self._converse(turns, said, today, caller, stand_in)
        if desk.pending is Ask.NOTHING:
            return reply
        if reply.goodbye:
            text = f"I'll pass your message on to {self._profile.short}. Goodbye."
            return Reply((Said(text, "notice"),), desk.message(), goodbye=True)
        return Reply((*reply.said, Said(message.words(desk.pending, desk, self._profile), "notice")))

    def _at_desk(self, desk: message.Desk, said: str, today: date, caller: Caller) -> Reply:
        asked = message.direct(said, self._profile) if desk.ask is Ask.READ_BACK else None
        first = self._answers(asked[0], today, caller.known) if asked and asked[0] else []
        notice = Said(message.words(desk.ask, desk, self._profile), "notice")
        return Reply((*first, notice), desk.taken[-1] if desk.ask is Ask.DONE else None)

    def _converse(self, turns: Sequence[Turn], said: str, today: date, caller: Caller, stand_in: bool) -> Reply:
        fixed = self._fixed(said)
        if fixed:
            return fixed
        confirmed = self._confirmed(turns, said, today, caller.known)
        if confirmed:
            return confirmed
        answers = self._answers(manners.without_greeting(said), today, caller.known)
        leaving = manners.heard("bye", said)
        if answers:
            told = any(turn.who == "twin" and CANNOT_LOOK_UP in turn.text for turn in turns)
            if stand_in and not told:
                answers.append(Said(CANNOT_LOOK_UP.replace("that", "more"), "notice"))
            return Reply(tuple(answers), goodbye=leaving)
        return (
            self._courtesy(said)
            or self._ask_back(turns, said, today, caller.known)
            or self._unknown(turns, said, stand_in)
        )

    def _fixed(self, said: str) -> Reply | None:
        """What is answered before anything is looked up, always in the same words."""
        name = self._profile.name
        if manners.heard("machine", said):
            return _notice(f"Yes, I'm an AI, the twin of {name}.")
        if manners.heard("human", said) or self._takes_me_for_owner(said):
            return _notice(f"No, I'm an AI, the twin of {name}.")
        if manners.heard("who", said):
            return _notice(f"You're talking to an AI, the twin of {name}. {self._profile.introduction}")
        return None

    def _takes_me_for_owner(self, said: str) -> bool:
        words = f" {plain(said)} "
        names = {plain(self._profile.name), plain(self._profile.short)}
        openings = ("are you", "is this", "is that", "am i talking to", "am i speaking to", "am i speaking with")
        return any(f" {opening} {name} " in words for opening in openings for name in names)

    def _answers(self, said: str, today: date, known: bool) -> list[Said]:
        """What the entries say to every question of the turn; empty when they say nothing to any."""
        answers: list[Said] = []
        missed = False
        for part in manners.questions(said)[:_PARTS]:
            subject = manners.overview_of(part)
            found = self._overview(subject, today, known) if subject is not None else []
            found = found or self._answer(part, today, known)
            fresh = [answer for answer in found if answer.about not in {other.about for other in answers}]
            answers.extend(fresh)
            missed = missed or (not found and manners.is_question(part) and bool(terms(part)))
        if answers and missed:
            answers.append(
                Said(f"The rest I don't know, but I can take a message for {self._profile.short}.", "notice")
            )
        return answers

    def _answer(self, question: str, today: date, known: bool) -> list[Said]:
        best = self._index.search(question, limit=8)
        # An entry that has expired is as if it were not there; one that this caller may not hear still counts.
        best = [match for match in best if self._current(self._entries[match.entry], today)]
        if not best or best[0].score < THRESHOLD:
            return []
        entry = self._entries[best[0].entry]
        if not may_say(entry, today=today, known=known):
            return []
        return [self._say(entry, hedge=best[0].score < SURE)]

    def _ask_back(self, turns: Sequence[Turn], said: str, today: date, known: bool) -> Reply | None:
        """What the question may have been, once; after that the caller would rather hear that it is not known."""
        if _last_words(turns).startswith(_DID_YOU_ASK):
            return None
        best = self._index.search(said, limit=8)
        best = [match for match in best if self._current(self._entries[match.entry], today)]
        if not best or best[0].score < MAYBE:
            return None
        entry = self._entries[best[0].entry]
        if not may_say(entry, today=today, known=known):
            return None
        return _notice(f"{_DID_YOU_ASK}{entry.about}?")

    def _confirmed(self, turns: Sequence[Turn], said: str, today: date, known: bool) -> Reply | None:
        """The answer to what the twin asked back, when the caller says yes or no to it."""
        before = _last_words(turns)
        if not before.startswith(_DID_YOU_ASK) or len(said.split()) > 4:
            return None
        if manners.says_no(said):
            return _notice(f"Then I don't know, but I can take a message for {self._profile.short}.")
        about = plain(before.removeprefix(_DID_YOU_ASK))
        for entry in self._entries:
            if manners.says_yes(said) and plain(entry.about) == about and may_say(entry, today=today, known=known):
                return Reply((self._say(entry),))
        return None

    def _overview(self, subject: str, today: date, known: bool) -> list[Said]:
        """Several facts in the owner's order, and a word of the owner's own."""
        wanted = set(terms(subject)) - set(terms(f"{self._profile.name} {self._profile.called}"))
        facts = [fact for fact in self._persona.facts if may_say(fact, today=today, known=known)]
        survey = [fact for fact in facts if fact.overview]
        general = sum(bool(wanted & set(terms(f"{fact.about} {' '.join(fact.asked)}"))) for fact in survey)
        if not wanted or general >= 2:
            quotes = [e for e in self._persona.statements if may_say(e, today=today, known=known)][:1]
            told: list[Fact | Statement] = [*survey[:_OVERVIEW_ENTRIES], *quotes]
            return [self._say(entry) for entry in told]
        matches = self._index.search(subject, limit=_RELATED_ENTRIES * 2)
        if not matches or not may_say(self._entries[matches[0].entry], today=today, known=known):
            return []
        related = [self._entries[m.entry] for m in matches if m.covered >= THRESHOLD]
        return [self._say(e) for e in related if may_say(e, today=today, known=known)][:_RELATED_ENTRIES]

    @staticmethod
    def _current(entry: Fact | Statement, today: date) -> bool:
        return isinstance(entry, Statement) or entry.holds(today)

    def _say(self, entry: Fact | Statement, *, hedge: bool = False) -> Said:
        if isinstance(entry, Statement):
            return Said(f"As {self._profile.short} likes to say: {entry.text}", "statement", entry.about)
        if hedge:
            return Said(f"About {entry.about}: {entry.say}", "fact", entry.about)
        return Said(entry.say, "fact", entry.about)

    def _courtesy(self, said: str) -> Reply | None:
        if manners.heard("bye", said):
            welcome = "You're welcome. " if manners.heard("thanks", said) else ""
            return Reply((Said(f"{welcome}Goodbye.", "notice"),), goodbye=True)
        if manners.heard("how", said):
            return _notice(f"I'm fine, as far as an AI can be. {self._profile.greeting}")
        if manners.heard("hear", said):
            return _notice(f"Yes, I can hear you. {self._profile.greeting}")
        if manners.heard("wait", said):
            return _notice("Take your time.")
        left = manners.without_greeting(said)
        if manners.heard("thanks", said) and not terms(left):
            return _notice("You're welcome. Is there anything else?")
        if manners.heard("hello", said) and not terms(left):
            return _notice(f"Hello. {self._profile.greeting}")
        if len(said.split()) <= 4 and not terms(said) and (manners.says_yes(said) or manners.says_no(said)):
            return _notice(message.ANYTHING_ELSE)
        if (name := message.given_name(said)) and not manners.is_question(said):
            return _notice(f"Hello, {name}. {self._profile.greeting}")
        return None

    def _unknown(self, turns: Sequence[Turn], said: str, stand_in: bool) -> Reply:
        short = self._profile.short
        if stand_in:
            return _notice(CANNOT_LOOK_UP)
        if manners.is_question(said):
            again = "I don't know that" in _last_words(turns)
            also = "I'm afraid I don't know that either" if again else "I don't know that"
            return _notice(f"{also}, but I can take a message for {short}.")
        return _notice(f"I'm not sure what you mean. You can ask me about {short}, or I can take a message.")

    def _again(self, turns: Sequence[Turn], today: date, caller: Caller, stand_in: bool) -> Reply:
        """The last answer once more: in full when it was ours, otherwise what was heard of it."""
        last = len(turns) - 1
        while last >= 0 and (turns[last].who == "twin" or manners.asks_to_repeat(turns[last].text)):
            last -= 1
        heard = " ".join(turn.text for turn in turns[last + 1 :] if turn.who == "twin" and turn.text)
        if last < 0:
            return _notice(heard or self._profile.greeting)
        again = self.reply(turns[: last + 1], today=today, caller=caller, stand_in=stand_in)
        if (
            not heard
            or plain(heard).startswith(plain(again.text)[:40])
            or plain(again.text).startswith(plain(heard))
        ):
            return Reply(again.said)
        return _notice(heard)


_DID_YOU_ASK = "Did you ask about "


def _last_words(turns: Sequence[Turn]) -> str:
    return next((turn.text for turn in reversed(turns) if turn.who == "twin"), "")


def _notice(text: str) -> Reply:
    return Reply((Said(text.strip(), "notice"),))
