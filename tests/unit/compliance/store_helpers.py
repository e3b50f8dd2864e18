"""Shared by the tests of the store: a turn, another process, and waiting for a condition."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from compliance.entries import TurnEntry, WordEntry

ROOT = Path(__file__).parents[3]
WAIT_S = 30.0


def heard(sequence: int, text: str, *, who: str = "caller") -> TurnEntry:
    words = tuple(WordEntry(word, i * 4800, i * 4800 + 4000) for i, word in enumerate(text.split()))
    return TurnEntry(
        sequence=sequence,
        who="twin" if who == "twin" else "caller",
        text=text,
        start_samples=0,
        end_samples=4800 * len(words),
        rate_hz=24_000,
        words=words,
    )


def run_python(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process of ours, with its output to read."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - the vault's thread has no event to wait for
            await asyncio.sleep(0.02)


def files_in(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def copy_files(folder: Path, target: Path) -> None:
    target.mkdir()
    for path in files_in(folder):
        if path.parent == folder:
            (target / path.name).write_bytes(path.read_bytes())
