"""Who speaks now. Pure: an event and a time in, actions out.

caller speaks over the twin -> Hold -> words or persistence -> Yield
                                    -> a mm-hmm, a cough    -> Resume
caller falls silent -> Finish (the recogniser's last word) -> Said -> Answer
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from agent.turns.backchannels import Backchannels
from agent.turns.settings import TurnSettings


@dataclass(frozen=True, slots=True)
class Onset:
    """The caller began to speak."""


@dataclass(frozen=True, slots=True)
class Offset:
    """The caller fell silent `silent_ms` ago."""

    silent_ms: float


@dataclass(frozen=True, slots=True)
class Words:
    """What the recogniser has of the turn so far."""

    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """The recogniser's final words, in answer to `Finish`."""

    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """The caller typed or dialled instead: a whole turn at once."""

    text: str


@dataclass(frozen=True, slots=True)
class TwinBegan:
    """The twin's answer begins to sound."""


@dataclass(frozen=True, slots=True)
class TwinEnded:
    """The twin's answer was heard to its end, or there was none."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = Onset | Offset | Words | Said | Typed | TwinBegan | TwinEnded | Tick


@dataclass(frozen=True, slots=True)
class Hold:
    """Fall silent now and keep the place."""


@dataclass(frozen=True, slots=True)
class Resume:
    """It seems to be nothing: go on from the very sample. The final words may still prove otherwise."""


@dataclass(frozen=True, slots=True)
class Yield:
    """Give up the turn."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Ask the recogniser for its final words; `Said` must follow."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The caller's turn is over: answer it."""

    text: str


Action = Hold | Resume | Yield | Finish | Answer


class Twin(Enum):
    SILENT = "silent"
    THINKING = "thinking"
    SPEAKING = "speaking"


LONG_BACKCHANNEL_MS = 1_000
"""A mm-hmm may last; beyond this it is somebody who wants to speak."""
_SENTENCE_END = re.compile(r"[.!?。！？…]\s*$")


class TurnPolicy:
    """The conversation's floor. Call `on` with every event; ask `deadline_ms` when to send the next `Tick`."""

    def __init__(self, settings: TurnSettings) -> None:
        self._settings = settings
        self.expecting = False
        """True while a question of ours waits for its answer: then a mere "yes" is a turn, and no listening."""
        self._backchannels = Backchannels(settings.backchannels)
        self._twin = Twin.SILENT
        self._caller_speaks = False
        self._onset_ms = 0.0
        self._silent_since_ms: float | None = None
        """Set while a turn of the caller waits to be over."""
        self._decide_at_ms: float | None = None
        """Set while the twin is on hold."""
        self._words = ""
        self._finishing = False
        self._aside = False
        """True while the final words are awaited of what seemed to be nothing."""
        self._unanswered: list[str] = []
        """Earlier parts of the turn: it went on after the recogniser had closed it."""

    @property
    def twin(self) -> Twin:
        return self._twin

    @property
    def said(self) -> str:
        """The parts of the caller's open turn that are final by now."""
        return " ".join(self._unanswered)

    @property
    def deadline_ms(self) -> float | None:
        """When the next `Tick` is due; None when nothing is."""
        if self._decide_at_ms is not None:
            return self._decide_at_ms
        if self._silent_since_ms is not None and not self._finishing:
            return self._silent_since_ms + self._patience_ms
        return None

    def on(self, event: Event, now_ms: float) -> list[Action]:
        """Decide. `now_ms` is any clock that only goes forward."""
        match event:
            case Onset():
                return self._onset(now_ms)
            case Offset(silent_ms):
                self._caller_speaks = False
                self._silent_since_ms = now_ms - silent_ms
                return []
            case Words(text):
                self._words = text
                if self._decide_at_ms is not None and self._takes_turn(text):
                    return self._yield()
                return []
            case Tick():
                return self._tick(now_ms)
            case Said(text):
                return self._said(text)
            case Typed(text):
                self._unanswered.append(text)
                return self._answer()
            case TwinBegan():
                self._twin = Twin.SPEAKING
            case TwinEnded():
                # On hold there is nothing left to resume, so what the caller says is a turn, be it only "yes".
                if self._decide_at_ms is not None:
                    return self._yield()
                self._twin = Twin.SILENT
        return []

    @property
    def _patience_ms(self) -> float:
        complete = bool(_SENTENCE_END.search(self._words))
        return self._settings.complete_ms if complete else self._settings.end_of_turn_ms

    def _onset(self, now_ms: float) -> list[Action]:
        self._caller_speaks = True
        self._silent_since_ms = None
        if self._twin is Twin.SILENT or self._decide_at_ms is not None:
            return []
        # The clock of the decision starts with the first onset: somebody who stutters is still deciding it.
        self._onset_ms = now_ms
        self._decide_at_ms = now_ms + self._settings.decide_ms
        return [Hold()]

    def _tick(self, now_ms: float) -> list[Action]:
        if self._decide_at_ms is not None and now_ms >= self._decide_at_ms:
            return self._decide(now_ms)
        if (
            self._silent_since_ms is not None
            and not self._finishing
            and self._decide_at_ms is None
            and now_ms >= self._silent_since_ms + self._patience_ms
        ):
            self._finishing = True
            self._silent_since_ms = None
            return [Finish()]
        return []

    def _decide(self, now_ms: float) -> list[Action]:
        if self._takes_turn(self._words) or self._unanswered:
            return self._yield()
        if not self._caller_speaks:
            self._decide_at_ms = self._silent_since_ms = None
            self._words = ""
            self._aside = True
            actions: list[Action] = [Resume()]
            if not self._finishing:
                self._finishing = True
                actions.append(Finish())
            return actions
        if self._words and now_ms < self._onset_ms + LONG_BACKCHANNEL_MS:
            self._decide_at_ms = self._onset_ms + LONG_BACKCHANNEL_MS
            return []
        return self._yield()

    def _yield(self) -> list[Action]:
        self._decide_at_ms = None
        self._twin = Twin.SILENT
        return [Yield()]

    def _said(self, text: str) -> list[Action]:
        self._finishing = False
        self._words = ""
        # A recogniser may be slower than the decision: a short "Stop!" is known to be one only now.
        aside, self._aside = self._aside, False
        if text and not (aside and not self._takes_turn(text)):
            self._unanswered.append(text)
        went_on = self._caller_speaks or self._silent_since_ms is not None
        return self._answer() if self._unanswered and not went_on else []

    def _answer(self) -> list[Action]:
        text = self.said
        actions = self._yield() if self._twin is not Twin.SILENT else []
        self._unanswered.clear()
        self._twin = Twin.THINKING
        return [*actions, Answer(text)]

    def _takes_turn(self, text: str) -> bool:
        """True when the words are more than listening."""
        return self._backchannels.more_than(text) or (self.expecting and any(map(str.isalnum, text)))
