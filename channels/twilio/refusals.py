"""Who was refused and why: counted always, logged seldom."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

logger = logging.getLogger(__name__)

LINES_A_MINUTE = 20


class Refusals:
    """One for the process. A flood of bad requests costs `LINES_A_MINUTE` lines, however many they are."""

    def __init__(self, counters: Counter[str], now: Callable[[], float]) -> None:
        self._counters = counters
        self._now = now
        self._minute_began = 0.0
        self._lines = 0
        self._suppressed = 0

    def add(self, kind: str, why: str) -> None:
        """`kind` names the counter; `why` is one of our own fixed texts, so that nothing personal is logged."""
        self._counters[kind] += 1
        now = self._now()
        if now - self._minute_began >= 60:
            self._minute_began, self._lines = now, 0
        if self._lines == LINES_A_MINUTE:
            self._suppressed += 1
            return
        self._lines += 1
        suppressed, self._suppressed = self._suppressed, 0
        logger.warning("refused", extra={"kind": kind, "why": why, "not_logged_before": suppressed})
