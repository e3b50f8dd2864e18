"""The keeper: one in every worker, so that a room whose twin died gets another within seconds.

LiveKit's open server does not do this, and does not notice for twenty seconds that a participant was killed.
Workers of one name share a store: each shows there twice a second that it lives, and whoever misses the sign of
another looks up what that one had taken on. A claim in the store sees to it that one keeper alone sends for the
twin again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable

from agent.fleet.keeping import BEAT_S, Claims, Pulse, Wish, next_attempt, orphans
from agent.fleet.wishes import Wishes
from compliance.beats import Beats
from compliance.errors import TwinError
from compliance.vault import Vault

logger = logging.getLogger(__name__)

SCAN_S = 5.0
"""How often all rooms are looked through for wishes that nobody took."""
CLAIM_S = 3_600.0


class Keeper:
    """Beats for this worker and takes over from others. `beat` and `look` are one round; `run` goes on and on."""

    def __init__(
        self,
        vault: Vault,
        wishes: Wishes,
        group: str,
        *,
        attempts: int,
        jobs: Callable[[], Iterable[tuple[str, str]]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`jobs` gives what this worker serves now: the job and its room."""
        self.counters: Counter[str] = Counter()
        """served_anew, given_up, failed."""
        self.names: set[str] = set()
        """What the server calls this worker; another name after each reconnect, and each still has jobs."""
        self._vault = vault
        self._beats = Beats(vault, group)
        self._wishes = wishes
        self._attempts = attempts
        self._jobs = jobs
        self._now = now
        self._group = group
        self._pulse = Pulse()
        self._claims = Claims()
        self._served: dict[str, str] = {}
        self._ended: dict[str, str] = {}
        """Jobs of ours that ended, until it is known whether their wishes were taken back."""
        self._lost: frozenset[str] = frozenset()
        self._failing: set[str] = set()
        self._scanned = -SCAN_S

    @property
    def reachable(self) -> bool:
        """Whether the store and the server answered last time."""
        return not self._failing

    async def run(self) -> None:
        """Until cancelled. The beats wait for no server: a worker that waits for one is not lost."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._again(self.beat, "beat"), name="beat")
            both.create_task(self._again(self.look, "look"), name="look after rooms")

    async def beat(self) -> None:
        """Show that this worker lives, and see who does not. Raises `VaultError`."""
        self._lost = self._pulse.seen(await self._beats.beat(self.names), self._now()) - self.names

    async def look(self) -> None:
        """One round, after a beat. Raises `TwinError` when the store or the server does not answer."""
        lost = self._lost
        self._note_ended()
        if self._ended:
            await self._after_ours()
        if lost:
            await self._after(lost)
        # Without a name this worker takes nothing, and perhaps nobody does.
        if self.names and self._now() - self._scanned >= SCAN_S:
            self._scanned = self._now()
            wishes = await self._wishes.all()
            self._claims.only({wish.id for wish in wishes})
            await self._renew(orphans(wishes, lost))

    def took(self, job: str, room: str) -> None:
        """This worker serves it from now on, be it for less than a round."""
        self._served[job] = room

    async def leave(self) -> None:
        """This worker ends: what it could not finish goes to others. Raises `TwinError`."""
        self._note_ended()
        if self._ended:
            await self._after_ours()
        await self._beats.end(self.names)

    async def _again(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        while True:
            begun = self._now()
            try:
                await work()
                self._failing.discard(name)
            except TwinError as error:
                self.counters["failed"] += 1
                if name not in self._failing:
                    logger.error("rooms cannot be looked after", extra={"code": error.code})
                self._failing.add(name)
            await asyncio.sleep(max(0.0, BEAT_S - (self._now() - begun)))

    def _note_ended(self) -> None:
        serves = dict(self._jobs())
        self._ended.update((job, room) for job, room in self._served.items() if job not in serves)
        self._served = serves

    async def _after_ours(self) -> None:
        """A job that ended and left its wish standing did not end well."""
        for job, room in tuple(self._ended.items()):
            await self._renew(orphans(await self._wishes.of(room), (), {job}))
            del self._ended[job]

    async def _after(self, lost: Collection[str]) -> None:
        left = orphans(await self._wishes.all(), lost)
        if left:
            await self._renew(left)
        else:
            await self._beats.end(lost)

    async def _renew(self, left: Iterable[Wish]) -> None:
        await asyncio.gather(*(self._renew_one(wish) for wish in left))

    async def _renew_one(self, wish: Wish) -> None:
        attempt = next_attempt(wish, self._attempts)
        claim = self._claims.name(wish, self._now())
        if not await self._vault.spend_token(claim, time.time() + CLAIM_S):
            return
        if attempt is None:
            self.counters["given_up"] += 1
            logger.error("a room ends whoever serves it; it is left alone")
            await self._wishes.take_back(wish.room, wish.id)
            return
        await self._wishes.renew(wish, attempt)
        self.counters["served_anew"] += 1
        logger.info("a room gets another twin", extra={"attempt": attempt})
