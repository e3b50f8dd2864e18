"""The twin's raised hand: why it is up, and until when. Shown in the chat, in the room and on the picture."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.conversation import HeardTurn
from channels.call import Call
from channels.view import View


class Hand:
    """One meeting's. Up for one thing at a time: the newest."""

    def __init__(
        self,
        call: Call,
        face: Callable[[], View | None],
        record: Callable[[str, dict[str, object]], None],
        *,
        keep_s: float,
    ) -> None:
        self._call = call
        self._face = face
        self._record = record
        self._keep_s = keep_s
        self._timer: asyncio.TimerHandle | None = None
        self.turn: HeardTurn | None = None
        """What it would answer; None while it is down."""

    def up(self, turn: HeardTurn, text: str) -> None:
        """Raise it; `text` says so in the chat, unless it was up already."""
        was_up, self.turn = self.turn is not None, turn
        self._keep()
        if was_up:
            return
        if self._call.room is not None:
            self._call.room.write(text)
        self._show(raised=True)

    def down(self) -> HeardTurn | None:
        """Lower it; what it was up for."""
        turn, self.turn = self.turn, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if turn is not None:
            self._show(raised=False)
        return turn

    def _keep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._keep_s, self.down)

    def _show(self, *, raised: bool) -> None:
        self._record("hand", {"raised": raised})
        if self._call.room is not None:
            self._call.room.raise_hand(raised)
        view = self._face()
        if view is not None:
            view.raised = raised
