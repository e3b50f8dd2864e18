"""Keys of a telephone become one typed turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PAUSE_S = 2.0
MAX_KEYS = 32


class Dialled:
    """Keys are collected until `#` or a pause, unless `takes` takes those so far."""

    def __init__(self, on_turn: Callable[[str], None], takes: Callable[[str], bool] = lambda keys: False) -> None:
        self._on_turn = on_turn
        self._takes = takes
        self._keys = ""
        self._timer: asyncio.TimerHandle | None = None

    def press(self, key: str) -> None:
        self.stop()
        if key == "#":
            self._turn()
            return
        self._keys = (self._keys + key)[-MAX_KEYS:]
        if self._takes(self._keys):
            self._keys = ""
            return
        self._timer = asyncio.get_running_loop().call_later(PAUSE_S, self._turn)

    def stop(self) -> None:
        """Wait for no further key; those so far are kept."""
        if self._timer is not None:
            self._timer.cancel()

    def _turn(self) -> None:
        keys, self._keys = self._keys, ""
        if keys:
            self._on_turn(f"I pressed {' '.join(keys)}.")
