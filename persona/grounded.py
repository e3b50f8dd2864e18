"""Answers without any model: only what the owner has written down, or "I don't know that".

Facts and statements come first; then one or two sentences of a document; and a caller who asks what they told
earlier hears it back.

Pure: the same persona, conversation and day give the same answer. Two promises hold by construction. Only what
the caller may hear is ever turned into words; the rest is ranked all the same, so that a question about it is
recognised and not answered with something similar. And a question about a private matter gets the very same answer
as one about an unknown matter, so that nobody can find out by asking what is kept private.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from persona import manners, message, remembered
from persona.caller import STRANGER, Caller
from persona.documents import Passage
from persona.excerpt import excerpt
from persona.facts import Fact
from persona.home import Persona
from persona.knowledge import Knowledge, holds
from persona.message import Ask, MessageTaken
from persona.prompt import Entry, Turn, may_say
from persona.ranking import Match
from persona.source import Memory, Provenance
from persona.words import language, plain, terms

THRESHOLD = 0.58
"""Score from which an entry answers a question; chosen on the tuning half of the questions in the tests."""
MAYBE = 0.46
"""Score from which the caller is asked whether that was the question: on a bad line often enough it was."""
SURE = 0.66
"""Score below which the answer says what it takes the question to be about."""
SURE_THOUGH_ASTRAY = 0.8
"""The same where the question also names what other entries are about."""
_OVERVIEW_ENTRIES = 10
_RELATED_ENTRIES = 4
_PASSAGES = 5
"""How many passages are looked at for an answer."""
_PARTS = 4
"""How many questions of one turn are answered."""
CANNOT_LOOK_UP = "I can't look that up just now, but I can take a message."
"""What is said instead of "I don't know that" while the model that would know is out of reach."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence or a few, and where they come from."""

    text: str
    provenance: Provenance
    about: str = ""
    """What the entry is about; empty for a notice."""


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

    def __init__(self, persona: Persona, knowledge: Knowledge | None = None) -> None:
        """`knowledge` is that of the persona, where it is indexed already."""
        self._persona = persona
        self._profile = persona.profile
        self._knowledge = knowledge or Knowledge(persona)
        names = f"{self._profile.name} {self._profile.called}"
        self._names = frozenset(term for code in self._profile.languages for term in language(code).terms(names))

    @property
    def persona(self) -> Persona:
        return self._persona

    def search(
        self, question: str, *, today: date, caller: Caller = STRANGER, limit: int = 5
    ) -> tuple[Entry, ...]:
        """Entries that have to do with the question and that the caller may hear, best first."""
        found = self._knowledge.search(question, today=today, caller=caller, limit=limit)
        return tuple(each.entry for each in found)

    def reply(
        self,
        turns: Sequence[Turn],
        *,
        today: date,
        caller: Caller | None = None,
        memories: Sequence[Memory] = (),
        stand_in: bool = False,
    ) -> Reply:
        """The answer to the last of `turns`, which is the caller's.

        `memories` are those of this caller that may be used now. `stand_in`: a model should have answered and
        could not; the caller is told so where it matters.
        """
        caller = caller or Caller()
        said = turns[-1].text[: message.TURN_CHARS] if turns and turns[-1].who == "caller" else ""
        if not plain(said):
            return _notice("Pardon? I didn't catch that.")
        if manners.asks_to_repeat(said):
            return self._again(turns, today, caller, memories, stand_in)
        desk = message.follow(turns, self._profile, caller)
        if desk.ask is not Ask.NOTHING:
            return self._at_desk(desk, said, today, caller)
        reply = self._converse(turns, said, today, caller, memories, stand_in)
        if desk.pending is Ask.NOTHING:
            return reply
        if reply.goodbye:
            text = f"I'll pass your message on to {self._profile.short}. Goodbye."
            return Reply((Said(text, "notice"),), desk.message(), goodbye=True)
        return Reply((*reply.said, Said(message.words(desk.pending, desk, self._profile), "notice")))

    def _at_desk(self, desk: message.Desk, said: str, today: date, caller: Caller) -> Reply:
        asked = message.direct(said, self._profile) if desk.ask is Ask.READ_BACK else None
        first = self._answers(asked[0], today, caller) if asked and asked[0] else []
        notice = Said(message.words(desk.ask, desk, self._profile), "notice")
        return Reply((*first, notice), desk.taken[-1] if desk.ask is Ask.DONE else None)

    def _converse(
        self,
        turns: Sequence[Turn],
        said: str,
        today: date,
        caller: Caller,
        memories: Sequence[Memory],
        stand_in: bool,
    ) -> Reply:
        fixed = self._fixed(said) or self._remembered(said, memories)
        if fixed:
            return fixed
        confirmed = self._confirmed(turns, said, today, caller)
        if confirmed:
            return confirmed
        answers = self._answers(manners.without_greeting(said), today, caller)
        own = None if answers else remembered.answering(memories, said)
        if own:
            answers = [Said(f"You told me: {own.text}", "memory", own.about)]
        leaving = manners.heard("bye", said)
        if answers:
            told = any(turn.who == "twin" and CANNOT_LOOK_UP in turn.text for turn in turns)
            if stand_in and not told:
                answers.append(Said(CANNOT_LOOK_UP.replace("that", "more"), "notice"))
            return Reply(tuple(answers), goodbye=leaving)
        return (
            self._courtesy(said)
            or self._ask_back(turns, said, today, caller)
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

    def _remembered(self, said: str, memories: Sequence[Memory]) -> Reply | None:
        """What the caller told earlier, when they ask for that."""
        asked = remembered.asked(said)
        if asked is None:
            return None
        found = remembered.about(memories, asked.subject)
        if found:
            first, *others = found
            told = [Said(f"From an earlier call I remember: {first.text}", "memory", first.about)]
            return Reply((*told, *(Said(memory.text, "memory", memory.about) for memory in others)))
        if not asked.surely:
            return None
        about = " about that" if asked.subject else ""
        return _notice(f"I don't remember anything{about} from an earlier call. {self._profile.greeting}")

    def _takes_me_for_owner(self, said: str) -> bool:
        words = f" {plain(said)} "
        names = {plain(self._profile.name), plain(self._profile.short)}
        openings = ("are you", "is this", "is that", "am i talking to", "am i speaking to", "am i speaking with")
        return any(f" {opening} {name} " in words for opening in openings for name in names)

    def _answers(self, said: str, today: date, caller: Caller) -> list[Said]:
        """What the entries say to every question of the turn; empty when they say nothing to any."""
        answers: list[Said] = []
        missed = False
        for part in manners.questions(said)[:_PARTS]:
            subject = manners.overview_of(part)
            found = self._overview(subject, today, caller) if subject is not None else []
            found = found or self._answer(part, today, caller)
            fresh = [answer for answer in found if answer.about not in {other.about for other in answers}]
            answers.extend(fresh)
            missed = missed or (not found and manners.is_question(part) and bool(terms(part)))
        if answers and missed:
            answers.append(
                Said(f"The rest I don't know, but I can take a message for {self._profile.short}.", "notice")
            )
        return answers

    def _ranked(self, question: str, today: date) -> list[tuple[Entry, Match]]:
        """Facts and statements, the best first. One that has expired is as if it were not there; one that this
        caller may not hear still counts, so that it is not answered with something similar."""
        return self._knowledge.strict(
            question, limit=8, among=lambda entry: not isinstance(entry, Passage) and holds(entry, today)
        )

    def _answer(self, question: str, today: date, caller: Caller) -> list[Said]:
        for entry, match in self._ranked(question, today)[:1]:
            if match.score >= THRESHOLD:
                told = may_say(entry, today=today, caller=caller)
                sure = match.score >= (SURE_THOUGH_ASTRAY if match.astray else SURE)
                return [self._say(entry, hedge=not sure)] if told else []
            if match.score >= MAYBE and not may_say(entry, today=today, caller=caller):
                return []
        return self._read_out(question, caller)

    def _read_out(self, question: str, caller: Caller) -> list[Said]:
        """What a document says; nothing when it is one that the caller may not hear."""
        found = self._knowledge.strict(question, limit=_PASSAGES, among=lambda entry: isinstance(entry, Passage))
        for passage, _ in found:
            assert isinstance(passage, Passage)
            text = excerpt(passage, question, languages=self._profile.languages, names=self._names)
            if text:
                said = Said(f"From {passage.title}: {text}", "document", passage.about)
                return [said] if passage.may_hear(caller) else []
        return []

    def _ask_back(self, turns: Sequence[Turn], said: str, today: date, caller: Caller) -> Reply | None:
        """What the question may have been, once; after that the caller would rather hear that it is not known."""
        if _last_words(turns).startswith(_DID_YOU_ASK):
            return None
        best = self._ranked(said, today)
        if not best or best[0][1].score < MAYBE:
            return None
        entry = best[0][0]
        if not may_say(entry, today=today, caller=caller):
            return None
        return _notice(f"{_DID_YOU_ASK}{entry.about}?")

    def _confirmed(self, turns: Sequence[Turn], said: str, today: date, caller: Caller) -> Reply | None:
        """The answer to what the twin asked back, when the caller says yes or no to it."""
        before = _last_words(turns)
        if not before.startswith(_DID_YOU_ASK) or len(said.split()) > 4:
            return None
        if manners.says_no(said):
            return _notice(f"Then I don't know, but I can take a message for {self._profile.short}.")
        about = plain(before.removeprefix(_DID_YOU_ASK))
        entries: tuple[Entry, ...] = (*self._persona.facts, *self._persona.statements)
        for entry in entries:
            if (
                manners.says_yes(said)
                and plain(entry.about) == about
                and may_say(entry, today=today, caller=caller)
            ):
                return Reply((self._say(entry),))
        return None

    def _overview(self, subject: str, today: date, caller: Caller) -> list[Said]:
        """Several facts in the owner's order, and a word of the owner's own."""
        wanted = set(terms(subject)) - set(terms(f"{self._profile.name} {self._profile.called}"))
        facts = [fact for fact in self._persona.facts if may_say(fact, today=today, caller=caller)]
        survey = [fact for fact in facts if fact.overview]
        general = sum(bool(wanted & set(terms(f"{fact.about} {' '.join(fact.asked)}"))) for fact in survey)
        if not wanted or general >= 2:
            quotes = [e for e in self._persona.statements if may_say(e, today=today, caller=caller)][:1]
            told: list[Entry] = [*survey[:_OVERVIEW_ENTRIES], *quotes]
            return [self._say(entry) for entry in told]
        ranked = self._ranked(subject, today)
        if not ranked or not may_say(ranked[0][0], today=today, caller=caller):
            return []
        related = [entry for entry, match in ranked if match.covered >= THRESHOLD]
        return [self._say(e) for e in related if may_say(e, today=today, caller=caller)][:_RELATED_ENTRIES]

    def _say(self, entry: Entry, *, hedge: bool = False) -> Said:
        if not isinstance(entry, Fact):
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
            if "I don't know that" in _last_words(turns):
                return _notice(f"I'm afraid I don't know that either, but I can take a message and ask {short}.")
            return _notice(f"I don't know that, but I can take a message for {short}.")
        return _notice(f"I'm not sure what you mean. You can ask me about {short}, or I can take a message.")

    def _again(
        self, turns: Sequence[Turn], today: date, caller: Caller, memories: Sequence[Memory], stand_in: bool
    ) -> Reply:
        """The last answer once more: in full when it was ours, otherwise what was heard of it."""
        last = len(turns) - 1
        while last >= 0 and (turns[last].who == "twin" or manners.asks_to_repeat(turns[last].text)):
            last -= 1
        heard = " ".join(turn.text for turn in turns[last + 1 :] if turn.who == "twin" and turn.text)
        if last < 0:
            return _notice(heard or self._profile.greeting)
        again = self.reply(turns[: last + 1], today=today, caller=caller, memories=memories, stand_in=stand_in)
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
