"""What may be kept of a call, carried out; the rules themselves are in `compliance/consent.py`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Literal

from agent.conversation import Conversation
from agent.opening import Opening
from agent.proceedings import ANSWER_LIMIT_S, Office, Proceedings, Taped
from agent.recorder import Keeping, Recorder
from agent.stages.honesty import Line, Reaction
from agent.tap import Tap
from channels.call import Call, Privacy, Purpose, Wish
from compliance import consent
from compliance.errors import TwinError
from compliance.jurisdiction import Flow, Transcription
from compliance.language.answers import answer
from compliance.language.intents import Intent, intent
from compliance.language.leaving import leaving

logger = logging.getLogger(__name__)

KEEPING: Mapping[Transcription, Keeping] = {"notice": "yes", "ask": "waiting", "off": "no"}
"""What becomes of words until the caller says otherwise; their own are not heard before the disclosure was."""
STOP_KEYS = "*9"
YES_KEY, NO_KEY = "1", "2"


class Consenting(Proceedings):
    """One call's. Everything comes in on the event loop and returns at once."""

    def __init__(
        self,
        call: Call,
        flow: Flow,
        opening: Opening,
        *,
        conversation: Conversation,
        recorder: Recorder,
        tap: Tap,
        office: Office,
        repeat_s: float,
        owner: str,
        first_question: Callable[[], str] = lambda: "",
        now: Callable[[], float] | None = None,
    ) -> None:
        """`owner` is whose twin it is, so that "are you Ada?" is understood; `now` is any clock in seconds.

        `first_question` is asked instead of offering help, where it is not empty.
        """
        super().__init__(
            call,
            opening,
            conversation=conversation,
            recorder=recorder,
            office=office,
            repeat_s=repeat_s,
            now=now,
        )
        self._consents = consent.Consents(flow)
        self._tap = tap
        self._owner = owner
        self._first_question = first_question
        self._helped = False
        self._recording: Taped | None = None
        self._words: str = "asked" if flow.transcription == "ask" else "kept"
        recorder.keep_words(KEEPING[flow.transcription])
        call.consent = self.pressed
        call.wish = self.wished

    @property
    def recording(self) -> bool:
        """True while sound is stored."""
        return self._recording is not None

    @property
    def expects_answer(self) -> bool:
        """True while a question was heard and waits for its answer."""
        pending = self._consents.pending
        return pending is not None and self._question_was_heard(pending[0])

    @property
    def _waits(self) -> bool:
        return self._consents.pending is not None

    def may_remember(self, memory: Literal["off", "ask", "given"]) -> None:
        """Whether a caller who leaves is asked if they may be remembered; `given`: they agreed earlier."""
        self._consents.memory = memory

    def disclosed(self, position: int) -> None:
        """The disclosure was heard to its end at `position` of the clock."""
        self._played(position)
        lines = self._take(consent.Disclosed(self._now()))
        if self._call.channel == "phone" and self._consents.flow.transcription == "notice":
            lines.insert(0, self._line("rights"))
        self.say([*lines, *self._help()])
        self._tell()

    def heard(self, text: str) -> Reaction | None:
        """A whole turn of the caller: what is answered in fixed words, or None when it is the brain's."""
        language = self._call.language
        found = intent(text, language, owner=self._owner)
        if found is not None:
            return self._meant(found)
        pending = self._consents.pending
        if pending is None:
            return None
        purpose = pending[0]
        given = answer(text, language, purpose) if self._question_was_heard(purpose) else "unclear"
        lines = self._take(consent.Answered(purpose, given, "voice", self._now()))
        self._tell()
        if purpose == "memory":
            # Whoever asks something instead of answering has not left yet.
            return Reaction(tuple(lines)) if given != "unclear" or leaving(text, language) else None
        if given == "unclear":
            # They went on as if nothing had been asked, so their words are answered.
            self._helped = True
            return Reaction(tuple(lines), answered=False)
        return Reaction((*lines, *self._help()))

    def keys(self, digits: str) -> bool:
        """The telephone's keys so far; true when they were for us."""
        if digits.endswith(STOP_KEYS):
            self._withdraw("recording", "key")
            return True
        pending = self._consents.pending
        if pending is None or digits not in (YES_KEY, NO_KEY):
            return False
        self._answered(pending[0], yes=digits == YES_KEY, method="key")
        return True

    def pressed(self, purpose: Purpose, yes: bool) -> None:
        """A button of the page."""
        self._answered(purpose, yes=yes, method="button")

    def wished(self, wish: Wish) -> None:
        """A button of the page."""
        if self._call.inlet.is_open:
            self._start(self._request(wish, self._call), "request")

    def tick(self) -> None:
        """Time has passed; called a few times a second while the call lasts."""
        now = self._now()
        if self._asked_at is not None and self._consents.pending is not None:
            if self._quiet_since is None:
                self._asked_at = now
            elif now - max(self._asked_at, self._quiet_since) > ANSWER_LIMIT_S:
                lines = self._take(consent.Answered(self._consents.pending[0], "unclear", "silence", now))
                self.say([*lines, *self._help()])
                self._tell()
        super().tick()

    async def end(self) -> None:
        """The call is over: the recording ends, and what was begun is finished, within a limit."""
        self._stop(delete=False)
        await super().end()

    def leaving(self, text: str) -> Reaction | None:
        """Whoever takes their leave may be asked something first; None when nothing is."""
        if not leaving(text, self._call.language):
            return None
        lines = self._take(consent.Leaving(self._now()))
        return Reaction(tuple(lines)) if lines else None

    def _meant(self, found: Intent) -> Reaction:
        match found.kind:
            case "human_question":
                self._note("human_asked", {"language": self._opening.texts.language})
                return Reaction((self._line("human"),))
            case "stop_recording":
                lines = self._take(consent.Withdrawn("recording", self._now()))
            case "stop_writing":
                lines = self._take(consent.Withdrawn("transcription", self._now()))
            case "disclose_again":
                state = "is_recorded" if self._tap.recording is not None else "is_not_recorded"
                return Reaction((self._line("short"), self._line(state)))
            case "forget_me" | "what_do_you_know":
                self._start(self._request(found.kind, self._call), "request")
                return Reaction(())
        self._tell()
        return Reaction(tuple(lines) or (self._line("recording_off"),))

    def _answered(self, purpose: Purpose, *, yes: bool, method: consent.Method) -> None:
        if not self._call.inlet.is_open:
            return
        lines = self._take(consent.Answered(purpose, "yes" if yes else "no", method, self._now()))
        self.say([*lines, *self._help()])
        self._tell()

    def _withdraw(self, purpose: Purpose, method: consent.Method) -> None:
        self.say(self._take(consent.Withdrawn(purpose, self._now(), method)))
        self._tell()

    def _take(self, event: consent.Event) -> list[Line]:
        """Carry out what follows from the event; the lines to say remain."""
        lines: list[Line] = []
        for action in self._consents.take(event):
            match action:
                case consent.Say(key):
                    lines.append(self._line(key))
                case consent.Ask(purpose):
                    lines.append(self._line(f"ask_{purpose}"))
                    self._asks()
                case consent.StartRecording():
                    self._record()
                case consent.StopRecording(delete):
                    self._stop(delete=delete)
                case consent.KeepWords(keep, delete, _):
                    self._words = "kept" if keep else "not_kept"
                    self._recorder.keep_words("yes" if keep else "no", delete=delete)
                case consent.Remember(keep):
                    self._start(self._remember(keep=keep), "remember")
                case consent.Note(kind, _, detail):
                    self._note(kind, detail)
                    if kind in ("consent_given", "consent_refused", "consent_withdrawn"):
                        self._office.receipt(self._call, action)
        return lines

    def _help(self) -> list[Line]:
        """What follows once nothing more is to be asked, once a call."""
        if self._helped or self._consents.pending is not None:
            return []
        self._helped = True
        asked = self._first_question()
        return [Line(asked) if asked else self._line("help")]

    def _record(self) -> None:
        try:
            self._recording = self._tap.recording = self._office.record(self._call)
        except TwinError as error:
            logger.error("the recording could not start", extra={"call": self._call.id, "code": error.code})

    def _stop(self, *, delete: bool) -> None:
        """From this very moment no sample reaches the recording; its file follows."""
        self._tap.recording = None
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.stop()
        if delete:
            self._start(self._delete(), "recording deleted")

    async def _remember(self, *, keep: bool) -> None:
        try:
            await self._office.remember(self._call, keep)
        except TwinError as error:
            logger.error("the memory could not be told", extra={"call": self._call.id, "code": error.code})

    def _tell(self) -> None:
        flow, pending = self._consents.flow, self._consents.pending
        if pending is not None and pending[0] == "transcription":
            self._words = "asked"
        sound = "off" if flow.recording == "off" else "kept" if self._tap.recording is not None else "not_kept"
        if pending is not None and pending[0] == "recording":
            sound = "asked"
        words = self._words
        self._call.tell(Privacy(words, sound))  # type: ignore[arg-type]
