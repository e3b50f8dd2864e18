"""A call's token: 32 bits, of which the high 16 are what ten seconds tell."""

from __future__ import annotations

from datetime import date

import pytest

from compliance.watermark.token import CallToken, draw

DAY = date(2026, 11, 22)


def test_it_is_written_as_its_day_and_its_bits() -> None:
    assert CallToken(DAY, 3, 0x00C0FFEE).text == "20261122-00c0ffee"


def test_its_short_is_the_high_half() -> None:
    assert CallToken(DAY, 1, 0xBEEF1234).short == 0xBEEF


def test_a_drawn_one_has_the_short_that_was_given_and_another_low_half_each_time() -> None:
    drawn = {draw(0xBEEF) for _ in range(200)}
    assert {bits >> 16 for bits in drawn} == {0xBEEF}
    assert len(drawn) > 150


@pytest.mark.parametrize("bits", [-1, 1 << 32])
def test_more_than_32_bits_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="32 bits"):
        CallToken(DAY, 1, bits)
