"""The question without the call."""

from __future__ import annotations

import pytest

from agent.meeting.addressee import Names
from agent.meeting.calling import Calling

NAMES = Names("Martin Alder", called=("Martin",), twin=("Robo",))


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Martin's twin, what are your opening hours?", "what are your opening hours?"),
        ("@twin how much is a workshop?", "how much is a workshop?"),
        ("Hey Robo, where is the office?", "where is the office?"),
        ("What are your hours, Martin's twin?", "What are your hours?"),
        ("When is the next train?", "When is the next train?"),
        ("Anna, when is the next train?", "Anna, when is the next train?"),
        ("Robo?", "Robo?"),
        ("", ""),
    ],
)
def test_what_is_asked(said: str, asked: str) -> None:
    assert Calling(NAMES, "en").without(said, ("Anna Berg",)) == asked


def test_what_only_speaks_of_the_twin_stays() -> None:
    text = "I think Martin's twin will send it."
    assert Calling(NAMES, "en").without(text, ("Anna Berg",)) == text


def test_german_too() -> None:
    names = Names("Martin Alder", called=("Martin",))
    bare = Calling(names, "de").without("Zwilling, wann habt ihr offen?", ("Anna",))
    assert bare == "wann habt ihr offen?"
