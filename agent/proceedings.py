"""What consent asks of every call, with one person or with many: lines said and heard, evidence, requests."""

from __future__ import annotations

import asyncio
import logging
import unicodedata
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agent.conversation import Conversation
from agent.opening import Opening
from agent.recorder import Recorder
from agent.stages.honesty import Line
from agent.tap import Recording
from channels.call import Call, CallEvent, Caption, Status, Wish
from compliance import consent
from compliance.errors import TwinError
from compliance.requests import Kind

logger = logging.getLogger(__name__)

ANSWER_LIMIT_S = 8.0
"""Silence for so long after a question is no yes."""
PAUSE_S = 0.8
"""Nobody has spoken for so long: a line that was not asked for may be said."""
AGAIN_S = 5.0
"""A reminder that was cut is tried again after so long."""
END_LIMIT_S = 5.0
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


@dataclass(frozen=True, slots=True)
class SoFar:
    """What the twin had said at one moment."""

    turns: int = 0
    """How many there were, of everybody."""
    last: int = 0
    """The number of the twin's last one, which may go on."""
    letters: int = 0
    """How many it had."""


class Proceedings:
    """One call's. Everything comes in on the event loop and returns at once."""

    def __init__(
        self,
        call: Call,
        opening: Opening,
        *,
        conversation: Conversation,
        recorder: Recorder,
        office: Office,
        repeat_s: float,
        now: Callable[[], float] | None,
    ) -> None:
        self.say: Callable[[Sequence[Line]], None] = lambda lines: None
        """Set to the pipeline's mouthpiece for fixed lines."""
        self._now = now or asyncio.get_running_loop().time
        self._call = call
        self._opening = opening
        self._conversation = conversation
        self._recorder = recorder
        self._office = office
        self._repeat_s = repeat_s
        self._asked_after = SoFar()
        """What had been said when the question that waits was asked."""
        self._asked_at: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet_since: float | None = None
        self._redisclose_at: float | None = None
        self._redisclosing: tuple[str, SoFar | None, float] | None = None
        """The line, what had been said before it, and when it was said last."""
        call.watchers.append(self._watch)

    def redisclose(self, line: str) -> None:
        """Say `short`, `handover` or `reminder` at the next pause, until it was heard in full."""
        self._redisclosing = (line, None, 0.0)

    def tick(self) -> None:
        """Time has passed; called a few times a second while the call lasts."""
        now = self._now()
        if self._redisclose_at is not None and now >= self._redisclose_at:
            self._redisclose_at = now + self._repeat_s
            self.redisclose("reminder")
        self._go_on_redisclosing(now)

    async def end(self) -> None:
        """The call is over: what was begun is finished, within a limit."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=END_LIMIT_S)
            for task in late:
                task.cancel()

    @property
    def _waits(self) -> bool:
        """Whether a question was asked that is not answered."""
        return False

    def _played(self, position: int) -> None:
        """The evidence of the disclosure, and its repetition from now on."""
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
        self._redisclose_at = self._now() + self._repeat_s

    def _line(self, key: str) -> Line:
        text = str(getattr(self._opening.texts, key))
        return Line(text, self._opening.lines.get(key), goodbye=key in GOODBYES)

    def _asks(self) -> None:
        self._asked_after, self._asked_at = self._so_far(), self._now()

    def _question_was_heard(self, purpose: str) -> bool:
        """A yes counts only when the person had heard what it is to: the first sentence of the question."""
        question = letters(str(getattr(self._opening.texts, f"ask_{purpose}")), first_sentence=True)
        return question in self._twin_said(self._asked_after)

    def _so_far(self) -> SoFar:
        turns = self._conversation.turns
        last = next((turn for turn in reversed(turns) if turn.who == "twin"), None)
        return SoFar(len(turns), last.number if last else 0, len(letters(last.text)) if last else 0)

    def _twin_said(self, since: SoFar) -> str:
        """After that: what was said to another before, in the same words, does not count."""
        said = ""
        for turn in self._conversation.turns[since.last :]:
            if turn.who == "twin" and turn.number >= since.turns:
                said += letters(turn.text)
            elif turn.who == "twin" and turn.number == since.last:
                # The turn that was open when the line was asked for may be the one that it is heard in.
                said += letters(turn.text)[since.letters :]
        return said

    def _go_on_redisclosing(self, now: float) -> None:
        if self._redisclosing is None:
            return
        key, since, said_at = self._redisclosing
        line = self._line(key)
        if since is not None and letters(line.text) in self._twin_said(since):
            self._redisclosing = None
            self._note("redisclosed", {"line": key, "position_samples": self._call.clock.heard})
        elif (
            self._quiet_since is not None
            and now - self._quiet_since > PAUSE_S
            and now - said_at > AGAIN_S
            and not self._waits
        ):
            self._redisclosing = (key, self._so_far(), now)
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

    async def _request(self, wish: Wish, call: Call) -> None:
        kind: Kind = "erasure" if wish == "forget_me" else "access"
        key = "forget_taken" if wish == "forget_me" else "access_taken"
        try:
            number = await self._office.request(kind, call)
        except TwinError as error:
            logger.error("a request could not be opened", extra={"call": call.id, "code": error.code})
            self.say([Line(self._opening.texts.apology, self._opening.apology)])
            return
        self.say([Line(str(getattr(self._opening.texts, key)).replace("{number}", number))])

    async def _delete(self) -> None:
        try:
            await self._office.delete_recordings(self._call.id)
        except TwinError as error:
            logger.error("a recording could not be deleted", extra={"call": self._call.id, "code": error.code})

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=f"{name} {self._call.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, kind: str, detail: Mapping[str, Any], *, subject: str | None = None) -> None:
        """`subject`: whom in a meeting it is about."""
        try:
            self._office.note(kind, call_id=self._call.id, subject=subject, detail=detail)
        except TwinError as error:
            logger.error("evidence was not taken", extra={"call": self._call.id, "code": error.code})
            self._recorder.failed = True


def letters(text: str, *, first_sentence: bool = False) -> str:
    """Letters and digits alone: what was heard comes word by word, with spaces where a language has none."""
    kept = []
    for character in unicodedata.normalize("NFKC", text):
        if first_sentence and character in "?？":
            break
        if character.isalnum():
            kept.append(character.lower())
    return "".join(kept)
