"""Who speaks among many. Pure: an event and a time in, actions out.

anybody speaks while the twin does -> Hold -> all silent again, nothing meant for the twin -> Resume
                                           -> meant for the twin, "stop", or it takes too long -> Yield
something is meant for the twin    -> a gap -> Answer
                                   -> no gap for long -> Raise (the hand), and answered when called on

What words mean is decided elsewhere (`chair.py`) and comes in as `Ruled`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from agent.meeting.settings import MeetingSettings
from agent.turns.backchannels import Backchannels
from agent.turns.settings import TurnSettings

LONG_BACKCHANNEL_MS = 1_000
"""A mm-hmm may last; beyond this it is somebody who wants to speak."""
WORDS_MS = 2_500
"""How long the meaning of words that were said is waited for, before the twin goes on."""
NOISY_MS = 1_500
"""The same for sound without words, of somebody whose last sound had none either: a fan, a street."""
WAITING = 4
"""Questions that wait for a gap; one more, and the oldest is not answered."""


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody began to speak."""

    who: str


@dataclass(frozen=True, slots=True)
class Fell:
    """Somebody fell silent `silent_ms` ago, or can be heard no more."""

    who: str
    silent_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Words:
    """What the recogniser has of somebody's utterance so far."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Ruled:
    """Somebody's utterance is over, and this is what it means for the twin. `nothing`: it is not for it, or was
    not understood. `item` names the utterance; `written`: it is to be answered in the chat."""

    who: str
    verdict: Literal["answer", "stop", "nothing"]
    item: int = 0
    written: bool = False


@dataclass(frozen=True, slots=True)
class Wordless:
    """Somebody's utterance is over, and it was none: no words came of it."""

    who: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Fixed lines wait to be said. `urgent`: into what others say, if it must be."""

    urgent: bool = False


@dataclass(frozen=True, slots=True)
class TwinBegan:
    """What the twin says begins to sound."""


@dataclass(frozen=True, slots=True)
class TwinEnded:
    """It was heard to its end, or there was nothing."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = Began | Fell | Words | Ruled | Wordless | Lines | TwinBegan | TwinEnded | Tick


@dataclass(frozen=True, slots=True)
class Hold:
    """Fall silent now and keep the place."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on from the very sample."""


@dataclass(frozen=True, slots=True)
class Yield:
    """Give up what is being said."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer this utterance now."""

    item: int
    written: bool = False


@dataclass(frozen=True, slots=True)
class Raise:
    """There was no gap to answer this one in: raise the hand."""

    item: int


@dataclass(frozen=True, slots=True)
class Say:
    """Say the fixed lines that wait."""


Action = Hold | Resume | Yield | Answer | Raise | Say


class Twin(Enum):
    SILENT = "silent"
    THINKING = "thinking"
    SPEAKING = "speaking"
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class _Question:
    who: str
    item: int
    written: bool
    since_ms: float


