"""What the twin knows, searched: how often the right one of 5,000 statements is among five found, and how fast."""

from __future__ import annotations

import asyncio
import time
from datetime import date
from typing import Any

from persona.caller import STRANGER
from persona.knowledge import Knowledge
from persona.memory.embedder import Embedder, LocalEmbedder
from tests.bench import report
from tests.unit.persona.generated import HALVES, Half, Material, material

STATEMENTS = 5000
QUESTIONS = 1200
FOUND = 5
DAY = date(2026, 5, 5)


async def measure(statements: int = STATEMENTS, questions: int = QUESTIONS) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for language in ("en", "de"):
        made = material(language, statements=statements, questions=questions)
        for embedder in (None, LocalEmbedder()):
            began = time.perf_counter()
            knowledge = Knowledge(made.persona, embedder=embedder)
            built_s = time.perf_counter() - began
            rows += [searched(language, half, made, knowledge, embedder, built_s) for half in HALVES]
    report.show(f"Knowledge: {statements} statements, {FOUND} found, one core", rows)
    return {"rows": rows, "statements": statements, "found": FOUND}


def searched(
    language: str, half: Half, made: Material, knowledge: Knowledge, embedder: Embedder | None, built_s: float
) -> dict[str, Any]:
    """One half of the questions: what was tuned on, or what counts."""
    took_ms, cpu_ms = [], []
    first = among = 0
    for question in made.of(half):
        wall, cpu = time.perf_counter(), time.thread_time()
        found = knowledge.search(question.text, today=DAY, caller=STRANGER, limit=FOUND)
        cpu_ms.append(1000 * (time.thread_time() - cpu))
        took_ms.append(1000 * (time.perf_counter() - wall))
        right = [each.entry is made.persona.statements[question.entry] for each in found]
        among += any(right)
        first += right[:1] == [True]
    asked = len(took_ms)
    return {
        "language": language,
        "half": half,
        "embedder": embedder.name if embedder else "none",
        "recall@5": round(among / asked, 3),
        "recall@1": round(first / asked, 3),
        **{f"p{q}_ms": round(report.quantile(took_ms, q / 100), 2) for q in (50, 99)},
        "p99_cpu_ms": round(report.quantile(cpu_ms, 0.99), 2),
        "build_s": round(built_s, 1),
        "questions": asked,
    }


if __name__ == "__main__":
    report.save("knowledge", asyncio.run(measure()))
