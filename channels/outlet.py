"""The way out: every sound of the twin, on every channel, leaves through here.

    Pending -> fade -> DisclosureGate -> further stages -> mark -> tap -> heard track -> Wire

There is no door without a mark: whoever builds one has to say what marks its sound.

The channel's own clockwork calls `tick` once per 20 ms; nothing in here waits, so it tests without a clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

import numpy as np

from channels.clock import Clock
from channels.gate import DisclosureGate, Samples
from channels.heard import HeardTrack, HeardWord
from channels.onlooker import Onlooker, Onlookers
from channels.pending import BYTES_PER_SAMPLE, Pending, Span
from channels.spoken import Spoken
from channels.wire import Wire
from compliance.errors import DoorClosed

logger = logging.getLogger(__name__)

CHUNK_MS = 20
FADE_MS = 10
PENDING_MS = 20_000
"""How far ahead of the ear a voice may work; more would only be thrown away at an interruption."""
HISTORY_MS = 1_000
"""What a wire may throw away at most, and so what must be kept to say it again. Wires keep their lead below."""


class Stage(Protocol):
    """One step that every sample passes on its way out."""

    def process(self, samples: Samples, position: int) -> Samples:
        """Return as many samples as came in. Raising closes the door for the rest of the call."""
        ...


class Mark(Stage, Protocol):
    """The last step that changes a sample: nothing sounds without the watermark."""

    @property
    def apology(self) -> bytes:
        """The fixed apology, marked beforehand: all that may sound once a stage has failed. Empty: nothing may."""
        ...


class OutletListener(Protocol):
    """Who is told what the door does. Called from within `tick`: must be quick and must not raise."""

    def disclosed(self, position: int) -> None:
        """The disclosure was heard in full; `position` is where it ended."""
        ...

    def heard(self, words: list[HeardWord]) -> None:
        """These words were heard, in order."""
        ...

    def speaking(self, speaking: bool, position: int) -> None:
        """The twin began to sound, or has said all it had to say (and it was heard)."""
        ...

    def failed(self, reason: str) -> None:
        """A stage failed: the apology is the last thing that sounds, then the call must end."""
        ...

    def room(self) -> None:
        """There is room again for speech that was refused by `say`."""
        ...


class State(Enum):
    WAITING = "waiting"
    """No disclosure yet: silence."""
    DISCLOSING = "disclosing"
    OPEN = "open"
    FAILED = "failed"
    """Only the apology may still sound."""


class Outlet:
    """The door. See the module's docstring for what happens to a chunk."""

    def __init__(
        self,
        clock: Clock,
        wire: Wire,
        listener: OutletListener,
        stages: Sequence[Stage] = (),
        *,
        mark: Mark,
        tap: Stage | None = None,
    ) -> None:
        """`stages` come before the mark; `tap` is handed what leaves, marked, for who keeps it."""
        self.clock = clock
        self.bytes_out = 0
        """Bytes that passed the door; a channel's wire must count the same."""
        self.on_unheard: Callable[[int, int], None] = lambda begin, end: None
        """Told which positions the wire threw away before they were heard, for who keeps what left."""
        self._wire = wire
        self._listener = listener
        self._onlookers = Onlookers()
        self._gate = DisclosureGate()
        self._mark = mark
        self._stages: tuple[Stage, ...] = (self._gate, *stages, mark, *([tap] if tap is not None else []))
        self._track = HeardTrack(clock.rate_hz)
        self._pending = Pending(limit_samples=clock.samples(PENDING_MS), history_samples=clock.samples(HISTORY_MS))
        self._state = State.WAITING
        self._held = False
        self._fade = _Fade(clock.samples(FADE_MS))
        self._chunk = clock.samples(CHUNK_MS)
        self._silence = bytes(self._chunk * BYTES_PER_SAMPLE)
        self._speech_end = 0
        """Position after the last sample of speech that left."""
        self._speaking = False
        self._refused = False
        self._noticed = False
        """Whether speech waited when the last chunk left, so that who watches knew of it before it sounds."""

    @property
    def state(self) -> State:
        return self._state

    @property
    def held(self) -> bool:
        return self._held

    @property
    def speaking(self) -> bool:
        """True while speech sounds or waits, held speech included."""
        return self._speaking or self._pending.samples > 0

    @property
    def has_room(self) -> bool:
        return self._pending.room

    def watch(self, onlooker: Onlooker) -> None:
        """From now on tell this one what leaves, the disclosure and the apology included.

        Lips move ahead of the sound, so while somebody watches, speech after silence waits one tick: with that
        much notice the first movement is seen 23 ms after the first sound (95th percentile), without any 41 ms.
        """
        self._onlookers.add(onlooker)

    def unwatch(self, onlooker: Onlooker) -> None:
        """Tell it no more. Safe when it was not told before."""
        self._onlookers.remove(onlooker)

    def disclose(self, spoken: Spoken) -> None:
        """Give the prepared disclosure; it leaves first, whole, and cannot be interrupted.

        Raises `DoorClosed` when one was given before, when it begins with silence, and after a failure.
        """
        if self._state is not State.WAITING:
            raise DoorClosed("The disclosure is given once, to a door that has not failed.")
        self._gate.expect(spoken.pcm)
        self._track.expect(spoken)
        self._pending.add(spoken)
        self._onlookers.tell(lambda onlooker: onlooker.expected(spoken))
        self._state = State.DISCLOSING

    def say(self, spoken: Spoken) -> bool:
        """Queue speech of the current epoch; False when there is no room yet (`OutletListener.room` follows).

        Stale speech is dropped and counts as taken. Raises `DoorClosed` before the disclosure was heard and after
        a stage has failed.
        """
        if self._state is not State.OPEN:
            raise DoorClosed("Nothing may be said before the disclosure was heard, or after a failure.")
        if spoken.epoch != self.clock.epoch:
            return True
        if not self._pending.add(spoken):
            self._refused = True
            return False
        self._track.expect(spoken)
        self._onlookers.tell(lambda onlooker: onlooker.expected(spoken))
        # Words may come after the sound they belong to was heard.
        self._report(self.clock.heard)
        return True

    def hold(self) -> None:
        """Fall silent now, within a fade of 10 ms, and keep the place. The disclosure cannot be held."""
        if self._held or self._state is not State.OPEN:
            return
        self._held = True
        self.clock.heard_until(self._wire.clear())
        # A wire only estimates, and what it once knew to be heard stays heard.
        heard = self.clock.heard
        if heard < self.clock.position:
            self.on_unheard(heard, self.clock.position)
        sounding = heard < self._speech_end or self._speech_end == self.clock.position
        self._pending.back(self._track.unheard(heard))
        self._noticed = True
        self._speech_end = min(self._speech_end, heard)
        if sounding:
            self._fade.out(self._pending.read(self._fade.samples)[0])
            self._pending.back(self._fade.length)
        self._onlookers.tell(lambda onlooker: onlooker.stopped(heard))

    def resume(self) -> None:
        """Go on from the very sample at which `hold` cut in."""
        if self._held:
            self._held = False
            self._fade.rise()

    def drop(self) -> int:
        """The twin gives up its turn: a new epoch, and all that waits is thrown away. Returns the new epoch."""
        if self._state is State.OPEN:
            if not self._held:
                self.hold()
            self._pending.drop()
            self._held = self._fade.rising = False
            self._report(self.clock.heard)
            self._track.forget()
        # The epoch comes first, so that the listener can tell a turn given up from one that has ended.
        epoch = self.clock.next_epoch()
        if self._state is State.OPEN:
            heard = self.clock.heard
            self._onlookers.tell(lambda onlooker: onlooker.dropped(heard, epoch))
            if self._speaking:
                self._speaking = False
                self._listener.speaking(False, heard)
        return epoch

    def tick(self) -> None:
        """Let the next 20 ms leave: the one way in which sound comes to be on the wire."""
        chunk, spans = self._compose()
        position = self.clock.position
        self._onlookers.tell(lambda onlooker: onlooker.sounded(position, spans))
        if spans:
            self._track.sounded(position, spans)
            self._speech_end = position + spans[-1].at + spans[-1].samples
            if not self._speaking:
                self._speaking = True
                self._listener.speaking(True, position)
        if self._state is State.FAILED:
            self._leave(chunk)
        else:
            self.write(chunk, self.clock.rate_hz)
        if self._refused and self._pending.room:
            self._refused = False
            self._listener.room()

    def write(self, pcm: bytes, rate_hz: int) -> None:
        """Send a chunk through the stages to the wire. A stage that raises closes the door: silence leaves, and
        from then on whatever is written is silence."""
        if rate_hz != self.clock.rate_hz:
            raise DoorClosed(f"The outlet runs at {self.clock.rate_hz} Hz, not at {rate_hz} Hz.")
        try:
            pcm = bytes(len(pcm)) if self._state is State.FAILED else self._staged(pcm)
        except Exception as error:  # noqa: BLE001  whatever a stage raises, unchecked sound must not leave
            self._fail(error)
            pcm = bytes(len(pcm))
        self._leave(pcm)

    def _leave(self, pcm: bytes) -> None:
        self.bytes_out += len(pcm)
        self.clock.left(len(pcm) // BYTES_PER_SAMPLE)
        self._wire.send(pcm)

    def played(self, position: int) -> None:
        """The wire knows that everything before `position` was played to the person."""
        self.clock.heard_until(position)
        heard = self.clock.heard
        self._report(heard)
        if self._state is State.DISCLOSING and self._gate.sounded and heard >= self._gate.end:
            self._gate.lift()
            self._state = State.OPEN
            self._listener.disclosed(self._gate.end)
        if self._speaking and heard >= self._speech_end and not self._pending.samples:
            self._speaking = False
            self._listener.speaking(False, self._speech_end)

    def apologise(self) -> None:
        """After a failure: the fixed apology of the mark. It passes no stage because the stages are broken."""
        if self._state is not State.FAILED:
            raise DoorClosed("The apology is for a closed door only.")
        if not self._mark.apology:
            return
        apology = Spoken(utterance=-1, epoch=self.clock.epoch, pcm=self._mark.apology, last=True)
        self._pending.add(apology)
        self._onlookers.tell(lambda onlooker: onlooker.expected(apology))

    def _staged(self, pcm: bytes) -> bytes:
        samples: Samples = np.frombuffer(pcm, dtype=np.int16)
        for stage in self._stages:
            processed = stage.process(samples, self.clock.position)
            if processed.shape != samples.shape or processed.dtype != np.int16:
                raise DoorClosed("A stage changed the number of samples or their type.")
            samples = processed
        return samples.tobytes()

    def _compose(self) -> tuple[bytes, list[Span]]:
        noticed, self._noticed = self._noticed, self._pending.samples > 0
        faded = self._fade.take(self._chunk)
        if faded:
            return faded, []
        # The disclosure and the apology wait for nothing.
        unseen = not noticed and bool(self._onlookers) and self._state is State.OPEN
        if self._held or unseen:
            return self._silence, []
        pcm, spans = self._pending.read(self._chunk)
        if not spans:
            return self._silence, spans
        if self._fade.rising:
            pcm = self._fade.applied_in(pcm)
        return pcm + self._silence[len(pcm) :], spans

    def _report(self, heard: int) -> None:
        words = self._track.heard(heard)
        if words:
            self._listener.heard(words)

    def _fail(self, error: Exception) -> None:
        self._state = State.FAILED
        self._pending.drop()
        self._track.unheard(self.clock.position)
        self._fade = _Fade(self._fade.samples)
        self._held = False
        position, epoch = self.clock.position, self.clock.epoch
        self._onlookers.tell(lambda onlooker: onlooker.dropped(position, epoch))
        # The message of a foreign exception may quote data; its type is enough to find the stage.
        logger.error("outlet stage failed, door closed", extra={"error": type(error).__name__})
        self._listener.failed(error.code if isinstance(error, DoorClosed) else type(error).__name__)


class _Fade:
    """Short ramps, so that cutting in and going on does not click."""

    def __init__(self, samples: int) -> None:
        self.samples = samples
        self.length = 0
        """How many samples of speech the last fade-out used; they will be said again."""
        self.rising = False
        self._tail = b""
        self._down = np.linspace(1.0, 0.0, samples, dtype=np.float32)
        self._up = self._down[::-1]

    def out(self, pcm: bytes) -> None:
        """Keep these samples, ramped down, as the next thing that sounds."""
        self.length = len(pcm) // BYTES_PER_SAMPLE
        samples = np.frombuffer(pcm, dtype=np.int16)
        self._tail = (samples * self._down[: len(samples)]).astype(np.int16).tobytes()
        self.rising = False

    def take(self, samples: int) -> bytes:
        """The ramped-down tail padded to a chunk, once; empty when there is none."""
        tail, self._tail = self._tail, b""
        return tail + bytes(samples * BYTES_PER_SAMPLE - len(tail)) if tail else b""

    def rise(self) -> None:
        """The next speech begins with a ramp up."""
        self.rising = True

    def applied_in(self, pcm: bytes) -> bytes:
        self.rising = False
        samples = np.frombuffer(pcm, dtype=np.int16).astype(np.float32)
        ramp = self._up[: len(samples)]
        samples[: len(ramp)] *= ramp
        return samples.astype(np.int16).tobytes()
