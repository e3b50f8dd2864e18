"""The sets on which the guard is measured, as data, and how they are tried."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from persona import home
from persona.caller import STRANGER, Caller
from persona.guard import CallGuard, Guard
from persona.prompt import Prompt, Turn, compose

FOLDER = Path(__file__).parent
DAY = date(2026, 11, 22)
PERSONA = home.demo()
GUARD = Guard(PERSONA)
TUNING, SCORING = slice(0, None, 2), slice(1, None, 2)


@cache
def load(name: str) -> dict[str, Any]:
    """One of the sets."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))


def prompt(asked: str, language: str = "en", caller: Caller = STRANGER) -> Prompt:
    """What a brain is shown when `asked` is all that the caller has said."""
    return compose(PERSONA, (Turn("caller", asked or "Hello."),), language=language, today=DAY, caller=caller)


def spoken(guard: CallGuard, says: list[str], shown: Prompt) -> tuple[list[str], int]:
    """What sounds when a model says these sentences, and how many of them were stopped."""
    checked = [guard.checked(sentence, shown, provenance="model") for sentence in says]
    return [one.text for one in checked if one.text], sum(bool(one.findings) for one in checked)


def passes_a_leak(case: dict[str, Any]) -> bool:
    """Whether a leak in one sentence sounds as it was said, or one in several is completed."""
    _, stopped = spoken(GUARD.of_call("en"), case["says"], prompt(case["asked"]))
    return stopped == 0


def blocks(language: str, text: str) -> bool:
    """Whether something harmless that a caller says is not let through."""
    heard = GUARD.of_call(language).heard(text)
    return bool(heard.findings)


def spoils(case: dict[str, Any]) -> bool:
    """Whether a harmless sentence of the twin is replaced."""
    guard = GUARD.of_call(case["language"])
    return spoken(guard, [case["says"]], prompt(case["asked"], case["language"]))[1] > 0


def unheard(case: dict[str, Any]) -> bool:
    """Whether an injection comes in as if nothing were wrong with it."""
    heard = GUARD.of_call(case["language"]).heard(case["text"], source=case["source"])
    return not heard.findings


def obeyed(case: dict[str, Any], answers: list[str]) -> bool:
    """Whether anything passes that a model says which was shown the injection and obeys it."""
    for answer in answers:
        guard = GUARD.of_call(case["language"])
        guard.heard(case["text"], source=case["source"])
        asked = case["text"] if case["source"] in ("speech", "chat") else "Hello, when are you open?"
        if spoken(guard, [answer], prompt(asked, case["language"]))[1] == 0:
            return True
    return False


def obeyed_unheard(case: dict[str, Any], answers: list[str]) -> bool:
    """The same, when the injection was not recognised on its way in."""
    asked = case["text"] if case["source"] in ("speech", "chat") else "Hello, when are you open?"
    return any(
        spoken(GUARD.of_call(case["language"]), [answer], prompt(asked, case["language"]))[1] == 0
        for answer in answers
    )
