"""Each store loses what is the person's and nothing of anybody else's."""

from __future__ import annotations

import asyncio
import zipfile
from pathlib import Path

from compliance.forgetting.needles import Wanted, seek
from compliance.forgetting.plan import Plan
from compliance.forgetting.stores import (
    FileStore,
    MemoryStore,
    RecordingStore,
    SearchStore,
    drop_lines,
    files_below,
    worst,
)
from compliance.forgetting.traces import Place, judge, look

ANNA, BEN = "+493011111111", "+493022222222"
SAID = "the gutter above the conservatory leaks again and again"
SOUGHT = seek(Wanted(names=(ANNA,), said=(SAID,), raw=(bytes(range(32)),)))
PLAN = Plan("e", ("f" * 64,), 0, call_ids=("c1",), recording_ids=("r1",))


async def test_logs_lose_lines_and_caches_whole_files(tmp_path: Path) -> None:
    log = tmp_path / "twin.log"
    log.write_text(f"begin\n{SAID}\ncall from {ANNA}\ncall from {BEN}\nend")
    (tmp_path / "voice.bin").write_bytes(b"\x00" + SAID.encode() + b"\x00")
    (tmp_path / "other.bin").write_bytes(b"\x00something else\x00")
    skipped = tmp_path / "whisper" / "model.bin"
    skipped.parent.mkdir()
    skipped.write_bytes(SAID.encode())
    store = FileStore("cache", tmp_path, skip=["whisper"])
    assert await store.erase(PLAN, SOUGHT) == 3
    assert log.read_text() == f"begin\ncall from {BEN}\nend"
    assert sorted(path.name for path in files_below(tmp_path)) == ["model.bin", "other.bin", "twin.log"]
    assert await store.erase(PLAN, SOUGHT) == 0


async def test_exports_go_only_where_the_person_is_named(tmp_path: Path) -> None:
    (tmp_path / "hers.json").write_text(f'{{"from": "{ANNA}"}}')
    (tmp_path / "his.json").write_text(f'{{"from": "{BEN}", "text": "{SAID}"}}')
    with zipfile.ZipFile(tmp_path / "hers.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", f"about {ANNA}")
    (tmp_path / f"access-{'f' * 16}-R-7K3M-2Q9D.zip").write_bytes(b"sealed otherwise")
    store = FileStore("exports", tmp_path, exports=True)
    assert await store.erase(PLAN, SOUGHT) == 3
    assert [path.name for path in files_below(tmp_path)] == ["his.json"]


async def test_memories_in_text_go_by_name_and_not_by_words(tmp_path: Path) -> None:
    notes = tmp_path / "memories.jsonl"
    notes.write_text(f'{{"user": "{ANNA}", "m": "tea"}}\n{{"user": "{BEN}", "m": "{SAID}"}}\n{{"call": "c1"}}\n')
    store = MemoryStore(tmp_path)
    await store.erase(Plan("e", ("f" * 64,), 0, call_ids=("call-0001",)), SOUGHT)
    assert notes.read_text().count("\n") == 2
    assert BEN in notes.read_text()
    assert (await store.check(PLAN, SOUGHT)).result == "clean"


async def test_a_note_names_files_but_not_one_named_after_the_person(tmp_path: Path) -> None:
    for name in ("vectors", f"vectors of {ANNA}"):
        (tmp_path / f"{name}.faiss").write_bytes(bytes(range(256)))
    said = await MemoryStore(tmp_path).check(PLAN, SOUGHT)
    assert said.result == "unsupported"
    assert "vectors.faiss" in said.note
    assert "a file named after the person" in said.note
    assert ANNA not in said.note


async def test_sound_goes_by_the_recordings_id(tmp_path: Path) -> None:
    for name in ("r1.rec", "r1.gone", "r2.rec"):
        (tmp_path / name).write_bytes(b"sealed")
    store = RecordingStore(tmp_path)
    assert (await store.check(PLAN, SOUGHT)).result == "residue"
    assert await store.erase(PLAN, SOUGHT) == 2
    assert (await store.check(PLAN, SOUGHT)).result == "clean"
    assert [path.name for path in files_below(tmp_path)] == ["r2.rec"]
    assert await RecordingStore(tmp_path / "none").erase(PLAN, SOUGHT) == 0


async def test_an_index_in_memory_that_still_names_the_person_is_residue() -> None:
    told: list[str] = []
    held = [ANNA.encode()]

    async def memory() -> bytes:
        return b"".join(held)

    store = SearchStore(told.extend, memory)
    assert await store.erase(PLAN, SOUGHT) == 1
    assert told == ["c1"]
    assert (await store.check(PLAN, SOUGHT)).result == "residue"
    held.clear()
    assert (await store.check(PLAN, SOUGHT)).result == "clean"


def test_a_line_that_comes_while_a_log_is_rewritten_stays(tmp_path: Path) -> None:
    log = tmp_path / "twin.log"
    log.write_text(f"{SAID}\nkept\n")

    def theirs(line: bytes) -> bool:
        with log.open("a") as other:
            other.write("late\n")
        return SAID.encode() in line

    assert drop_lines(log, theirs) == 1
    assert log.read_text().split() == ["kept", "late", "late"]


def test_every_file_is_searched_and_judged_under_its_store(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "a.bin").write_bytes(SAID.encode())
    (tmp_path / "facts.toml").write_text(f'say = "{SAID[:20]}"\nnumber = "{ANNA}"\n')
    (tmp_path / f"copy of {ANNA}.txt").write_text("nothing in it")
    (tmp_path / "old.db").write_bytes(bytes(range(32)))
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8b\x08broken")
    found = look(tmp_path, [Place("memory", tmp_path / "memory")], [], SOUGHT)
    outcomes = {trace.store: judge(trace, SOUGHT, (), None) for trace in found}
    assert outcomes["memory"].result == "residue"
    assert outcomes["owner_files"].result == "residue"
    assert outcomes["home"].result == "residue"
    assert "a file named after the person" in outcomes["home"].note
    assert "broken.gz" in outcomes["home"].note
    assert ANNA not in str(outcomes)
    others = {needle for trace in found for needle in trace.readable}
    assert judge(found[2], SOUGHT, others, None).result == "clean"
    assert judge(found[2], SOUGHT, others, None).shared > 0
    (tmp_path / f"copy of {ANNA}.txt").unlink()
    (home,) = [trace for trace in look(tmp_path, [], [], SOUGHT) if trace.store == "home"]
    assert judge(home, SOUGHT, others, None).result == "not_scanned"
    (tmp_path / "broken.gz").unlink()
    (home,) = [trace for trace in look(tmp_path, [], [], SOUGHT) if trace.store == "home"]
    assert judge(home, SOUGHT, others, None).result == "not_purged"
    assert "old.db" in judge(home, SOUGHT, others, None).note


def test_a_store_is_as_good_as_the_worst_that_is_known_of_it() -> None:
    assert worst(["clean", "unsupported", "key_destroyed"]) == "unsupported"
    assert worst(["residue", "failed", "clean"]) == "failed"


async def test_a_plan_survives_storage() -> None:
    plan = Plan("e", ("f",), 5, "R-1", wanted=Wanted(("n",), ("é \ud800",), ("h",), (b"\x00\xff",), (b"\x01",)))
    again = await asyncio.to_thread(Plan.from_bytes, plan.to_bytes())
    assert again.wanted.raw == (b"\x01",)
    assert again.wanted.sound == (b"\x00\xff",)
    assert (again.lookups, again.request_id) == (("f",), "R-1")
