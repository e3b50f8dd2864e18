"""Who watches the way out: told what will sound, what sounds and what never will, in plain values."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from channels.pending import Span
from channels.spoken import Spoken

logger = logging.getLogger(__name__)


class Onlooker(Protocol):
    """Told by the outlet in the order in which things happen, on the loop. Must be quick."""

    def expected(self, spoken: Spoken) -> None:
        """A piece of speech was taken and waits to leave; pieces of an utterance come in order."""
        ...

    def sounded(self, position: int, spans: Sequence[Span]) -> None:
        """A chunk that begins at `position` leaves now, and these parts of what was expected are in it. It comes
        with every chunk; without spans the chunk is silence or the end of a fade."""
        ...

    def stopped(self, position: int) -> None:
        """Held: from `position` on nothing sounds until `sounded` comes with spans again."""
        ...

    def dropped(self, position: int, epoch: int) -> None:
        """`epoch` has begun, or the door has failed: what was expected and has not sounded by `position` never
        will."""
        ...


class Onlookers:
    """Tells several. One that raises is told nothing more: what watches the sound must not stop it."""

    def __init__(self) -> None:
        self._watching: list[Onlooker] = []

    def __bool__(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watching)

    def add(self, onlooker: Onlooker) -> None:
        self._watching.append(onlooker)

    def remove(self, onlooker: Onlooker) -> None:
        """Safe when it is not there."""
        if onlooker in self._watching:
            self._watching.remove(onlooker)

    def tell(self, what: Callable[[Onlooker], None]) -> None:
        for onlooker in tuple(self._watching):
            try:
                what(onlooker)
            except Exception as error:  # noqa: BLE001  whatever a watcher raises, the sound goes on
                self.remove(onlooker)
                logger.error(
                    "an onlooker of the outlet failed and is told no more",
                    extra={"onlooker": type(onlooker).__name__, "error": type(error).__name__},
                )
