"""What was said in a meeting, as others need it: a brain, and the decision for whom words are meant. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.conversation import HeardTurn
from agent.meeting.addressee.said import Heard
from persona.prompt import Turn
from persona.quoting import plain_line

SCENE_S = 120.0
"""How far back a decision looks."""
TOGETHER_CHARS = 1_500
NAME_CHARS = 60
NOBODY = "Somebody"
"""Whoever gave no name."""


def for_brain(
    turns: Sequence[HeardTurn],
    question: Sequence[HeardTurn],
    seen: Callable[[str], str],
    bare: Callable[[str], str] = lambda text: text,
) -> tuple[Turn, ...]:
    """The meeting so far, ending with `question`: what one person asked, in one or several turns.

    What people said stands with their names, several utterances in one turn, so that many short ones do not push
    the others out; the question stands alone, in its own words, because rules look into it. `seen` gives words as
    a brain may see them, `bare` a question without calling the twin.
    """
    made: list[Turn] = []
    asked = {turn.number for turn in question}
    for turn in turns:
        if turn.number in asked or not turn.text:
            continue
        if turn.who == "twin":
            made.append(Turn("twin", turn.text, turn.cut))
            continue
        line = f"{named(turn)}: {seen(turn.text)}"
        if made and made[-1].who == "caller" and len(made[-1].text) + len(line) < TOGETHER_CHARS:
            made[-1] = Turn("caller", f"{made[-1].text}\n{line}")
        else:
            made.append(Turn("caller", line))
    return (*made, Turn("caller", " ".join(bare(seen(turn.text)) for turn in question)))


def for_scene(turns: Sequence[HeardTurn], rate_hz: int, now: int) -> tuple[Heard, ...]:
    """What was said in the last minutes, the twin's words included."""
    since = now - SCENE_S * rate_hz
    recent = [turn for turn in turns if turn.text and turn.end >= since]
    return tuple(heard(turn, rate_hz) for turn in recent)


def heard(turn: HeardTurn, rate_hz: int) -> Heard:
    """One turn, in seconds; `who` is empty for the twin."""
    who = "" if turn.who == "twin" else turn.speaker
    return Heard(who, turn.name, turn.text, turn.start / rate_hz, turn.end / rate_hz, turn.typed)


def named(turn: HeardTurn) -> str:
    """What stands before somebody's words; a name is somebody else's text."""
    return plain_line(turn.name.replace(":", " "))[:NAME_CHARS].strip() or NOBODY
