"""JSON in its one canonical spelling (RFC 8785), so that two programs sign and hash the same bytes."""

from __future__ import annotations

import json
from typing import Any

_LARGEST = 2**53 - 1


def canonical(value: Any) -> bytes:
    """The value as UTF-8: members in order, no spaces. Raises `ValueError` for what has no canonical form.

    That is: numbers other than whole ones up to 2^53 - 1 (none of ours has a fraction), lone surrogates, and
    anything that JSON does not know.
    """
    return _text(value).encode("utf-8")


def _text(value: Any) -> str:
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            if abs(value) > _LARGEST:
                raise ValueError("A number is too large for canonical JSON.")
            return str(value)
        case list() | tuple():
            return "[" + ",".join(map(_text, value)) + "]"
        case dict():
            if not all(isinstance(name, str) for name in value):
                raise ValueError("The names in a JSON object are strings.")
            members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
            return "{" + ",".join(f"{_text(name)}:{_text(member)}" for name, member in members) + "}"
    raise ValueError(f"{type(value).__name__} has no canonical JSON.")
