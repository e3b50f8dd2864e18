"""What a face knows of the conversation: what it says, and who else speaks.

Nothing is known before it was told, and what follows from it begins no earlier: so a face that is told something
may change its course but never jumps. Times are milliseconds on the outlet's clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from avatar.emphasis import CLAUSE_END, QUESTION, SENTENCE_END, Beat, beats
from avatar.floor import HANG_MS, Cue, Floor, Turn
from avatar.mood import Tone, tone_of
from avatar.noise import ease
from avatar.timeline import Said

_CLAUSES_KEPT: Final = 512
_CLAUSE_KEPT_MS: Final = 90_000.0
_LONG_CLAUSE_MS: Final = 1_200.0
"""A comma splits only what is longer."""
_PAUSE_MS: Final = 350.0
"""A gap between words that splits, whatever the writing says."""
_SAME_MS: Final = 5.0
_MOVED_MS: Final = 40.0
"""An utterance that starts later than it was told by less than this keeps its movements where they were."""
_AFTER_MS: Final = 8_000.0
"""How long anything of a clause or a turn may still show."""
_AHEAD_MS: Final = 1_000.0
"""How long before a clause begins anything of it may show."""


class Mode(Enum):
    SPEAKING = "speaking"
    LISTENING = "listening"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Clause:
    """A few words said in one go."""

    utterance: int
    zero_ms: float
    """Where the utterance's first sample lies."""
    start_ms: float
    end_ms: float
    told_ms: float
    """When it was known; at most `start_ms`."""
    breath: bool
    """A pause goes before it, long enough to breathe in."""
    question: bool
    tone: Tone
    beats: tuple[Beat, ...]
    cut_ms: float = math.inf
    """When it was silenced, if it was."""

    @property
    def over_ms(self) -> float:
        """When it no longer sounds."""
        return min(self.end_ms, self.cut_ms)

    def presence(self, t_ms: float) -> float:
        """How much it is being said, from 0 to 1: it comes in 0.3 s and goes in 0.6 s."""
        here = ease((t_ms - self.start_ms) / 300.0) * (1.0 - ease((t_ms - self.end_ms - 250.0) / 600.0))
        return here * self.kept(t_ms) if here else 0.0

    def kept(self, t_ms: float) -> float:
        """1, and eased to 0 once it was silenced."""
        return 1.0 - ease((t_ms - self.cut_ms) / 350.0)


@dataclass(slots=True)
class Moment:
    """What of a scene matters at one time."""

    t_ms: float
    clauses: list[Clause]
    """Those that may show, newest first."""
    turns: list[Turn]
    """Of other people, newest first."""
    cues: list[Cue]
    rises: list[float]
    speaking: float
    """0 to 1, smooth."""
    listening: float
    """0 to 1, smooth."""


