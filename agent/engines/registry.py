"""All engines by name: their cards, and making the chosen one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.engines.base import Card, Engine, EngineConfig, Kind, importable, install
from compliance.errors import EngineMissing, SettingsError

if TYPE_CHECKING:
    from agent.settings import EngineSection

_MODULES = (
    "agent.engines.speech.whisper",
    "agent.engines.speech.pocketsphinx",
    "agent.engines.speech.deepgram",
    "agent.engines.speech.openai",
    "agent.engines.speech.pipecat",
    "agent.engines.brain.grounded",
    "agent.engines.brain.openai",
    "agent.engines.brain.pipecat",
    "agent.engines.voice.espeak",
    "agent.engines.voice.openai",
    "agent.engines.voice.piper_http",
    "agent.engines.voice.served",
    "agent.engines.voice.pipecat",
)


@cache
def cards() -> dict[tuple[Kind, str], Card]:
    """Every engine there is. The modules are light: an engine's own libraries load when it is made."""
    found: dict[tuple[Kind, str], Card] = {}
    for name in _MODULES:
        module = import_module(name)
        own: tuple[Card, ...] = (module.CARD,) if hasattr(module, "CARD") else tuple(module.CARDS)
        for card in own:
            found.setdefault((card.kind, card.name), card)
    return found


def card(kind: Kind, name: str) -> Card:
    """The card of an engine. Raises `SettingsError` that lists the names there are."""
    try:
        return cards()[kind, name]
    except KeyError:
        names = ", ".join(sorted(n for k, n in cards() if k == kind))
        raise SettingsError(
            f"[{kind}] engine = {name!r}: there is none of that name; choose from {names}"
        ) from None


def missing(card: Card, environment: Mapping[str, str]) -> list[str]:
    """What the engine still needs, each as the thing to do; empty when nothing."""
    needs = [f"set {key} in the environment or the home's .env" for key in card.keys if not environment.get(key)]
    if not all(importable(module) for module in card.modules):
        needs.append(install(card.extra) if card.extra else "make run")
    return needs


def make(
    kind: Kind, name: str, section: EngineSection, environment: Mapping[str, str], *, cache: Path, language: str
) -> Any:
    """Make the engine. Nothing is loaded yet. Raises `EngineMissing` or `SettingsError`."""
    chosen = card(kind, name)
    needs = missing(chosen, environment)
    # A server on the own machine asks for no key.
    needs = [need for need in needs if not (need.startswith("set ") and section.base_url)]
    if needs:
        raise EngineMissing(f"[{kind}] engine = {name!r} needs: {'; '.join(needs)}")
    config = EngineConfig(
        name=name,
        model=section.model,
        base_url=section.base_url or environment.get(f"{name.upper()}_BASE_URL", ""),
        voice=getattr(section, "voice", ""),
        language=language,
        options=section.options,
        secrets={key: environment[key] for key in _secrets(chosen, environment)},
        cache=cache,
        first_token_timeout_s=getattr(section, "first_token_timeout_s", 1.5),
        total_timeout_s=getattr(section, "total_timeout_s", 30.0),
    )
    module, _, attribute = chosen.factory.partition(":")
    factory: Callable[[EngineConfig], Engine] = getattr(import_module(module), attribute)
    return factory(config)


def _secrets(card: Card, environment: Mapping[str, str]) -> list[str]:
    provider = f"{card.name.upper()}_API_KEY"
    return [key for key in dict.fromkeys((*card.keys, provider)) if environment.get(key)]
