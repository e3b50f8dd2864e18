"""How lively a face is."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from avatar.temper import Temper


@pytest.mark.parametrize("field", sorted(Temper.model_fields))
def test_nothing_beyond_human_is_taken(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Temper(**{field: 100.0})
    with pytest.raises(ValidationError, match=field):
        Temper(**{field: -1.0})


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="grin"):
        Temper(grin=1.0)  # type: ignore[call-arg]