class Scene:
    """Told in the order of time; asked at any time of the last minute."""

    def __init__(self) -> None:
        self._clauses: deque[Clause] = deque(maxlen=_CLAUSES_KEPT)
        self._floor = Floor()

    def phrase(
        self,
        utterance: int,
        start_ms: float,
        words: Sequence[Said],
        mood: float | None = None,
        *,
        told_ms: float | None = None,
    ) -> None:
        """The twin says these words of an utterance whose first sample leaves (or would have left) at `start_ms`.

        Pieces of an utterance may come one by one or each time with all before them: a word already known is not
        taken twice. The same utterance may go on with another `start_ms`, after `silenced` or because it came
        later than it was told. Tell it ahead if it is known, with `told_ms` as the time of the telling: then there
        is a breath before the first word. `mood`, from -1 to 1, replaces what the words say of it.
        """
        last = self._last(utterance)
        if last and told_ms is not None and last.cut_ms == math.inf and abs(start_ms - last.zero_ms) > _MOVED_MS:
            self._cut(told_ms, utterance)
            last = self._last(utterance)
        done_ms = 0.0 if last is None else last.over_ms - last.zero_ms
        if last is None or last.cut_ms < math.inf:
            words = [word for word in words if word.end_ms > done_ms + _SAME_MS]
        else:
            words = [word for word in words if word.start_ms > done_ms - _SAME_MS]
        known_ms = start_ms + done_ms if told_ms is None else told_ms
        for clause in _clauses(words):
            self._say(utterance, start_ms, clause, mood, known_ms)

    def silenced(self, t_ms: float) -> None:
        """From here on the twin does not sound; what was to come is forgotten."""
        self._cut(t_ms, None)

    def other(
        self, t_ms: float, person: str, level_dbfs: float, speech: bool | None, bearing: float = 0.0
    ) -> None:
        """20 ms of another person's sound. `speech` None: unknown. `bearing` is where that person is on the twin's
        screen, 1 at its right edge as the twin sees it; the twin turns there.
        """
        self._floor.other(t_ms, person, level_dbfs, speech, bearing)

    def mode(self, t_ms: float) -> Mode:
        """What the twin does at `t_ms`: who listens listens, even while speaking."""
        for turn in reversed(self._floor.turns):
            if turn.start_ms <= t_ms < turn.end_ms:
                return Mode.LISTENING
            if turn.end_ms < t_ms - HANG_MS:
                break
        for clause in reversed(self._clauses):
            if clause.start_ms <= t_ms < clause.over_ms + 250.0:
                return Mode.SPEAKING
            if clause.over_ms < t_ms - _AFTER_MS:
                break
        return Mode.IDLE

    def moment(self, t_ms: float) -> Moment:
        clauses = self._around(t_ms)
        silent = 1.0
        for clause in clauses:
            silent *= 1.0 - clause.presence(t_ms)
        turns: list[Turn] = []
        unheard = 1.0
        for turn in reversed(self._floor.turns):
            if turn.start_ms > t_ms:
                continue
            unheard *= 1.0 - ease((t_ms - turn.start_ms) / 500.0) * (1.0 - ease((t_ms - turn.end_ms) / 900.0))
            turns.append(turn)
            if turn.end_ms < t_ms - _AFTER_MS and len(turns) > 1:
                break
        return Moment(
            t_ms,
            clauses,
            turns,
            [cue for cue in self._floor.cues if 0.0 <= t_ms - cue.told_ms < _AFTER_MS],
            [rise for rise in self._floor.rises if 0.0 <= t_ms - rise < _AFTER_MS],
            1.0 - silent,
            1.0 - unheard,
        )

    def _around(self, t_ms: float) -> list[Clause]:
        found = []
        for clause in reversed(self._clauses):
            if clause.told_ms > t_ms or clause.start_ms > t_ms + _AHEAD_MS:
                continue
            if clause.over_ms < t_ms - _AFTER_MS:
                break
            found.append(clause)
        return found

    def _cut(self, t_ms: float, utterance: int | None) -> None:
        kept = []
        for clause in self._clauses:
            mine = utterance is None or clause.utterance == utterance
            if clause.end_ms <= t_ms or clause.cut_ms < math.inf or not mine:
                kept.append(clause)
            elif clause.told_ms < t_ms and clause.start_ms < t_ms + _AHEAD_MS:
                kept.append(replace(clause, cut_ms=t_ms))
        self._clauses = deque(kept, maxlen=_CLAUSES_KEPT)

    def _last(self, utterance: int) -> Clause | None:
        return next((clause for clause in reversed(self._clauses) if clause.utterance == utterance), None)

    def _say(
        self, utterance: int, zero_ms: float, words: Sequence[Said], mood: float | None, known_ms: float
    ) -> None:
        start_ms = max(zero_ms + words[0].start_ms, known_ms)
        end_ms = max(zero_ms + words[-1].end_ms, start_ms + 1.0)
        tone = tone_of(" ".join(word.text for word in words))
        if mood is not None:
            tone = Tone(min(max(mood, -1.0), 1.0), tone.arousal)
        before = self._clauses[-1] if self._clauses else None
        self._clauses.append(
            Clause(
                utterance,
                zero_ms,
                start_ms,
                end_ms,
                known_ms,
                breath=before is None or start_ms - before.over_ms > _PAUSE_MS,
                question=QUESTION.search(words[-1].text) is not None,
                tone=tone,
                beats=tuple(beat for beat in beats(words, zero_ms) if beat.t_ms >= start_ms),
            )
        )
        while self._clauses[0].end_ms < start_ms - _CLAUSE_KEPT_MS:
            self._clauses.popleft()


def _clauses(words: Sequence[Said]) -> list[list[Said]]:
    """Split at the ends of sentences, at commas when it is long enough, and at pauses."""
    parts: list[list[Said]] = []
    for word in words:
        if not parts or _ends(parts[-1], word):
            parts.append([])
        parts[-1].append(word)
    return parts


def _ends(part: Sequence[Said], following: Said) -> bool:
    last = part[-1]
    if SENTENCE_END.search(last.text) or following.start_ms - last.end_ms > _PAUSE_MS:
        return True
    return last.end_ms - part[0].start_ms > _LONG_CLAUSE_MS and CLAUSE_END.search(last.text) is not None
