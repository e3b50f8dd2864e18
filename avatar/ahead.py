"""A face that is drawn elsewhere and late: by a neural network beside us, or by a service far away.

    expect -> Renderer (at most `ahead_ms` beyond what has sounded) -> take(Drawn) -> frame_at

Speech is given to the renderer before it sounds. Its pictures come back labelled by the speech that they show,
never by when they arrive, and the one whose sample leaves is shown. Where there is none, the `Stage` covers. A new
epoch empties everything, so no picture of an old one is shown, however late it comes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

import cv2

from avatar.ahead_script import Script
from avatar.ahead_store import Store
from avatar.picture import Picture
from avatar.stage import Stage
from avatar.timeline import Part, Phone, Said

_MIB = 1 << 20
_TICK_MS = 20


@dataclass(frozen=True, slots=True)
class Lead:
    """How far a renderer works ahead, and when its pictures are taken."""

    ahead_ms: float = 2_000
    """The most speech that it is given before it sounds; more would only be thrown away at an interruption."""
    history_ms: float = 1_000
    """How long a picture is kept after its sample left: speech that was held is said again from before."""
    nearest_ms: float = 40
    """The most that a picture may be beside its sample."""
    steady_ms: float = 160
    """So much of what follows must be there before the cover is left: faces that change to and fro are worse."""
    fresh_ms: float = 200
    """An idle picture is shown so long after it came."""
    fade_ms: float = 120
    """From one face to the other, but for an interruption, which cuts."""
    store_mib: float = 64
    """The most that pictures may take."""

    def __post_init__(self) -> None:
        if min(self.ahead_ms, self.nearest_ms, self.fresh_ms, self.store_mib) <= 0:
            raise ValueError(f"times and sizes are above 0, got {self}")
        if min(self.history_ms, self.steady_ms, self.fade_ms) < 0 or self.steady_ms > self.ahead_ms:
            raise ValueError(f"other times are 0 or more, steady_ms at most ahead_ms, got {self}")


@dataclass(frozen=True, slots=True)
class Label:
    """What a picture shows: the sample `offset` of an utterance, or nobody speaking."""

    epoch: int
    utterance: int | None = None
    """None is idle."""
    offset: int = 0
    """In samples of the clock's rate from the first of the utterance."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A renderer's picture, in the size of the call's. Nobody changes it any more."""

    label: Label
    picture: Picture


class Renderer(Protocol):
    """What draws elsewhere. Told on the thread that draws; quick, and raises nothing."""

    def speak(self, utterance: int, offset: int, pcm: bytes, epoch: int, *, last: bool) -> None:
        """Speech to be drawn: int16 mono at the clock's rate, from sample `offset` of its utterance on, in the
        order in which it will sound. `last` says that no more of the utterance follows."""
        ...

    def clear(self, epoch: int) -> None:
        """A new epoch: whatever was given before will never sound."""
        ...


