from channels.camera.playout import Playout

RATE_HZ = 48_000
MS = RATE_HZ // 1000


def test_nothing_is_heard_before_the_server_says_so() -> None:
    playout = Playout(RATE_HZ)
    playout.gave(60 * MS, now=1.0)
    assert playout.heard(10.0) == 0
    assert playout.lead_ms(10.0) == 60


def test_between_reports_time_goes_on() -> None:
    playout = Playout(RATE_HZ)
    playout.gave(60 * MS, now=1.0)
    playout.report(60 * MS, 20 * MS, 10 * MS, now=1.0)
    assert playout.heard(1.0) == 10 * MS
    assert playout.heard(1.02) == 30 * MS
    assert playout.lead_ms(1.02) == 30


def test_what_was_not_given_is_not_heard_however_late_it_is() -> None:
    playout = Playout(RATE_HZ)
    playout.gave(60 * MS, now=1.0)
    playout.report(60 * MS, 20 * MS, 10 * MS, now=1.0)
    assert playout.heard(9.0) == 60 * MS
    assert playout.lead_ms(9.0) == 0


def test_a_report_that_is_behind_takes_nothing_back() -> None:
    playout = Playout(RATE_HZ)
    playout.gave(60 * MS, now=1.0)
    playout.report(60 * MS, 40 * MS, 0, now=1.0)
    assert playout.heard(1.01) == 50 * MS
    playout.report(60 * MS, 41 * MS, 0, now=1.01)
    assert playout.heard(1.01) == 50 * MS


def test_cleared_it_ends_where_the_server_has_read_to() -> None:
    playout = Playout(RATE_HZ)
    playout.gave(60 * MS, now=1.0)
    playout.report(60 * MS, 20 * MS, 10 * MS, now=1.0)
    # What the device holds still sounds.
    assert playout.clear(1.01) == 30 * MS
    assert playout.lead_ms(1.01) == 0
    assert playout.heard(5.0) == 30 * MS, "nobody has said what became of it"


def test_after_a_clear_the_server_counts_on_and_so_do_we() -> None:
    playout = Playout(RATE_HZ)
    playout.gave(60 * MS, now=1.0)
    playout.report(60 * MS, 20 * MS, 0, now=1.0)
    playout.clear(1.0)
    # The server threw 40 ms away, so its count is 40 ms behind the clock's from now on.
    playout.report(20 * MS, 20 * MS, 0, now=1.001)
    playout.gave(60 * MS, now=1.0)
    playout.report(80 * MS, 50 * MS, 10 * MS, now=1.04)
    assert playout.heard(1.04) == (60 + 30 - 10) * MS
    assert playout.lead_ms(1.04) == 40


def test_cleared_twice_before_the_server_answers() -> None:
    playout = Playout(RATE_HZ)
    playout.gave(60 * MS, now=1.0)
    playout.report(60 * MS, 30 * MS, 0, now=1.0)
    assert playout.clear(1.0) == 30 * MS
    playout.gave(20 * MS, now=1.0)
    assert playout.clear(1.0) == 30 * MS
    playout.report(30 * MS, 30 * MS, 0, now=1.01)
    playout.gave(20 * MS, now=1.0)
    playout.report(50 * MS, 40 * MS, 0, now=1.02)
    assert playout.heard(1.02) == 90 * MS


def test_run_dry_it_plays_nothing_before_it_was_given() -> None:
    playout = Playout(RATE_HZ)
    playout.gave(20 * MS, now=1.0)
    playout.report(20 * MS, 10 * MS, 0, now=1.0)
    assert playout.heard(1.5) == 20 * MS
    playout.gave(40 * MS, now=1.5)
    assert playout.heard(1.5) == 20 * MS
    assert playout.heard(1.52) == 40 * MS
