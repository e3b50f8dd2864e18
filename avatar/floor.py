"""Who of the other people holds the floor, and where a listener may nod; from levels, 20 ms at a time."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from avatar.noise import between, chance

KEPT_MS: Final = 90_000.0
HANG_MS: Final = 600.0
"""A turn lasts this long beyond its last sound, so that a breath does not end it."""
_ONSET_MS: Final = 120.0
"""Shorter sounds are coughs and clicks."""
_GOES_ON_MS: Final = 2_000.0
"""Who speaks again so soon after a turn goes on with it."""
_PAUSE_MS: Final = 200.0
_HANDOVER_MS: Final = 400.0
"""A holder who is silent this long loses the floor to whoever speaks."""
_CONTEST_MS: Final = 2_500.0
_CONTEST_DB: Final = 6.0
"""Who talks over the holder for so long and is so much louder takes the floor."""
_TALK_MS: Final = 1_200.0
"""Talk before a pause for it to ask for a nod."""
_LONG_TALK_MS: Final = 6_500.0
"""Talk without any pause that asks for one all the same."""
_CUE_GAP_MS: Final = (3_500.0, 8_500.0)
"""Uneven on purpose: a listener who nods by the clock is not listening."""
_CUES_PER_MIN: Final = 8
_RISE_DB: Final = 5.0
_RISE_GAP_MS: Final = 2_500.0
_SILENT_DBFS: Final = -52.0
_ABOVE_NOISE_DB: Final = 9.0
_PEOPLE: Final = 64


@dataclass(slots=True)
class Turn:
    """One person holds the floor."""

    person: str
    bearing: float
    start_ms: float
    end_ms: float
    """While it goes on, always `HANG_MS` ahead of the last sound."""
    goes_on: bool = False
    """The same person had the floor just before."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A place where a listener would nod."""

    pause_ms: float
    """When the pause began."""
    told_ms: float
    """When it could be known; nothing may move for it before."""


@dataclass(slots=True)
class _Voice:
    noise_dbfs: float = -60.0
    level_dbfs: float = -60.0
    """Over about 200 ms."""
    mean_dbfs: float = -60.0
    """Over about 2 s of sound."""
    told_ms: float = -math.inf
    sound_ms: float = -math.inf
    """The last sound."""
    since_ms: float | None = None
    """When this stretch of talk began; pauses below `_HANDOVER_MS` belong to it."""
    talk_ms: float = 0.0
    """Sound since the last pause."""


