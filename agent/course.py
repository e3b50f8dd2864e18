"""The stages of a probe's call, in order, each with a verdict and what it measures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from agent.line import GAP_S, QUESTION, Ear, Line, PhoneLine, WebLine, likeness
from agent.probed import ProbedHouse
from channels.call import Call
from compliance.entries import Conversation
from compliance.errors import TwinError

Verdict = Literal["passed", "failed", "skipped"]

SILENCE_LIMIT_MS = 1_200.0
"""From the first sample of an interruption to the last sound of the twin. It takes `[turns] onset_ms`, up to
100 ms of line each way, 80 ms of jitter buffer, and what a busy machine adds; beyond it a person gives up."""
ALIKE = 0.9
IN_FLIGHT_S = 0.5
"""What may still be under way when the line is cut."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the way, and how it went."""

    channel: str
    name: str
    verdict: Verdict
    ms: float | None
    """What the stage measures; None where it only says yes or no."""
    detail: str


class Failed(Exception):
    """The stage did not do what it has to; the text says what happened instead."""


@dataclass(frozen=True, slots=True)
class Outcome:
    detail: str
    ms: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    limit_s: float
    work: Callable[[], Awaitable[Outcome]]
    needed: bool = False
    """Nothing after it makes sense without it."""


class Course:
    """The stages of one call, in order. `house` is None when the twin runs elsewhere: what only its own process
    knows is then not judged."""

    channel = ""

    def __init__(self, line: Line, house: ProbedHouse | None) -> None:
        self.line = line
        self.house = house
        self.asked_at = 0.0
        self.answered_at = 0.0

    @property
    def ear(self) -> Ear:
        return self.line.ear

    @property
    def call(self) -> Call:
        if self.house is None or not self.house.begun:
            raise Failed("the twin knows nothing of a call")
        return self.house.begun[-1]

    def steps(self) -> list[Step]:
        raise Failed("no steps")

    async def run(self) -> list[Stage]:
        """Every stage, each within its limit, and the line closed."""
        stages: list[Stage] = []
        stopped = ""
        try:
            for step in self.steps():
                if stopped:
                    stages.append(Stage(self.channel, step.name, "skipped", None, f"needs: {stopped}"))
                    continue
                stage = await self._judged(step)
                stages.append(stage)
                if stage.verdict == "failed" and step.needed:
                    stopped = step.name
        finally:
            await self.line.close()
        return stages

    async def _judged(self, step: Step) -> Stage:
        try:
            async with asyncio.timeout(step.limit_s):
                outcome = await step.work()
        except TimeoutError:
            return Stage(self.channel, step.name, "failed", None, f"nothing within {step.limit_s:g} s")
        except Failed as failed:
            return Stage(self.channel, step.name, "failed", None, str(failed))
        except TwinError as error:
            return Stage(self.channel, step.name, "failed", None, error.message)
        return Stage(self.channel, step.name, "passed", outcome.ms, outcome.detail)

    # ---- what both channels share

    async def answered(self) -> Outcome:
        began = _now()
        await self.line.dial()
        self.asked_at = _now()
        return Outcome("the twin picked up", (self.asked_at - began) * 1000)

    async def disclosure(self) -> Outcome:
        """The first thing that is heard, and all of it. The time is that of its first sound."""
        await self._until(lambda: self.ear.first_after(0) is not None)
        first_ms = ((self.ear.first_after(0) or 0) - self.asked_at) * 1000
        await self._until_quiet(2 * GAP_S + 0.3)
        heard, rate_hz = self.line.heard()
        if self.house is None:
            return Outcome(f"{len(heard) / 2 / rate_hz:.1f} s of speech came first", first_ms)
        expected_hz = self.call.clock.rate_hz
        alike = likeness(heard, rate_hz, self.house.opening(expected_hz), expected_hz)
        if alike < ALIKE:
            raise Failed(f"what was heard first is not the whole disclosure (likeness {alike:.2f})")
        if not self.call.inlet.is_open:
            raise Failed("it was heard, but the twin does not listen")
        return Outcome(f"first and whole (likeness {alike:.2f})", first_ms)

    async def recognised(self) -> Outcome:
        """The recorded question; the time is from its last sound to the final words."""
        self.answered_at = 0.0
        self.asked_at = self.line.ask()
        await self._until(lambda: self._said("caller", self.asked_at - 3, final=True) is not None)
        at, text = self._said("caller", self.asked_at - 3, final=True) or (0.0, "")
        share = _overlap(text, QUESTION)
        if share < 0.5:
            raise Failed(f"the question was recorded speech, and {share:.0%} of its words were understood")
        return Outcome(f"{share:.0%} of the words", (at - self.asked_at) * 1000)

    async def first_sound(self) -> Outcome:
        """From the end of the question to the first sound of the answer."""
        await self._until(lambda: self.ear.first_after(self.asked_at) is not None)
        self.answered_at = self.ear.first_after(self.asked_at) or 0.0
        return Outcome("the answer sounds", (self.answered_at - self.asked_at) * 1000)

    async def interrupted(self) -> Outcome:
        """Speak over the answer: how long it goes on, and that it does not come back meanwhile."""
        if not self.answered_at:
            raise Failed("there is no answer to interrupt")
        began = _now()
        ends = self.line.ask()
        await asyncio.sleep(max(0.0, ends - began))
        silent_from = self.ear.quiet_from(began - 0.05)
        if silent_from is None:
            raise Failed("the answer was over before it could be interrupted")
        ms = max(0.0, silent_from - began) * 1000
        if ms > SILENCE_LIMIT_MS:
            raise Failed(f"the twin went on for {ms:.0f} ms; the limit is {SILENCE_LIMIT_MS:.0f} ms")
        again = self.ear.first_after(silent_from)
        if again is not None and again < ends:
            raise Failed("the twin fell silent and then spoke on over the caller")
        return Outcome("the twin fell silent and listened", ms)

    async def answered_again(self) -> Outcome:
        """After the interruption the twin answers what it was asked."""
        self.asked_at = _now() - 0.1
        return await self.first_sound()

    async def doors(self) -> Outcome:
        """Bytes at the door = bytes on the wire."""
        call = self.call
        left, wired = call.outlet.bytes_out, call.wire.bytes_sent
        if left != wired or left != call.clock.position * 2:
            raise Failed(f"{left} bytes passed the outlet, {wired} are on the wire")
        return Outcome(f"{left} bytes passed the outlet and are on the wire; {call.inlet.bytes_seen} came in")

    async def hung_up(self) -> Outcome:
        """The caller leaves; the time until nothing of the call is left."""
        began = _now()
        await self.line.hang_up()
        await self._until(lambda: self.house is None or not self.house.live)
        return Outcome("the call is over" if self.house else "the line is closed", (_now() - began) * 1000)

    async def kept(self) -> Outcome:
        """What the vault has of it."""
        call = self.call
        if self.house is None:
            raise Failed("only the twin's own process knows")
        await self.house.vault.flush()
        record = await self.house.vault.call(call.id)
        if record is None or record.call.state != "ended":
            raise Failed("the call is not in the vault, or has no end there")
        _check_record(record)
        return Outcome(
            f"{len(record.turns)} turns and {len(record.events)} events, ended: {record.call.end_reason}"
        )

    def inside(self) -> list[Step]:
        """What only the process of the twin can tell."""
        if self.house is None:
            return []
        return [Step("bytes at the door", 5, self.doors), Step("records", 15, self.kept)]

    # ---- helpers

    def captions(self) -> list[tuple[float, str, str, bool]]:
        """When, who, text, final. Without a house the phone has none."""
        told = self.house.captions if self.house is not None else []
        return [(at, caption.who, caption.text, caption.final) for at, caption in told]

    def _said(self, who: str, after: float, *, final: bool) -> tuple[float, str] | None:
        for at, whose, text, ended in self.captions():
            if whose == who and at > after and text and (ended or not final):
                return at, text
        return None

    async def _until(self, met: Callable[[], bool]) -> None:
        """Wait until it is true; the stage has the limit."""
        while not met():  # noqa: ASYNC110  what is waited for lies in several places, nothing announces it
            await asyncio.sleep(0.01)

    async def _until_quiet(self, quiet_s: float) -> None:
        await self._until(lambda: _now() - (self.ear.last() or _now()) > quiet_s)


