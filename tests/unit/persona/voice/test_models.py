from __future__ import annotations

import json
from pathlib import Path

import pytest

from compliance.errors import EngineFailed, EngineMissing
from persona.voice import models
from tests.doubles.hub import Hub

XTTS = {name: name.encode() * 500 for name in ("config.json", "model.pth", "vocab.json", "speakers_xtts.pth")}
OTHERS = {"dvae.pth": b"not asked for", "samples/en.wav": b"not asked for"}


@pytest.fixture
def hub_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child's own cache, so that nothing of the machine's is used or changed."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)


def test_a_licence_is_accepted_by_name_and_written_down(tmp_path: Path) -> None:
    assert not models.accepted("xtts_v2", tmp_path)
    models.accept("xtts_v2", tmp_path, now=lambda: 1_700_000_000.5)
    assert models.accepted("xtts_v2", tmp_path)
    assert not models.accepted("pocket_english", tmp_path)
    written = json.loads((tmp_path / "licences.json").read_text())
    assert written["xtts_v2"] == {
        "licence": "Coqui Public Model License 1.0.0",
        "url": "https://tts-hub.github.io/cpml",
        "accepted_at": 1_700_000_000,
    }


def test_another_licence_than_the_accepted_one_is_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "licences.json").write_text(json.dumps({"xtts_v2": {"licence": "an older one"}}))
    assert not models.accepted("xtts_v2", tmp_path)


@pytest.mark.parametrize("broken", ["", "[]", "{", '{"xtts_v2": true}'])
def test_a_broken_file_accepts_nothing(tmp_path: Path, broken: str) -> None:
    (tmp_path / "licences.json").write_text(broken)
    assert not models.accepted("xtts_v2", tmp_path)
    models.accept("xtts_v2", tmp_path)
    assert models.accepted("xtts_v2", tmp_path)


def test_what_may_be_used_is_accepted_and_here(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"read https://tts-hub.* then: twin voices accept xtts_v2"):
        models.require("xtts_v2", tmp_path)
    models.accept("xtts_v2", tmp_path)
    with pytest.raises(EngineMissing, match="twin voices fetch xtts_v2"):
        models.require("xtts_v2", tmp_path)
    where = models.folder("xtts_v2", tmp_path)
    where.mkdir(parents=True)
    (where / models.COMPLETE).touch()
    assert models.require("xtts_v2", tmp_path) == where


def test_the_terms_are_shown_in_plain_words(tmp_path: Path) -> None:
    shown = models.show("xtts_v2", tmp_path)
    assert "non-commercial" in shown
    assert "https://tts-hub.github.io/cpml" in shown
    assert "[not accepted]" in shown
    for name in models.MODELS:
        assert models.model(name).terms
    with pytest.raises(EngineMissing, match="choose one of xtts_v2"):
        models.show("nothing", tmp_path)


async def test_nothing_is_fetched_before_the_licence_is_accepted(
    tmp_path: Path, hub_client: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Hub("tts-hub/XTTS-v2", XTTS) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(EngineMissing, match="twin voices accept xtts_v2"):
            await models.fetch("xtts_v2", tmp_path)
    assert not models.folder("xtts_v2", tmp_path).exists()


async def test_fetches_what_the_model_needs_and_no_more(
    tmp_path: Path, hub_client: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int | None]] = []
    models.accept("xtts_v2", tmp_path)
    async with Hub("tts-hub/XTTS-v2", XTTS | OTHERS) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        where = await models.fetch("xtts_v2", tmp_path, lambda done, total: told.append((done, total)))
    assert models.require("xtts_v2", tmp_path) == where
    assert {name: (where / name).read_bytes() for name in XTTS} == XTTS
    assert not (where / "dvae.pth").exists()
    assert told[-1][1] == sum(map(len, XTTS.values()))
    assert await models.fetch("xtts_v2", tmp_path) == where  # the hub is gone, and not needed


async def test_a_fetch_that_broke_off_goes_on_and_counts_only_when_whole(
    tmp_path: Path, hub_client: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.accept("xtts_v2", tmp_path)
    async with Hub("tts-hub/XTTS-v2", XTTS, cut_after_bytes=3000) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "2")
        with pytest.raises(EngineFailed, match="xtts_v2 cannot be fetched"):
            await models.fetch("xtts_v2", tmp_path)
        assert models.locate("xtts_v2", tmp_path) is None
        hub.cut_after_bytes = None
        where = await models.fetch("xtts_v2", tmp_path)
    assert (where / "model.pth").read_bytes() == XTTS["model.pth"]


async def test_a_hub_that_does_not_have_all_of_it_is_no_success(
    tmp_path: Path, hub_client: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.accept("xtts_v2", tmp_path)
    async with Hub("tts-hub/XTTS-v2", {"config.json": b"{}"}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(EngineFailed, match="cannot be fetched"):
            await models.fetch("xtts_v2", tmp_path)
    assert models.locate("xtts_v2", tmp_path) is None


async def test_a_gated_model_names_what_opens_it(
    tmp_path: Path, hub_client: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.accept("pocket_english", tmp_path)
    async with Hub("somebody/else", {}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(EngineFailed, match="set HF_TOKEN"):
            await models.fetch("pocket_english", tmp_path)
