"""The token is read by one transform, and only when chance would not have read it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from compliance.watermark.embedder import Embedder
from compliance.watermark.layout import BANDS, PERIOD_SLOTS, REST, SHORT, layers
from compliance.watermark.pattern import whole
from compliance.watermark.payload import CERTAIN, WORDS, read_rest, read_short, transformed
from tests.bench.watermark.words import best_words
from tests.speech.make import load

KEY = bytes(range(32))
TOKEN = 0xBEEF1234

Evidence = NDArray[np.float32]
Places = NDArray[np.int64]


def heard(
    slots: int, *, token: int = TOKEN, loud: float = 1.0, first: int = 400, seed: int = 1
) -> tuple[Evidence, Places]:
    """Cells of a call from a slot on, in noise of variance 1."""
    places = (first + np.arange(slots)) % PERIOD_SLOTS
    signs = whole(KEY, token)[places]
    evidence = loud * signs + np.random.default_rng(seed).standard_normal((slots, BANDS))
    return evidence.astype(np.float32), places


@pytest.mark.parametrize("bits", [0, 1, 2, 6])
def test_the_transform_is_what_its_definition_says(bits: int) -> None:
    size = 1 << bits
    values = np.random.default_rng(bits).standard_normal(size)
    slow = [
        sum(value * (-1) ** (index & mask).bit_count() for index, value in enumerate(values))
        for mask in range(size)
    ]
    np.testing.assert_allclose(transformed(values), slow, atol=1e-9)


def test_the_transform_of_all_words_is_its_own_inverse_and_leaves_its_input_alone() -> None:
    values = np.random.default_rng(1).standard_normal(WORDS)
    before = values.copy()
    once = transformed(values)
    np.testing.assert_array_equal(values, before)
    np.testing.assert_allclose(transformed(once) / WORDS, values, atol=1e-9)
    assert np.square(once).sum() == pytest.approx(WORDS * np.square(values).sum())


@pytest.mark.parametrize("token", [0, 1, 0x8000_0001, 0xFFFF_FFFF, TOKEN, 0x0001_8000])
def test_any_token_is_read_out_of_noise(token: int) -> None:
    evidence, places = heard(400, token=token)
    short = read_short(KEY, evidence, places)
    rest = read_rest(KEY, short.bits, evidence, places)
    assert (short.bits, rest.bits) == (token >> 16, token & 0xFFFF)
    assert short.certain
    assert rest.certain


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e4])
def test_how_large_the_evidence_is_does_not_matter(factor: float) -> None:
    evidence, places = heard(200, loud=0.6)
    plain, scaled = read_short(KEY, evidence, places), read_short(KEY, np.float32(factor) * evidence, places)
    assert scaled.bits == plain.bits
    assert np.log(scaled.chance) == pytest.approx(np.log(plain.chance), rel=1e-3)


def test_more_is_surer() -> None:
    chances = [read_short(KEY, *heard(slots)).chance for slots in (20, 80, 320)]
    assert chances[0] > chances[1] > chances[2]
    assert chances[2] < CERTAIN


def test_what_comes_again_in_a_later_period_counts_together() -> None:
    """Three periods, each too faint for itself."""
    parts = [heard(PERIOD_SLOTS, loud=0.15, seed=seed) for seed in range(12)]
    alone = [read_rest(KEY, TOKEN >> 16, *part) for part in parts]
    together = read_rest(
        KEY, TOKEN >> 16, np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    )
    assert not all(word.certain for word in alone)
    assert together.bits == TOKEN & 0xFFFF
    assert together.certain
    assert together.chance < min(word.chance for word in alone)


def test_cells_that_are_not_of_the_layer_do_not_matter() -> None:
    evidence, places = heard(200)
    other = np.where(layers()[places] == SHORT, evidence, np.float32(1e4))
    assert read_short(KEY, other, places) == read_short(KEY, evidence, places)
    other = np.where(layers()[places] == REST, evidence, np.float32(-1e4))
    assert read_rest(KEY, TOKEN >> 16, other, places) == read_rest(KEY, TOKEN >> 16, evidence, places)


@pytest.mark.parametrize("slots", [1, 3, 400])
def test_silence_says_no_word(slots: int) -> None:
    word = read_short(KEY, np.zeros((slots, BANDS), np.float32), np.arange(slots))
    assert word.chance == 1.0
    assert not word.certain


def test_a_few_cells_are_never_enough() -> None:
    """However loud: with so few tosses many words agree with all of them."""
    evidence = 1e6 * whole(KEY, TOKEN)[:2].astype(np.float32)
    assert not read_short(KEY, evidence, np.arange(2)).certain


def test_of_noise_no_word_is_certain_and_chances_are_no_smaller_than_they_say() -> None:
    rng = np.random.default_rng(8)
    chances = []
    for number in range(150):
        evidence = rng.standard_t(3, (130, BANDS)).astype(np.float32)
        chances.append(read_short(number.to_bytes(32, "big"), evidence, np.arange(130)).chance)
    for limit in (0.5, 0.1, 0.02):
        most = limit * len(chances)
        assert sum(chance <= limit for chance in chances) <= most + 4 * np.sqrt(most)
    assert min(chances) > CERTAIN


def test_with_another_key_or_another_first_half_no_word_is_certain() -> None:
    evidence, places = heard(400)
    assert not read_short(KEY[::-1], evidence, places).certain
    assert not read_rest(KEY, (TOKEN >> 16) ^ 1, evidence, places).certain


def test_cells_in_the_wrong_place_say_nothing() -> None:
    evidence, places = heard(400)
    assert not read_short(KEY, evidence, (places + 1) % PERIOD_SLOTS).certain


def test_of_what_was_marked_no_word_is_told_at_another_place_or_with_another_key() -> None:
    said = np.frombuffer(load("long_story"), np.int16)
    marked = Embedder(KEY, TOKEN, 16_000).process(np.resize(said, 160_000)).astype(np.float32) / np.float32(32_768)
    (told,) = np.flatnonzero(best_words(marked, 16_000, KEY)[::2] <= CERTAIN)
    assert told == 0
    assert best_words(marked, 16_000, KEY[::-1]).min() > CERTAIN
