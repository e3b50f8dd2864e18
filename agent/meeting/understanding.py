"""From what the hall heard to what it means: on record, in the captions, ruled on by the chair, heeded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.conversation import Conversation, HeardTurn
from agent.heeding import together
from agent.meeting.addressee.said import Scene
from agent.meeting.calling import Calling
from agent.meeting.chair import Chair, Ruling
from agent.meeting.company import Company
from agent.meeting.consenting import MeetingConsenting
from agent.meeting.events import Unheard, Uttered
from agent.meeting.hand import Hand
from agent.meeting.policy import Twin
from agent.meeting.transcript import for_brain, for_scene, heard
from agent.screening import Screening
from agent.stages.honesty import Reaction
from agent.turns.backchannels import Backchannels
from channels.call import Call, Caption
from persona.prompt import Turn


@dataclass(frozen=True, slots=True)
class Understood:
    """An utterance, what the chair makes of it, and what answers it in fixed words."""

    turn: HeardTurn
    ruling: Ruling
    reaction: Reaction | None


class Understanding:
    """One meeting's."""

    def __init__(
        self,
        call: Call,
        conversation: Conversation,
        *,
        company: Company,
        chair: Chair,
        consenting: MeetingConsenting,
        screening: Screening,
        hand: Hand,
        calling: Calling,
        backchannels: Backchannels,
        record: Callable[[str, dict[str, object]], None],
    ) -> None:
        self._call = call
        self._conversation = conversation
        self._company = company
        self._chair = chair
        self._consenting = consenting
        self._screening = screening
        self._hand = hand
        self._calling = calling
        self._backchannels = backchannels
        self._record = record
        self._numbers: dict[str, int] = {}
        """How many captions of a turn each person has had."""

    def guessed(self, who: str, text: str, at: int) -> None:
        """What the recogniser has of an utterance so far."""
        clock = self._call.clock
        self._conversation.caller_says(
            text, start=at, end=at, epoch=clock.epoch, speaker=who, name=self._company.name(who)
        )
        self._caption(who, text, final=False)

    def unheard(self, event: Unheard) -> None:
        """No words came of it."""
        aside = self._conversation.caller_aside(event.who)
        if aside is not None:
            self._caption(event.who, aside.text, final=True)
        if event.crowded:
            self._record("crowded", {})

    def _caption(self, who: str, text: str, *, final: bool) -> None:
        number = self._numbers.get(who, 0)
        self._call.tell(Caption("caller", text, number, final, who))
        if final:
            self._numbers[who] = number + 1

    def uttered(self, uttered: Uttered, twin: Twin) -> Understood:
        """A whole utterance is on record, ruled on and heeded; `twin` is what the twin is doing."""
        clock, who = self._call.clock, uttered.who
        before = [turn for turn in self._conversation.turns if turn.speaker != who or turn.end <= uttered.start]
        turn = self._conversation.caller_said(
            uttered.text,
            start=uttered.start,
            end=uttered.end,
            epoch=clock.epoch,
            typed=uttered.typed,
            aside=True,
            speaker=who,
            name=self._company.name(who),
        )
        self._caption(who, uttered.text, final=True)
        awaited = self._consenting.awaits(who)
        ruling = self._chair.rule(
            heard(turn, clock.rate_hz),
            self._scene(before, who),
            may_command=self._company.may_command(who),
            awaited=awaited,
        )
        listening = not self._backchannels.more_than(uttered.text) and twin is not Twin.SILENT
        if listening and not awaited and ruling.verdict == "answer":
            ruling = replace(ruling, verdict="nothing", for_twin=False)
        return Understood(turn, ruling, self._heed(who, uttered, ruling))

    def for_brain(self, question: Sequence[HeardTurn]) -> tuple[Turn, ...]:
        """The meeting so far, ending with what one person asked, as a brain may see it."""
        # What is still being recognised no guard has seen.
        said = [turn for turn in self._conversation.turns if not self._conversation.is_open(turn)]
        others = self._company.others(question[0].speaker)
        return for_brain(said, question, self._screening.seen, lambda text: self._calling.without(text, others))

    def _scene(self, before: Sequence[HeardTurn], who: str) -> Scene:
        clock = self._call.clock
        return Scene(
            before=for_scene(before, clock.rate_hz, clock.position),
            people=self._company.others(who),
            owner_here=self._company.owner_here,
            asked=self._consenting.asked or self._asked_back(before),
            hand_raised=self._hand.turn is not None,
        )

    def _asked_back(self, before: Sequence[HeardTurn]) -> str:
        """Whom the twin asked something with its last words."""
        last = next((turn for turn in reversed(before) if turn.who == "twin"), None)
        return last.speaker if last is not None and last.text.rstrip().endswith(("?", "？")) else ""

    def _heed(self, who: str, uttered: Uttered, ruling: Ruling) -> Reaction | None:
        """What is answered in fixed words. The guard sees every word, since a brain may be shown any."""
        meant = ruling.for_twin
        text = self._calling.without(uttered.text, self._company.others(who))
        consent = self._consenting.heard(who, text, for_twin=meant)
        guarded = self._screening.heard(uttered.text, typed=uttered.typed)
        if not meant:
            return consent
        reaction = together(consent, guarded, self._screening.found)
        if reaction is None or self._company.alone:
            return reaction
        # One person's words do not send it away from all the others.
        return replace(reaction, lines=tuple(replace(line, goodbye=False) for line in reaction.lines))
