"""The sentence that holds the whole program, as a Pipecat pipeline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from pipecat.pipeline.pipeline import Pipeline

from agent.conversation import Conversation
from agent.engines.base import Brain, Speech, Voice
from agent.run import FIRST_UTTERANCE
from agent.stages.ear import Ear
from agent.stages.floor import Floor
from agent.stages.honesty import Honesty
from agent.stages.listening import Listening
from agent.stages.mouth import Mouth
from agent.stages.speaking import Speaking
from agent.stages.thinking import Thinking
from agent.timing import TurnTiming
from agent.turns.settings import TurnSettings
from channels.call import Call
from persona.guard import Checked
from persona.prompt import Prompt, Turn


def build(
    call: Call,
    ear: Ear,
    mouth: Mouth,
    honesty: Honesty,
    *,
    conversation: Conversation,
    timing: TurnTiming,
    speech: Sequence[Speech],
    brain: Brain,
    voice: Voice,
    compose: Callable[[tuple[Turn, ...]], Prompt],
    turns: TurnSettings,
    checked: Callable[[str, Prompt, str], Checked],
    moderated: Callable[[str], Awaitable[str | None]],
    record: Callable[[str, dict[str, object]], None],
    give_up: Callable[[str], None],
    on_fallback: Callable[[str, str], None],
    expects_answer: Callable[[], bool] = lambda: False,
) -> Pipeline:
    """What is heard becomes words, a turn, an answer, speech, and sound.

    `ear` and `mouth` are made with the call's doors, before its pipeline, and so is `honesty`, which says fixed
    lines. `checked` judges every sentence of the brain's before it is spoken;
    `moderated` gives what is said to a turn instead of asking the brain, where there is something.
    `give_up` is called with a reason when a stage and all that could replace it have failed.
    """
    return Pipeline(
        [
            ear,
            Listening(
                speech,
                rate_hz=call.inlet.rate_hz,
                language=call.language,
                on_fallback=on_fallback,
                on_deaf=lambda: give_up("no_speech_engine"),
            ),
            Floor(
                call,
                conversation,
                timing,
                turns,
                on_action=lambda action: record(action, {}),
                expects_answer=expects_answer,
            ),
            honesty,
            Thinking(
                brain,
                compose,
                timing,
                checked=checked,
                moderated=moderated,
                on_failure=lambda code: record("brain_failed", {"code": code}),
            ),
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
