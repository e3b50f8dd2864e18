"""Orders about how the twin is to behave in the meeting."""

from __future__ import annotations

import re
from typing import Literal

from agent.meeting.addressee.reading import Reading
from agent.meeting.addressee.wording import wording

Command = Literal["", "silent", "on_request", "active", "leave", "stop", "lower_hand", "speak"]

_ORDER: tuple[Command, ...] = ("on_request", "silent", "active", "lower_hand", "leave", "stop")
"""Asked in this order: "don't speak unless you are asked" would also be silence."""
_AT_MOST_WORDS = 30
_CALLED_WORDS = 4
"""In so few words a name calls on somebody who has raised their hand."""
_INVITING_WORDS = 8
"""In so few words, with its name in them, the twin may be called on though its hand is down."""
_BARE = re.compile(r"@\w+(?:'s)?|[,.?]")


def command(reading: Reading, *, hand_raised: bool) -> Command:
    """The order in these words, if they are meant for the twin."""
    known = wording(reading.language)
    bare = " ".join(_BARE.sub(" ", reading.canonical).split())
    if len(reading.words) > _AT_MOST_WORDS:
        return ""
    for name in _ORDER:
        if name == "lower_hand" and not (hand_raised or "hand" in bare.split()):
            continue
        if not known.commands[name].search(bare):
            continue
        if name == "leave" and known.kept["negated_leave"].search(bare):
            continue
        return name
    called = any(part.role == "called" and part.whose != "other" for part in reading.parts)
    if hand_raised and called and len(reading.words) <= _CALLED_WORDS:
        return "speak"
    invited = hand_raised or (called and not reading.asks and len(reading.words) <= _INVITING_WORDS)
    if invited and known.commands["speak"].search(bare):
        return "speak"
    return ""
