"""Everybody in a meeting is heard: each by themselves, and as many at once as there are recognisers.

inlets -> guests (voice activity) -> takes -> scribes (recognition) -> originals (no copy, no echo) -> `on`
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Literal

from agent.engines.base import Speech
from agent.meeting.events import HallEvent
from agent.meeting.hearing.guest import Guest
from agent.meeting.hearing.originals import Originals
from agent.meeting.hearing.own import OwnVoice
from agent.meeting.hearing.scribe import Scribe
from agent.meeting.hearing.scribes import Scribes
from agent.meeting.hearing.settings import HearingSettings
from agent.meeting.hearing.take import Take
from agent.meeting.hearing.teller import Teller
from agent.turns.settings import TurnSettings
from channels.clock import Clock
from channels.inlet import InletListener

logger = logging.getLogger(__name__)

BEAT_S = 0.1
"""How often it looks whether somebody has waited too long."""
AT_A_TIME = 8
"""Pieces of sound worked off before the loop is let go: with six people, some milliseconds."""
MOST_TAKES = 3
"""Of one person, whose words are not there yet."""
CLOSE_LIMIT_S = 4.0


class Hall:
    """What people say in a meeting, as `HallEvent`s.

    `Began` and `Fell` alternate for each person; `Began` comes again when they go on within the same utterance.
    Every utterance ends in one `Uttered` or `Unheard`, also of those who leave in its middle, and also when it
    was a copy of another's or the twin's own voice: that is `Unheard` too. Of a microphone that has given back
    the twin before, such an utterance is not told at all. One of more than 30 s is cut: `Uttered`, and `Began` at
    once. What is typed or dialled is one `Uttered`.

    The outlet must be watched by `own`, or the twin may hear itself.
    """

    def __init__(
        self,
        engines: Sequence[Speech],
        *,
        clock: Clock,
        language: str,
        turns: TurnSettings,
        settings: HearingSettings,
        on: Callable[[HallEvent], None],
        on_deaf: Callable[[], None],
        on_fallback: Callable[[str, str], None],
        takes_keys: Callable[[str, str], bool] = lambda identity, keys: False,
        rate_hz: int = 16_000,
    ) -> None:
        """`on` is called on the loop, in order for each person; it must be quick and must not raise. `on_deaf`:
        no engine works for anybody. `takes_keys`: whether somebody's keys so far are an answer already used."""
        self.own = OwnVoice(clock, rate_hz)
        self._clock = clock
        self._turns = turns
        self._patience_samples = clock.samples(settings.patience_s * 1000)
        self._teller = Teller(on, self.own, clock)
        self._takes_keys = takes_keys
        self._rate_hz = rate_hz
        self._guests: dict[str, Guest] = {}
        self._scribes = Scribes(
            engines,
            clock=clock,
            rate_hz=rate_hz,
            language=language,
            settings=settings,
            give=self._given,
            on_words=self._guessed,
            on_deaf=on_deaf,
            on_fallback=on_fallback,
        )
        self._originals = Originals(self.own, clock, lambda: self.unsettled)
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    @property
    def crowded(self) -> int:
        """Utterances that nobody listened to."""
        return self._teller.crowded

    @property
    def dropped_bytes(self) -> int:
        """Sound of those who are here that came faster than it could be worked off."""
        return sum(guest.dropped_bytes for guest in self._guests.values())

    @property
    def unsettled(self) -> list[Take]:
        """What was said and is not told yet."""
        return [take for guest in self._guests.values() for take in guest.takes]

    async def start(self) -> None:
        self._listening = asyncio.create_task(self._listen(), name="hall")

    async def close(self) -> None:
        """Nothing is told from now on; takes at most some seconds, and is safe to call twice."""
        self._teller.closed = True
        for guest in self._guests.values():
            guest.close()
        tasks = [*self._tasks, *([self._listening] if self._listening else [])]
        for task in tasks:
            task.cancel()
        await asyncio.wait(
            [*tasks, asyncio.create_task(self._scribes.close(), name="scribes close")], timeout=CLOSE_LIMIT_S
        )
        self._listening = None

    def enter(self, identity: str) -> InletListener:
        """Somebody is there. Entering again gives the same listener, as long as they did not leave."""
        guest = self._guests.get(identity)
        if guest is None:
            guest = self._guests[identity] = Guest(
                identity,
                self,
                self._clock,
                self._turns,
                rate_hz=self._rate_hz,
                takes_keys=lambda keys: self._takes_keys(identity, keys),
            )
        if guest.left:
            guest.left = False
            guest.mute(False)
        return guest

    def leave(self, identity: str) -> None:
        """They are gone; what they said until now is still told."""
        if (guest := self._guests.get(identity)) is not None:
            guest.stop()
            guest.left = True
            self._forget(guest)

    def muted(self, identity: str, muted: bool) -> None:
        if (guest := self._guests.get(identity)) is not None:
            guest.mute(muted)

    def beat(self) -> None:
        """See who has waited too long. It is called ten times a second; a test may call it."""
        for guest in tuple(self._guests.values()):
            guest.look()
            if guest.take is not None:
                self._teller.look(guest.take)
            self._give_up_late(guest)
        self._scribes.tick()
        self._originals.tick()

    # what the guests say

    def wake(self) -> None:
        self._wake.set()

    def typed(self, guest: Guest, text: str) -> None:
        self._teller.typed(guest.who, text)

    def began(self, guest: Guest, at: int) -> None:
        if guest.take is not None:
            guest.take.speaking = True
            self._teller.began(guest.take, at)
            self._hint(guest.take)
            self._serve(guest)

    def fell(self, guest: Guest, at: int, silent_ms: float) -> None:
        if guest.take is not None:
            guest.take.speaking = False
            self._teller.fell(guest.take, at, silent_ms)
            self._hint(guest.take)

    def sounded(self, guest: Guest, pcm: bytes) -> None:
        if guest.take is not None and (scribe := self._scribes.of(guest.who)):
            scribe.feed(guest.take, pcm)

    def ended(self, guest: Guest, take: Take) -> None:
        take.over.set()
        if len(guest.takes) > MOST_TAKES:
            # The oldest is being recognised; of those that wait, the newest matter most.
            self._unheard(guest, guest.takes[1], crowded=True)

    # who is recognised

    def _hint(self, take: Take) -> None:
        if scribe := self._scribes.of(take.who):
            scribe.hint(take)

    def _serve(self, guest: Guest) -> None:
        if guest.takes and not guest.served and not self._teller.closed:
            self._scribes.wants(guest.who)

    def _given(self, who: str, scribe: Scribe) -> None:
        guest = self._guests[who]
        guest.served = True
        task = asyncio.create_task(self._take_down(guest, scribe), name="take down")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take_down(self, guest: Guest, scribe: Scribe) -> None:
        """The oldest of their utterances, from its first sound until it is told."""
        take = guest.takes[0]
        try:
            take.text = await scribe.words(take)
        except Exception as error:  # noqa: BLE001  a defect of an engine costs these words and no others
            logger.warning("recogniser failed", extra={"engine": scribe.engine, "error": type(error).__name__})
        # The place is free while the words wait for those of a louder microphone.
        self._scribes.rests(guest.who)
        whose: Literal["theirs", "another", "twin"] = "another"
        try:
            whose = await self._originals.whose(take)
        except Exception as error:  # noqa: BLE001  nor does a defect in comparing sounds make anybody unheard for good
            logger.error("sounds could not be compared", extra={"error": type(error).__name__})
        if whose == "theirs":
            self._drop(guest, take)
            self._teller.uttered(take)
        else:
            if whose == "twin":
                self._teller.echoed(guest.who)
            self._unheard(guest, take, crowded=scribe.deaf and not take.text)
        guest.served = False
        self._serve(guest)
        self._forget(guest)

    def _guessed(self, take: Take, text: str) -> None:
        guest = self._guests.get(take.who)
        if guest is None or not text.strip() or text == take.text:
            return
        take.text = text
        if guest.take is take:
            guest.guessed(text)
        self._teller.guessed(take, text)

    def _unheard(self, guest: Guest, take: Take, *, crowded: bool) -> None:
        self._drop(guest, take)
        self._teller.unheard(take, crowded=crowded)

    def _drop(self, guest: Guest, take: Take) -> None:
        take.settled.set()
        if take in guest.takes:
            guest.takes.remove(take)

    def _give_up_late(self, guest: Guest) -> None:
        """What was said too long ago, and nobody was free to listen."""
        while guest.takes and self._scribes.waits(guest.who):
            take = guest.takes[0]
            if not take.over.is_set() or self._clock.position - take.over_at < self._patience_samples:
                return
            self._unheard(guest, take, crowded=True)
            if not guest.takes:
                self._scribes.gone(guest.who)
                self._forget(guest)

    def _forget(self, guest: Guest) -> None:
        """Keep nothing of who has left and has been heard out."""
        if guest.left and not guest.takes and self._guests.get(guest.who) is guest:
            guest.close()
            del self._guests[guest.who]
            self._teller.forget(guest.who)
            self._scribes.gone(guest.who)

    # the loop

    async def _listen(self) -> None:
        while True:
            try:
                async with asyncio.timeout(BEAT_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            worked = 0
            while heard := [guest for guest in tuple(self._guests.values()) if guest.hear()]:
                worked += len(heard)
                if worked >= AT_A_TIME:
                    worked = 0
                    await asyncio.sleep(0)
            self.beat()
