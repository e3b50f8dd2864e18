"""A flood is counted in full and logged in part."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from channels.twilio.refusals import LINES_A_MINUTE, Refusals


def test_a_flood_costs_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    counters: Counter[str] = Counter()
    time = 1_000.0
    refusals = Refusals(counters, lambda: time)
    with caplog.at_level(logging.WARNING):
        for _ in range(5_000):
            refusals.add("bad_message", "The message is not JSON.")
        assert len(caplog.records) == LINES_A_MINUTE
        time += 60
        refusals.add("bad_message", "The message is not JSON.")

    assert counters["bad_message"] == 5_001
    assert caplog.records[-1].__dict__["not_logged_before"] == 5_000 - LINES_A_MINUTE
