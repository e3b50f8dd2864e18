"""What a look may be, and the one that a name gets."""

from __future__ import annotations

import pytest

from avatar.illustrated.look import CHOICES, Look


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_a_wrong_part_is_refused_with_what_it_can_be(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is one of .*{CHOICES[name][-1]}.*; got 'tartan'"):
        Look(**{name: "tartan"})  # type: ignore[arg-type]


@pytest.mark.parametrize("age", [-0.1, 1.1, float("nan"), "old", True])
def test_a_wrong_age_is_refused(age: object) -> None:
    with pytest.raises(ValueError, match="age is a number from 0 to 1"):
        Look(age=age)  # type: ignore[arg-type]


def test_there_is_enough_to_choose_from() -> None:
    for name, least in {"skin": 8, "hair": 8, "hair_colour": 8, "face": 4, "clothes": 5, "background": 5}.items():
        assert len(set(CHOICES[name])) >= least


def test_a_name_always_gets_the_same_look() -> None:
    assert Look.of("Ada Lovelace") == Look.of("  ada LOVELACE ")


def test_names_get_looks_of_all_kinds() -> None:
    looks = [Look.of(f"person {i}") for i in range(300)]
    assert len(set(looks)) > 290
    for part in ("skin", "face", "hair", "glasses", "clothes", "background"):
        assert len({getattr(look, part) for look in looks}) >= 3


def test_settings_make_the_same_look_again() -> None:
    look = Look.of("anybody")
    assert Look(**look.as_settings()) == look  # type: ignore[arg-type]


def test_nobody_gets_a_beard_or_lipstick_by_their_name() -> None:
    looks = [Look.of(f"person {i}") for i in range(100)]
    assert {(look.beard, look.lipstick) for look in looks} == {("none", "none")}
