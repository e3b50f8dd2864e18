"""What remembering costs: our recall from RAM beside mem0's plain search, on its store and on ours, in one run.

All three know the same memories of one person and are asked the same questions, with the same embedder. mem0's two
are filled in one piece, with readable text: sealing and storing them one by one is what `write one` says.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.vault import Vault
from persona.memory.changes import Keep
from persona.memory.embedder import LocalEmbedder
from persona.memory.library import Library
from persona.memory.mem0_setup import open_mem0
from persona.memory.settings import MemorySettings
from persona.source import Memory
from tests.bench import report

SIZES = (200, 1_000, 5_000)
WHO = "+493011111111"
ASKED, SEARCHED, LOADED = 2_000, 60, 7
"""How often each is measured: our recall, mem0's search, and loading."""
_PIECE = 250
_WARM = 5
_ITS = "qdrant"
WHOSE = (
    "sister", "brother", "mother", "neighbour", "colleague", "daughter", "son", "dentist", "landlord",
    "teacher", "plumber", "aunt",
)  # fmt: skip
DEED = (
    "bought", "sold", "repaired", "painted", "found", "lost", "ordered", "returned", "borrowed", "cleaned",
    "measured", "described",
)  # fmt: skip
THING = (
    "violin", "ladder", "kettle", "bicycle", "wardrobe", "garage", "invoice", "passport", "carpet",
    "orchard", "printer", "balcony",
)  # fmt: skip
PLACE = (
    "Potsdam", "Bremen", "Fulda", "Goslar", "Halle", "Jena", "Kassel", "Lindau", "Mainz", "Passau",
    "Rostock", "Speyer",
)  # fmt: skip


async def measure(sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        async with Vault(home) as vault:
            vault.begin_call("call", channel="phone", subject=WHO)
            vault.end_call("call", "hangup")
            await vault.flush()
            library = Library(home, vault, MemorySettings(load_s=10, write_s=600))
            await library.start()
            plain = {
                store: open_mem0(home / store, MemorySettings(store=store), dims=384) for store in (_ITS, "sqlite")
            }
            filled = 0
            for size in sizes:
                rows += await of_size(library, plain, filled, size)
                filled = size
            await library.close()
            plain[_ITS].vector_store.client.close()
            for memory in plain.values():
                memory.close()
    report.show("Recall: milliseconds, one person's memories", rows)
    return {"rows": rows}


async def of_size(library: Library, plain: dict[str, Any], filled: int, size: int) -> list[dict[str, Any]]:
    """Fill all three up to `size`, and ask them."""
    new = [Memory(f"m{at}", sentence(at), at, call_id="call") for at in range(filled, size)]
    began = time.perf_counter()
    await library.write(WHO, [Keep(memory) for memory in new])
    written_ms = (time.perf_counter() - began) * 1000 / len(new)
    for memory in plain.values():
        fill(memory, new)
    loads = [await timed(library.recall(WHO)) for _ in range(LOADED)]
    recall = await library.recall(WHO)
    if len(recall) != size:
        raise RuntimeError(f"{len(recall)} of {size} memories were loaded")
    ours = of_calls(lambda at: recall.find(question(at % size)), ASKED)
    rows = [row("recall from RAM (ours)", size, ours, ours)]
    for store, memory in plain.items():
        whose = "its embedded Qdrant" if store == _ITS else "our SQLite store"
        rows.append(row(f"mem0 search, {whose}", size, of_calls(searching(memory, size), SEARCHED), ours))
    rows.append(line("load a caller, ready to recall", size, loads))
    rows.append({"what": "write one, sealed", "memories": size, "n": len(new), "p50": round(written_ms, 2)})
    return rows


def fill(memory: Any, new: list[Memory]) -> None:
    """As mem0 would, with the text as it is."""
    for start in range(0, len(new), _PIECE):
        piece = new[start : start + _PIECE]
        memory.vector_store.insert(
            vectors=[vector.tolist() for vector in LocalEmbedder().embed([one.text for one in piece])],
            payloads=[{"user_id": "anna", "data": one.text, "hash": one.id} for one in piece],
            ids=[str(uuid.uuid5(uuid.NAMESPACE_OID, one.id)) for one in piece],
        )


def searching(memory: Any, size: int) -> Callable[[int], object]:
    embedder = LocalEmbedder()

    def search(at: int) -> object:
        asked = question(at % size)
        memory.embedding_model.hand(asked, embedder.embed([asked])[0].tolist())
        return memory.search(asked, filters={"user_id": "anna"}, top_k=5)

    return search


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds of each call: as it was waited for, and of them those in which this thread had a core."""

    waited: list[float]
    worked: list[float]


def of_calls(work: Callable[[int], object], times: int) -> Spent:
    spent = Spent([], [])
    for number in range(-_WARM, times):
        before, worked = time.perf_counter(), time.thread_time()
        work((number + _WARM) * 7)
        if number >= 0:
            spent.waited.append((time.perf_counter() - before) * 1000)
            spent.worked.append((time.thread_time() - worked) * 1000)
    return spent


async def timed(work: Any) -> float:
    before = time.perf_counter()
    await work
    return (time.perf_counter() - before) * 1000


def sentence(at: int) -> str:
    pick = random.Random(at)
    whose, deed, thing, place = (pick.choice(words) for words in (WHOSE, DEED, THING, PLACE))
    return f"Anna's {whose} {deed} a {thing} in {place}, number {at}."


def question(at: int) -> str:
    pick = random.Random(at)
    whose, _, thing, place = (pick.choice(words) for words in (WHOSE, DEED, THING, PLACE))
    return f"Do you remember the {thing} that my {whose} had in {place}?"


def row(what: str, size: int, spent: Spent, ours: Spent) -> dict[str, Any]:
    return {
        **line(what, size, spent.waited),
        "p99 at work": round(report.quantile(spent.worked, 0.99), 2),
        "times ours": round(report.quantile(spent.waited, 0.5) / report.quantile(ours.waited, 0.5), 1),
    }


def line(what: str, size: int, spent: list[float]) -> dict[str, Any]:
    p50, p99 = (round(report.quantile(spent, q), 2) for q in (0.5, 0.99))
    return {"what": what, "memories": size, "n": len(spent), "p50": p50, "p99": p99}


if __name__ == "__main__":
    report.save("recall", asyncio.run(measure()))
