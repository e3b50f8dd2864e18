from __future__ import annotations

import numpy as np
import pytest

from compliance.console.playback import MAX_RANGE_BYTES, Range, silenced, wanted

SIZE = 5_000_000


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, Range(0, MAX_RANGE_BYTES - 1)),
        ("bytes=0-", Range(0, MAX_RANGE_BYTES - 1)),
        ("bytes=100-199", Range(100, 199)),
        ("bytes=-100", Range(SIZE - 100, SIZE - 1)),
        ("bytes=4999990-9999999", Range(4_999_990, SIZE - 1)),
        ("bytes=1-2,5-6", Range(0, MAX_RANGE_BYTES - 1)),
        ("lines=1-2", Range(0, MAX_RANGE_BYTES - 1)),
        ("bytes=5000000-", None),
        ("bytes=7-3", None),
        ("bytes=-", None),
        ("bytes=-0", None),
        ("bytes=" + "9" * 400 + "-", Range(0, MAX_RANGE_BYTES - 1)),
    ],
)
def test_a_browser_gets_the_range_it_asks_for_and_never_more_than_a_piece(
    header: str | None, part: Range | None
) -> None:
    assert wanted(header, SIZE) == part


def test_nothing_can_be_had_of_an_empty_file() -> None:
    assert wanted("bytes=0-", 0) is None


def test_only_what_is_audible_sounds_to_the_sample() -> None:
    rate_hz, start_s = 1_000, 7.0
    whole = np.full((4_000, 2), 5_000, "<i2")
    open_ = ((7.5005, 8.0), (9.9005, 20.0))
    quiet = np.frombuffer(
        silenced(whole.tobytes(), first_frame=0, rate_hz=rate_hz, start_s=start_s, audible=open_), "<i2"
    ).reshape(-1, 2)

    loud = np.flatnonzero(quiet[:, 0])
    assert np.array_equal(loud, [*range(501, 1_000), *range(2_901, 4_000)]), "rounded inwards"
    assert np.array_equal(quiet[:, 0], quiet[:, 1])


def test_pieces_are_silent_where_the_whole_is() -> None:
    whole = (np.arange(8_000, dtype="<i2") + 1).reshape(-1, 2)
    open_ = ((0.1, 0.7), (1.3, 1.31), (3.0, 3.9))
    at_once = silenced(whole.tobytes(), first_frame=0, rate_hz=1_000, start_s=0.0, audible=open_)
    pieces = b"".join(
        silenced(whole[n : n + 333].tobytes(), first_frame=n, rate_hz=1_000, start_s=0.0, audible=open_)
        for n in range(0, len(whole), 333)
    )

    assert pieces == at_once


def test_nothing_is_audible_without_a_line() -> None:
    pcm = np.full(2_000, 9, "<i2").tobytes()
    assert silenced(pcm, first_frame=0, rate_hz=1_000, start_s=0.0, audible=()) == bytes(4_000)
