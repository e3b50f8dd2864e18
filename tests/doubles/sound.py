"""Sound devices of a test's own: what they were given, and a hand that makes them play."""

from __future__ import annotations

from collections.abc import Callable

from channels.camera.sound import RATE_HZ
from compliance.errors import SoundMissing


class HandSound:
    """`channels.camera.sound.Sound` whose time the test turns by `plays`."""

    microphone = "a microphone"
    speaker = "a speaker"

    def __init__(self, *, lead_ms: int = 60) -> None:
        self.given = bytearray()
        """Every byte that was played into it."""
        self.cleared = 0
        self.gaps = 0
        self.closed = False
        self.drained = False
        """Whether what was given counts as played, whatever was."""
        self.missing = False
        """Whether it does not begin."""
        self._lead = RATE_HZ * lead_ms // 1000
        self._played = 0
        self._gone = 0
        """Samples that were thrown away."""
        self._sent = 0
        self.on_wanted: Callable[[], None] = lambda: None
        self.on_heard: Callable[[bytes], None] = lambda pcm: None
        self.on_lost: Callable[[], None] = lambda: None

    @property
    def wanted(self) -> int:
        return self._lead - (self._sent - self._played)

    @property
    def played(self) -> int:
        return self._played

    @property
    def lead_ms(self) -> float:
        return 0.0 if self.drained else (self._sent - self._played) * 1000 / RATE_HZ

    async def open(self) -> None: ...

    async def begin(
        self, on_wanted: Callable[[], None], on_heard: Callable[[bytes], None], on_lost: Callable[[], None]
    ) -> None:
        if self.missing:
            raise SoundMissing("There are no devices.")
        self.on_wanted, self.on_heard, self.on_lost = on_wanted, on_heard, on_lost
        on_wanted()

    def play(self, pcm: bytes) -> None:
        self.given += pcm
        self._sent += len(pcm) // 2

    def clear(self) -> int:
        cut, self._played = self._played, self._sent
        self._gone += self._sent - cut
        self.cleared += 1
        return cut

    async def close(self) -> None:
        self.closed = True

    def plays(self, milliseconds: int) -> None:
        """So much time goes by in steps of 20 ms, in each of which it asks for more."""
        for _ in range(milliseconds // 20):
            self._played = min(self._sent, self._played + RATE_HZ // 50)
            self.on_wanted()
