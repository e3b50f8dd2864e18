"""What may be kept of a call, carried out; the rules themselves are in `compliance/consent.py`."""

from __future__ import annotations

import asyncio
import logging
import unicodedata
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from agent.conversation import Conversation
from agent.opening import Opening
from agent.recorder import Keeping, Recorder
from agent.stages.honesty import Line, Reaction
from agent.tap import Recording, Tap
from channels.call import Call, CallEvent, Caption, Privacy, Purpose, Status, Wish
from compliance import consent
from compliance.errors import TwinError
from compliance.jurisdiction import Flow, Transcription
from compliance.language.answers import answer
from compliance.language.intents import Intent, intent
from compliance.language.leaving import leaving
from compliance.requests import Kind

logger = logging.getLogger(__name__)

ANSWER_LIMIT_S = 8.0
"""Silence for so long after a question is no yes."""
PAUSE_S = 0.8
"""Nobody has spoken for so long: a line that was not asked for may be said."""
AGAIN_S = 5.0
"""A reminder that was cut is tried again after so long."""
END_LIMIT_S = 5.0
KEEPING: Mapping[Transcription, Keeping] = {"notice": "yes", "ask": "waiting", "off": "no"}
"""What becomes of words until the caller says otherwise; their own are not heard before the disclosure was."""
STOP_KEYS = "*9"
YES_KEY, NO_KEY = "1", "2"
GOODBYES = ("memory_on", "memory_off")
"""Answers to a question that was asked at the end."""


class Note(Protocol):
    """`compliance.evidence.Evidence.note`."""

    def __call__(
        self, kind: str, *, call_id: str | None = None, subject: str | None = None, detail: Mapping[str, Any] = ...
    ) -> None: ...


class Taped(Recording, Protocol):
    """A recording that runs."""

    def stop(self) -> None:
        """Not one sample more."""
        ...


@dataclass(frozen=True, slots=True)
class Office:
    """What a call needs of the compliance layer."""

    note: Note
    record: Callable[[Call], Taped]
    """Begin a recording of the call at the clock's present position. Raises `VaultError`."""
    delete_recordings: Callable[[str], Awaitable[object]]
    """Delete what was recorded of the call with this id, unless a hold forbids it."""
    request: Callable[[Kind, Call], Awaitable[str]]
    """Open a request (`erasure`, `access`) of this call's person; its number, speakable."""
    receipt: Callable[[Call, consent.Note], None]
    """Store the signed receipt of an answer."""
    remember: Callable[[Call, bool], Awaitable[None]]
    """Whether what the caller said is to be remembered once the call is over."""


