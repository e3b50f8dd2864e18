"""Further keys of a settings section, as fields of a Pipecat service's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from compliance.errors import SettingsError


def as_fields(
    section: str, name: str, settings: type[Any], options: Mapping[str, str], *, taken: set[str]
) -> dict[str, Any]:
    """The options by field, numbers and yes or no read as such. Raises `SettingsError` for one that is none.

    `settings` is the service's dataclass; what is `taken` is set elsewhere.
    """
    own = {f.name for f in fields(settings) if f.init} - taken - {"extra"}
    for key in options:
        if key not in own:
            known = ", ".join(sorted(own)) or "none"
            raise SettingsError(f"[{section}] {name} has no setting {key!r}; it has {known}")
    return {key: _value(text) for key, text in options.items()}


def _value(text: str) -> bool | int | float | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
