"""What the twin does about words, in the mode it is in."""

from __future__ import annotations

from typing import Literal

from agent.meeting.addressee.said import Judgement, Mode, Scene

Decision = Literal["speak", "raise_hand", "note", "silent"]
"""`speak`: take the floor at the next gap. `raise_hand`: ask for it. `note`: keep it for the owner. `silent`:
nothing; an order in `Judgement.command` is obeyed all the same, by whoever may give it."""

SURE = 0.65
"""Probability from which the twin speaks among many: to speak unasked is worse than to ask for the floor."""
MAYBE = 0.2
"""Probability from which words may have been meant for the twin: enough to raise a hand, not to speak."""


def decide(judgement: Judgement, mode: Mode, scene: Scene) -> Decision:
    """What to do about an utterance that has ended."""
    if judgement.command == "speak":
        return "note" if mode == "silent" else "speak"
    if judgement.command:
        return "silent"
    match judgement.target:
        case "twin" if mode == "silent":
            return "silent" if judgement.wants == "nothing" else "note"
        case "twin" if judgement.for_twin < SURE and scene.people and judgement.wants != "nothing":
            return "raise_hand"
        case "twin":
            # With one person alone a "thanks" is answered too, as on the telephone.
            return "speak" if judgement.wants != "nothing" or not scene.people else "silent"
        case "owner":
            return "note"
        case "room" if mode == "active" and judgement.in_field and judgement.wants == "answer":
            return "raise_hand"
    unsure = judgement.for_twin >= MAYBE and judgement.wants != "nothing"
    return "raise_hand" if unsure and mode != "silent" else "silent"
