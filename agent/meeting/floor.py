"""A meeting's stage of turns: what is heard comes in, is ruled on by the chair, and is carried out here."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from pipecat.frames.frames import CancelFrame, EndFrame, Frame, StartFrame
from pipecat.processors.frame_processor import FrameDirection

from agent.conversation import Conversation, HeardTurn
from agent.meeting import policy
from agent.meeting.chair import Ruling
from agent.meeting.company import Company
from agent.meeting.consenting import MeetingConsenting
from agent.meeting.events import Began, Fell, Guessed, HallEvent, Unheard, Uttered
from agent.meeting.hand import Hand
from agent.meeting.settings import MeetingSettings
from agent.meeting.texts import MeetingTexts
from agent.meeting.understanding import Understanding, Understood
from agent.meeting.writing import Writing
from agent.stages.frames import AnswerFrame, TwinSpeakingFrame
from agent.stages.honesty import Line, Reaction
from agent.stages.tasked import TaskedStage
from agent.timing import TurnTiming
from agent.turns.settings import TurnSettings
from channels.call import Call, Status

EVENTS = 1_000
"""What waits for a stalled loop. Beyond it guesses are left out, because what is final follows them."""
ITEMS = 50
"""Utterances that may still be answered."""
WAITING_LINES = 20
LEAVE_S = 12.0
"""Sent away, it goes so long after the time for its last words, also when nobody lets it say them."""


@dataclass(slots=True)
class _Item:
    turn: HeardTurn
    reaction: Reaction | None


@dataclass(frozen=True, slots=True)
class _Due:
    """The policy's time has come."""


