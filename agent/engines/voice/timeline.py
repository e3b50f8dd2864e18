"""espeak-ng's events and audio in, chunks with the words as written out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from agent.engines.base import VoiceChunk
from agent.engines.voice.written import Written, written_words
from channels.spoken import Phoneme, Word

Pcm = npt.NDArray[np.int16]

_AUDIBLE = 64
"""A sample louder than this (-54 dBFS) ends the leading silence."""
_PREROLL_MS = 5.0
_CLOSURE_MS = 120.0
_STOPS = frozenset("pbtdkɡgqɢcɟʈɖʔ")
_SILENT_MS = 50.0
"""The audio of a text with nothing to say in it, so that its words still have a time and are heard."""


@dataclass(frozen=True, slots=True)
class Event:
    """What espeak-ng said: a spoken word or a phoneme begins. The phoneme "" is a pause."""

    kind: str
    position: int
    """Code points into the whole text."""
    sample: int
    """From the first sample of the whole text, before any trimming."""
    ipa: str = ""


@dataclass(slots=True)
class _Sound:
    ipa: str
    start: int


@dataclass(slots=True)
class _Group:
    """The written words that sound now: the last one with an event, and its silent followers."""

    index: int
    start: int
    end: int | None = None
    """Where its sound stopped, once a pause followed."""
    phonemes: list[int] = field(default_factory=list)
    """Where its phonemes begin."""


@dataclass(slots=True)
class _Ready:
    words: list[Word] = field(default_factory=list)
    phonemes: list[Phoneme] = field(default_factory=list)


class EventTimeline:
    """One sentence. `feed` it audio with its events in order, then `finish` it."""

    def __init__(self, text: str, rate_hz: int) -> None:
        self._written = written_words(text)
        self._owner = _owners(text, self._written)
        self._rate_hz = rate_hz
        self._given = 0
        self._group: _Group | None = None
        self._sound: _Sound | None = None
        self._word_start: int | None = None  # where a spoken word began whose first phoneme is still to come
        self._late_word: Event | None = None
        self._total = 0
        self._trimmed: int | None = None  # samples of leading silence cut off; None while still in it
        self._leading: list[Pcm] = []
        self._tail: Pcm = np.zeros(0, np.int16)
        self._ready = _Ready()

    def feed(self, pcm: Pcm, events: Sequence[Event]) -> VoiceChunk | None:
        """The next chunk, or None while there is nothing to play yet."""
        self._tail = np.concatenate((self._tail, pcm))[-self._samples(_CLOSURE_MS) - len(pcm) :]
        self._total += len(pcm)
        for event in events:
            if event.kind == "word":
                self._word_begins(event)
            else:
                self._phoneme_begins(event)
        audible = self._without_leading_silence(pcm)
        return self._chunk(audible) if len(audible) else None

    def finish(self) -> VoiceChunk | None:
        """What is left: the last words, and silence where the text had no sound at all. None: nothing."""
        self._close_sound(self._total)
        self._close_group(len(self._written), self._total)
        if self._trimmed is None and self._written:
            # Nothing audible ever came: the words share a short silence.
            self._ready.words = [Word(w.text, 0.0, _SILENT_MS) for w in self._written[:1]]
            self._ready.words += [Word(w.text, _SILENT_MS, _SILENT_MS) for w in self._written[1:]]
            self._ready.phonemes = []
            self._given = len(self._written)
            return self._chunk(np.zeros(self._samples(_SILENT_MS), np.int16))
        return self._chunk(np.zeros(0, np.int16)) if self._ready.words or self._ready.phonemes else None

    def _chunk(self, pcm: Pcm) -> VoiceChunk:
        ready, self._ready = self._ready, _Ready()
        return VoiceChunk(pcm.tobytes(), self._rate_hz, tuple(ready.words), tuple(ready.phonemes), exact=True)

    def _without_leading_silence(self, pcm: Pcm) -> Pcm:
        if self._trimmed is not None:
            return pcm
        self._leading.append(pcm)
        held = np.concatenate(self._leading)
        loud = np.flatnonzero(np.abs(held.astype(np.int32)) > _AUDIBLE)
        if not len(loud):
            return pcm[:0]
        self._trimmed = max(0, int(loud[0]) - self._samples(_PREROLL_MS))
        self._leading.clear()
        # Times given so far were of the untrimmed audio; none has left yet.
        self._ready.words = [
            Word(w.text, self._shift(w.start_ms), self._shift(w.end_ms)) for w in self._ready.words
        ]
        self._ready.phonemes = [
            Phoneme(p.ipa, self._shift(p.start_ms), self._shift(p.end_ms)) for p in self._ready.phonemes
        ]
        return held[self._trimmed :]

    def _shift(self, time_ms: float) -> float:
        return max(0.0, time_ms - 1000 * (self._trimmed or 0) / self._rate_hz)

    def _ms(self, sample: int) -> float:
        """A place in espeak's audio as a time in ours."""
        return max(0.0, 1000 * (sample - (self._trimmed or 0)) / self._rate_hz)

    def _samples(self, time_ms: float) -> int:
        return round(time_ms * self._rate_hz / 1000)

    def _word_begins(self, event: Event) -> None:
        if self._sound is not None and event.sample <= self._sound.start:
            # After a nasal or liquid espeak reports the next word where that sound begins, not where it ends.
            self._late_word = event
            return
        self._close_sound(event.sample)
        self._word_start = event.sample
        position = min(max(event.position, 0), len(self._owner) - 1)
        index = self._owner[position] if self._owner else -1
        if self._group is not None and index <= self._group.index:
            self._group.end = None  # "9.30" is four spoken words and one written
            return
        if index >= 0:
            self._close_group(index, event.sample)
            self._group = _Group(index, event.sample)

    def _phoneme_begins(self, event: Event) -> None:
        if event.ipa.startswith("("):
            return  # "(en)": another language's rules from here on, no sound
        if self._late_word is not None and event.sample > self._late_word.sample:
            late, self._late_word = self._late_word, None
            self._word_begins(replace(late, sample=event.sample))
        if not event.ipa:
            self._close_sound(event.sample)
            if self._group is not None and self._group.end is None:
                self._group.end = event.sample
            return
        start = event.sample
        if self._word_start is not None:
            start = self._word_start  # a first phoneme has the whole start of its word, closure included
        elif event.ipa.lstrip("ˈˌ")[:1] in _STOPS:
            start = self._closure(event.sample)
        self._word_start = None
        self._close_sound(start)
        self._sound = _Sound(event.ipa, start)
        if self._group is not None:
            self._group.end = None
            self._group.phonemes.append(start)

    def _closure(self, burst: int) -> int:
        """Where the mouth closed before a stop. espeak reports the burst; the face must close before it."""
        frame = max(1, self._samples(2.0))
        earliest = max(burst - self._samples(_CLOSURE_MS), self._sound.start + frame if self._sound else 0)
        offset = self._total - len(self._tail)
        start = burst
        while start - frame >= max(earliest, offset):
            piece = self._tail[start - frame - offset : start - offset]
            if np.max(np.abs(piece.astype(np.int32)), initial=0) > _AUDIBLE:
                break
            start -= frame
        return start

    def _close_sound(self, end: int) -> None:
        if self._sound is not None:
            sound, self._sound = self._sound, None
            self._ready.phonemes.append(Phoneme(sound.ipa, self._ms(sound.start), self._ms(end)))

    def _close_group(self, until: int, at: int) -> None:
        """Give times to the words up to `until` (not included), which begins at sample `at`."""
        waiting = self._written[self._given : until]
        if not waiting:
            return
        group, self._group = self._group, None
        self._given = until
        if group is None:  # brackets and dashes before the first sound
            self._give(waiting, [0] * len(waiting), 0, at)
            return
        sound_end = at if group.end is None else min(group.end, at)
        units = [word.units for word in waiting]
        last = max((i for i, unit in enumerate(units) if unit > 0), default=0)
        units[0] = units[0] or 1.0  # it had an event: it does sound
        self._give(waiting[: last + 1], units[: last + 1], group.start, sound_end, group.phonemes)
        self._give(waiting[last + 1 :], [0] * (len(waiting) - last - 1), sound_end, at)

    def _give(
        self,
        words: Sequence[Written],
        units: Sequence[float],
        start: int,
        end: int,
        phonemes: Sequence[int] = (),
    ) -> None:
        """Share a span between words by their units, or evenly where nothing is spoken; a word begins with
        the phoneme nearest to its share."""
        whole = sum(units)
        done, begin = 0.0, start
        for word, unit in zip(words, units, strict=True):
            done += unit / whole if whole else 1 / len(words)
            stop = round(start + min(done, 1.0) * (end - start))
            if word is words[-1]:
                stop = end
            else:
                later = [(abs(sample - stop), sample) for sample in phonemes if begin < sample < end]
                stop = min(later, default=(0, stop))[1]
            self._ready.words.append(Word(word.text, self._ms(begin), self._ms(stop)))
            begin = stop


def _owners(text: str, written: Iterable[Written]) -> list[int]:
    """For each code point the written word it belongs to; blanks belong to the word after them."""
    owners = [-1] * len(text)
    last, start = -1, 0
    for index, word in enumerate(written):
        owners[start : word.end] = [index] * (word.end - start)
        last, start = index, word.end
    owners[start:] = [last] * (len(text) - start)
    return owners