class Consenting:
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
        self.say: Callable[[Sequence[Line]], None] = lambda lines: None
        """Set to the pipeline's mouthpiece for fixed lines."""
        self._now = now or asyncio.get_running_loop().time
        self._call = call
        self._consents = consent.Consents(flow)
        self._opening = opening
        self._conversation = conversation
        self._recorder = recorder
        self._tap = tap
        self._office = office
        self._repeat_s = repeat_s
        self._owner = owner
        self._first_question = first_question
        self._asked_turns = 0
        """How many turns there were when the question that waits was asked."""
        self._asked_at: float | None = None
        self._helped = False
        self._recording: Taped | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet_since: float | None = None
        self._redisclose_at: float | None = None
        self._redisclosing: tuple[str, int, float] | None = None
        """The line, how many turns there were, and when it was said last."""
        self._words: str = "asked" if flow.transcription == "ask" else "kept"
        recorder.keep_words(KEEPING[flow.transcription])
        call.watchers.append(self._watch)
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

    def may_remember(self, memory: Literal["off", "ask", "given"]) -> None:
        """Whether a caller who leaves is asked if they may be remembered; `given`: they agreed earlier."""
        self._consents.memory = memory

    def disclosed(self, position: int) -> None:
        """The disclosure was heard to its end at `position` of the clock."""
        now = self._now()
        texts = self._opening.texts
        self._note(
            "disclosure_played",
            {
                "position_samples": position,
                "rate_hz": self._call.clock.rate_hz,
                "language": texts.language,
                "texts": texts.version,
                "channel": self._call.channel,
            },
        )
        self._redisclose_at = now + self._repeat_s
        lines = self._take(consent.Disclosed(now))
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
            self._start(self._request(wish), "request")

    def redisclose(self, line: str) -> None:
        """Say `short`, `handover` or `reminder` at the next pause, until it was heard in full."""
        self._redisclosing = (line, -1, 0.0)

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
        if self._redisclose_at is not None and now >= self._redisclose_at:
            self._redisclose_at = now + self._repeat_s
            self.redisclose("reminder")
        self._go_on_redisclosing(now)

    async def end(self) -> None:
        """The call is over: the recording ends, and what was begun is finished, within a limit."""
        self._stop(delete=False)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=END_LIMIT_S)
            for task in late:
                task.cancel()

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
                self._start(self._request(found.kind), "request")
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
                    self._asked_turns, self._asked_at = len(self._conversation.turns), self._now()
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

    def _line(self, key: str) -> Line:
        text = str(getattr(self._opening.texts, key))
        return Line(text, self._opening.lines.get(key), goodbye=key in GOODBYES)

    def _question_was_heard(self, purpose: str) -> bool:
        """A yes counts only when the person had heard what it is to: the first sentence of the question."""
        question = _letters(str(getattr(self._opening.texts, f"ask_{purpose}")), first_sentence=True)
        return question in self._twin_said(self._asked_turns)

    def _twin_said(self, since: int) -> str:
        # The turn that was open when the line was asked for may be the one that it is heard in.
        turns = self._conversation.turns[max(0, since - 1) :]
        return _letters("".join(turn.text for turn in turns if turn.who == "twin"))

    def _go_on_redisclosing(self, now: float) -> None:
        if self._redisclosing is None:
            return
        key, since, said_at = self._redisclosing
        line = self._line(key)
        if since >= 0 and _letters(line.text) in self._twin_said(since):
            self._redisclosing = None
            self._note("redisclosed", {"line": key, "position_samples": self._call.clock.heard})
        elif (
            self._quiet_since is not None
            and now - self._quiet_since > PAUSE_S
            and now - said_at > AGAIN_S
            and self._consents.pending is None
        ):
            self._redisclosing = (key, len(self._conversation.turns), now)
            self.say([line])

    def _watch(self, event: CallEvent) -> None:
        match event:
            case Status("listening"):
                self._quiet_since = self._now()
            case Status():
                self._quiet_since = None
            case Caption("caller"):
                self._quiet_since = self._now() if self._quiet_since is not None else None
            case _:
                pass

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

    async def _delete(self) -> None:
        try:
            await self._office.delete_recordings(self._call.id)
        except TwinError as error:
            logger.error("a recording could not be deleted", extra={"call": self._call.id, "code": error.code})

    async def _remember(self, *, keep: bool) -> None:
        try:
            await self._office.remember(self._call, keep)
        except TwinError as error:
            logger.error("the memory could not be told", extra={"call": self._call.id, "code": error.code})

    async def _request(self, wish: Wish) -> None:
        kind: Kind = "erasure" if wish == "forget_me" else "access"
        key = "forget_taken" if wish == "forget_me" else "access_taken"
        try:
            number = await self._office.request(kind, self._call)
        except TwinError as error:
            logger.error("a request could not be opened", extra={"call": self._call.id, "code": error.code})
            self.say([Line(self._opening.texts.apology, self._opening.apology)])
            return
        self.say([Line(str(getattr(self._opening.texts, key)).replace("{number}", number))])

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=f"{name} {self._call.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, kind: str, detail: Mapping[str, Any]) -> None:
        try:
            self._office.note(kind, call_id=self._call.id, detail=detail)
        except TwinError as error:
            logger.error("evidence was not taken", extra={"call": self._call.id, "code": error.code})
            self._recorder.failed = True

    def _tell(self) -> None:
        flow, pending = self._consents.flow, self._consents.pending
        if pending is not None and pending[0] == "transcription":
            self._words = "asked"
        sound = "off" if flow.recording == "off" else "kept" if self._tap.recording is not None else "not_kept"
        if pending is not None and pending[0] == "recording":
            sound = "asked"
        words = self._words
        self._call.tell(Privacy(words, sound))  # type: ignore[arg-type]


def _letters(text: str, *, first_sentence: bool = False) -> str:
    """Letters and digits alone: what was heard comes word by word, with spaces where a language has none."""
    kept = []
    for character in unicodedata.normalize("NFKC", text):
        if first_sentence and character in "?？":
            break
        if character.isalnum():
            kept.append(character.lower())
    return "".join(kept)
