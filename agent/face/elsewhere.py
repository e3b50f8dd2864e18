"""Faces that are drawn elsewhere: by the user's own program, an avatar worker in a LiveKit room, or a service.

    Elsewhere.cover(call, stage) -> Ahead ... Mailbox -> Source.play -> Ahead.take

All have one shape: a `Source` is told what a call will say, and its pictures come back labelled by it. While there
are none, and when the source dies, the call's own stage is shown; see `avatar.ahead`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.face.elsewhere_options import Options
from agent.face.mailbox import Mailbox
from avatar.ahead import Ahead, Lead
from avatar.stage import Stage
from compliance.errors import EngineError

logger = logging.getLogger(__name__)

TROUBLE = "The face that was chosen cannot be shown at the moment, so a simpler one is."
AGAIN_S = (1.0, 3.0, 10.0, 30.0)
"""How long to wait before a source is tried again for a call; then it is given up."""
STEADY_S = 60.0
"""A source that served so long begins anew with its tries."""
MAX_LEFT = 1_000
CLOSE_LIMIT_S = 5.0


class Source(Protocol):
    """What draws."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None:
        """Load what calls share. Raises `EngineMissing`, `EngineFailed` or `EngineTimeout`."""
        ...

    async def close(self) -> None:
        """Free it within 5 s; safe to call twice."""
        ...

    async def play(self, mailbox: Mailbox, ahead: Ahead, rate_hz: int, call_id: str) -> None:
        """Draw one call's face until it is cancelled: read the mailbox, give `ahead` the pictures, and set
        `ahead.alive` while they come. Speech in the mailbox is at `rate_hz`. Raises `EngineError` when it cannot
        go on; it may be called again then. Every wait in it has a limit."""
        ...


@dataclass(slots=True)
class _Shown:
    ahead: Ahead
    playing: asyncio.Task[None] | None = None


class Elsewhere:
    """`start` before serving, `close` after; `cover` where a call's face is made, `leave` when it is over."""

    def __init__(self, options: Options, secrets: Mapping[str, str], *, source: Source | None = None) -> None:
        """`secrets` are the providers' keys by the names of their variables. Raises `EngineMissing` for one that
        is not there."""
        self._source = source or made(options, secrets)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shown: dict[str, _Shown] = {}
        self._left: deque[str] = deque(maxlen=MAX_LEFT)
        self._before: Counter[str] = Counter()
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """The engine's."""
        return self._source.name

    @property
    def shown(self) -> Counter[str]:
        """Frames of all calls: how many were `speech` and `idle` of the source, and how many the `cover`."""
        return sum((shown.ahead.shown for shown in tuple(self._shown.values())), Counter(self._before))

    async def start(self) -> None:
        """Load what calls share; may take as long as `ready_s`. Raises `EngineError`."""
        self._loop = asyncio.get_running_loop()
        await self._source.start()

    async def close(self) -> None:
        """End all of it within limits. Safe to call twice."""
        ending = {shown.playing for shown in self._shown.values() if shown.playing is not None} | self._ending
        for call_id in tuple(self._shown):
            self.leave(call_id)
        if ending:
            # A session that is left open goes on being paid for.
            await asyncio.wait(ending, timeout=CLOSE_LIMIT_S)
        await self._source.close()
        self._loop = None

    def cover(
        self,
        call_id: str,
        stage: Stage,
        rate_hz: int,
        *,
        tell: Callable[[str], None] = lambda text: None,
        allowed: Callable[[], bool] = lambda: True,
        lead: Lead | None = None,
    ) -> Ahead | Stage:
        """A call's face on a clock of `rate_hz`, on any thread. `stage` is shown where the source has no picture.

        `tell` is told once, on the loop, when the source does not serve. `allowed` is asked for every frame
        whether this likeness may be shown; see `Ahead`. A call that is over, or had a face before, gets the stage
        alone.
        """
        loop = self._loop
        if loop is None or call_id in self._shown or call_id in self._left:
            return stage
        mailbox = Mailbox(loop)
        ahead = Ahead(stage, mailbox, rate_hz=rate_hz, lead=lead, alive=False, allowed=allowed)
        self._shown[call_id] = _Shown(ahead)
        loop.call_soon_threadsafe(self._begin, call_id, mailbox, rate_hz, tell)
        return ahead

    def leave(self, call_id: str) -> None:
        """The call is over. On the loop; safe when it had no face."""
        self._left.append(call_id)
        shown = self._shown.pop(call_id, None)
        if shown is None:
            return
        self._before.update(shown.ahead.shown)
        if shown.playing is not None:
            shown.playing.cancel()
            self._ending.add(shown.playing)
            shown.playing.add_done_callback(self._ending.discard)

    def _begin(self, call_id: str, mailbox: Mailbox, rate_hz: int, tell: Callable[[str], None]) -> None:
        shown = self._shown.get(call_id)
        if shown is not None:
            shown.playing = asyncio.create_task(
                self._play(shown.ahead, mailbox, rate_hz, call_id, tell), name=f"face by {self.name}"
            )

    async def _play(
        self, ahead: Ahead, mailbox: Mailbox, rate_hz: int, call_id: str, tell: Callable[[str], None]
    ) -> None:
        """Have the source draw, again and again while it fails, but not for ever."""
        loop = asyncio.get_running_loop()
        tries, told = 0, False
        while True:
            began_s = loop.time()
            try:
                await self._source.play(mailbox, ahead, rate_hz, call_id)
                why = "it ended"
            except EngineError as error:
                why = error.code
            except Exception as error:  # noqa: BLE001  services raise what they like; the call goes on without them
                why = type(error).__name__
            finally:
                ahead.lost()
            if not told:
                told = True
                tell(TROUBLE)
            tries = 1 if loop.time() - began_s > STEADY_S else tries + 1
            logger.warning("a face is not drawn", extra={"engine": self.name, "why": why, "tries": tries})
            if tries > len(AGAIN_S):
                return
            await asyncio.sleep(AGAIN_S[tries - 1])
            mailbox.empty()


def made(options: Options, secrets: Mapping[str, str]) -> Source:
    """The source that the options name. Raises `EngineMissing` for a key that is not there."""
    if options.engine == "neural":
        from agent.face.neural.program import Program

        return Program(options)
    if options.engine == "livekit_avatar":
        from agent.face.hosted.livekit_avatar import LiveKitAvatars

        return LiveKitAvatars(options, secrets)
    from agent.face.hosted.services import Services

    return Services(options, secrets)
