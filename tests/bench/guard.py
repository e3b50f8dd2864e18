"""What the guard adds to a turn, in milliseconds: on the way in, and per sentence on the way out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from persona import home
from persona.guard import Guard
from persona.prompt import Prompt, Turn, compose
from tests.bench import report
from tests.unit.persona.guarded import load

LIMIT_MS = 50
"""What the guard may add to a turn, in and out together."""
ROUNDS = 3
_TALK = (
    Turn("caller", "Hello, I have an old house near the mill."),
    Turn("twin", "Hello, what can I do for you?"),
)


async def measure(rounds: int = ROUNDS) -> dict[str, Any]:
    rows = await asyncio.to_thread(_rows, rounds)
    report.show("Guard: milliseconds added", rows)
    return {"limit_ms": LIMIT_MS, "rows": rows}


def _rows(rounds: int) -> list[dict[str, Any]]:
    guard = Guard(home.demo())
    begun = time.perf_counter()
    guard.of_call("en")
    warm = (time.perf_counter() - begun) * 1000
    words = [case["text"] for name in ("benign", "injections") for case in load(name)[name]]
    said = [(case["asked"], case["says"]) for case in load("harmless")["harmless"]]
    leaks = [(case["asked"], " ".join(case["says"])) for case in load("leaks")["leaks"]]
    prompts = {asked: _prompt(guard, asked) for asked, _ in (*said, *leaks)}
    heard, good, bad, turns = [], [], [], []
    for number in range(rounds):
        # The number makes every text a new one: what is measured is not the memory of the last round.
        heard += [_ms(_hear(guard, f"{text} {number}")) for text in words]
        good += [_ms(_check(guard, f"{text} {number}", prompts[asked])) for asked, text in said]
        bad += [_ms(_check(guard, f"{text} {number}", prompts[asked])) for asked, text in leaks]
        turns += [_ms(_turn(guard, asked, f"{text} {number}.", prompts[asked])) for asked, text in said]
    return [
        {"what": "read the rules of a call's language, once", "goal": "", "p50": round(warm, 1), "n": 1},
        {"what": "on the way in", "goal": "", **_summary(heard)},
        {"what": "a sentence on the way out, harmless", "goal": "~1", **_summary(good)},
        {"what": "a sentence on the way out, hostile", "goal": "", **_summary(bad)},
        {"what": "a turn: in, and three sentences out", "goal": f"<= {LIMIT_MS}", **_summary(turns)},
    ]


def _prompt(guard: Guard, asked: str) -> Prompt:
    return compose(guard.persona, (*_TALK, Turn("caller", asked or "Hello.")), language="en", today=guard.today())


def _hear(guard: Guard, text: str) -> Callable[[], object]:
    call = guard.of_call("en")
    return lambda: call.heard(text)


def _check(guard: Guard, text: str, shown: Prompt) -> Callable[[], object]:
    call = guard.of_call("en")
    return lambda: call.checked(text, shown, provenance="model")


def _turn(guard: Guard, asked: str, text: str, shown: Prompt) -> Callable[[], object]:
    call = guard.of_call("en")

    def turn() -> None:
        call.heard(f"{asked} {text}")
        for end in ("", " Is there anything else?", " I'll pass that on."):
            call.checked(text + end, shown, provenance="model")

    return turn


def _summary(values: list[float]) -> dict[str, float]:
    return {
        **{f"p{round(q * 100)}": round(report.quantile(values, q), 2) for q in (0.5, 0.95, 0.99)},
        "max": round(max(values), 2),
        "n": len(values),
    }


def _ms(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    report.save("guard", asyncio.run(measure()))
