"""One recording, as the call that makes it sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from compliance.errors import VaultError
from compliance.sound.tape import Tape


class Recording:
    """One recording that is being made. Its methods return at once and never raise; one thread calls them."""

    def __init__(
        self,
        recording_id: str,
        call_id: str,
        tape: Tape,
        *,
        wake: Callable[[], None],
        regret: Callable[[], asyncio.Future[bool]],
    ) -> None:
        """`wake`: something is due at once. `regret`: delete it although it has settled."""
        self.id = recording_id
        self.call_id = call_id
        self.unwanted = False
        """It is deleted as soon as it has stopped."""
        self._tape = tape
        self._wake = wake
        self._regret = regret
        self._running = True
        self._kept: asyncio.Future[bool] | None = None

    @property
    def running(self) -> bool:
        """Whether sound is still taken."""
        return self._running and not self._tape.done.done()

    @property
    def dropped(self) -> int:
        """Pieces of sound that were lost because the disk could not keep up."""
        return self._tape.dropped

    def twin(self, pcm: bytes, position: int) -> None:
        """What left the outlet at `position`: int16 mono at the outlet's rate."""
        if self._running:
            self._tape.put("twin", pcm, position)

    def caller(self, pcm: bytes, position: int) -> None:
        """What arrived when the outlet's clock was at `position`: int16 mono at the inlet's rate."""
        if self._running:
            self._tape.put("caller", pcm, position)

    def unheard(self, begin: int, end: int) -> None:
        """The wire threw the twin's samples at these positions away, unheard: they are kept as silence."""
        if self._running:
            self._tape.unheard(begin, end)

    def stop(self) -> None:
        """Take no more: what was put by now is the last that is stored."""
        if self._running:
            self._running = False
            self._tape.end()
            self._wake()

    def delete(self) -> None:
        """Stop, and leave no readable byte, unless the call is on hold."""
        self.stop()
        if not self.unwanted:
            self.unwanted = True
            if self._kept is not None and self._kept.done():
                self._kept = self._regret()

    def kept_by(self, task: asyncio.Future[bool]) -> None:
        """Who writes down how it ended, and whether anything stays."""
        self._kept = task

    async def settled(self) -> bool:
        """Wait, after `stop` or `delete`, until it is done; false when the recording is gone."""
        if self._kept is None:
            raise VaultError("The recording was not started.")
        return await asyncio.shield(self._kept)
