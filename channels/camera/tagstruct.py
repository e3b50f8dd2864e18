"""PulseAudio's wire format: values that each say what they are, so that a wrong one is noticed and not misread.

Only the kinds of values that this channel needs.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from compliance.errors import BadMessage

NOBODY = 0xFFFFFFFF
"""An index that names nothing."""
NORMAL_VOLUME = 0x10000
S16LE = 3
MONO, LEFT, RIGHT = 0, 1, 2
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_S64 = struct.Struct(">q")
_TWO = struct.Struct(">II")


class Writer:
    """Puts values together; each method returns the writer, so that a message reads as one line."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def number(self, value: int) -> Writer:
        return self._add(b"L" + _U32.pack(value))

    def text(self, value: str | None) -> Writer:
        return self._add(b"N" if value is None else b"t" + value.encode() + b"\0")

    def flag(self, *values: bool) -> Writer:
        return self._add(b"".join(b"1" if value else b"0" for value in values))

    def blob(self, value: bytes) -> Writer:
        return self._add(b"x" + _U32.pack(len(value)) + value)

    def now(self) -> Writer:
        """A time that is given back as it was; nothing here reads it."""
        return self._add(b"T" + _TWO.pack(0, 0))

    def pcm16(self, rate_hz: int) -> Writer:
        """int16 mono at this rate: the format, and which ear it is for."""
        self._add(b"a" + bytes((S16LE, 1)) + _U32.pack(rate_hz))
        return self._add(b"m" + bytes((1, MONO)))

    def volume(self) -> Writer:
        """As it is: one channel, neither louder nor softer."""
        return self._add(b"v\x01" + _U32.pack(NORMAL_VOLUME))

    def properties(self, values: Mapping[str, str]) -> Writer:
        self._add(b"P")
        for key, value in values.items():
            data = value.encode() + b"\0"
            self.text(key).number(len(data)).blob(data)
        return self.text(None)

    def packed(self) -> bytes:
        return b"".join(self._parts)

    def _add(self, part: bytes) -> Writer:
        self._parts.append(part)
        return self


class Reader:
    """Takes values apart in the order in which they stand. Raises `BadMessage` for what is none of them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def over(self) -> bool:
        return self._at >= len(self._data)

    def number(self) -> int:
        self._kind(b"L")
        return int(_U32.unpack(self._take(4))[0])

    def text(self) -> str | None:
        kind = self._take(1)
        if kind == b"N":
            return None
        if kind != b"t":
            raise BadMessage("The sound server did not send a text where one belongs.")
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise BadMessage("The sound server sent a text without an end.")
        value = self._take(end - self._at).decode(errors="replace")
        self._at += 1
        return value

    def flag(self) -> bool:
        kind = self._take(1)
        if kind not in (b"0", b"1"):
            raise BadMessage("The sound server did not send a yes or no where one belongs.")
        return kind == b"1"

    def microseconds(self) -> int:
        self._kind(b"U")
        return int(_U64.unpack(self._take(8))[0])

    def signed(self) -> int:
        self._kind(b"r")
        return int(_S64.unpack(self._take(8))[0])

    def skip_time(self) -> None:
        self._kind(b"T")
        self._take(8)

    def properties(self) -> dict[str, str]:
        self._kind(b"P")
        values: dict[str, str] = {}
        while (key := self.text()) is not None:
            self.number()
            self._kind(b"x")
            (length,) = _U32.unpack(self._take(4))
            values[key] = self._take(length).rstrip(b"\0").decode(errors="replace")
        return values

    def _kind(self, wanted: bytes) -> None:
        if self._take(1) != wanted:
            raise BadMessage("The sound server sent another kind of value than belongs there.")

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise BadMessage("The sound server's message is too short.")
        self._at += count
        return taken
