"""A worker lives as long as it holds its lock."""

from __future__ import annotations

from pathlib import Path

from compliance.store.workers import WorkerLock, life, sweep


def test_life_follows_the_lock(tmp_path: Path) -> None:
    lock = WorkerLock(tmp_path)
    assert life(tmp_path, lock.worker) == "alive"
    lock.release()
    lock.release()
    assert life(tmp_path, lock.worker) == "unknown"


def test_sweeping_removes_the_dead_only(tmp_path: Path) -> None:
    lock = WorkerLock(tmp_path)
    (tmp_path / "dead.lock").write_text("1\n")
    assert life(tmp_path, "dead") == "dead"
    sweep(tmp_path)
    assert [path.stem for path in tmp_path.iterdir()] == [lock.worker]
    lock.release()
