"""A call with many people: who is there, as the channel learns it, and what it can do there besides sound.

channel -> Attendance    who came, left, was renamed, muted; each person's own way in
channel <- Room          the meeting's chat, the raised hand
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from channels.inlet import Inlet

Kind = Literal["person", "phone", "machine"]


@dataclass(frozen=True, slots=True)
class Person:
    """One participant of a room, and never the twin itself."""

    identity: str
    """As the room's own door vouches for it; unique in the room, and the subject under which their words are kept
    and forgotten. A number in E.164 for somebody on the phone, where the trunk tells it."""
    name: str = ""
    """What they call themselves: shown and spoken, never trusted."""
    kind: Kind = "person"
    """`machine`: another agent. Its sound is not listened to and its presence keeps no meeting going."""
    may_command: bool = False
    """Whether they may switch the twin's mode, as the room's door says (an attribute that only a token sets)."""


class Attendance(Protocol):
    """The host's side. Must be quick and must not raise."""

    def joined(self, person: Person) -> Inlet:
        """Somebody is there and hears the twin from now on. The way in for their sound, keys and chat, and for
        theirs alone: it opens when they have heard the disclosure. Joining again (a reconnect) within the same
        call gives the same door, open if it was."""
        ...

    def left(self, identity: str) -> None: ...

    def renamed(self, identity: str, name: str) -> None: ...

    def muted(self, identity: str, muted: bool) -> None:
        """Their microphone; a muted one gives no sound, which is not silence."""
        ...

    def shares_screen(self, identity: str, shares: bool) -> None: ...


class Room(Protocol):
    """The channel's side. Everything returns at once; what cannot be sent is dropped and counted."""

    def write(self, text: str, to: Sequence[str] = ()) -> None:
        """Into the meeting's chat, as the twin; to these identities only, or to everybody."""
        ...

    def raise_hand(self, raised: bool) -> None:
        """Where the meeting shows such things; the mark on the picture is the `View`'s."""
        ...
