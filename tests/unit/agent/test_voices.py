"""`twin voices` on a real home and vault: the models' licences, and training on what was enrolled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import gettempdir

import pytest

from agent import voices
from agent.home import Home
from compliance.errors import ConsentMissing, EngineMissing, PersonaError, SettingsError
from persona.home import write_example
from persona.voice import dataset, models
from persona.voice.dataset import Clip, Item
from persona.voice.finetune import Plan, Progress
from persona.voice.sound import Sound, read
from tests.doubles.hub import Hub
from tests.doubles.tiny_voices import vits_args
from tests.doubles.trainer import program
from tests.speech.make import TABLE, path
from tests.unit.agent.owner import Owner, owner
from tests.voices import need_voices


@pytest.fixture
def home(tmp_path: Path) -> Home:
    write_example(tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def trainer(tmp_path: Path) -> str:
    return str(program(tmp_path))


@pytest.fixture
async def somebody(home: Home) -> AsyncIterator[Owner]:
    """The owner, with a consent and four clips."""
    async with owner(home.path) as here:
        await here.consents()
        names = list(TABLE)[:4]
        clips = [
            Clip(
                Item(name, "a", 2.0, TABLE[name].text, "m", "c", "2026-01-01"),
                Sound(read(path(name)).at(22_050).samples, 22_050),
            )
            for name in names
        ]
        await dataset.keep(here.clones, clips, clips[0].sound, clips[1].sound)
        yield here


def left_in_memory() -> set[Path]:
    return set((voices._in_memory() or Path(gettempdir())).glob("twin-voice-*"))


def seen(out: Path) -> Sequence[tuple[str, str | None, int]]:
    return [tuple(each) for each in json.loads((out / "seen.json").read_text())]


def model_of(home: Home) -> Path:
    (consent,) = (folder for folder in (home.path / "clones").iterdir() if folder.is_dir())
    return consent / voices.MODEL


def test_every_model_is_listed_with_its_licence_for_people_and_for_scripts(home: Home) -> None:
    shown = voices.listed(home)
    rows = {row["name"]: row for row in json.loads(voices.as_json(home))}
    assert set(rows) == set(models.MODELS)
    for name, model in models.MODELS.items():
        assert f"{name}:" in shown
        assert rows[name]["licence"] == model.licence
        assert rows[name]["terms"]
    assert not any(row["accepted"] or row["here"] for row in rows.values())
    assert "twin voices fetch xtts_v2" in voices.accept(home, "xtts_v2")
    rows = {row["name"]: row for row in json.loads(voices.as_json(home))}
    assert [name for name, row in rows.items() if row["accepted"]] == ["xtts_v2"]


async def test_a_model_is_fetched_once_its_licence_was_accepted(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    files = {name: name.encode() for name in ("config.json", "model.pth", "vocab.json", "speakers_xtts.pth")}
    async with Hub("tts-hub/XTTS-v2", files) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(EngineMissing, match="twin voices accept xtts_v2"):
            await voices.fetch(home, "xtts_v2", lambda done, total: None)
        voices.accept(home, "xtts_v2")
        folder = await voices.fetch(home, "xtts_v2", lambda done, total: None)
    assert (folder / "model.pth").read_bytes() == b"model.pth"
    rows = {row["name"]: row for row in json.loads(voices.as_json(home))}
    assert rows["xtts_v2"]["here"]


async def test_without_a_consent_or_recordings_nothing_is_trained(home: Home, trainer: str) -> None:
    async with owner(home.path) as somebody:
        with pytest.raises(ConsentMissing, match="twin enroll voice"):
            await voices.trained(home, Plan(Path(), Path()), print, python=trainer)
        await somebody.consents()
        with pytest.raises(PersonaError, match="twin enroll voice"):
            await voices.trained(home, Plan(Path(), Path()), print, python=trainer)
    assert not list((home.path / "clones").glob("*/*"))


async def test_the_enrolled_recordings_are_in_the_clear_only_meanwhile(
    home: Home, somebody: Owner, trainer: str
) -> None:
    before, steps = left_in_memory(), list[Progress]()
    for _ in range(2):
        folder = await voices.trained(home, Plan(Path(), Path(), epochs=1), steps.append, python=trainer)
        assert folder == model_of(home) / "voice"
        folder.rmdir()
    first, second = seen(model_of(home))
    assert first[0] != second[0]
    assert first[2] == 4
    assert Path(first[0]) not in left_in_memory()
    assert left_in_memory() == before
    assert [step.resumed for step in steps if step.state == "training"] == [False] * 3 + [True] * 3


async def test_a_consent_that_is_revoked_stops_the_training_and_leaves_nothing(
    home: Home, somebody: Owner, trainer: str
) -> None:
    steps: list[Progress] = []
    training = asyncio.create_task(
        voices.trained(home, Plan(Path(), Path()), steps.append, python=trainer), name="training"
    )
    async with asyncio.timeout(30):
        while not steps:  # noqa: ASYNC110  the owner looks at a screen
            await asyncio.sleep(0.02)
        (data, _, _), *_ = seen(model_of(home))
        await somebody.clones.revoke("voice")
        with pytest.raises(ConsentMissing, match="revoked"):
            await training
    assert Path(data) not in left_in_memory()
    assert not [folder for folder in (home.path / "clones").iterdir() if folder.is_dir()]


async def test_paths_mean_the_folder_where_the_command_was_given(
    home: Home, trainer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "wavs").mkdir(parents=True)
    for name in ("stop", "mhm"):
        (tmp_path / "data" / "wavs" / f"{name}.wav").write_bytes(path(name).read_bytes())
    (tmp_path / "data" / "metadata.csv").write_text("stop|Stop.|Stop.\nmhm|Mhm.|Mhm.\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    plan = Plan(Path("data"), Path("model"), base=Path("start"), epochs=1)
    folder = await voices.trained(home, plan, lambda step: None, python="./trainer")
    assert folder == tmp_path / "model" / "voice"
    assert seen(tmp_path / "model") == [(str(tmp_path / "data"), str(tmp_path / "start"), 2)]
    with pytest.raises(SettingsError, match=r"metadata\.csv"):
        await voices.trained(home, Plan(Path("nothing"), Path("model")), lambda step: None, python="./trainer")


async def test_a_real_training_goes_on_from_its_save_with_the_data_set_in_another_folder(
    home: Home, somebody: Owner
) -> None:
    python = need_voices()

    def plan(epochs: int) -> Plan:
        return Plan(Path(), Path(), epochs=epochs, batch=2, save_every=1, workers=0, shape=vits_args())

    steps: list[Progress] = []
    first = asyncio.create_task(voices.trained(home, plan(100), steps.append, python=python), name="training")
    async with asyncio.timeout(120):
        while not any(step.step for step in steps):
            assert not first.done(), first.exception()
            await asyncio.sleep(0.1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    saved = max(step.step for step in steps)
    steps.clear()
    # It went on until it had saved itself; there are two steps in an epoch.
    saves = (model_of(home) / "runs").glob("*/*_[0-9]*.pth")
    done = max(int(save.stem.rpartition("_")[2]) for save in saves)
    folder = await voices.trained(home, plan(done // 2 + 3), steps.append, python=python)
    assert steps[-1].state == "done"
    assert all(step.resumed for step in steps[1:])
    assert next(step.step for step in steps if step.state == "training") > saved
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "model.pth"]
    assert not list((model_of(home) / "runs").glob("*/*.torn"))
