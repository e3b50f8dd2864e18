"""What an utterance means for the twin, in the mode it is in. Pure, but for the mode, which it keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.meeting.addressee.said import Heard, Judgement, Mode, Scene, Target

Decision = Literal["speak", "raise_hand", "note", "silent"]
Verdict = Literal[
    "answer", "raise_hand", "note", "stop", "switch", "refuse", "leave", "lower_hand", "called", "nothing"
]
MEANT = 0.5
"""From this probability on, words count as meant for the twin where it does not depend on the mode."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is to be done about an utterance."""

    verdict: Verdict
    target: Target
    """For whom it was meant."""
    mode: Mode | None = None
    """With `switch`: the mode from now on. With `refuse`: the one that whoever spoke may not switch to."""
    written: bool = False
    """Answer in the chat."""
    for_twin: bool = False
    """Whether it was meant for the twin, whatever the mode makes of it."""
    why: tuple[str, ...] = ()


class Chair:
    """One meeting's. `judge` says for whom words are meant, `decide` what the mode makes of that."""

    def __init__(
        self,
        judge: Callable[[Heard, Scene], Judgement],
        decide: Callable[[Judgement, Mode, Scene], Decision],
        mode: Mode,
    ) -> None:
        self._judge = judge
        self._decide = decide
        self.mode: Mode = mode

    def rule(self, heard: Heard, scene: Scene, *, may_command: bool, awaited: bool = False) -> Ruling:
        """Called with every utterance of a person, in order. `awaited`: the twin has asked them something, and
        waits for the answer."""
        judged = self._judge(heard, scene)
        alone = not scene.people
        meant = alone or awaited or judged.for_twin >= MEANT
        verdict, mode = self._verdict(judged, scene, may_command=may_command, awaited=awaited)
        quiet = verdict in ("nothing", "note")
        if quiet and heard.typed and self.mode == "silent" and meant and judged.wants != "nothing":
            verdict = "answer"
        if verdict == "switch" and mode is not None:
            self.mode = mode
        # Who types where others talk wants to disturb nobody; alone with the twin, they would rather hear it.
        written = verdict == "answer" and heard.typed and (self.mode == "silent" or not alone) and not awaited
        return Ruling(verdict, judged.target, mode, written, meant, judged.why)

    def _verdict(
        self, judged: Judgement, scene: Scene, *, may_command: bool, awaited: bool
    ) -> tuple[Verdict, Mode | None]:
        match judged.command:
            case "stop" | "leave":
                return judged.command, None
            case "silent" | "on_request" | "active":
                return ("switch" if may_command else "refuse"), judged.command
            case "lower_hand" if scene.hand_raised:
                return "lower_hand", None
            case "speak" if scene.hand_raised:
                return "called", None
            case _:
                pass
        if awaited or (not scene.people and self.mode != "silent"):
            return "answer", None
        decided = self._decide(judged, self.mode, scene)
        return ({"speak": "answer", "silent": "nothing"}.get(decided, decided)), None  # type: ignore[return-value]