class Ahead:
    """One call's face; see `Stage`, whose surface it has. Told and asked on one thread; `take` on any."""

    def __init__(
        self,
        stage: Stage,
        renderer: Renderer,
        *,
        rate_hz: int,
        lead: Lead | None = None,
        alive: bool = True,
        allowed: Callable[[], bool] = lambda: True,
    ) -> None:
        """`stage` covers; its pictures give the size. `alive` is false until the renderer works. `allowed` is
        asked for every frame: from the first no on the stage alone is shown, and the renderer is told nothing."""
        self.alive = alive
        """Whether pictures are to be expected; set by who keeps the renderer."""
        self.shown: Counter[str] = Counter()
        """How many frames were `speech`, `idle` and `cover`."""
        self.refused: Counter[str] = Counter()
        """Pictures thrown away, by why: `stale` (of an old epoch), `unknown` (speech that is not expected, or is
        long over), `late`, `full`, `size`."""
        lead = lead or Lead()
        self.size = (stage.rig.width, stage.rig.height)
        """Of the pictures, in pixels: width and height."""
        self._per_ms = rate_hz / 1000
        self._fresh, self._fade = self._samples(lead.fresh_ms), self._samples(lead.fade_ms)
        self._nearest, self._steady = self._samples(lead.nearest_ms), self._samples(lead.steady_ms)
        self._history, self._tick = self._samples(lead.history_ms), self._samples(_TICK_MS)
        self._stage = stage
        self._renderer = renderer
        self._allowed = allowed
        self._forbidden = False
        self._picture = Picture(*self.size)
        self._script = Script(ahead=self._samples(lead.ahead_ms), history=self._history)
        bytes_each = self.size[0] * self.size[1] * 1.5
        self._store = Store(limit=int(lead.store_mib * _MIB / bytes_each), nearest=self._nearest)
        self._lock = Lock()
        self._epoch = self._asked = 0
        self._doubted = False
        self._parts: deque[tuple[int, int, int]] = deque()
        """What sounded lately: begin and end on the clock, and the index of its first sample."""
        self._next = 0
        """Where the chunk that was told last ends."""
        self._idle: tuple[int, Picture] | None = None
        self._shows = False
        """Whether the last frame was the renderer's."""
        self._changed = -self._fade - self._tick
        """The position at which that changed."""
        self._last: Picture | None = None
        """The renderer's newest picture that was shown, for as long as it may fade."""

    @property
    def ready(self) -> bool:
        """Whether speech may begin to sound: the pictures of what comes next are there, or none will come."""
        with self._lock:
            return not self.alive or self._forbidden or self._steady_from(self._script.left)

    def expect(
        self,
        utterance: int,
        pcm: bytes,
        phones: Sequence[Phone],
        words: Sequence[Said],
        *,
        exact: bool,
        last: bool,
    ) -> None:
        """See `Stage`."""
        self._stage.expect(utterance, pcm, phones, words, exact=exact, last=last)
        with self._lock:
            self._script.expect(utterance, pcm, last=last)
        self._give()

    def sounded(self, position: int, parts: Sequence[Part]) -> None:
        """See `Stage`."""
        self._stage.sounded(position, parts)
        with self._lock:
            self._doubted = False
            for part in parts:
                index = self._script.index(part.utterance, part.offset)
                if index is not None:
                    begin = position + part.at
                    self._parts.append((begin, begin + part.samples, index))
                    self._script.sounded(index + part.samples)
            self._next = max(position + self._tick, *(position + part.at + part.samples for part in parts), 0)
            while self._parts and self._parts[0][1] < self._next - self._history:
                self._parts.popleft()
            self._store.forget(self._script.left - self._history)
        self._give()

    def stopped(self, position: int) -> None:
        """See `Stage`. What was drawn is kept: the speech may go on."""
        self._stage.stopped(position)
        with self._lock:
            self._cut(position)

    def dropped(self, position: int, epoch: int) -> None:
        """See `Stage`."""
        self._stage.dropped(position, epoch)
        with self._lock:
            self._cut(position)
            self._epoch, self._asked = max(self._epoch, epoch), max(self._asked, epoch)
            self._doubted = False
            self._script.clear()
            self._store.clear()
            self._idle = None
        self._renderer.clear(epoch)

    def heard(
        self, position: int, person: str, level_dbfs: float, speech: bool | None, bearing: float = 0.0
    ) -> None:
        """See `Stage`."""
        self._stage.heard(position, person, level_dbfs, speech, bearing)

    def take(self, drawn: Drawn) -> None:
        """From the renderer: a picture that is ready. On any thread, in any order."""
        picture, label = drawn.picture, drawn.label
        with self._lock:
            if label.epoch < self._epoch:
                self.refused["stale"] += 1
            elif (picture.width, picture.height) != self.size:
                self.refused["size"] += 1
            elif label.utterance is None:
                self._idle = (self._next, picture)
            elif (index := self._script.index(label.utterance, label.offset)) is None:
                self.refused["unknown"] += 1
            elif index < self._script.left - self._tick - self._nearest:
                self.refused["late"] += 1
            else:
                self.refused["full"] += self._store.keep(index, picture)

    def lost(self) -> None:
        """The renderer is gone for now: its idle pictures count no more. Pictures of speech that are here do."""
        with self._lock:
            self.alive = False
            self._idle = None

    def frame_at(self, position: int, epoch: int) -> Picture:
        """The picture for the sample at `position`; the next call draws over it. See `Stage`."""
        with self._lock:
            if self._forbids():
                self._cut(position)
            found = self._found(position, epoch)
            if (found is not None) != self._shows:
                self._shows, self._changed = found is not None, position
            # The first frame after a change shows some of it.
            since = max(0, position - self._changed) + self._tick
            share = min(1.0, since / (self._fade + self._tick))
            if found is not None:
                self._last = found
            elif share == 1:
                self._last = None
            own, other = (share, found) if found is not None else (1 - share, self._last)
        if other is None:
            return self._stage.frame_at(position, epoch)
        if own == 1:
            self._picture.i420[...] = other.i420
        else:
            cover = self._stage.frame_at(position, epoch)
            cv2.addWeighted(other.i420, own, cover.i420, 1 - own, 0, dst=self._picture.i420)
        return self._picture

    def _found(self, position: int, epoch: int) -> Picture | None:
        """The renderer's picture for this position, if it has one that may be shown."""
        if epoch > self._asked:
            # Nobody told of this epoch: either its end of speech is about to be told, or the speech goes on, as
            # the disclosure does, which the next chunk will say.
            self._asked, self._doubted = epoch, True
        kind, picture = "cover", None
        index = self._sounding(position)
        if self._doubted or self._forbidden:
            pass
        elif index is not None and (self._shows or self._steady_from(index)):
            kind, picture = "speech", self._store.nearest(index)
        elif index is None and self._idle is not None and position - self._idle[0] <= self._fresh:
            kind, picture = "idle", self._idle[1]
        self.shown["cover" if picture is None else kind] += 1
        return picture

    def _sounding(self, position: int) -> int | None:
        """The index of the speech that sounds there; None in silence."""
        for begin, end, index in reversed(self._parts):
            # A frame may be asked for a little before its chunk is told; speech goes on until something else is.
            goes_on = end == self._next and position < end + 2 * self._tick
            if begin <= position and (position < end or goes_on):
                return index + position - begin
        return None

    def _steady_from(self, index: int) -> bool:
        """Whether pictures are there from `index` on, for so long that it is worth to leave the cover."""
        return self._store.covers(index, min(index + self._steady, self._script.expected))

    def _give(self) -> None:
        """Hand the renderer what it may have by now."""
        while True:
            with self._lock:
                given, epoch = None if self._forbids() else self._script.give(), self._epoch
            if given is None:
                return
            self._renderer.speak(given.utterance, given.offset, given.pcm, epoch, last=given.last)

    def _forbids(self) -> bool:
        # It does not come back by itself: a face that changes to and fro is worse than the wrong one.
        self._forbidden = self._forbidden or not self._allowed()
        return self._forbidden

    def _cut(self, position: int) -> None:
        """From `position` on nothing sounds, and the cover shows at once."""
        self._parts = deque((begin, min(end, position), at) for begin, end, at in self._parts if begin < position)
        # A part that was cut off does not go on.
        self._next = max(self._next, position + 1)
        self._shows, self._last, self._changed = False, None, position - self._fade - self._tick

    def _samples(self, ms: float) -> int:
        return round(ms * self._per_ms)
