"""A meeting's pipeline: as a call's, with everybody's ears in front and a floor for many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pipecat.pipeline.pipeline import Pipeline

from agent.engines.base import Brain, Voice
from agent.meeting.floor import MeetingFloor
from agent.meeting.writing import Writing
from agent.run import FIRST_UTTERANCE
from agent.stages.honesty import Honesty
from agent.stages.mouth import Mouth
from agent.stages.speaking import Speaking
from agent.stages.thinking import Thinking
from agent.timing import TurnTiming
from channels.call import Call
from persona.guard import Checked
from persona.prompt import Prompt, Turn


def build(
    call: Call,
    floor: MeetingFloor,
    honesty: Honesty,
    writing: Writing,
    mouth: Mouth,
    *,
    timing: TurnTiming,
    brain: Brain,
    voice: Voice,
    compose: Callable[[tuple[Turn, ...]], Prompt],
    checked: Callable[[str, Prompt, str], Checked],
    moderated: Callable[[str], Awaitable[str | None]],
    record: Callable[[str, dict[str, object]], None],
    give_up: Callable[[str], None],
    on_fallback: Callable[[str, str], None],
) -> Pipeline:
    """What the hall has heard becomes a turn, an answer, speech or writing, and sound."""
    return Pipeline(
        [
            floor,
            honesty,
            Thinking(
                brain,
                compose,
                timing,
                checked=checked,
                moderated=moderated,
                on_failure=lambda code: record("brain_failed", {"code": code}),
            ),
            writing,
            Speaking(
                voice,
                rate_hz=call.clock.rate_hz,
                language=call.language,
                timing=timing,
                on_failure=lambda code: give_up("no_voice"),
                on_fallback=on_fallback,
                first_utterance=FIRST_UTTERANCE,
            ),
            mouth,
        ]
    )
