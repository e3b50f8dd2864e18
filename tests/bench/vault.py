"""What keeping costs: turns written and read, sealed under keys, on SQLite; and what a call's key costs."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from compliance.entries import TurnEntry, WordEntry
from compliance.search import Search
from compliance.settings import StoreSettings
from compliance.store.keys import Keys
from compliance.store.seal import open_sealed, seal
from compliance.vault import Vault
from tests.bench import report

CALLS = 200
TURNS = 25
TEXT = "I would like to know whether the delivery that was promised for Tuesday is on its way by now."


async def measure(calls: int = CALLS) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        rows = [*sealing(home / "keys"), *await storing(home / "store", calls)]
    report.show("Vault: microseconds for each, on SQLite", rows)
    return {"rows": rows, "calls": calls, "turns_each": TURNS}


def sealing(home: Path) -> list[dict[str, Any]]:
    """The parts, on this thread."""
    home.mkdir()
    keys = Keys(home, StoreSettings())
    keys.open(bound=None, apart_from=make_url("sqlite:////nowhere/twin.db"))
    plain, second = TEXT.encode(), bytes(64_000)
    sealed = seal(keys, plain, key_id="call", place="turns.sealed_text")
    try:
        return [
            row("seal a sentence", lambda n: seal(keys, plain, key_id="call", place="turns.sealed_text"), 5_000),
            row(
                "open a sentence",
                lambda n: open_sealed(keys, sealed, key_id="call", place="turns.sealed_text"),
                5_000,
            ),
            row(
                "seal a second of sound",
                lambda n: seal(keys, second, key_id="call", place="recordings.chunk"),
                1_000,
            ),
            row("make a key (one commit)", lambda n: keys.make([f"call-{n}"]), 200),
            row("destroy a key, purged", lambda n: keys.destroy([f"call-{n}"]), 20),
        ]
    finally:
        keys.close()


async def storing(home: Path, calls: int) -> list[dict[str, Any]]:
    """Calls as they happen: begun, spoken in, ended; then read and searched."""
    words = tuple(WordEntry(word, i * 4_800, i * 4_800 + 4_000) for i, word in enumerate(TEXT.split()))
    async with Vault(home) as vault:
        began = time.perf_counter()
        for call in range(calls):
            vault.begin_call(f"call-{call}", channel="phone", subject=f"+49301234{call:04}")
        await vault.flush()
        begun = time.perf_counter()
        on_loop = 0.0
        for turn in range(TURNS):
            for call in range(calls):
                entry = TurnEntry(turn, "caller", TEXT, 0, 4_800 * len(words), 24_000, words=words)
                before = time.perf_counter()
                vault.turn_heard(f"call-{call}", entry)
                on_loop += time.perf_counter() - before
            await vault.flush()
        written = time.perf_counter()
        for call in range(calls):
            await vault.call(f"call-{call}")
        read = time.perf_counter()
        search = Search(vault)
        await search.find("delivery")
        built = time.perf_counter()
        await search.find("promised tuesday")
        searched = time.perf_counter()
        await search.close()
    turns = calls * TURNS
    return [
        line("begin a call: two keys, one commit of them", begun - began, calls),
        line("hand a turn to the writer (on the event loop)", on_loop, turns),
        line("write a turn with its words, sealed and committed", written - begun, turns),
        line("read a call, for each turn", read - written, turns),
        line("build the search index, for each turn", built - read, turns),
        line(f"search again in {turns} turns", searched - built, 1),
    ]


def row(what: str, work: Callable[[int], object], times: int) -> dict[str, Any]:
    before = time.perf_counter()
    for number in range(times):
        work(number)
    return line(what, time.perf_counter() - before, times)


def line(what: str, seconds: float, times: int) -> dict[str, Any]:
    return {"what": what, "us": round(seconds / times * 1e6, 1), "a second": round(times / seconds), "n": times}


if __name__ == "__main__":
    report.save("vault", asyncio.run(measure()))