class PhoneCourse(Course):
    channel = "phone"

    def __init__(self, line: PhoneLine, house: ProbedHouse | None) -> None:
        super().__init__(line, house)
        self._phone = line

    def steps(self) -> list[Step]:
        heard = [] if self.house is None else [Step("question recognised", 15, self.recognised)]
        return [
            Step("answered", 15, self.answered, needed=True),
            Step("disclosure", 40, self.disclosure, needed=True),
            *(heard or [Step("question asked", 5, self.asked)]),
            Step("first sound", 15, self.first_sound),
            Step("interruption", 15, self.interrupted),
            Step("answer after it", 15, self.answered_again),
            Step("hang-up", 20, self.hung_up),
            *self.inside(),
        ]

    async def asked(self) -> Outcome:
        self.asked_at = self.line.ask()
        return Outcome("whether it was understood, only the twin's own process knows")

    async def doors(self) -> Outcome:
        outcome = await super().doors()
        received = self._phone.caller.earpiece.received_bytes * 2
        missing = self.call.wire.bytes_sent - received
        if not 0 <= missing <= IN_FLIGHT_S * self.call.clock.rate_hz * 2:
            raise Failed(f"{self.call.wire.bytes_sent} bytes were sent and {received} arrived")
        return Outcome(f"{outcome.detail}; {received} arrived before the line was cut")


