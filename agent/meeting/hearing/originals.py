"""Whose words they are: a person's own, another's in their microphone, or the twin's out of their loudspeaker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

from agent.meeting.hearing.copies import Taken, is_copy, may_become_copy
from agent.meeting.hearing.own import OwnVoice
from agent.meeting.hearing.take import Take
from channels.clock import Clock

WAIT_S = 1.2
"""How long words wait for the louder microphone's of what sounds like the same voice."""
RECENT_MS = 10_000
"""What was said is compared with for so long: a copy comes within moments."""


class Originals:
    """What was told of late, to compare with. `unsettled` gives the utterances whose words are not told yet."""

    def __init__(self, own: OwnVoice, clock: Clock, unsettled: Callable[[], Sequence[Take]]) -> None:
        self._own = own
        self._clock = clock
        self._unsettled = unsettled
        self._recent: list[Taken] = []

    async def whose(self, take: Take) -> Literal["theirs", "another", "twin"]:
        """Takes no longer than `WAIT_S`. Without words it is nobody's, unless it sounds like the twin."""
        mine = self._taken(take)
        if self._own.echoes(mine) if take.text else self._own.sounds_like(mine):
            return "twin"
        if not take.text or await self._turns_out_a_copy(mine):
            return "another"
        self._recent.append(mine)
        return "theirs"

    def tick(self) -> None:
        """Time has passed: nothing is kept for longer than it is needed."""
        old = self._clock.position - self._clock.samples(RECENT_MS)
        if self._recent and self._recent[0].end < old:
            self._recent = [other for other in self._recent if other.end >= old]

    async def _turns_out_a_copy(self, mine: Taken) -> bool:
        """Whether another's louder microphone has the same; waits for its words when it sounds like that."""
        clock_hz = self._clock.rate_hz
        deadline = asyncio.get_running_loop().time() + WAIT_S
        while True:
            unsettled = [(take, self._taken(take)) for take in self._unsettled() if take.who != mine.who]
            others = (*self._recent, *(other for _, other in unsettled))
            if any(is_copy(mine, other, clock_hz) for other in others):
                return True
            louder = next((take for take, other in unsettled if may_become_copy(mine, other, clock_hz)), None)
            if louder is None:
                return False
            try:
                async with asyncio.timeout_at(deadline):
                    await louder.settled.wait()
            except TimeoutError:
                return False

    def _taken(self, take: Take) -> Taken:
        return take.taken(self._clock.rate_hz, self._clock.position)
