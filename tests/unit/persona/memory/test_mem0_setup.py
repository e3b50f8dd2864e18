"""What mem0 is given instead of an embedder and a model, and how its stores' faults are told."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from compliance.errors import SettingsError, VaultError
from persona.memory import mem0_setup
from persona.memory.mem0_setup import HandedVectors, NoModel, open_mem0
from persona.memory.settings import MemorySettings


def test_a_vector_is_handed_over_once_and_only_for_its_text() -> None:
    vectors = HandedVectors(None)
    vectors.hand("sealed", [1.0, 2.0])
    assert vectors.embed("sealed", "add") == [1.0, 2.0]
    with pytest.raises(VaultError, match="may not read"):
        vectors.embed("sealed", "add")


def test_no_model_is_ever_asked() -> None:
    with pytest.raises(VaultError, match="must not"):
        NoModel(None).generate_response(messages=[{"role": "user", "content": "Extract facts."}])


def test_a_password_does_not_get_into_the_error(tmp_path: Path) -> None:
    options = {"password": "hunter2-secret", "colour": "red"}
    with pytest.raises(SettingsError) as caught:
        open_mem0(tmp_path, MemorySettings(store="pgvector", options=options), dims=8)
    assert "hunter2" not in caught.value.message
    assert "pgvector" in caught.value.message


def test_while_another_process_opens_it_waits_and_does_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mem0_setup, "_LOCK_S", 0.1)
    with (tmp_path / "open.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(VaultError, match="no other process"):
            open_mem0(tmp_path, MemorySettings(), dims=8)
    open_mem0(tmp_path, MemorySettings(), dims=8).close()
