"""A face in a call: told what the twin says and who else speaks, it shows the picture for a sample of the
clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from threading import Lock

from avatar.controls import Controls, at_rest, within_limits
from avatar.motion import Motion
from avatar.picture import Picture
from avatar.rig import Moving, Rig
from avatar.scene import Scene
from avatar.speech import Speech
from avatar.temper import Temper
from avatar.timeline import Part, Phone, Said, possible
from avatar.visemes import MOUTH

_MOUTH = list(MOUTH)
_SILENCE_DBFS = -100.0
"""Digital silence has no level that one can count with."""
_LONGEST_PHONE_MS = 1_200.0
_LONGEST_WORD_MS = 6_000.0
"""What lasts longer has a pause in it."""


class Stage:
    """One call's face.

    It is told things in the order in which they happen, none of them slow; what it shows for a position depends on
    these and on the seed alone. Whatever is told changes nothing that lies before the next chunk, but for
    `stopped` and `dropped`, which count from their position. No picture is kept or made ahead: an interruption has
    nothing to throw away.

    It may be told on one thread and asked on another, but draws one picture at a time.
    """

    def __init__(self, rig: Rig, *, rate_hz: int, seed: int, temper: Temper | None = None) -> None:
        """`rig` may be shared with other calls; `rate_hz` is the clock's."""
        self.rig = rig
        self.drawn = 0
        """Pictures so far."""
        self._per_ms = rate_hz / 1000
        self._speech = Speech(rate_hz)
        self._scene = Scene()
        self._motion = Motion(seed, temper or Temper())
        self._picture = rig.blank()
        self._epoch = 0
        self._lock = Lock()

    @property
    def epoch(self) -> int:
        """The newest one it was told."""
        return self._epoch

    @property
    def estimates(self) -> bool:
        """Whether the mouth of what sounded last is guessed from the sound: its voice told no phones."""
        return self._speech.estimates

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
        """A piece of speech waits to leave: int16 mono at the clock's rate.

        Pieces of an utterance come in order; phones and words may come later than their sound, and those with
        times that cannot be are left out. `exact` says whether the engine measured its times; `last`, that no
        sound of the utterance will follow.
        """
        phones, words = possible(phones, _LONGEST_PHONE_MS), possible(words, _LONGEST_WORD_MS)
        with self._lock:
            self._speech.expect(utterance, pcm, phones, words, exact=exact, last=last)
            self._tell(utterance, words, self._speech.timeline.next_position)

    def sounded(self, position: int, parts: Sequence[Part]) -> None:
        """These parts leave in the chunk that begins at `position`; none in a silent one."""
        with self._lock:
            for run in self._speech.sounded(position, parts):
                self._tell(run.utterance, self._speech.words(run.utterance), run.begin)

    def stopped(self, position: int) -> None:
        """Held: from `position` on nothing sounds until the next parts do."""
        with self._lock:
            self._speech.timeline.stopped(position)
            self._scene.silenced(position / self._per_ms)

    def dropped(self, position: int, epoch: int) -> None:
        """A new epoch: what was expected will never sound."""
        with self._lock:
            self._speech.timeline.dropped(position)
            self._scene.silenced(position / self._per_ms)
            self._epoch = max(self._epoch, epoch)

    def heard(
        self, position: int, person: str, level_dbfs: float, speech: bool | None, bearing: float = 0.0
    ) -> None:
        """20 ms of another person's sound; `speech` None is unknown. `bearing` is where that person is on the
        twin's screen, from -1 at its left to 1 at its right."""
        level_dbfs = min(max(level_dbfs, _SILENCE_DBFS), 0.0) if not math.isnan(level_dbfs) else _SILENCE_DBFS
        bearing = min(max(bearing, -1.0), 1.0) if math.isfinite(bearing) else 0.0
        with self._lock:
            self._scene.other(position / self._per_ms, person, level_dbfs, speech, bearing)

    def controls_at(self, position: int) -> Controls:
        """What the face does at the sample at `position`, a new vector."""
        controls = at_rest()
        with self._lock:
            mouth = self._speech.mouth_at(position)
            if mouth is not None:
                controls[_MOUTH] = mouth
            self._motion.add(controls, position / self._per_ms, self._scene)
        return within_limits(controls)

    def frame_at(self, position: int, epoch: int) -> Picture:
        """The picture for the sample at `position`; the next call draws over it.

        `epoch` is the caller's: an old one is not an error, the picture is what is true now.
        """
        self._epoch = max(self._epoch, epoch)
        controls = self.controls_at(position)
        if isinstance(self.rig, Moving):
            self.rig.draw_at(controls, self._picture, position / self._per_ms)
        else:
            self.rig.draw(controls, self._picture)
        self.drawn += 1
        return self._picture

    def _tell(self, utterance: int, words: Sequence[Said], known: int) -> None:
        """Tell the scene about words, once it is known when their utterance sounds."""
        start = self._speech.timeline.start_of(utterance)
        if words and start is not None:
            self._scene.phrase(utterance, start / self._per_ms, words, told_ms=known / self._per_ms)
