"""What the addressee decision is asked and what it answers, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["silent", "on_request", "active"]
"""`silent`: listens and notes, never speaks but to disclose, to obey and to leave. `on_request`: speaks when it is
spoken to. `active`: also answers questions in its field that are put to everybody, after raising its hand."""

Target = Literal["twin", "owner", "other", "room", "nobody"]
"""For whom words are meant. `twin`: for the twin. `owner`: for the person whose twin it is, who is not here: a
question for later. `other`: for somebody else by name or turn. `room`: for everybody. `nobody`: thinking aloud,
small talk, talk about the twin without talking to it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance of a person, or of the twin (`who` is empty then)."""

    who: str
    name: str
    text: str
    start_s: float
    """From the beginning of the meeting."""
    end_s: float
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known when an utterance has ended. Who is being looked at is unknown, always."""

    before: tuple[Heard, ...]
    """The last minute or two, in order of beginning, the twin's own words included."""
    people: tuple[str, ...]
    """The names of everybody here besides the twin and the speaker; empty when the two are alone."""
    owner_here: bool = False
    """The owner is in the room themselves, so that their name means them and not their twin."""
    asked: str = ""
    """The identity of whom the twin asked something that waits for an answer; empty when nobody."""
    hand_raised: bool = False
    """The twin has raised its hand and waits to be called."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """For whom it was meant, and what is wanted."""

    target: Target
    for_twin: float
    """The probability that it was meant for the twin, calibrated."""
    wants: Literal["answer", "action", "nothing"]
    """`answer`: a question or an invitation to speak. `action`: something is to be done or promised."""
    in_field: bool
    """What is asked is something the owner's own facts speak of."""
    command: Literal["", "silent", "on_request", "active", "leave", "stop", "lower_hand", "speak"] = ""
    """An order about how to behave here; who may give it is not judged."""
    why: tuple[str, ...] = ()
    """The features that decided, in words for a log without personal data: `name_first`, `reply_to_twin`, ..."""
