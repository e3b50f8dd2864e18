from __future__ import annotations

import pytest

from compliance.retention import DAY_MS, KINDS, Kept, Kind, due, period_ms
from compliance.settings import RetentionSettings

SETTINGS = RetentionSettings(audio_days=30, transcript_days=90, message_days=365, evidence_days=2_190)
NOW_MS = 10_000 * DAY_MS


def test_each_kind_goes_on_the_day_its_period_ends() -> None:
    for kind in KINDS:
        since_ms = NOW_MS - period_ms(kind, SETTINGS)
        assert [entry.id for entry in due([Kept(kind, "1", since_ms)], SETTINGS, NOW_MS)] == ["1"]
        assert due([Kept(kind, "1", since_ms + 1)], SETTINGS, NOW_MS) == ()


@pytest.mark.parametrize(
    ("kind", "days"), [("recording", 30), ("words", 90), ("message", 365), ("evidence", 2_190)]
)
def test_the_reason_names_the_setting(kind: Kind, days: int) -> None:
    (entry,) = due([Kept(kind, "1", 0, call_id="CA1")], SETTINGS, NOW_MS)
    assert entry.why == f"older than {days} days"
    assert entry.call_id == "CA1"


def test_nothing_goes_that_is_held_needed_or_going_on() -> None:
    kept = [
        Kept("words", "held", 0, held=True),
        Kept("call", "needed", 0, needed=True),
        Kept("recording", "live", None),
    ]
    assert due(kept, SETTINGS, NOW_MS) == ()


def test_zero_days_deletes_at_the_next_sweep() -> None:
    settings = RetentionSettings(audio_days=0)
    assert len(due([Kept("recording", "1", NOW_MS)], settings, NOW_MS)) == 1


def test_what_hangs_on_something_goes_before_it() -> None:
    kept = [Kept(kind, "1", 0) for kind in reversed(KINDS)]
    assert [entry.kind for entry in due(kept, SETTINGS, NOW_MS)] == list(KINDS)
