"""Dispatches as LiveKit's server keeps them: read, made anew, taken back."""

from __future__ import annotations

import asyncio
import logging
import time
from types import TracebackType
from typing import Any, Self

from agent.fleet.access import Access, library
from agent.fleet.keeping import ATTEMPT, Wish
from compliance.errors import EngineFailed, TwinError

logger = logging.getLogger(__name__)

REQUEST_S = 3.0
AT_ONCE = 8
TRIES = 3
PAUSE_S = 0.3
_NS = 1_000_000_000


class Wishes:
    """Those for one name of a twin. Used within `async with`; everything raises `EngineFailed` when the server
    does not answer or refuses."""

    def __init__(self, access: Access, agent_name: str) -> None:
        self._access = access
        self._agent_name = agent_name
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._api: Any = None
        self._http: Any = None
        self._client: Any = None

    async def __aenter__(self) -> Self:
        """Raises `EngineMissing`."""
        self._api = library("livekit.api", extra="livekit")
        self._http = library("aiohttp", extra="livekit")
        limit = self._http.ClientTimeout(total=REQUEST_S)
        url = self._access.url.replace("ws", "http", 1)
        self._client = self._api.LiveKitAPI(url, self._access.key, self._access.secret, timeout=limit)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def rooms(self, *names: str) -> list[str]:
        """The rooms there are now, or those of them that are named."""
        answer = await self._ask(self._client.room.list_rooms(self._api.ListRoomsRequest(names=names)))
        return [room.name for room in answer.rooms]

    async def all(self) -> list[Wish]:
        """Those of all rooms."""
        found = await asyncio.gather(*(self._of(room) for room in await self.rooms()))
        return [wish for wishes in found for wish in wishes]

    async def of(self, room: str) -> list[Wish]:
        """Those of one room; none for one that is over."""
        return await self._of(room) if await self.rooms(room) else []

    async def _of(self, room: str) -> list[Wish]:
        async with self._at_once:
            try:
                listed = await self._ask(self._client.agent_dispatch.list_dispatch(room))
            except EngineFailed:
                # Of a room that ended a moment ago the server does not say so: it does not answer at all.
                return []
        return [wish(dispatch, time.time_ns()) for dispatch in listed if dispatch.agent_name == self._agent_name]

    async def renew(self, old: Wish, attempt: int) -> None:
        """Send for the twin again: the new wish first, then the old one goes, so that one stands at any moment."""
        request = self._api.CreateAgentDispatchRequest(
            agent_name=self._agent_name,
            room=old.room,
            metadata=old.metadata,
            attributes={**old.attributes, ATTEMPT: str(attempt)},
        )
        await self._ask(self._client.agent_dispatch.create_dispatch(request))
        await self._delete(old.room, old.id)

    async def take_back(self, room: str, dispatch: str) -> None:
        """The twin has left for good. Tried again for a moment, and then left to those who look after rooms."""
        for attempt in range(TRIES):
            try:
                if await self.rooms(room):
                    await self._delete(room, dispatch)
                return
            except TwinError:
                await asyncio.sleep(PAUSE_S * (attempt + 1))
        logger.warning("a dispatch could not be taken back")

    async def _delete(self, room: str, dispatch: str) -> None:
        try:
            await self._ask(self._client.agent_dispatch.delete_dispatch(dispatch, room))
        except NotThere:
            return

    async def _ask(self, request: Any) -> Any:
        try:
            return await request
        except self._api.TwirpError as error:
            kind = NotThere if error.code == "not_found" else EngineFailed
            raise kind(f"LiveKit refused: {error.code}") from None
        except (self._http.ClientError, OSError, TimeoutError) as error:
            raise EngineFailed(f"LiveKit does not answer ({type(error).__name__})") from None


class NotThere(EngineFailed):
    """The room or the dispatch is over."""


def wish(dispatch: Any, now_ns: int) -> Wish:
    """What the server tells of one dispatch."""
    jobs = list(dispatch.state.jobs)
    begun = max((job.state.started_at for job in jobs), default=now_ns)
    return Wish(
        id=dispatch.id,
        room=dispatch.room,
        workers=tuple(job.state.worker_id for job in jobs),
        jobs=tuple(job.id for job in jobs),
        age_s=(now_ns - dispatch.state.created_at) / _NS,
        served_s=(now_ns - begun) / _NS,
        metadata=dispatch.metadata,
        attributes=dict(dispatch.attributes),
    )
