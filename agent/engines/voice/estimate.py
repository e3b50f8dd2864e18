"""A timeline for voices that tell none: the written words fitted to the audio as it arrives. Pure.

Words get times by their weight (about their syllables) and the voice's pace, which is learned from sentence
to sentence. A pause that is heard near a comma or a full stop puts the words right again; when the audio is
complete, the words left share what is left. A word that was given once never moves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from agent.engines.base import VoiceChunk
from agent.engines.voice.written import written_words
from channels.spoken import Word

_FRAME_MS = 10
_PAUSE_FRAMES = 15
"""A shorter silence is the closure of a stop, not a pause."""
_FLOOR_DBFS = -55.0
_BELOW_PEAK_DB = 35.0
_SILENT_MS = 50
_NEAR_MS = 300.0
"""How far the estimate of a punctuation mark may be from a pause that was heard, to be taken as one."""
_NEAR_SHARE = 0.35
"""The same as a part of the time since the last pause."""


@dataclass(slots=True)
class Pace:
    """How fast a voice speaks; one per engine and voice, shared by its sentences."""

    ms_per_unit: float = 200.0
    """Of `Written.units`; 165 words per minute of plain English to begin with."""
    heard_units: float = 0.0

    def learn(self, units: float, speech_ms: float) -> None:
        """Take in a finished sentence. Late ones count for no less than a tenth, so that it can still change."""
        if units < 2 or not 40 <= speech_ms / units <= 1000:
            return  # an "Oh." or a voice that broke off says nothing about the pace
        self.heard_units += units
        share = max(units / self.heard_units, 0.1)
        self.ms_per_unit += share * (speech_ms / units - self.ms_per_unit)


class Estimate:
    """One sentence. `feed` it the audio in order and take the words that were reached; then `finish` it."""

    def __init__(self, text: str, pace: Pace, rate_hz: int) -> None:
        self._written = written_words(text)
        self._units = [word.units for word in self._written]
        self._pace = pace
        self._rate_hz = rate_hz
        self._speech = _SpeechTime(rate_hz)
        self._given = 0
        self._end_ms = 0.0  # of the last word given
        self._anchor_ms = 0.0  # speech time from which the words after the last pause are counted
        self._anchor_word = 0
        self._pauses_seen = 0

    def feed(self, pcm: bytes) -> tuple[Word, ...]:
        """The words that end before the end of the audio so far, as far as one can tell. int16 mono."""
        self._speech.feed(pcm)
        words: list[Word] = []
        while self._pauses_seen < len(self._speech.pauses_ms):
            at_ms = self._speech.pauses_ms[self._pauses_seen]
            self._pauses_seen += 1
            words += self._put_right(at_ms)
        # The last word waits for the end: nothing but the end of the audio shows where it is.
        while self._given < len(self._written) - 1:
            end_ms = self._expected_ms(self._given)
            if end_ms + self._patience_ms() >= self._speech.now_ms:
                break
            words += self._give(self._given + 1, end_ms)
        return tuple(words)

    def finish(self) -> tuple[Word, ...]:
        """The rest of the words, over the rest of the audio."""
        self._speech.finish()
        words = self._give(len(self._written), self._speech.now_ms)
        self._pace.learn(sum(self._units), self._speech.now_ms)
        return tuple(words)

    def listen(self, pcm: bytes) -> None:
        """Take audio in without giving words, for a voice that ought to tell their times itself."""
        self._speech.feed(pcm)

    @property
    def total_ms(self) -> float:
        """The length of the audio so far."""
        return self._speech.total_ms

    @property
    def sounding_ms(self) -> float:
        """Where the last sound of the audio so far ends."""
        return self._speech.end_ms(self._speech.now_ms) if self._speech.now_ms else self._speech.total_ms

    def _expected_ms(self, index: int) -> float:
        """When word `index` ends, in speech time, by the pace."""
        units = sum(self._units[self._anchor_word : index + 1])
        return self._anchor_ms + units * self._pace.ms_per_unit

    def _patience_ms(self) -> float:
        """A word with a comma, or after one, waits a little, for the pause to be heard and to put it right."""
        crossed = any(word.pause for word in self._written[self._anchor_word : self._given + 1])
        return _NEAR_MS if crossed else 0.0

    def _put_right(self, at_ms: float) -> list[Word]:
        """A pause at speech time `at_ms`: the words up to the punctuation mark nearest to it end there."""
        near_ms = max(_NEAR_MS, _NEAR_SHARE * (at_ms - self._anchor_ms))
        marks = [
            (abs(self._expected_ms(index) - at_ms), index)
            for index in range(max(self._given - 1, 0), len(self._written) - 1)
            if self._written[index].pause
        ]
        distance_ms, index = min(marks, default=(near_ms + 1, 0))
        if distance_ms > near_ms:
            return []
        words = self._give(index + 1, at_ms)
        self._anchor_ms, self._anchor_word = at_ms, index + 1
        return words

    def _give(self, until: int, end_ms: float) -> list[Word]:
        """Share the speech time from the last word given to `end_ms` between the words up to `until`."""
        waiting = range(self._given, until)
        start_ms = min(self._end_ms, end_ms)
        units = sum(self._units[i] for i in waiting)
        words = []
        done = 0.0
        for i in waiting:
            share = self._units[i] / units if units else 1 / len(waiting)
            begin, done = done, min(done + share, 1.0)
            a_ms = self._speech.begin_ms(start_ms + begin * (end_ms - start_ms))
            b_ms = self._speech.end_ms(start_ms + done * (end_ms - start_ms))
            words.append(Word(self._written[i].text, a_ms, max(a_ms, b_ms)))
        self._given = until
        self._end_ms = max(self._end_ms, end_ms)
        return words


def unspoken(text: str, rate_hz: int) -> VoiceChunk | None:
    """A text with nothing to say in it (`...`): its words over a short silence. None: not even words.

    Services answer such a text with an error, a guess or a hang.
    """
    pcm = bytes(2 * (rate_hz * _SILENT_MS // 1000))
    estimate = Estimate(text, Pace(), rate_hz)
    words = (*estimate.feed(pcm), *estimate.finish())
    return VoiceChunk(pcm, rate_hz, words) if words else None


class _SpeechTime:
    """Audio time without its long silences, and the way back from that to audio time."""

    def __init__(self, rate_hz: int) -> None:
        self._frame_bytes = 2 * (rate_hz * _FRAME_MS // 1000)
        self._rate_hz = rate_hz
        self._rest = b""
        self._peak_dbfs = _FLOOR_DBFS
        self._frames = 0
        self._bytes = 0
        self._silent = 0  # frames, since the last that sounded
        self._spoken: list[int] = []  # numbers of the frames that count as speech
        self.pauses_ms: list[float] = []
        """In speech time; a pause is told when speech goes on after it."""

    @property
    def now_ms(self) -> float:
        return float(len(self._spoken) * _FRAME_MS)

    @property
    def total_ms(self) -> float:
        return self._bytes / 2 / self._rate_hz * 1000

    def feed(self, pcm: bytes) -> None:
        self._bytes += len(pcm)
        data = self._rest + pcm
        whole = len(data) - len(data) % self._frame_bytes
        self._rest = data[whole:]
        if not whole:
            return
        frames = np.frombuffer(data[:whole], np.int16).reshape(-1, self._frame_bytes // 2)
        power = np.mean((frames.astype(np.float32) / 32768) ** 2, axis=1)
        for level_dbfs in 10 * np.log10(power + 1e-10):
            self._frame(float(level_dbfs))

    def _frame(self, level_dbfs: float) -> None:
        self._peak_dbfs = max(self._peak_dbfs, level_dbfs)
        if level_dbfs < max(_FLOOR_DBFS, self._peak_dbfs - _BELOW_PEAK_DB):
            self._silent += 1
        else:
            if self._spoken and self._silent < _PAUSE_FRAMES:
                self._spoken += range(self._frames - self._silent, self._frames)
            elif self._spoken:
                self.pauses_ms.append(self.now_ms)
            self._silent = 0
            self._spoken.append(self._frames)
        self._frames += 1

    def finish(self) -> None:
        """Audio without anything audible counts as speech: the words must go somewhere."""
        if not self._spoken:
            self._spoken = list(range(self._frames))

    def begin_ms(self, speech_ms: float) -> float:
        """Where in the audio something begins at this speech time: after a pause, if there is one."""
        if not self._spoken:
            return 0.0
        index = min(int(speech_ms / _FRAME_MS), len(self._spoken) - 1)
        beyond_ms = min(speech_ms - index * _FRAME_MS, _FRAME_MS)
        return self._spoken[index] * _FRAME_MS + beyond_ms

    def end_ms(self, speech_ms: float) -> float:
        """Where in the audio something ends at this speech time: before a pause, if there is one."""
        if not self._spoken or speech_ms <= 0:
            return self.begin_ms(0.0)
        index = min(max(math.ceil(speech_ms / _FRAME_MS) - 1, 0), len(self._spoken) - 1)
        beyond_ms = min(speech_ms - index * _FRAME_MS, _FRAME_MS)
        return min(self._spoken[index] * _FRAME_MS + beyond_ms, self.total_ms)
