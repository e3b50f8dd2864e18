"""A process that is killed while it remembers: the next one finishes, and nothing is there twice."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from compliance.vault import Vault
from persona.memory.extraction import RuleExtractor
from persona.memory.library import Library
from persona.memory.queue import MemoryQueue, Waiting
from persona.memory.settings import MemorySettings
from persona.memory.writer import Writer
from tests.unit.compliance.store_helpers import run_python
from tests.unit.persona.memory.writer_helpers import ANNA

_WRITER = """
import asyncio, os, signal, sys
from pathlib import Path
from compliance.vault import Vault
from persona.memory.extraction import RuleExtractor
from persona.memory.library import Library
from persona.memory.queue import MemoryQueue
from persona.memory.settings import MemorySettings
from persona.memory.writer import Writer
from tests.unit.persona.memory.writer_helpers import ANNA, talk

def die():
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    home, point = Path(sys.argv[1]), sys.argv[2]
    async with Vault(home) as vault:
        queue, library = MemoryQueue(vault), Library(home, vault, MemorySettings())
        class Extractor(RuleExtractor):
            async def extract(self, turns, **more):
                if point == "reading":
                    die()
                return await super().extract(turns, **more)
        class Shelf:
            memories_of = library.memories_of
            async def write(self, subject, changes):
                if point == "before writing":
                    die()
                if point == "half written":
                    await library.write(subject, changes[:1])
                    die()
                await library.write(subject, changes)
                if point == "written":
                    die()
        writer = Writer(queue, Shelf(), Extractor(), vault)
        talk(vault, "CA1", "I live in Munich.", "I work at Siemens.")
        writer.due("CA1", ANNA)
        await vault.flush()
        if point == "in the call":
            die()
        vault.end_call("CA1", "hangup")
        await vault.flush()
        if point == "after the call":
            die()
        await writer.work_off()
        print("not killed", flush=True)

asyncio.run(main())
"""
_LATER_S = 3600.0


@pytest.mark.parametrize(
    "point", ["in the call", "after the call", "reading", "before writing", "half written", "written"]
)
async def test_a_kill_at_any_point_leaves_each_memory_once(point: str, tmp_path: Path) -> None:
    process = run_python(_WRITER, tmp_path, point)
    output, _ = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == -signal.SIGKILL, output
    async with Vault(tmp_path, now=lambda: time.time() + _LATER_S) as vault:
        queue, library = MemoryQueue(vault), Library(tmp_path, vault, MemorySettings())
        try:
            writer = Writer(queue, library, RuleExtractor(), vault)
            assert await queue.waiting() == Waiting(due=1, dead=0)
            assert await writer.work_off() == 1
            memories = await library.memories_of(ANNA)
            assert sorted(memory.text for memory in memories) == [
                "The caller lives in Munich.",
                "The caller works at Siemens.",
            ]
            assert await library.left([], ["CA1"]) == 2
            assert await queue.waiting() == Waiting(due=0, dead=0)
            assert await writer.work_off() == 0
        finally:
            await library.close()