class MeetingFloor(TaskedStage):
    """Everything is done in one task, in the order in which it happened."""

    def __init__(
        self,
        call: Call,
        conversation: Conversation,
        timing: TurnTiming,
        settings: MeetingSettings,
        turns: TurnSettings,
        *,
        understanding: Understanding,
        company: Company,
        consenting: MeetingConsenting,
        writing: Writing,
        hand: Hand,
        texts: MeetingTexts,
        say: Callable[[Sequence[Line]], None],
        record: Callable[..., None],
        on_owner_asked: Callable[[HeardTurn, Uttered], None] = lambda turn, uttered: None,
    ) -> None:
        """`say` is the pipeline's mouthpiece for fixed lines; `on_owner_asked` is told of questions to the owner,
        while everybody agrees to recording."""
        super().__init__("meeting floor")
        self._call = call
        self._conversation = conversation
        self._timing = timing
        self._policy = policy.MeetingPolicy(settings, turns)
        self._understanding = understanding
        self._company = company
        self._consenting = consenting
        self._writing = writing
        self._hand = hand
        self._texts = texts
        self._say = say
        self._record = record
        self._on_owner_asked = on_owner_asked
        self._events: deque[HallEvent | policy.Event | _Due] = deque(maxlen=2 * EVENTS)
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._leave_s = settings.disclose_within_s + LEAVE_S
        self._leaving: asyncio.TimerHandle | None = None
        self._lines: deque[Line] = deque(maxlen=WAITING_LINES)
        self._items: dict[int, _Item] = {}
        self._asking: list[HeardTurn] = []
        """What the one who is answered has asked since the twin sounded last."""
        self._open_hall: Callable[[], Awaitable[None]] | None = None

    def opens(self, hall: Callable[[], Awaitable[None]]) -> None:
        """Called when the meeting begins, before anything is heard."""
        self._open_hall = hall

    @property
    def speaking(self) -> frozenset[str]:
        """Who speaks now."""
        return self._policy.speaking

    def hear(self, event: HallEvent) -> None:
        """From the hall."""
        if len(self._events) >= EVENTS and isinstance(event, Guessed):
            return
        self._put(event)

    def gone(self, who: str) -> None:
        """Whoever has left or is muted is silent."""
        self._put(policy.Fell(who))

    def say(self, lines: Sequence[Line]) -> None:
        """Say these fixed lines at the next gap; returns at once."""
        self._line_up(lines, urgent=False)

    def press(self, lines: Sequence[Line]) -> None:
        """Say these soon, into what others say if it must be."""
        self._line_up([line for line in lines if line not in self._lines], urgent=True)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case TwinSpeakingFrame():
                self._put(policy.TwinBegan() if frame.speaking else policy.TwinEnded())
                return
            case StartFrame():
                if self._open_hall is not None:
                    await self._open_hall()
                self._task = self.create_task(self._work(), "meeting floor")
            case EndFrame() | CancelFrame():
                await self._stop()
        await self.push_frame(frame, direction)

    async def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._leaving is not None:
            self._leaving.cancel()
        self._hand.down()
        await super()._stop()

    def _put(self, event: HallEvent | policy.Event | _Due) -> None:
        self._events.append(event)
        self._wake.set()

    def _line_up(self, lines: Sequence[Line], *, urgent: bool) -> None:
        if lines:
            self._lines.extend(lines)
            self._put(policy.Lines(urgent))

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._events:
                await self._take(self._events.popleft())

    async def _take(self, event: HallEvent | policy.Event | _Due) -> None:
        match event:
            case Began(who):
                self._consenting.busy()
                await self._on(policy.Began(who))
            case Fell(who, _, silent_ms):
                self._timing.caller_silent(self._now_ms() - silent_ms)
                await self._on(policy.Fell(who, silent_ms))
            case Guessed(who, text, at):
                self._understanding.guessed(who, text, at)
                await self._on(policy.Words(who, text))
            case Unheard(who):
                self._understanding.unheard(event)
                await self._on(policy.Ruled(who, "nothing") if event.crowded else policy.Wordless(who))
            case Uttered():
                await self._on(self._ruled(event, self._understanding.uttered(event, self._policy.twin)))
            case policy.TwinBegan():
                # A report that is older than the last yield.
                if self._call.outlet.speaking:
                    self._asking = []
                    await self._on(event)
            case _Due():
                await self._on(policy.Tick())
            case _:
                await self._on(event)

    def _now_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1000

    async def _on(self, event: policy.Event) -> None:
        self._policy.alone = self._company.alone
        for action in self._policy.on(event, self._now_ms()):
            await self._do(action)
        if not self._policy.speaking and isinstance(event, policy.Fell):
            self._consenting.quiet()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline_ms = self._policy.deadline_ms
        if deadline_ms is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline_ms / 1000, lambda: self._put(_Due()))

    # what it means for the twin

    def _ruled(self, uttered: Uttered, understood: Understood) -> policy.Ruled:
        turn, ruling, reaction = understood.turn, understood.ruling, understood.reaction
        who, verdict = turn.speaker, ruling.verdict
        if verdict == "stop":
            return policy.Ruled(who, "stop")
        fixed = self._obeyed(ruling)
        if verdict == "leave":
            self._conversation.answers(turn)
            self._leave((*(reaction.lines if reaction else ()), Line(self._texts.leaving, goodbye=True)))
            return policy.Ruled(who, "stop")
        if verdict == "refuse" and ruling.mode == "silent" and fixed is not None:
            # Who may not keep it silent wants silence all the same.
            self._conversation.answers(turn)
            self.say((*(reaction.lines if reaction else ()), fixed))
            return policy.Ruled(who, "stop")
        if fixed is not None:
            reaction = Reaction((*(reaction.lines if reaction else ()), fixed))
        if verdict == "called" and (called := self._hand.down()) is not None:
            return replace(self._asks(called, None, written=False), who=who)
        if verdict == "lower_hand":
            self._hand.down()
        elif verdict == "raise_hand" and reaction is None:
            self._hand.up(turn, self._texts.hand)
        elif verdict == "note" and reaction is None:
            self._record("noted", {"turn": turn.number}, speaker=who)
        if verdict == "note" and self._consenting.recorded(uttered.start):
            self._on_owner_asked(turn, uttered)
        if reaction is not None and (reaction.lines or reaction.answered):
            # A silent twin is asked for the answer only when it was the chair's ruling.
            reaction = reaction if verdict == "answer" else replace(reaction, answered=True)
            return self._asks(turn, reaction, ruling.written) if reaction.lines else policy.Ruled(who, "nothing")
        if verdict == "answer":
            self._hand.down()
            return self._asks(turn, None, ruling.written)
        return policy.Ruled(who, "nothing")

    def _obeyed(self, ruling: Ruling) -> Line | None:
        """A command is carried out; what is said to it."""
        match ruling.verdict:
            case "switch" if ruling.mode is not None:
                self._record("mode", {"mode": ruling.mode})
                if ruling.mode == "silent":
                    self._hand.down()
                return Line(str(getattr(self._texts, ruling.mode)))
            case "refuse":
                return Line(self._texts.may_not)
            case _:
                return None

    def _asks(self, turn: HeardTurn, reaction: Reaction | None, written: bool) -> policy.Ruled:
        self._conversation.answers(turn)
        self._keep(turn, reaction)
        return policy.Ruled(turn.speaker, "answer", turn.number, written)

    def _keep(self, turn: HeardTurn, reaction: Reaction | None) -> None:
        # Last also where it was there before: what the twin is called on for may be the oldest of all.
        self._items.pop(turn.number, None)
        self._items[turn.number] = _Item(turn, reaction)
        while len(self._items) > ITEMS:
            del self._items[next(iter(self._items))]

    def _leave(self, lines: Sequence[Line]) -> None:
        """Whoever sends it away is obeyed, whether or not the others let it say goodbye."""
        self.press(lines)
        if self._leaving is None:
            loop = asyncio.get_running_loop()
            self._leaving = loop.call_later(self._leave_s, self._call.hang_up, "goodbye")

    # what the twin does

    async def _do(self, action: policy.Action) -> None:
        call = self._call
        match action:
            case policy.Hold():
                call.outlet.hold()
                self._record("hold", {})
            case policy.Resume():
                call.outlet.resume()
                self._record("resume", {})
            case policy.Yield():
                call.outlet.drop()
                self._conversation.twin_stopped(cut=True)
                self._record("yield", {})
                call.tell(Status("listening"))
                await self.broadcast_interruption()  # type: ignore[no-untyped-call]
            case policy.Say():
                lines = tuple(self._lines)
                self._lines.clear()
                self._conversation.answering = ""
                if lines:
                    self._say(lines)
                else:
                    # They went out with earlier ones.
                    self._put(policy.TwinEnded())
            case policy.Raise(number):
                item = self._items.pop(number, None)
                if item is not None and item.reaction is None:
                    self._hand.up(item.turn, self._texts.waited)
                elif item is not None and item.reaction is not None:
                    self.say(item.reaction.lines)
            case policy.Answer(number, written):
                # It stays: where nobody lets it be heard, the hand is raised for it.
                await self._answer(self._items[number], written)

    async def _answer(self, item: _Item, written: bool) -> None:
        call, turn, reaction = self._call, item.turn, item.reaction
        self._company.asker = self._conversation.answering = turn.speaker
        if not (self._asking and self._asking[0].speaker == turn.speaker):
            self._asking = []
        self._asking.append(turn)
        call.tell(Status("thinking"))
        self._timing.answered(self._now_ms(), typed=turn.typed)
        if written:
            call.outlet.drop()
            self._asking = [turn]
            self._writing.begin(call.clock.epoch)
        if reaction is not None:
            if written:
                self._write_lines(reaction.lines)
            else:
                self._say(reaction.lines)
            if reaction.answered:
                if written:
                    self._put(policy.TwinEnded())
                return
        turns = self._understanding.for_brain(self._asking)
        await self.push_frame(AnswerFrame(turns, call.clock.epoch))

    def _write_lines(self, lines: Sequence[Line]) -> None:
        self.write([(line.text, "notice") for line in lines], self._call.clock.epoch)
        self._call.tell(Status("listening"))
        if any(line.goodbye for line in lines):
            self._call.hang_up("goodbye")

    def write(self, sentences: Sequence[tuple[str, str]], epoch: int) -> None:
        """Into the chat, and on record."""
        if self._call.room is not None:
            self._call.room.write(" ".join(text for text, _ in sentences))
        self._conversation.twin_wrote(sentences, position=self._call.clock.position, epoch=epoch)
