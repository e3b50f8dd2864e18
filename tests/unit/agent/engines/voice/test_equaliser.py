"""The filter: its levels, its lack of delay, and the same result however the sound is cut."""

from __future__ import annotations

import numpy as np
import pytest

from agent.engines.voice.equaliser import Equaliser, difference_db, minimum_phase
from persona.voice.shape import BANDS_HZ

RATE_HZ = 22050


def test_it_has_the_levels_that_were_asked() -> None:
    levels = [6.0 * np.sin(band / 3) for band in range(20)]
    taps = minimum_phase(levels, RATE_HZ)
    response = 20 * np.log10(np.abs(np.fft.rfft(taps, 8192)))
    hertz = np.fft.rfftfreq(8192, 1 / RATE_HZ)
    centres = np.sqrt(np.array(BANDS_HZ[:-1]) * np.array(BANDS_HZ[1:]))

    # Below 300 Hz a band is narrower than so short a filter can tell.
    errors = [
        abs(np.interp(c, hertz, response) - level) for c, level in zip(centres, levels, strict=True) if c > 300
    ]
    assert max(errors) < 1.5


def test_its_sound_comes_at_once() -> None:
    taps = minimum_phase([6.0, -6.0] * 10, RATE_HZ)

    assert np.argmax(np.abs(taps)) <= 2
    assert np.sum(taps[:20] ** 2) > 0.8 * np.sum(taps**2)


def test_pieces_give_what_the_whole_gives() -> None:
    chance = np.random.default_rng(3)
    pcm = chance.integers(-9000, 9000, 5000).astype(np.int16)
    taps = minimum_phase([3.0] * 10 + [-3.0] * 10, RATE_HZ)
    whole = Equaliser(taps).feed(pcm)
    pieces = Equaliser(taps)
    cut = np.sort(chance.integers(0, 5000, 12))

    assert len(whole) == 5000
    np.testing.assert_allclose(
        np.concatenate([pieces.feed(part) for part in np.split(pcm, cut)]), whole, atol=1e-6
    )


def test_a_difference_is_bounded_and_leaves_the_unknown_alone() -> None:
    levels = difference_db((30.0, -30.0, None, 0.0), (0.0, 0.0, 5.0, None))

    assert levels == pytest.approx((12.0, -12.0, 0.0, 0.0))
    assert difference_db((None,), (1.0,)) == (0.0,)
