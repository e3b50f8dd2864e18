"""What the twin does about words, in the mode it is in."""

from __future__ import annotations

from typing import Literal

from agent.meeting.addressee.said import Judgement, Mode, Scene

Decision = Literal["speak", "raise_hand", "note", "silent"]
"""`speak`: take the floor at the next gap. `raise_hand`: ask for it. `note`: keep it for the owner. `silent`:
nothing; an order in `Judgement.command` is obeyed all the same, by whoever may give it."""

SURE = 0.9
"""Probability from which the twin speaks among many: to speak unasked is worse than to ask for the floor."""
READY = 0.45
"""The same where the twin is called by name: then silence is ruder."""
NEXT = 0.8
"""The same where it spoke last, and is part of the talk."""
CALLED = frozenset(("call_me", "last_call_me", "called_twin", "called_owner"))
"""Among what decided, these say that the twin was called by name."""
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
        case "twin" if judgement.for_twin < _bar(judgement, scene) and judgement.wants != "nothing":
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


def _bar(judgement: Judgement, scene: Scene) -> float:
    """How sure it has to be to speak; with one person alone not at all."""
    if not scene.people:
        return 0.0
    spoke_last = bool(scene.before) and not scene.before[-1].who
    if not CALLED.isdisjoint(judgement.why):
        return READY
    return NEXT if spoke_last else SURE
