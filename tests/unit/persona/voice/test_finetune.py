from __future__ import annotations

import os
import wave
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from compliance.errors import EngineFailed, EngineMissing, SettingsError
from persona.voice.finetune import Plan, Progress, look, train
from persona.voice.training import last_run, newest
from tests.doubles.tiny_voices import vits_args
from tests.voices import need_voices

TEXTS = ("good morning.", "who is calling?", "i will ask, and call back.", "grüße aus köln!")


def clip(path: Path, *, rate_hz: int = 22050, channels: int = 1) -> None:
    times_s = np.arange(int(1.2 * rate_hz)) / rate_hz
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((6000 * np.sin(2 * np.pi * 150 * times_s)).astype("<i2").tobytes() * channels)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    (tmp_path / "data" / "wavs").mkdir(parents=True)
    for number in range(len(TEXTS)):
        clip(tmp_path / "data" / "wavs" / f"c{number}.wav")
    rows = [f"c{number}|{text.capitalize()}|{text}\n" for number, text in enumerate(TEXTS)]
    (tmp_path / "data" / "metadata.csv").write_text("".join(rows), "utf-8")
    return tmp_path / "data"


def test_looks_through_a_data_set(dataset: Path) -> None:
    found = look(dataset)
    assert (found.clips, found.rate_hz) == (4, 22050)
    assert found.seconds == pytest.approx(4.8, abs=0.01)
    assert {"ü", "ß", "?", " ", "g"} <= set(found.letters)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda d: (d / "metadata.csv").unlink(), "cannot be read"),
        (lambda d: (d / "metadata.csv").write_bytes(b"\xff\xfe|a|b"), "in UTF-8"),
        (lambda d: (d / "metadata.csv").write_text("c0|only two\n"), "metadata.csv:1"),
        (lambda d: (d / "metadata.csv").write_text("c0|a|a\n"), "record more"),
        (lambda d: (d / "wavs" / "c2.wav").write_bytes(b"no sound"), "metadata.csv:3: c2.wav"),
        (lambda d: (d / "wavs" / "c1.wav").unlink(), "metadata.csv:2: c1.wav"),
        (lambda d: clip(d / "wavs" / "c1.wav", rate_hz=16000), "one sample rate"),
        (lambda d: clip(d / "wavs" / "c1.wav", channels=2), "mono"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_data_set_is_one_clear_line(dataset: Path, spoil: Any, why: str) -> None:
    spoil(dataset)
    with pytest.raises(SettingsError, match=why) as raised:
        look(dataset)
    assert "\n" not in raised.value.message


def test_xtts_needs_what_it_starts_from(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="xtts_v2_trainer"):
        Plan(tmp_path, tmp_path, kind="xtts")


def test_a_torn_checkpoint_is_put_aside(tmp_path: Path) -> None:
    import zipfile

    run = tmp_path / "voice-1"
    run.mkdir()
    (run / "config.json").write_text("{}")
    with zipfile.ZipFile(run / "checkpoint_10.pth", "w") as whole:
        whole.writestr("data", b"weights")
    (run / "checkpoint_20.pth").write_bytes((run / "checkpoint_10.pth").read_bytes()[:-30])
    assert newest(run) == run / "checkpoint_10.pth"
    assert (run / "checkpoint_20.torn").exists()
    assert last_run(tmp_path) == run
    (run / "checkpoint_10.pth").unlink()
    assert last_run(tmp_path) is None


async def test_without_the_libraries_it_says_what_to_do(dataset: Path, tmp_path: Path) -> None:
    async def run(python: str) -> None:
        async with aclosing(train(Plan(dataset, tmp_path / "out"), python=python)) as told:
            async for _ in told:
                pass

    with pytest.raises(EngineMissing, match="make voices"):
        await run(str(tmp_path / "python"))


async def steps(told: AsyncIterator[Progress], until: int) -> Progress:
    """The first progress at this step or later."""
    async for progress in told:
        if progress.state == "training" and progress.step >= until:
            return progress
    raise AssertionError("it ended before")


def trainings(out: Path) -> list[psutil.Process]:
    """The training processes that write there; the tests have other children, a database for one."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if str(out) in " ".join(child.cmdline()):
                found.append(child)
    return found


async def test_trains_for_real_and_goes_on_after_a_stop_and_after_a_kill(dataset: Path, tmp_path: Path) -> None:
    """A small VITS, four clips, two steps an epoch: stopped once, killed once with a torn save, then finished."""
    python, out = need_voices(), tmp_path / "out"

    def plan(epochs: int) -> Plan:
        return Plan(dataset, out, epochs=epochs, batch=2, save_every=1, workers=0, shape=vits_args())

    async with aclosing(train(plan(100), python=python)) as told:
        first = await steps(told, 1)
        assert not first.resumed
    [run] = (out / "runs").iterdir()
    stopped = newest(run)
    assert stopped is not None, (out / "training.log").read_text()[-2000:]
    saved = int(stopped.stem.rpartition("_")[2])

    async with aclosing(train(plan(100), python=python)) as told:
        second = await steps(told, saved + 2)
        assert second.resumed
        [child] = trainings(out)
        child.kill()
        with pytest.raises(EngineFailed, match="status -9"):
            await steps(told, 10**6)
    killed = newest(run)
    assert killed is not None
    torn_step = int(killed.stem.rpartition("_")[2])
    for torn in run.glob(f"*_{torn_step}.pth"):
        os.truncate(torn, torn.stat().st_size // 2)

    async with aclosing(train(plan(second.epoch + 1), python=python)) as told:
        states = [progress async for progress in told]
    assert states[-1].state == "done"
    assert states[-1].resumed
    # The trainer counts one more when it goes on: from the torn one it would be two more than that.
    assert saved < next(progress.step for progress in states if progress.state == "training") <= torn_step + 1
    assert sorted(path.name for path in (out / "voice").iterdir()) == ["config.json", "model.pth"]
    assert not trainings(out)
