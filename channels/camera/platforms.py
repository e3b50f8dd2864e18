"""What the meeting platforms say of machines that take part, so that the twin is there openly. As of `AS_OF`."""

from __future__ import annotations

from dataclasses import dataclass

AS_OF = "2026-11"


@dataclass(frozen=True, slots=True)
class Platform:
    """One of them."""

    name: str
    rule: str
    """What it does about machines that take part."""
    openly: str
    """How to be there openly."""


PLATFORMS = (
    Platform(
        "Zoom",
        "flags synthetic voices and faces; since 2026-03 a bot in somebody else's meeting needs the token of a "
        "user who is present, and leaves with that user",
        "join yourself, with the twin as your camera; name yourself as an AI twin; ask the host first",
    ),
    Platform(
        "Microsoft Teams",
        "looks for external bots, labels them in the lobby, and holds or blocks them where the tenant says so",
        "join with your own account, not as an anonymous guest; rename yourself; ask the organiser first",
    ),
    Platform(
        "Google Meet",
        "puts doubtful guests into a queue of their own and turns them away; asks everybody before a recording",
        "join signed in and invited; say in the chat that an AI speaks",
    ),
    Platform(
        "LiveKit, Jitsi, your own rooms",
        "no rule of theirs; the law asks that people know, which the announcement sees to",
        "LiveKit: `twin join` is a declared participant of its own, which no camera can be",
    ),
)


def name_to_show(owner: str) -> str:
    """What the participant should be called."""
    return f"{owner}'s AI twin"
