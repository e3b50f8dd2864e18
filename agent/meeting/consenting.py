"""What may be kept of a meeting: everybody is told, and asked by name. The rules: `compliance/consent.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from agent.consenting import KEEPING, NO_KEY, STOP_KEYS, YES_KEY
from agent.conversation import Conversation
from agent.meeting.company import Company
from agent.meeting.texts import MeetingTexts
from agent.opening import Opening
from agent.proceedings import AGAIN_S, ANSWER_LIMIT_S, Office, Proceedings, SoFar, letters
from agent.recorder import Recorder
from agent.stages.honesty import Line, Reaction
from channels.call import Call, Caller, Privacy
from compliance import consent
from compliance.jurisdiction import Flow
from compliance.language.answers import answer
from compliance.language.intents import Intent, intent


class MeetingConsenting(Proceedings):
    """One meeting's. Everything comes in on the event loop and returns at once.

    Those who are here when it begins hear the disclosure, those who come later its short form; `admit` is told who
    has, and may be listened to from then on. One person who wants nothing written down has nothing written down
    of anybody. Sound is kept only as `recording` says, and never of what is not a question to the owner.
    """

    def __init__(
        self,
        call: Call,
        flow: Flow,
        opening: Opening,
        *,
        conversation: Conversation,
        recorder: Recorder,
        office: Office,
        company: Company,
        texts: MeetingTexts,
        repeat_s: float,
        within_s: float,
        owner: str,
        admit: Callable[[str], None],
        now: Callable[[], float] | None = None,
    ) -> None:
        """`within_s`: how long what is pressed may wait to be said; `owner` is whose twin it is; `now` is any
        clock in seconds."""
        super().__init__(
            call,
            opening,
            conversation=conversation,
            recorder=recorder,
            office=office,
            repeat_s=repeat_s,
            now=now,
        )
        self.press: Callable[[Sequence[Line]], None] = lambda lines: None
        """Like `say`, for what has to be said soon."""
        self._consents = consent.Consents(flow, caller=None)
        self._company = company
        self._texts = texts
        self._within_s = within_s
        self._owner = owner
        self._admit = admit
        self.begun = False
        """Whether the disclosure sounds or has sounded."""
        self._first: frozenset[str] = frozenset()
        """Who was here when the disclosure began, and all the time since."""
        self._heard_it: set[str] = set()
        """Who has heard it, the short one included; also when they come back."""
        self._late: set[str] = set()
        """Who has to be told."""
        self._telling: tuple[frozenset[str], SoFar, float] | None = None
        """Whom the short disclosure tells, what had been said before it, and when it was said."""
        self._recorded_from: int | None = None
        """Since when, by the clock, all had agreed to recording."""
        self._played_out = False
        self._words: Literal["kept", "asked", "not_kept"] = "asked" if flow.transcription == "ask" else "kept"
        recorder.keep_words(KEEPING[flow.transcription])

    @property
    def recording(self) -> bool:
        """Whether everybody here has said yes to sound being kept."""
        return self._consents.recording

    def recorded(self, start: int) -> bool:
        """Whether everybody has agreed to what sounds since `start` of the clock being kept."""
        return self.recording and self._recorded_from is not None and start >= self._recorded_from

    def began(self) -> None:
        """The disclosure begins to sound."""
        self.begun = True
        self._first = frozenset(self._company.here)

    def disclosed(self, position: int) -> None:
        """The disclosure was heard to its end at `position` of the clock."""
        self._played(position)
        self._played_out = True
        lines = self._tell([who for who in self._company.here if who in self._first])
        if self._company.alone and not self._waits:
            lines.append(self._line("help"))
        self.say(lines)
        self._show()

    def came(self, identity: str) -> None:
        """Somebody is here, perhaps again."""
        lines = self._take(consent.Joined(self._now(), identity))
        if identity in self._heard_it:
            lines += self._tell([identity])
        elif self.begun:
            self._late.add(identity)
        self.say(lines)
        self._show()

    def went(self, identity: str) -> None:
        """Somebody is gone."""
        self._late.discard(identity)
        # Whoever comes back before its end has not heard all of it.
        self._first -= {identity}
        if self._telling is not None:
            whom, since, said_at = self._telling
            self._telling = whom - {identity}, since, said_at
        self.say(self._take(consent.Left(self._now(), identity)))
        self._show()

    def busy(self) -> None:
        """Somebody speaks."""
        self._quiet_since = None

    def quiet(self) -> None:
        """Nobody speaks any more, unless the twin does."""
        if not self._call.outlet.speaking:
            self._quiet_since = self._now()

    def told(self, identity: str) -> bool:
        """Whether they have heard what it is, some time in this meeting."""
        return identity in self._heard_it

    def awaits(self, who: str) -> bool:
        """Whether a question was heard that waits for the answer of this one."""
        pending = self._consents.pending
        return pending is not None and pending[1] == who and self._question_was_heard(pending[0])

    @property
    def asked(self) -> str:
        """Whom a question waits for; empty: nobody."""
        pending = self._consents.pending
        return pending[1] if pending is not None and self._question_was_heard(pending[0]) else ""

    def heard(self, who: str, text: str, *, for_twin: bool) -> Reaction | None:
        """A whole utterance; what is answered in fixed words, or None.

        An objection counts whoever it was said to. Anything else has to be meant for the twin.
        """
        language = self._call.language
        found = intent(text, language, owner=self._owner)
        if found is not None and (for_twin or found.kind in ("stop_recording", "stop_writing")):
            return self._meant(found, who)
        pending = self._consents.pending
        if pending is None or pending[1] != who:
            return None
        purpose = pending[0]
        given = answer(text, language, purpose) if self._question_was_heard(purpose) else "unclear"
        if given == "unclear" and not for_twin:
            # Said to somebody else: the question still waits, until silence answers it.
            return None
        lines = self._take(consent.Answered(purpose, given, "voice", self._now(), who))
        self._show()
        return Reaction(tuple(lines), answered=given != "unclear")

    def keys(self, who: str, digits: str) -> bool:
        """Somebody's telephone keys so far; true when they were for us."""
        if digits.endswith(STOP_KEYS):
            self.say(self._take(consent.Withdrawn("recording", self._now(), "key", who)))
            self._show()
            return True
        pending = self._consents.pending
        if pending is None or pending[1] != who or digits not in (YES_KEY, NO_KEY):
            return False
        given: consent.Answer = "yes" if digits == YES_KEY else "no"
        self.say(self._take(consent.Answered(pending[0], given, "key", self._now(), who)))
        self._show()
        return True

    def tick(self) -> None:
        """Time has passed; called a few times a second while the meeting lasts."""
        now = self._now()
        pending = self._consents.pending
        if self._asked_at is not None and pending is not None:
            if self._quiet_since is None:
                self._asked_at = now
            elif now - max(self._asked_at, self._quiet_since) > ANSWER_LIMIT_S:
                self.say(self._take(consent.Answered(pending[0], "unclear", "silence", now, pending[1])))
                self._show()
        self._go_on_telling(now)
        super().tick()

    @property
    def _waits(self) -> bool:
        return self._consents.pending is not None or bool(self._late)

    def _go_on_telling(self, now: float) -> None:
        """Those who came late are told, and listened to once they have heard it in full."""
        if self._telling is not None:
            whom, since, said_at = self._telling
            if letters(self._line("short").text) in self._twin_said(since):
                self._telling = None
                self._note("redisclosed", {"line": "short", "position_samples": self._call.clock.heard})
                self.say(self._tell([who for who in self._company.here if who in whom]))
                self._show()
            elif now - said_at > self._within_s + AGAIN_S and not self._call.outlet.speaking:
                self._telling = None
        if self._late and self._telling is None and self._played_out:
            self._telling = frozenset(self._late), self._so_far(), now
            self.press([self._line("short")])

    def _tell(self, whom: Sequence[str]) -> list[Line]:
        """They have heard what it is."""
        lines: list[Line] = []
        for who in whom:
            self._heard_it.add(who)
            self._late.discard(who)
            self._recorder.participant(who, self._company.name(who))
            self._recorder.event("joined", {}, speaker=who)
            lines += self._take(consent.Disclosed(self._now(), who))
            self._admit(who)
        return lines

    def _meant(self, found: Intent, who: str) -> Reaction:
        match found.kind:
            case "human_question":
                self._note("human_asked", {"language": self._opening.texts.language})
                return Reaction((self._line("human"),))
            case "stop_recording":
                lines = self._take(consent.Withdrawn("recording", self._now(), who=who))
            case "stop_writing":
                lines = self._take(consent.Withdrawn("transcription", self._now(), who=who))
            case "disclose_again":
                state = "is_recorded" if self.recording else "is_not_recorded"
                return Reaction((self._line("short"), self._line(state)))
            case "forget_me" | "what_do_you_know":
                self._start(self._request(found.kind, self._of(who)), "request")
                return Reaction(())
        self._show()
        return Reaction(tuple(lines) or (self._line("recording_off"),))

    def _of(self, who: str) -> Call:
        """The call as it is one person's: theirs are the request and the receipt."""
        return replace(self._call, caller=Caller(who, self._company.name(who) or None))

    def _take(self, event: consent.Event) -> list[Line]:
        """Carry out what follows from the event; the lines to say remain."""
        lines: list[Line] = []
        for action in self._consents.take(event):
            match action:
                case consent.Say("short"):
                    # To those who came late, at the next pause.
                    pass
                case consent.Say(key):
                    lines.append(self._line(key))
                case consent.Ask(purpose, who):
                    lines.append(self._question(purpose, who))
                    self._asks()
                case consent.KeepWords(keep, delete, who):
                    self._keep(keep=keep, delete=delete, who=who)
                case consent.Note(kind, _, detail):
                    self._note(kind, detail, subject=detail.get("who"))
                    if kind in ("consent_given", "consent_refused", "consent_withdrawn"):
                        self._office.receipt(self._of(detail["who"]), action)
                case consent.StopRecording(delete=True):
                    self._start(self._delete(), "sound deleted")
                case consent.StartRecording():
                    self._recorded_from = self._call.clock.position
                case consent.StopRecording() | consent.Remember():
                    # What is kept of sound hangs on `recording`; nobody is remembered from a meeting.
                    pass
        return lines

    def _keep(self, *, keep: bool, delete: bool, who: str | None) -> None:
        asks = self._consents.flow.transcription == "ask"
        if who is not None and not keep:
            # Their door is closed, or they are gone; what the others say is still kept.
            if not asks or any(map(self._consents.keeps_words_of, self._company.here)):
                return
            # With the last who said yes the yes is gone: whoever comes next is asked.
            self._words = "asked"
            self._recorder.keep_words(KEEPING["ask"])
            return
        self._words = "kept" if keep else "not_kept"
        self._recorder.keep_words("yes" if keep else "no", delete=delete)

    def _question(self, purpose: str, who: str) -> Line:
        line = self._line(f"ask_{purpose}")
        return line if self._company.alone else Line(self._texts.addressed(self._company.name(who), line.text))

    def _show(self) -> None:
        flow, pending = self._consents.flow, self._consents.pending
        words: Literal["kept", "asked", "not_kept"] = self._words
        sound: Literal["off", "asked", "kept", "not_kept"] = "kept" if self.recording else "not_kept"
        if pending is not None and pending[0] == "transcription":
            words = "asked"
        if flow.recording == "off":
            sound = "off"
        elif pending is not None and pending[0] == "recording":
            sound = "asked"
        self._call.tell(Privacy(words, sound))
