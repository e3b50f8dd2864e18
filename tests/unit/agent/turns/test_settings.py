"""How the twin takes turns."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.turns.settings import TurnSettings


def test_the_defaults_are_in_order() -> None:
    settings = TurnSettings()
    assert settings.onset_ms < settings.offset_ms < settings.complete_ms < settings.end_of_turn_ms


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"complete_ms": 700}, "complete_ms must not be longer"),
        ({"offset_ms": 500}, "offset_ms must not be longer"),
        ({"threshold": 1.0}, "less than 1"),
        ({"decide_ms": 50}, "greater than or equal to 100"),
        ({"end_of_turn": 500}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TurnSettings.model_validate(values)


def test_they_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TurnSettings().decide_ms = 400  # type: ignore[misc]
