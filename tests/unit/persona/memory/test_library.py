"""What is remembered from call to call, in the default store: mem0 on one file of ours, nothing else."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from compliance.errors import KeyGone, SettingsError, VaultError
from compliance.forgetting.sweeper import Sweeper
from compliance.settings import RetentionSettings
from compliance.vault import Vault
from persona.memory.changes import Drop, Keep, Replace
from persona.memory.embedder import LocalEmbedder
from persona.memory.library import Library
from persona.memory.settings import MemorySettings
from tests.unit.compliance.store_helpers import eventually, run_python
from tests.unit.persona.memory.library_helpers import ANNA, BEN, CANARY, call, files_with, memory, texts

REX = "Anna's dog is called Rex."
OFFLINE = """
import asyncio, socket, sys
from pathlib import Path

def refuse(*args, **more):
    print("NETWORK", args[-1:], flush=True)
    raise OSError("no network here")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse

from compliance.vault import Vault
from persona.memory.changes import Keep
from persona.memory.library import Library
from persona.memory.settings import MemorySettings
from persona.source import Memory

async def main():
    home = Path(sys.argv[1])
    async with Vault(home) as vault:
        vault.begin_call("CA1", channel="phone", subject="+493011111111")
        library = Library(home, vault, MemorySettings())
        await library.start()
        await library.write("+493011111111", [Keep(Memory("a", "Her dog is called Rex.", 1, call_id="CA1"))])
        print((await library.load("+493011111111"))[0].text)
        print(await library.forget_all("+493011111111"))
        await library.close()

assert "mem0" not in sys.modules
asyncio.run(main())
"""

WRITER = """
import asyncio, sys
from pathlib import Path
from compliance.vault import Vault
from persona.memory.changes import Keep, Replace
from persona.memory.library import Library
from persona.memory.settings import MemorySettings
from persona.source import Memory

home, subject, name, count = Path(sys.argv[1]), *sys.argv[2:]

def memory(id_, text):
    return Memory(id_, text, 1, call_id="CA1")

async def main():
    async with Vault(home) as vault:
        library = Library(home, vault, MemorySettings())
        await library.start()
        print("ready", flush=True)
        job = [Keep(memory(f"{name}-{at}", f"{name} {at} is so.")) for at in range(int(count))]
        job += [Replace(f"{name}-{at}", memory(f"{name}-new-{at}", f"{name} {at} is else.")) for at in range(3)]
        await library.write(subject, job)
        print("done", flush=True)
        await library.close()

