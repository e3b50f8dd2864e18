"""What `[memory]` may say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from persona.memory.settings import MemorySettings


def test_without_a_word_it_remembers_in_the_home_and_asks_before_the_end() -> None:
    settings = MemorySettings()
    assert (settings.enabled, settings.ask, settings.store, settings.embedder) == (
        True,
        "leaving",
        "sqlite",
        "local",
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"store": "Qdrant!"}, "one of mem0's vector stores"),
        ({"options": {"path": "/elsewhere"}}, "takes only busy_s"),
        ({"embedder_url": "127.0.0.1:11434"}, "must be a base URL"),
        ({"ask": "always"}, "leaving"),
        ({"most": 0}, "greater than or equal to 1"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        MemorySettings(**given)


def test_it_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        MemorySettings().most = 3  # type: ignore[misc]
