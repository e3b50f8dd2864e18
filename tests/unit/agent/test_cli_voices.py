"""`twin voices` as a person and a script see it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import typer

from agent import cli_voices
from compliance.errors import EngineMissing, TwinError
from persona.home import write_example
from persona.voice import models
from tests.doubles.hub import Hub
from tests.doubles.trainer import program
from tests.speech.make import path

twin = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
twin.add_typer(cli_voices.app, name="voices")
XTTS = {name: name.encode() * 500 for name in ("config.json", "model.pth", "vocab.json", "speakers_xtts.pth")}


class Terminal:
    """Somebody at a terminal: the command runs in a thread, as a process of its own would."""

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capture = capture
        self.err = ""

    async def voices(self, *arguments: str) -> str:
        """What the command printed; raises what it would say in one line."""
        self._capture.readouterr()
        code = await asyncio.to_thread(
            twin, ["voices", *arguments, "--home", str(self.home)], standalone_mode=False
        )
        out, self.err = self._capture.readouterr()
        assert not code
        return out

    async def refused(self, *arguments: str) -> TwinError:
        with pytest.raises(TwinError) as caught:
            await self.voices(*arguments)
        assert "\n" not in caught.value.message
        return caught.value


@pytest.fixture
def at(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    write_example(tmp_path / "home")
    return Terminal(tmp_path / "home", capsys)


async def test_the_licence_is_read_and_accepted_before_anything_is_fetched(
    at: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Hub("tts-hub/XTTS-v2", XTTS) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert "non-commercial" in await at.voices("list")
        refused = await at.refused("fetch", "xtts_v2")
        assert isinstance(refused, EngineMissing)
        assert "twin voices accept xtts_v2" in refused.message
        assert "non-commercial" in await at.voices("accept", "xtts_v2")
        fetched = await at.voices("fetch", "xtts_v2")
    folder = models.folder("xtts_v2", at.home / "cache")
    assert str(folder) in fetched
    assert "MB" in at.err
    assert (folder / "model.pth").read_bytes() == XTTS["model.pth"]
    rows = {row["name"]: row for row in json.loads(await at.voices("list", "--json"))}
    assert rows["xtts_v2"]["accepted"]
    assert rows["xtts_v2"]["here"]
    assert not rows["pocket_english"]["here"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("accept", "nothing"), "choose one of xtts_v2"),
        (("fetch", "nothing"), "choose one of xtts_v2"),
        (("train", "--dataset", "data"), "--out DIR"),
        (("train", "--dataset", "nowhere", "--out", "nowhere/model", "--python", "x"), "metadata.csv"),
        (("train", "--kind", "xtts"), "xtts_v2_trainer"),
        (("train",), "twin enroll voice"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_one_line_that_says_what_to_do(
    at: Terminal, arguments: tuple[str, ...], why: str
) -> None:
    assert why in (await at.refused(*arguments)).message


async def test_an_unreachable_hub_is_one_line(at: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    await at.voices("accept", "xtts_v2")
    async with Hub("somebody/else", {}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert "internet connection" in (await at.refused("fetch", "xtts_v2")).message


@pytest.mark.parametrize("as_json", [False, True])
async def test_training_tells_its_steps_and_the_lines_for_the_settings(
    at: Terminal, tmp_path: Path, as_json: bool
) -> None:
    (tmp_path / "data" / "wavs").mkdir(parents=True)
    for name in ("stop", "mhm"):
        (tmp_path / "data" / "wavs" / f"{name}.wav").write_bytes(path(name).read_bytes())
    (tmp_path / "data" / "metadata.csv").write_text("stop|Stop.|Stop.\nmhm|Mhm.|Mhm.\n", "utf-8")
    out = tmp_path / "model"
    told = await at.voices(
        "train", "--dataset", str(tmp_path / "data"), "--out", str(out), "--epochs", "1",
        "--python", str(program(tmp_path)),
        *(["--json"] if as_json else []),
    )  # fmt: skip
    lines = told.splitlines()
    if as_json:
        states = [json.loads(line)["state"] for line in lines if line.startswith("{") and "state" in line]
        assert states == ["training"] * 3 + ["done"]
        assert json.loads(lines[-1]) == {"model": str(out / "voice")}
    else:
        assert lines[0] == "training: epoch 1 of 1, step 1, loss 0.500"
        assert lines[-1] == f'set in twin.toml: [voice] engine = "coqui", model = "{out / "voice"}"'
