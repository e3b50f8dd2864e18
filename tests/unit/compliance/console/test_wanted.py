from __future__ import annotations

from urllib.parse import parse_qs

from compliance.console.wanted import Wanted


def test_what_is_unknown_is_left_out() -> None:
    given = {"channel": "pigeon", "language": "xx", "sound": "maybe", "since": "soon", "until": "2026-13-40"}

    assert Wanted.of(given, owner=True) == Wanted()
    assert not Wanted.of(given, owner=True).any


def test_only_an_owner_asks_for_one_caller() -> None:
    assert Wanted.of({"who": "+4930901820"}, owner=True).who == "+4930901820"
    assert Wanted.of({"who": "+4930901820"}, owner=False).who == ""


def test_the_last_day_is_in() -> None:
    wanted = Wanted.of({"since": "2026-11-18", "until": "2026-11-18"}, owner=True)

    assert wanted.since_ms is not None
    assert wanted.until_ms is not None
    assert 23 * 3_600_000 <= wanted.until_ms - wanted.since_ms <= 25 * 3_600_000, "a day, whatever the clocks do"


def test_the_next_page_has_the_same_filters() -> None:
    wanted = Wanted.of({"channel": "phone", "q": " lamp & more ", "sound": "yes"}, owner=True)

    assert parse_qs(wanted.older_than("CA1")) == {
        "channel": ["phone"],
        "q": ["lamp & more"],
        "sound": ["yes"],
        "before": ["CA1"],
    }
