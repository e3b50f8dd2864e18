"""The picture side of the way out: for the samples that leave, the frames that leave with them.

    Outlet -> told -> Face.frame_at(position, epoch) -> mark -> the channel's video

No picture waits anywhere: a frame is drawn when its sample leaves, for that sample, and a new epoch that begins
while it is drawn has it drawn again.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

from avatar.mark import stamp
from avatar.picture import Picture
from avatar.timeline import Part, Phone, Said
from channels.cadence import Cadence
from channels.clock import Clock
from channels.pending import Span
from channels.spoken import Spoken

logger = logging.getLogger(__name__)

MAX_TOLD = 3_000
"""What a face is told later when it is not drawn: half a minute of somebody talking, and then the oldest goes."""
MAX_DRAWINGS = 3
"""Of one frame. An epoch lasts longer than a frame takes; more would be a clock gone wild."""


class Face(Protocol):
    """What is drawn; `avatar.stage.Stage` is the real one. A `View` calls it from one thread at a time."""

    def expect(
        self,
        utterance: int,
        pcm: bytes,
        phones: Sequence[Phone],
        words: Sequence[Said],
        *,
        exact: bool,
        last: bool,
    ) -> None: ...

    def sounded(self, position: int, parts: Sequence[Part]) -> None: ...

    def stopped(self, position: int) -> None: ...

    def dropped(self, position: int, epoch: int) -> None: ...

    def heard(
        self, position: int, person: str, level_dbfs: float, speech: bool | None, bearing: float = 0.0
    ) -> None: ...

    def frame_at(self, position: int, epoch: int) -> Picture:
        """The picture for the sample at `position`; it is drawn over by the next call."""
        ...


@dataclass(frozen=True, slots=True)
class Film:
    """How the pictures of a call are sent."""

    fps: int = 25
    mark: str = "AI"
    """What the mark says that is on every picture."""
    bitrate_kbps: int = 0
    """At most; 0 is chosen by the size."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture, and what it is true for."""

    picture: Picture
    """Drawn over when the next frame is drawn."""
    number: int
    position: int
    epoch: int


class View:
    """One call's face, as an `Onlooker` of its outlet. What it is told reaches the face when it is drawn next, so
    that the loop never waits for a drawing and the face is in one thread at a time.

    A face that raises is replaced once, by one that is told nothing and only idles; when that raises as well, no
    frame follows. Either way the sound goes on.
    """

    def __init__(
        self,
        clock: Clock,
        make: Callable[[], Face | None],
        pool: Executor,
        film: Film,
        *,
        on_drawn: Callable[[float], None] = lambda ms: None,
    ) -> None:
        """`make` gives a new face, or None while there is none yet; it is called where frames are drawn, in
        `pool`. `on_drawn` is told there how many milliseconds a frame took."""
        self.clock = clock
        self.pool = pool
        self.film = film
        self.cadence = Cadence(clock.rate_hz, film.fps)
        self.frames = 0
        """How many were drawn and handed out."""
        self.redrawn = 0
        """How many were drawn again because a new epoch had begun."""
        self.failures = 0
        self.raised = False
        """Whether the pictures show a raised hand: the twin asks to speak."""
        self._make = make
        self._on_drawn = on_drawn
        self._face: Face | None = None
        self._told: deque[Callable[[Face], None]] = deque(maxlen=MAX_TOLD)

    @property
    def broken(self) -> bool:
        """No frame will follow."""
        return self.failures > 1

    def expected(self, spoken: Spoken) -> None:
        """From the outlet."""
        self._tell(lambda face: _expect(face, spoken))

    def sounded(self, position: int, spans: Sequence[Span]) -> None:
        """From the outlet."""
        parts = [Part(span.at, span.samples, span.utterance, span.offset) for span in spans]
        self._tell(lambda face: face.sounded(position, parts))

    def stopped(self, position: int) -> None:
        """From the outlet."""
        self._tell(lambda face: face.stopped(position))

    def dropped(self, position: int, epoch: int) -> None:
        """From the outlet."""
        self._tell(lambda face: face.dropped(position, epoch))

    def heard(self, person: str, level_dbfs: float, speech: bool | None, bearing: float = 0.0) -> None:
        """Somebody else on the call sounds like this now; see `Stage.heard`."""
        position = self.clock.position
        self._tell(lambda face: face.heard(position, person, level_dbfs, speech, bearing))

    def due(self, begin: int, end: int) -> range:
        """The numbers of the frames that leave with the samples from `begin` up to before `end`."""
        return self.cadence.due(begin, end)

    def draw(self, number: int) -> Frame | None:
        """Frame `number` as it is true now, or None when there is nothing to show. In one thread at a time; raises
        nothing."""
        if self.broken:
            return None
        try:
            return self._drawn(number)
        except Exception as error:  # noqa: BLE001  whatever a face raises, the call goes on without it
            self.failures += 1
            self._face = None
            self._told.clear()
            logger.error(
                "the face failed",
                extra={"error": type(error).__name__, "then": "no picture" if self.broken else "idle"},
            )
            return None

    def _drawn(self, number: int) -> Frame | None:
        if self._face is None:
            self._face = self._make()
        if self._face is None:
            return None
        began = time.perf_counter()
        position = self.cadence.position(number)
        for drawing in range(MAX_DRAWINGS):
            epoch = self.clock.epoch
            while self._told:
                self._told.popleft()(self._face)
            picture = self._face.frame_at(position, epoch)
            if self.clock.epoch == epoch:
                break
            self.redrawn += drawing < MAX_DRAWINGS - 1
        stamp(picture, self.film.mark, self.raised)
        self.frames += 1
        self._on_drawn((time.perf_counter() - began) * 1000)
        return Frame(picture, number, position, epoch)

    def _tell(self, what: Callable[[Face], None]) -> None:
        if not self.failures:
            self._told.append(what)


def _expect(face: Face, spoken: Spoken) -> None:
    face.expect(
        spoken.utterance,
        spoken.pcm,
        [Phone(phoneme.ipa, phoneme.start_ms, phoneme.end_ms) for phoneme in spoken.phonemes],
        [Said(word.text, word.start_ms, word.end_ms) for word in spoken.words],
        exact=spoken.exact,
        last=spoken.last,
    )
