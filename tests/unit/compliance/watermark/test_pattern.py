"""The keyed pattern: the same for whoever has the key, coin tosses for all others; the token's code is linear."""

from __future__ import annotations

import numpy as np
import pytest

from compliance.watermark.layout import BANDS, PERIOD_SLOTS, PRESENCE, REST, SHORT, layers
from compliance.watermark.pattern import Signs, code, coded, presence, whole

KEYS = [bytes([number]) * 32 for number in range(1, 41)]


def likeness(one: Signs, other: Signs) -> float:
    """From -1 to 1, over the cells that both have."""
    cells = (one != 0) & (other != 0)
    return float((one[cells] * other[cells].astype(np.int64)).mean())


def chance(signs: Signs) -> float:
    """Five standard deviations of the likeness of independent tosses."""
    return float(5 / np.sqrt(np.count_nonzero(signs)))


def test_one_key_and_token_make_one_pattern_whenever_it_is_asked_for() -> None:
    before = presence(KEYS[0]).copy(), whole(KEYS[0], 0xDEADBEEF).copy()
    presence.cache_clear()
    code.cache_clear()
    whole.cache_clear()
    np.testing.assert_array_equal(presence(KEYS[0]), before[0])
    np.testing.assert_array_equal(whole(KEYS[0], 0xDEADBEEF), before[1])


def test_every_cell_is_louder_or_softer_and_about_as_often_the_one_as_the_other() -> None:
    for number, key in enumerate(KEYS[:8]):
        signs = whole(key, 0x9E3779B9 * number % (1 << 32))
        assert signs.shape == (PERIOD_SLOTS, BANDS)
        assert set(np.unique(signs)) == {-1, 1}
        assert abs(float(signs.mean())) < chance(signs)


def test_each_layer_has_its_own_cells() -> None:
    key = KEYS[0]
    np.testing.assert_array_equal(presence(key) != 0, layers() == PRESENCE)
    np.testing.assert_array_equal(code(key, SHORT)[0] != 0, layers() == SHORT)
    np.testing.assert_array_equal(code(key, REST, 0x1234)[0] != 0, layers() == REST)


def test_patterns_of_different_keys_have_nothing_in_common() -> None:
    patterns = [presence(key) for key in KEYS]
    worst = max(abs(likeness(one, other)) for n, one in enumerate(patterns) for other in patterns[:n])
    assert worst < chance(patterns[0])


def test_a_pattern_has_nothing_in_common_with_itself_at_another_slot() -> None:
    signs = presence(KEYS[0]).astype(np.float64)
    spectra = np.fft.rfft(signs, axis=0)
    # The sum over the bands of the circular correlation with itself, at every shift of slots.
    same = np.fft.irfft((spectra * spectra.conj()).sum(axis=1), PERIOD_SLOTS)
    assert same[0] == pytest.approx(np.count_nonzero(signs))
    assert np.abs(same[1:]).max() < 5 * np.sqrt(np.count_nonzero(signs))


def test_keys_that_differ_in_one_bit_are_as_different_as_any() -> None:
    other = bytes([KEYS[0][0] ^ 1]) + KEYS[0][1:]
    assert abs(likeness(presence(KEYS[0]), presence(other))) < chance(presence(other))
    assert abs(likeness(code(KEYS[0], SHORT)[0], code(other, SHORT)[0])) < chance(code(other, SHORT)[0])
    assert (code(KEYS[0], SHORT)[1] == code(other, SHORT)[1]).mean() < 0.01


def test_what_says_this_twin_does_not_depend_on_the_call() -> None:
    cells = layers() == PRESENCE
    for token in (0, 1, 0x12345678, 0xFFFFFFFF):
        np.testing.assert_array_equal(whole(KEYS[0], token)[cells], presence(KEYS[0])[cells])


def test_calls_with_the_same_first_half_differ_in_the_second_only() -> None:
    one, other = whole(KEYS[0], 0x1234_0001), whole(KEYS[0], 0x1234_8000)
    np.testing.assert_array_equal(one[layers() != REST], other[layers() != REST])
    rest = layers() == REST
    assert abs(likeness(one[rest], other[rest])) < chance(one[rest])


def test_the_second_half_of_a_token_has_a_code_of_its_own_for_every_first_half() -> None:
    one, other = code(KEYS[0], REST, 0x1234), code(KEYS[0], REST, 0x1235)
    assert abs(likeness(one[0], other[0])) < chance(one[0])
    assert (one[1] == other[1]).mean() < 0.01


@pytest.mark.parametrize("layer", [SHORT, REST])
def test_the_code_is_linear(layer: int) -> None:
    signs, masks = code(KEYS[0], layer)
    rng = np.random.default_rng(1)
    for one, other in rng.integers(0, 1 << 16, (50, 2)):
        product = coded(signs, masks, int(one)) * coded(signs, masks, int(other))
        np.testing.assert_array_equal(product, signs * coded(signs, masks, int(one ^ other)))
    np.testing.assert_array_equal(coded(signs, masks, 0), signs)


@pytest.mark.parametrize("layer", [SHORT, REST])
def test_its_words_are_nearly_orthogonal_all_of_them(layer: int) -> None:
    signs, masks = code(KEYS[0], layer)
    # As the code is linear, the likeness of any two words is that of one word and the word 0.
    cells = masks[signs != 0]
    words = np.arange(1, 1 << 16, dtype=np.uint16)
    odd = np.zeros(len(words), dtype=np.int64)
    for mask in cells:
        odd += np.bitwise_count(words & mask) & 1
    worst = float(np.abs(1 - 2 * odd / len(cells)).max())
    # Of 65,535 fair tosses of so many coins none goes further than this but once in ten million codes.
    assert worst < np.sqrt(2 * np.log(65_535 * 1e7) / len(cells))


def test_every_bit_of_a_token_is_in_the_pattern() -> None:
    for bit in range(32):
        changed = whole(KEYS[0], 0x5555AAAA) != whole(KEYS[0], 0x5555AAAA ^ (1 << bit))
        assert changed.any()
        assert not changed[layers() == PRESENCE].any()


def test_nobody_can_change_a_pattern() -> None:
    for signs in (presence(KEYS[0]), whole(KEYS[0], 7), *code(KEYS[0], SHORT)):
        with pytest.raises(ValueError, match="read-only"):
            signs[0, 0] = 1