class WebCourse(Course):
    channel = "web"

    def __init__(self, line: WebLine, house: ProbedHouse | None, texts: tuple[str, ...] = ()) -> None:
        super().__init__(line, house)
        self._web = line
        self._texts = texts
        self._told: list[float] = []

    def steps(self) -> list[Step]:
        return [
            Step("answered", 20, self.answered, needed=True),
            Step("disclosure", 40, self.disclosure, needed=True),
            Step("typed question", 15, self.typed),
            Step("typed answer ends", 40, self.ended),
            Step("question recognised", 15, self.recognised),
            Step("first sound", 15, self.first_sound),
            Step("interruption", 15, self.interrupted),
            Step("answer after it", 15, self.answered_again),
            Step("hang-up", 20, self.hung_up),
            *self.inside(),
        ]

    def captions(self) -> list[tuple[float, str, str, bool]]:
        """As the page gets them; when, is when they were looked at first."""
        said = [message for message in self._web.caller.messages if message.get("type") == "caption"]
        while len(self._told) < len(said):
            self._told.append(_now())
        return [
            (at, str(message["who"]), str(message["text"]), bool(message["final"]))
            for at, message in zip(self._told, said, strict=True)
        ]

    async def disclosure(self) -> Outcome:
        outcome = await super().disclosure()
        shown = " ".join(text for _, who, text, _ in self.captions() if who == "twin")
        if self._texts and not begins_with(shown, self._texts):
            raise Failed("the captions of what was heard first are not the disclosure")
        return outcome

    async def typed(self) -> Outcome:
        """A typed question: from the key to the first sound of the answer. It needs no recognition."""
        self.captions()
        self.asked_at = self._web.type()
        await self._until(lambda: self.ear.first_after(self.asked_at) is not None)
        sounded = self.ear.first_after(self.asked_at) or 0.0
        await self._until(lambda: self._said("twin", self.asked_at, final=False) is not None)
        return Outcome("answered in sound and captions", (sounded - self.asked_at) * 1000)

    async def ended(self) -> Outcome:
        await self._until_quiet(1.0)
        return Outcome(f"{(self.ear.last() or 0) - self.asked_at:.1f} s after the question")


def _check_record(record: Conversation) -> None:
    kinds = {event.kind for event in record.events}
    if "disclosure_played" not in kinds:
        raise Failed("the vault does not say that the disclosure was played")
    if not any(turn.who == "caller" and turn.text for turn in record.turns):
        raise Failed("the vault has no word of the caller")
    if not any(turn.who == "twin" and turn.cut for turn in record.turns):
        raise Failed("the vault does not say that the twin was interrupted")


def _overlap(text: str, expected: str) -> float:
    """How many of the expected words were understood, 0 to 1."""
    words = {word.strip("?.,!").lower() for word in expected.split()}
    found = {word.strip("?.,!").lower() for word in text.split()}
    return len(words & found) / len(words)


def _now() -> float:
    return asyncio.get_running_loop().time()


def begins_with(shown: str, texts: tuple[str, ...]) -> bool:
    """Whether one of the texts, whole, comes first; an offer of help or a question may have begun after it."""
    words = shown.split()
    return any(words[: len(text)] == text for text in (text.split() for text in texts))