class Floor:
    """What was told is in `turns`, `cues` and `rises`, oldest first, of about the last 90 s."""

    def __init__(self) -> None:
        self.turns: deque[Turn] = deque()
        self.cues: deque[Cue] = deque()
        self.rises: deque[float] = deque()
        """Moments at which the holder grew markedly louder."""
        self._voices: dict[str, _Voice] = {}

    def other(self, t_ms: float, person: str, level_dbfs: float, speech: bool | None, bearing: float) -> None:
        """20 ms of a person's sound; times of one person must not go back. Without `speech` the level decides."""
        voice = self._voice(person, t_ms)
        level_dbfs = min(max(level_dbfs, -100.0), 0.0) if level_dbfs == level_dbfs else -100.0
        past_ms = min(max(t_ms - voice.told_ms, 0.0), 100.0)
        voice.told_ms = t_ms
        sounds = level_dbfs > max(voice.noise_dbfs + _ABOVE_NOISE_DB, _SILENT_DBFS) if speech is None else speech
        _follow(voice, level_dbfs, sounds, past_ms)
        if sounds:
            self._sound(voice, t_ms, person, min(max(bearing, -1.0), 1.0), past_ms)
        else:
            self._silence(voice, t_ms, person)
        self._forget(t_ms)

    def holder(self, t_ms: float) -> Turn | None:
        """Whoever has the floor now."""
        turn = self.turns[-1] if self.turns else None
        return turn if turn is not None and turn.end_ms > t_ms else None

    def _sound(self, voice: _Voice, t_ms: float, person: str, bearing: float, past_ms: float) -> None:
        if voice.since_ms is None or t_ms - voice.sound_ms > _HANDOVER_MS:
            voice.since_ms, voice.talk_ms = t_ms, 0.0
        voice.talk_ms += past_ms
        voice.sound_ms = t_ms
        turn = self.holder(t_ms)
        mine = turn is not None and turn.person == person
        if mine and turn is not None and abs(turn.bearing - bearing) < 0.15:
            turn.end_ms = t_ms + HANG_MS
            if voice.talk_ms > _LONG_TALK_MS:
                voice.talk_ms = 0.0
                self._cue(t_ms, t_ms)
            if voice.level_dbfs - voice.mean_dbfs > _RISE_DB and t_ms - voice.since_ms > 1_000.0:
                self._rise(t_ms)
        elif mine or (t_ms - voice.since_ms >= _ONSET_MS and self._takes(voice, turn, t_ms)):
            last = self.turns[-1] if self.turns else None
            goes_on = last is not None and last.person == person and t_ms - last.end_ms < _GOES_ON_MS
            if turn is not None:
                turn.end_ms = t_ms
            self.turns.append(Turn(person, bearing, t_ms, t_ms + HANG_MS, goes_on))

    def _takes(self, voice: _Voice, turn: Turn | None, t_ms: float) -> bool:
        if turn is None or voice.since_ms is None:
            return True
        holder = self._voices.get(turn.person)
        if holder is None or t_ms - holder.sound_ms > _HANDOVER_MS:
            return True
        return t_ms - voice.since_ms > _CONTEST_MS and voice.mean_dbfs > holder.mean_dbfs + _CONTEST_DB

    def _silence(self, voice: _Voice, t_ms: float, person: str) -> None:
        if t_ms - voice.sound_ms < _PAUSE_MS:
            return
        turn = self.holder(t_ms)
        if turn is not None and turn.person == person and voice.talk_ms >= _TALK_MS:
            self._cue(voice.sound_ms, t_ms)
        voice.talk_ms = 0.0

    def _cue(self, pause_ms: float, t_ms: float) -> None:
        last = self.cues[-1] if self.cues else None
        if last and t_ms - last.told_ms < between(*_CUE_GAP_MS, chance(0, round(last.told_ms))):
            return
        if len(self.cues) >= _CUES_PER_MIN and t_ms - self.cues[-_CUES_PER_MIN].told_ms < 60_000.0:
            return
        self.cues.append(Cue(pause_ms, t_ms))

    def _rise(self, t_ms: float) -> None:
        if not self.rises or t_ms - self.rises[-1] > _RISE_GAP_MS:
            self.rises.append(t_ms)

    def _voice(self, person: str, t_ms: float) -> _Voice:
        voice = self._voices.get(person)
        if voice is None:
            if len(self._voices) >= _PEOPLE:
                del self._voices[min(self._voices, key=lambda name: self._voices[name].told_ms)]
            voice = self._voices[person] = _Voice(told_ms=t_ms - 20.0)
        return voice

    def _forget(self, t_ms: float) -> None:
        before_ms = t_ms - KEPT_MS
        while self.turns and self.turns[0].end_ms < before_ms:
            self.turns.popleft()
        while self.cues and self.cues[0].told_ms < before_ms:
            self.cues.popleft()
        while self.rises and self.rises[0] < before_ms:
            self.rises.popleft()


def _follow(voice: _Voice, level_dbfs: float, sounds: bool, past_ms: float) -> None:
    """The noise floor sinks at once and rises by a decibel a second."""
    if level_dbfs < voice.noise_dbfs:
        voice.noise_dbfs += (level_dbfs - voice.noise_dbfs) * min(past_ms / 100.0, 1.0)
    else:
        voice.noise_dbfs = min(voice.noise_dbfs + past_ms / 1_000.0, -30.0)
    if sounds:
        level_dbfs = max(level_dbfs, -60.0)
        voice.level_dbfs += (level_dbfs - voice.level_dbfs) * min(past_ms / 200.0, 1.0)
        rate_ms = 2_000.0 if voice.talk_ms > 1_000.0 else 300.0
        voice.mean_dbfs += (level_dbfs - voice.mean_dbfs) * min(past_ms / rate_ms, 1.0)
