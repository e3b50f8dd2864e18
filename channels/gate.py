"""Nothing sounds before the disclosure: the outlet's first stage, which checks bytes and trusts nobody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from compliance.errors import DoorClosed

Samples = NDArray[np.int16]


class DisclosureGate:
    """Lets through silence and the prepared disclosure, in order and whole, and everything once it has played.

    It compares the samples themselves, because what reaches the outlet comes from code that may be wrong: a
    persona, a prompt or an engine cannot talk its way past a comparison of bytes.
    """

    def __init__(self) -> None:
        self._disclosure: Samples | None = None
        self._played = 0
        self._end = 0
        self._lifted = False

    def expect(self, pcm: bytes) -> None:
        """The disclosure that must leave first. Raises `DoorClosed` when it is given twice or begins silent.

        It must begin with a sample other than zero, so that its first chunk cannot be taken for idle silence.
        """
        disclosure = np.frombuffer(pcm, dtype=np.int16)
        if self._disclosure is not None or not disclosure[:1].any():
            raise DoorClosed("The disclosure must be given once and must not begin with silence.")
        self._disclosure = disclosure

    @property
    def sounded(self) -> bool:
        """True when the whole disclosure has left the outlet; hearing it takes as long as the wire does."""
        return self._disclosure is not None and self._played >= len(self._disclosure)

    @property
    def end(self) -> int:
        """The clock's position after the last sample of the disclosure, once it has `sounded`."""
        return self._end

    @property
    def _idle(self) -> bool:
        """Before the first and after the last sample of the disclosure, silence is idle; within, it is content."""
        return self._played == 0 or self.sounded

    def lift(self) -> None:
        """The disclosure was heard in full. Raises `DoorClosed` when it has not even left."""
        if not self.sounded:
            raise DoorClosed("The disclosure has not been played in full.")
        self._lifted = True

    def process(self, samples: Samples, position: int) -> Samples:
        """Return `samples` unchanged, or raise `DoorClosed`."""
        if self._lifted or (self._idle and not samples.any()):
            return samples
        if self._disclosure is None:
            raise DoorClosed("Something tried to sound before the disclosure was given.")
        rest = self._disclosure[self._played : self._played + len(samples)]
        if not np.array_equal(samples[: len(rest)], rest) or samples[len(rest) :].any():
            raise DoorClosed("Something other than the disclosure tried to sound before it was heard.")
        self._played += len(rest)
        self._end = position + len(rest)
        return samples