asyncio.run(main())
"""


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    async with Vault(tmp_path) as opened:
        await call(opened, ANNA)
        yield opened


@pytest.fixture
async def library(vault: Vault, tmp_path: Path) -> AsyncIterator[Library]:
    made = Library(tmp_path, vault, MemorySettings(load_s=10))
    yield made
    await made.close()


def rows_of(library: Library) -> list[str]:
    """The ids of the rows that are in the file."""
    try:
        database = sqlite3.connect(f"file:{library.folder / 'vectors.db'}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return []
    try:
        return [row[0] for row in database.execute("SELECT id FROM memories")]
    except sqlite3.OperationalError:
        return []  # made, but its table is not yet
    finally:
        database.close()


async def test_the_second_call_knows_what_the_first_told(vault: Vault, tmp_path: Path) -> None:
    first = Library(tmp_path, vault, MemorySettings())
    await first.start()
    await first.write(ANNA, [Keep(memory("a", REX, at_ms=5, about="dog", person="Anna"))])
    await first.close()
    second = Library(tmp_path, vault, MemorySettings(load_s=10))
    assert await second.load(ANNA) == (memory("a", REX, at_ms=5, about="dog", person="Anna"),)
    recall = await second.recall(ANNA)
    assert texts(recall.find("How is your dog?")) == [REX]
    await second.close()


async def test_nobody_else_hears_of_it(library: Library, vault: Vault) -> None:
    await call(vault, BEN, "CA2")
    await library.write(ANNA, [Keep(memory("a", REX))])
    await library.write(BEN, [Keep(memory("a", "Ben plays chess.", call_id="CA2"))])
    assert texts(await library.load(BEN)) == ["Ben plays chess."]
    assert texts(await library.load(ANNA)) == [REX]
    assert await library.load("+493099999999") == ()
    assert len(await library.recall("+493099999999")) == 0


async def test_a_job_carried_out_again_makes_no_double(library: Library) -> None:
    job = [Keep(memory("a", REX)), Keep(memory("b", "She has two cats.", at_ms=2))]
    for _ in range(3):
        await library.write(ANNA, job)
    assert texts(await library.load(ANNA)) == [REX, "She has two cats."]


async def test_a_process_killed_in_the_middle_of_a_job_leaves_it_to_be_finished(
    library: Library, tmp_path: Path
) -> None:
    writer = run_python(WRITER, tmp_path, ANNA, "job", 24)
    assert writer.stdout is not None
    await asyncio.to_thread(writer.stdout.readline)
    await eventually(lambda: len(rows_of(library)) >= 5)
    writer.kill()
    await asyncio.to_thread(writer.communicate)
    assert 5 <= len(await library.load(ANNA)) < 24
    again = run_python(WRITER, tmp_path, ANNA, "job", 24)
    assert (await asyncio.to_thread(again.communicate, timeout=60))[0].split() == ["ready", "done"]
    expected = [f"job {at} is so." for at in range(3, 24)] + [f"job {at} is else." for at in range(3)]
    assert sorted(texts(await library.load(ANNA))) == sorted(expected)
    assert len(rows_of(library)) == 24


async def test_two_processes_write_for_one_person_at_once(library: Library, tmp_path: Path) -> None:
    writers = [run_python(WRITER, tmp_path, ANNA, name, 10) for name in ("one", "two")]
    for writer in writers:
        assert (await asyncio.to_thread(writer.communicate, timeout=60))[0].split() == ["ready", "done"]
    found = texts(await library.load(ANNA))
    assert len(found) == len(set(found)) == 20
    assert {text.split()[0] for text in found} == {"one", "two"}


async def test_a_correction_leaves_nothing_of_what_it_replaces(library: Library) -> None:
    await library.write(ANNA, [Keep(memory("a", REX)), Keep(memory("b", "She has two cats.", at_ms=2))])
    await library.write(ANNA, [Replace("a", memory("c", "Her dog is called Luna.", at_ms=3)), Drop("b")])
    assert texts(await library.load(ANNA)) == ["Her dog is called Luna."]
    with sqlite3.connect(library.folder / "history.db") as history:
        assert history.execute("SELECT count(*) FROM history").fetchone() == (1,)
    history.close()


async def test_there_are_never_more_than_the_limit(vault: Vault, tmp_path: Path) -> None:
    library = Library(tmp_path, vault, MemorySettings(most=3, load_s=10))
    await library.write(ANNA, [Keep(memory(str(at), f"Thing {at}.", at_ms=at)) for at in range(5)])
    assert texts(await library.load(ANNA)) == ["Thing 2.", "Thing 3.", "Thing 4."]
    await library.close()


async def test_no_file_holds_a_word_of_it(library: Library, vault: Vault, tmp_path: Path) -> None:
    await library.write(
        ANNA, [Keep(memory("a", f"She says that {CANARY}.", about="elephants", person="Annabella"))]
    )
    for word in (CANARY, "elephants", "Annabella", ANNA, ANNA[1:]):
        assert files_with(tmp_path, word) == []
    vector = LocalEmbedder().embed([f"She says that {CANARY}."])[0]
    stored = (library.folder / "vectors.db-wal").read_bytes()
    assert vector.astype("<f4").tobytes() not in stored
    assert vector.astype("<f2").tobytes() not in stored


async def test_who_was_forgotten_meanwhile_is_not_remembered(library: Library, vault: Vault) -> None:
    with pytest.raises(KeyGone):
        await library.write(BEN, [Keep(memory("a", "Ben plays chess."))])
    with pytest.raises(KeyGone):
        await library.write(ANNA, [Keep(memory("a", REX, call_id="CA-erased"))])
    await vault.forget(ANNA)
    with pytest.raises(KeyGone):
        await library.write(ANNA, [Keep(memory("a", REX))])
    assert not (library.folder / "vectors.db").exists()


async def test_without_the_key_nothing_opens_and_nothing_breaks(library: Library, vault: Vault) -> None:
    await library.write(ANNA, [Keep(memory("a", REX))])
    (key,) = await vault.run(lambda tx: tx.connection.exec_driver_sql("SELECT id FROM subjects").scalars().all())
    await vault.destroy_keys([key])
    assert await library.load(ANNA) == ()


async def test_a_damaged_memory_is_left_out_and_the_others_are_told(library: Library) -> None:
    await library.write(ANNA, [Keep(memory("a", REX)), Keep(memory("b", "She has two cats."))])
    with sqlite3.connect(library.folder / "vectors.db") as database:
        database.execute("UPDATE memories SET payload = replace(payload, '\"data\":\"A', '\"data\":\"B')"
                         " WHERE number = 1")  # fmt: skip
    database.close()
    assert texts(await library.load(ANNA)) == ["She has two cats."]


async def test_everything_is_forgotten_on_request_and_the_calls_stay(
    library: Library, vault: Vault, tmp_path: Path
) -> None:
    await call(vault, BEN, "CA2")
    await library.write(ANNA, [Keep(memory(str(at), f"Thing {at}.")) for at in range(7)])
    await library.write(BEN, [Keep(memory("a", "Ben plays chess.", call_id="CA2"))])
    (key,) = await vault.run(
        lambda tx: tx.connection.exec_driver_sql("SELECT subject_id FROM calls WHERE id = 'CA1'").scalars().all()
    )
    assert files_with(library.folder, key) != []
    assert await library.forget_all(ANNA) == 7
    assert await library.forget_all(ANNA) == 0
    assert await library.load(ANNA) == ()
    assert files_with(library.folder, key) == []
    assert texts(await library.load(BEN)) == ["Ben plays chess."]
    assert await vault.call("CA1") is not None


async def test_who_was_not_heard_for_years_is_forgotten(vault: Vault, tmp_path: Path) -> None:
    day_s = 86_400.0
    library = Library(tmp_path, vault, MemorySettings(keep_days=30, load_s=10))
    await library.write(ANNA, [Keep(memory("a", REX))])
    assert await library.sweep() == 0
    await library.close()
    later = Library(tmp_path, vault, MemorySettings(keep_days=30, load_s=10), now=lambda: 4e9 + 31 * day_s)
    assert await later.sweep() == 1
    assert await later.load(ANNA) == ()
    await later.close()


async def test_who_is_remembered_is_not_swept_away_with_their_last_call(tmp_path: Path) -> None:
    now_s = [1.8e9]
    async with Vault(tmp_path, now=lambda: now_s[0]) as vault:
        await call(vault, ANNA)
        await call(vault, BEN, "CA2")
        library = Library(tmp_path, vault, MemorySettings(load_s=10))
        await library.write(ANNA, [Keep(memory("a", REX))])
        now_s[0] += 3_000 * 86_400
        swept = await Sweeper(vault, RetentionSettings()).sweep()
        assert (swept.counts["call"], swept.counts["subject"]) == (2, 1)
        assert texts(await library.load(ANNA)) == [REX]
        await library.close()


async def test_whoever_has_a_right_to_it_is_told_all(library: Library) -> None:
    await library.write(ANNA, [Keep(memory("a", REX))])
    assert texts(await library.memories_of(ANNA)) == [REX]
    assert await library.memories_of(BEN) == ()


async def test_a_call_does_not_wait_for_its_memories(vault: Vault, tmp_path: Path) -> None:
    class Stuck(LocalEmbedder):
        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            writing.set()
            go_on.wait(30)
            return super().embed(texts)

    writing, go_on = threading.Event(), threading.Event()
    library = Library(tmp_path, vault, MemorySettings(load_s=0.05), embedder=Stuck())
    await library.start()
    job = asyncio.create_task(library.write(ANNA, [Keep(memory("a", REX))]), name="write")
    await asyncio.to_thread(writing.wait, 30)
    assert await library.load(ANNA) == ()
    assert len(await library.recall(ANNA)) == 0
    go_on.set()
    await job
    assert texts(await library.memories_of(ANNA)) == [REX]
    await library.close()


async def test_an_erasure_while_something_is_written_leaves_nothing(vault: Vault, tmp_path: Path) -> None:
    class Stuck(LocalEmbedder):
        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            writing.set()
            go_on.wait(30)
            return super().embed(texts)

    writing, go_on = threading.Event(), threading.Event()
    library = Library(tmp_path, vault, MemorySettings(), embedder=Stuck())
    job = asyncio.create_task(library.write(ANNA, [Keep(memory("a", REX))]), name="write")
    await asyncio.to_thread(writing.wait, 30)
    # What an erasure in another process has done by now; that it destroyed the key is not known here yet.
    await vault.run(lambda tx: tx.connection.exec_driver_sql("DELETE FROM items").close())
    go_on.set()
    with pytest.raises(KeyGone):
        await job
    assert rows_of(library) == []
    await library.close()


async def test_what_is_asked_after_the_end_is_refused(vault: Vault, tmp_path: Path) -> None:
    library = Library(tmp_path, vault, MemorySettings())
    await library.write(ANNA, [Keep(memory("a", REX))])
    await library.close()
    await library.close()
    assert await library.load(ANNA) == ()
    with pytest.raises(VaultError, match="closed"):
        await library.memories_of(ANNA)


async def test_a_store_that_cannot_be_used_is_a_call_without_memories(vault: Vault, tmp_path: Path) -> None:
    library = Library(tmp_path, vault, MemorySettings(load_s=10))
    await library.write(ANNA, [Keep(memory("a", REX))])
    await library.close()
    for path in library.folder.glob("vectors.db*"):
        path.write_bytes(b"no database at all" * 300)
    broken = Library(tmp_path, vault, MemorySettings(load_s=10))
    assert await broken.load(ANNA) == ()
    with pytest.raises(VaultError, match="cannot be used"):
        await broken.memories_of(ANNA)
    await broken.close()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (MemorySettings(store="nowhere"), "Unsupported vector store provider: nowhere"),
        (MemorySettings(store="qdrant", options={"colour": "red"}), "Extra fields not allowed"),
        (MemorySettings(store="chroma"), "needs a package"),
    ],
)
async def test_a_store_that_is_set_wrongly_is_one_clear_line(
    vault: Vault, tmp_path: Path, settings: MemorySettings, says: str
) -> None:
    library = Library(tmp_path, vault, settings)
    with pytest.raises(SettingsError, match=says):
        await library.start()
    await library.close()


async def test_who_remembers_nobody_pays_for_nothing(library: Library) -> None:
    assert await library.load(ANNA) == ()
    assert await library.forget_all(ANNA) == 0
    assert await library.forget(["x"], ["y"]) == 0
    assert await library.left(["x"], ["y"]) == 0
    assert not library.folder.exists()


def test_it_needs_no_network_whatever_keys_are_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENROUTER_API_KEY", "OPENAI_API_KEY", "MEM0_API_KEY"):
        monkeypatch.setenv(name, "sk-not-to-be-used")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.delenv("MEM0_DIR", raising=False)
    monkeypatch.setenv("MEM0_TELEMETRY", "True")
    process = run_python(OFFLINE, tmp_path / "home")
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    assert output.splitlines() == ["Her dog is called Rex.", "1"]
    assert not os.path.exists(tmp_path / "user")