class MeetingPolicy:
    """The meeting's floor. Call `on` with every event; ask `deadline_ms` when to send the next `Tick`."""

    def __init__(self, settings: MeetingSettings, turns: TurnSettings) -> None:
        self._settings = settings
        self._decide_ms = turns.decide_ms
        self._backchannels = Backchannels(turns.backchannels)
        self.alone = False
        """True while there is one person: whoever takes the turn from the twin has it at once, as in a call."""
        self._twin = Twin.SILENT
        self._speaking: dict[str, float] = {}
        """Who speaks, and since when."""
        self._noisy: set[str] = set()
        """Whose last sound had no words."""
        self._quiet_since_ms = float("-inf")
        self._words: dict[str, str] = {}
        """What people have said whose meaning is not known yet."""
        self._held_since_ms: float | None = None
        self._waiting: deque[_Question] = deque(maxlen=WAITING)
        self._current: _Question | None = None
        """What is being answered."""
        self._lines_since_ms: float | None = None
        self._urgent = False
        """Whether the lines that wait have to be said soon, into what others say if it must be."""
        self._pressing = False
        """Whether what is being said is such."""
        self._talking_over = False
        """Whether it goes on although somebody speaks."""

    @property
    def twin(self) -> Twin:
        return self._twin

    @property
    def speaking(self) -> frozenset[str]:
        """Who speaks now."""
        return frozenset(self._speaking)

    def quiet(self, now_ms: float) -> bool:
        """Whether nobody speaks. Sound that goes on without a word is no speech: it silences nobody for long."""
        return all(now_ms >= noise_ms for noise_ms in self._noise_ms())

    def _noise_ms(self) -> list[float]:
        """From when on the sound of each who speaks is taken for noise."""
        limit_ms = self._settings.hold_s * 1000
        return [
            float("inf") if self._words.get(who) else since_ms + (NOISY_MS if who in self._noisy else limit_ms)
            for who, since_ms in self._speaking.items()
        ]

    @property
    def deadline_ms(self) -> float | None:
        """When the next `Tick` is due; None when nothing is."""
        due = []
        gap = max([self._quiet_since_ms + self._settings.gap_ms, *self._noise_ms()])
        if self._held_since_ms is not None:
            if not (self.alone and not self._speaking):
                due.append(self._held_since_ms + self._hold_limit_ms)
            due.append(max(gap, self._quiet_since_ms + WORDS_MS) if self._meaning_waits else gap)
        elif self._twin is Twin.SILENT and (self._waiting or self._lines_since_ms is not None):
            due.append(gap)
        if self._twin is Twin.SILENT and self._lines_since_ms is not None and self._urgent:
            due.append(self._lines_since_ms + self._settings.disclose_within_s * 1000)
        due += [
            waiting.since_ms + self._settings.wait_s * 1000 for waiting in self._waiting if not waiting.written
        ]
        return min((at for at in due if at < float("inf")), default=None)

    def on(self, event: Event, now_ms: float) -> list[Action]:
        """Decide. `now_ms` is any clock that only goes forward."""
        actions: list[Action] = []
        match event:
            case Began(who):
                self._speaking[who] = now_ms
                actions = self._onset(now_ms)
            case Fell(who, silent_ms):
                if who in self._speaking:
                    del self._speaking[who]
                    self._quiet_since_ms = max(self._quiet_since_ms, now_ms - silent_ms)
            case Words(who, text):
                self._words[who] = text
                self._noisy.discard(who)
                if who in self._speaking:
                    actions = self._onset(now_ms)
                if self.alone and self._held_since_ms is not None and self._backchannels.more_than(text):
                    actions += self._yield()
            case Ruled():
                actions = self._ruled(event, now_ms)
            case Wordless(who):
                self._words.pop(who, None)
                self._noisy.add(who)
            case Lines(urgent):
                self._urgent = self._urgent or urgent
                if self._lines_since_ms is None:
                    self._lines_since_ms = now_ms
            case TwinBegan():
                self._twin = Twin.SPEAKING
                actions = [] if self.quiet(now_ms) else self._onset(now_ms)
            case TwinEnded():
                actions = self._ended()
            case Tick():
                pass
        return [*actions, *self._settled(now_ms)]

    @property
    def _meaning_waits(self) -> bool:
        return any(self._backchannels.more_than(text) for text in self._words.values())

    @property
    def _hold_limit_ms(self) -> float:
        if self._pressing:
            return self._settings.disclose_within_s * 1000
        if not self.alone:
            unheard = self._twin is Twin.THINKING
            return (self._settings.wait_s if unheard else self._settings.hold_s) * 1000
        listening = any(self._words.get(who) for who in self._speaking)
        return LONG_BACKCHANNEL_MS if listening else self._decide_ms

    def _onset(self, now_ms: float) -> list[Action]:
        sounds = self._twin in (Twin.THINKING, Twin.SPEAKING)
        if not sounds or self._held_since_ms is not None or self._talking_over:
            return []
        self._held_since_ms = now_ms
        return [Hold()]

    def _ruled(self, ruled: Ruled, now_ms: float) -> list[Action]:
        self._words.pop(ruled.who, None)
        if ruled.who in self._speaking:
            self._speaking[ruled.who] = now_ms
        if ruled.verdict == "nothing":
            return []
        sounds = self._twin in (Twin.THINKING, Twin.SPEAKING)
        if ruled.verdict == "stop":
            self._waiting.clear()
            return self._yield() if sounds else []
        goes_on = self._current is not None and self._current.who == ruled.who
        actions: list[Action] = []
        # Whoever goes on before the answer sounds asks one question; whoever talks into the answer has another.
        if sounds and not ruled.written and not self._talking_over and (goes_on or self._twin is Twin.SPEAKING):
            actions = self._yield()
        self._waiting.append(_Question(ruled.who, ruled.item, ruled.written, now_ms))
        return actions

    def _ended(self) -> list[Action]:
        held, self._held_since_ms = self._held_since_ms is not None, None
        self._silent()
        return [Resume()] if held else []

    def _yield(self) -> list[Action]:
        self._held_since_ms = None
        self._silent()
        return [Yield()]

    def _silent(self) -> None:
        self._twin = Twin.SILENT
        self._current = None
        self._pressing = self._talking_over = False

    def _gap(self, now_ms: float) -> bool:
        return self.quiet(now_ms) and now_ms >= self._quiet_since_ms + self._settings.gap_ms

    def _settled(self, now_ms: float) -> list[Action]:
        """What time has decided, and what may begin."""
        actions: list[Action] = []
        if self._held_since_ms is not None:
            actions += self._held(now_ms)
        if self._twin is Twin.SILENT:
            actions += self._next(now_ms)
        return [*actions, *self._late(now_ms)]

    def _held(self, now_ms: float) -> list[Action]:
        assert self._held_since_ms is not None
        if self._gap(now_ms) and not (self._meaning_waits and now_ms < self._quiet_since_ms + WORDS_MS):
            self._held_since_ms = None
            return [Resume()]
        # One person who has fallen silent needs no limit: the gap decides.
        if now_ms < self._held_since_ms + self._hold_limit_ms or (self.alone and not self._speaking):
            return []
        if self._pressing:
            self._held_since_ms, self._talking_over = None, True
            return [Resume()]
        question, unheard = self._current, self._twin is Twin.THINKING
        actions = self._yield()
        if question is not None and unheard and not self.alone:
            actions.append(Raise(question.item))
        return actions

    def _next(self, now_ms: float) -> list[Action]:
        if self._lines_since_ms is not None:
            late = now_ms >= self._lines_since_ms + self._settings.disclose_within_s * 1000
            if self._gap(now_ms) or (self._urgent and late):
                self._twin = Twin.THINKING
                self._pressing, self._talking_over = self._urgent, self._urgent and not self.quiet(now_ms)
                self._lines_since_ms, self._urgent = None, False
                return [Say()]
        for question in self._waiting:
            if question.written or self._gap(now_ms):
                self._waiting.remove(question)
                self._current = question
                self._twin = Twin.WRITING if question.written else Twin.THINKING
                return [Answer(question.item, question.written)]
        return []

    def _late(self, now_ms: float) -> list[Action]:
        limit_ms = self._settings.wait_s * 1000
        late = [one for one in self._waiting if not one.written and now_ms >= one.since_ms + limit_ms]
        for one in late:
            self._waiting.remove(one)
        return [Raise(one.item) for one in late]
