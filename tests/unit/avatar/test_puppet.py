"""A puppet's pieces are checked when they are made."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avatar.puppet import Layer
from tests.unit.avatar.puppets import checker_head


@pytest.fixture
def layer() -> Layer:
    return next(layer for layer in checker_head(128, 128).layers if layer.name == "jaw")


def test_fields_fit_the_box(layer: Layer) -> None:
    with pytest.raises(ValueError, match="layer jaw: fields"):
        dataclasses.replace(layer, fields=layer.fields[:, :-1])
    with pytest.raises(ValueError, match="layer jaw: rigid"):
        dataclasses.replace(layer, rigid=layer.rigid[:-1])


def test_there_is_a_field_for_each_control(layer: Layer) -> None:
    with pytest.raises(ValueError, match="layer jaw: fields"):
        dataclasses.replace(layer, controls=layer.controls[:-1])


@pytest.mark.parametrize("early", [-1, 5])
def test_only_fields_that_there_are_can_be_early(layer: Layer, early: int) -> None:
    with pytest.raises(ValueError, match="cannot be early"):
        dataclasses.replace(layer, early=early)


def test_an_image_has_alpha(layer: Layer) -> None:
    with pytest.raises(ValueError, match="not RGBA"):
        dataclasses.replace(layer, image=layer.image[..., :3])
    with pytest.raises(ValueError, match="not RGBA"):
        dataclasses.replace(layer, image=layer.image.astype(np.float32))


def test_a_puppet_is_as_large_as_its_plate() -> None:
    puppet = checker_head(128, 96)
    assert (puppet.width, puppet.height) == (128, 96)
