"""Fetching a model from a hub on loopback, with the hub's own client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.engines.speech.whisper_models import fetch, is_present, locate, repository
from compliance.errors import EngineFailed, EngineMissing
from tests.doubles.hub import Hub
from tests.unit.agent.engines.speech.tiny_whisper import build

MODEL = "somebody/whisper-tiny"


@pytest.fixture
async def hub(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    folder = build(tmp_path_factory.mktemp("tiny"))
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    async with Hub(MODEL, {**files, "README.md": b"not wanted"}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hub home")))
        yield hub


async def test_a_model_is_fetched_with_progress_and_then_present(hub: Hub, tmp_path: Path) -> None:
    progress: list[tuple[int, int | None]] = []
    assert not is_present(MODEL, tmp_path)

    where = await fetch(MODEL, tmp_path, lambda done, total: progress.append((done, total)))

    assert is_present(MODEL, tmp_path)
    assert locate(MODEL, tmp_path) == where
    assert (where / "model.bin").read_bytes() == hub.files["model.bin"]
    assert not (where / "README.md").exists()
    total = sum(len(data) for name, data in hub.files.items() if name != "README.md")
    assert progress[-1] == (total, total)


async def test_what_is_here_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    first = await fetch(MODEL, tmp_path)
    hub.files.clear()

    assert await fetch(MODEL, tmp_path) == first


async def test_a_download_that_breaks_off_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.files["vocabulary.bin"] = bytes(24_000_000)  # the client writes pieces of 10 MB
    hub.cut_after_bytes = 16_000_000

    where = await fetch(MODEL, tmp_path)

    assert (where / "vocabulary.bin").read_bytes() == hub.files["vocabulary.bin"]
    assert int(hub.ranges[-1].removeprefix("bytes=").split("-")[0]) >= 10_000_000


async def test_a_model_nobody_has_is_a_clear_failure_and_not_present(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="cannot be fetched"):
        await fetch("somebody/else", tmp_path)

    assert not is_present("somebody/else", tmp_path)


async def test_no_internet_is_a_clear_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(EngineFailed, match="internet"):
        await fetch("base", tmp_path)


async def test_a_fetch_can_be_cancelled_and_leaves_no_model(hub: Hub, tmp_path: Path) -> None:
    fetching = asyncio.create_task(fetch(MODEL, tmp_path), name="fetch")
    await asyncio.sleep(0.2)
    fetching.cancel()

    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert not is_present(MODEL, tmp_path)


def test_names_lead_to_repositories() -> None:
    assert repository("base") == "Systran/faster-whisper-base"
    assert repository(MODEL) == MODEL
    with pytest.raises(EngineMissing, match="base"):
        repository("huge")


def test_a_folder_may_be_named_instead(tmp_path: Path) -> None:
    folder = build(tmp_path / "mine")

    assert locate(str(folder), tmp_path) == folder
