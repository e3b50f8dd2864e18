"""One value, one spelling: the examples of RFC 8785."""

from __future__ import annotations

import json
from typing import Any

import pytest

from compliance.proofs.canonical import canonical


def test_names_are_sorted_as_utf_16() -> None:
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    assert list(json.loads(canonical(value)).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_texts_are_escaped_only_where_they_must_be() -> None:
    assert (
        canonical({"string": '\u20ac$\u000f\nA\'B"\\\\"/'})
        == '{"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()
    )


def test_the_rest_has_no_spaces() -> None:
    assert canonical({"b": [1, -2, True, None, ()], "a": {}}) == b'{"a":{},"b":[1,-2,true,null,[]]}'


@pytest.mark.parametrize("value", [1.5, float("nan"), 2**53, {1: "a"}, b"x", "\ud800", {"a": object()}])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)
