"""What every service that comes through Pipecat needs, a brain's or a voice's: its class and its keys."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from agent.engines.base import Card, EngineConfig, install
from compliance.errors import EngineMissing


def service_class(card: Card, module: str, cls: str) -> Any:
    """The class `cls` of `pipecat.services.<module>`; raises `EngineMissing` with what to install."""
    try:
        return getattr(import_module(f"pipecat.services.{module}"), cls)
    except ImportError:
        raise EngineMissing(f"{card.kind} {card.name}: {install(card.extra)}") from None


def key_of(card: Card, key: str, config: EngineConfig, *, self_hosted: bool) -> str:
    """The secret `key`; empty only for a service that the user hosts, else raises `EngineMissing`."""
    value = config.secrets.get(key, "")
    if not value and not self_hosted:
        raise EngineMissing(f"{card.kind} {card.name}: set {key}")
    return value
