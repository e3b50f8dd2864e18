"""Where the mark is: bands that share the telephone's frequencies, and layers that share the cells."""

from __future__ import annotations

import numpy as np
import pytest

from compliance.watermark import layout
from compliance.watermark.layout import (
    BANDS,
    HIGH_HZ,
    LAYER_SLOTS,
    LOW_HZ,
    PERIOD_SLOTS,
    PRESENCE,
    RATES_HZ,
    REST,
    SHORT,
    SLOT_MS,
    band_shapes,
    layers,
    slot_samples,
)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_slot_is_a_whole_number_of_samples(rate_hz: int) -> None:
    assert slot_samples(rate_hz) * 1000 == rate_hz * SLOT_MS


def test_every_cell_has_one_layer_and_the_layers_repeat_within_the_period() -> None:
    found = layers()
    assert found.shape == (PERIOD_SLOTS, BANDS)
    assert set(np.unique(found)) == {PRESENCE, SHORT, REST}
    assert PERIOD_SLOTS % LAYER_SLOTS == 0
    np.testing.assert_array_equal(found, np.tile(found[:LAYER_SLOTS], (PERIOD_SLOTS // LAYER_SLOTS, 1)))


@pytest.mark.parametrize("layer", [PRESENCE, SHORT, REST])
def test_every_layer_sees_every_band_and_about_as_often(layer: int) -> None:
    shares = (layers() == layer).mean(axis=0)
    assert shares.min() > 0
    assert shares.max() - shares.min() < 0.1


@pytest.mark.parametrize("layer", [PRESENCE, SHORT, REST])
def test_every_layer_has_cells_enough_for_its_code(layer: int) -> None:
    """Fewer than four cells for a bit would not tell 65,536 words apart, however loud they were."""
    assert np.count_nonzero(layers() == layer) > 4 * 16


def test_nobody_can_change_the_layers() -> None:
    with pytest.raises(ValueError, match="read-only"):
        layers()[0, 0] = REST


def test_the_bands_together_cover_what_a_telephone_carries_and_nothing_else() -> None:
    frequencies_hz = np.linspace(0, 4000, 8001)
    shapes = band_shapes(frequencies_hz)
    soft = layout.EDGE * (HIGH_HZ - LOW_HZ) / BANDS
    total = shapes.sum(axis=0)
    inside = (frequencies_hz > LOW_HZ + soft) & (frequencies_hz < HIGH_HZ - soft)
    outside = (frequencies_hz < LOW_HZ - soft) | (frequencies_hz > HIGH_HZ + soft)
    assert shapes.shape == (BANDS, 8001)
    assert (shapes.min(), shapes.max()) == (0, pytest.approx(1))
    np.testing.assert_allclose(total[inside], 1, atol=1e-9)
    np.testing.assert_array_equal(total[outside], 0)


def test_a_band_is_whole_in_its_middle_and_knows_only_its_neighbours() -> None:
    edges = np.linspace(LOW_HZ, HIGH_HZ, BANDS + 1)
    np.testing.assert_allclose(band_shapes((edges[1:] + edges[:-1]) / 2), np.eye(BANDS), atol=1e-12)
    both = band_shapes(edges[1:-1])
    assert ((both > 0).sum(axis=0) == 2).all()
    np.testing.assert_allclose(both.max(axis=0), 0.5)
