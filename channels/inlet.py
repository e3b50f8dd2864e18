"""The way in: every sound, key and typed word of a person, on every channel, enters through here."""

from __future__ import annotations

from typing import Protocol

MAX_TEXT_CHARS = 2_000
DIGITS = frozenset("0123456789*#ABCD")


class InletListener(Protocol):
    """Who hears what the door let in. Must be quick; must not raise."""

    def audio(self, pcm: bytes) -> None:
        """int16 mono at the inlet's rate; any length."""
        ...

    def digit(self, digit: str) -> None: ...

    def text(self, text: str) -> None:
        """Typed by the person instead of spoken."""
        ...


class Inlet:
    """Closed until the disclosure was heard: what arrives before is counted and forgotten.

    Nobody but the call's host opens it, and nothing behind it ever sees a byte that came earlier.
    """

    def __init__(self, rate_hz: int, listener: InletListener) -> None:
        self.rate_hz = rate_hz
        self.bytes_seen = 0
        self.bytes_let_in = 0
        self._listener = listener
        self._open = False

    @property
    def is_open(self) -> bool:
        return self._open

    @property
    def bytes_dropped(self) -> int:
        return self.bytes_seen - self.bytes_let_in

    def open(self) -> None:
        self._open = True

    def close(self) -> None:
        """Nothing more is heard, e.g. while the call ends."""
        self._open = False

    def hear(self, pcm: bytes) -> None:
        """Sound from the person: int16 mono at `rate_hz`."""
        self.bytes_seen += len(pcm)
        if self._open:
            self.bytes_let_in += len(pcm)
            self._listener.audio(pcm)

    def press(self, digit: str) -> None:
        """A key of the telephone; anything that is not one is ignored."""
        if self._open and digit in DIGITS:
            self._listener.digit(digit)

    def type(self, text: str) -> None:
        """Words the person typed; longer ones are cut at 2,000 characters."""
        text = " ".join(text[:MAX_TEXT_CHARS].split())
        if self._open and text:
            self._listener.text(text)
