"""Which call's audio the one model decodes next. Pure: time is passed in.

Never a queue of audio: a call has at most one wish, and when its turn comes all audio it has by then is
decoded. A call whose speaker fell silent goes first, for somebody waits for the answer; then the one that
waited longest, so that no call starves another.
"""

from __future__ import annotations

from dataclasses import dataclass

PARTIAL_EVERY_S = 0.5
"""Between the beginnings of two decodes of one call while its speaker speaks."""


@dataclass(slots=True)
class _Wish:
    due_s: float
    since_s: float
    final: bool


class Schedule:
    """Wishes by call; at most one decode under way."""

    def __init__(self, *, every_s: float = PARTIAL_EVERY_S) -> None:
        self._every_s = every_s
        self._wishes: dict[int, _Wish] = {}
        self._begun_s: dict[int, float] = {}

    def want(self, call: int, now_s: float, *, final: bool = False) -> None:
        """There is audio to decode: soon, or (`final`) at once."""
        earliest_s = self._begun_s.get(call, now_s) + self._every_s
        due_s = now_s if final else max(now_s, earliest_s)
        wish = self._wishes.get(call)
        if wish is None:
            self._wishes[call] = _Wish(due_s, now_s, final)
        elif final and not wish.final:
            wish.final, wish.due_s, wish.since_s = True, now_s, now_s

    def drop(self, call: int) -> None:
        """The call has nothing to decode any more."""
        self._wishes.pop(call, None)
        self._begun_s.pop(call, None)

    def next(self, now_s: float) -> tuple[int, bool] | None:
        """The call to decode now and whether it is final; its wish is taken."""
        due = [(not wish.final, wish.since_s, call) for call, wish in self._wishes.items() if wish.due_s <= now_s]
        if not due:
            return None
        not_final, _, call = min(due)
        del self._wishes[call]
        self._begun_s[call] = now_s
        return call, not not_final

    def due_in(self, now_s: float) -> float | None:
        """Seconds until `next` has something; None when there is no wish."""
        if not self._wishes:
            return None
        return max(0.0, min(wish.due_s for wish in self._wishes.values()) - now_s)
