"""The probe of NVIDIA's encoder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from avatar.render import nvenc


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    nvenc.answers.cache_clear()
    yield
    nvenc.answers.cache_clear()


def test_it_gives_an_answer_and_no_error() -> None:
    assert nvenc.answers() in (True, False)


def test_it_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = nvenc.answers()
    monkeypatch.setattr(nvenc, "CODEC", "no such codec")
    assert nvenc.answers() is first


def test_a_build_without_it_answers_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvenc, "CODEC", "no such codec")
    assert nvenc.answers() is False


def test_an_encoder_that_works_answers_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvenc, "CODEC", "libx264")
    assert nvenc.answers() is True
