"""Fine-tune a Coqui model on the owner's cleaned recordings, in a process that may be stopped at any time.

    plan = Plan(dataset=home / "voice" / "dataset", out=home / "voice" / "model", language="en")
    async with aclosing(train(plan, python=".venv-voices/bin/python")) as told:
        async for progress in told: ...

The data set has LJSpeech's form: `metadata.csv` (`id|text|text as read`) and `wavs/id.wav`. Training saves itself
every `save_every` steps and when it is stopped; `train` with the same `out` goes on from there, also after a
`kill -9` in the middle of a save. The result, `out/voice`, is the `model` for `[voice] engine = "coqui"` (`xtts`).
"""

from __future__ import annotations

import asyncio
import json
import os
import wave
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import persona
from compliance.errors import EngineFailed, EngineMissing, SettingsError

Kind = Literal["vits", "xtts"]
State = Literal["loading", "training", "evaluating", "saved", "done"]
VOICE = "voice"
"""Below `out`: the finished model."""
MIN_CLIPS = 2
SAVE_LIMIT_S = 120.0
"""For a training that is stopped to save itself."""
_SILENT_S = 1800.0
"""For one step, or an evaluation, of a big model on a slow machine."""
_ROOT = str(Path(persona.__file__).parents[1])
_BOOT = (
    "import runpy, sys; sys.path.append({root!r}); sys.argv[0] = 'training'; "
    "runpy.run_module('persona.voice.training', run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train, on what, and for how long."""

    dataset: Path
    out: Path
    kind: Kind = "vits"
    language: str = "en"
    base: Path | None = None
    """A model's folder to start from: any VITS, or XTTS v2 (which needs one). Without it VITS starts from nothing,
    which takes days and hours of recordings."""
    trainer: Path | None = None
    """XTTS: the folder with dvae.pth and mel_stats.pth (`twin voices fetch xtts_v2_trainer`)."""
    epochs: int = 100
    batch: int = 8
    save_every: int = 500
    """Steps."""
    workers: int = 2
    """Processes that read clips; 0: none but the trainer's own."""
    shape: Mapping[str, Any] = field(default_factory=dict)
    """Other dimensions of VITS than its usual ones, by the names of the library's `VitsArgs`."""

    def __post_init__(self) -> None:
        if self.kind == "xtts" and (self.base is None or self.trainer is None):
            raise SettingsError("fine-tuning XTTS needs xtts_v2 and xtts_v2_trainer: twin voices fetch")
        if min(self.epochs, self.batch, self.save_every) < 1 or self.workers < 0:
            raise SettingsError("epochs, batch and save_every must be 1 or more")

    def as_json(self) -> str:
        """For the training process."""
        return json.dumps(asdict(self), default=str)


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was found in a data set."""

    clips: int
    seconds: float
    rate_hz: int
    letters: str
    """Every character of its texts, once."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is."""

    state: State
    step: int = 0
    """Of all steps ever, those of earlier runs included."""
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    resumed: bool = False
    """True when it went on from a checkpoint."""


def look(dataset: Path) -> Dataset:
    """Read through a data set. Raises `SettingsError` that names the file and line."""
    metadata = dataset / "metadata.csv"
    try:
        lines = metadata.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{metadata}: cannot be read; it must be id|text|text as read, in UTF-8") from None
    seconds, rates, letters = 0.0, set[int](), set[str]()
    for number, line in enumerate(lines, start=1):
        columns = line.split("|")
        if len(columns) != 3 or not columns[2].strip():
            raise SettingsError(f"{metadata}:{number}: it must be id|text|text as read")
        clip = dataset / "wavs" / f"{columns[0]}.wav"
        try:
            with wave.open(str(clip)) as file:
                if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                    raise SettingsError(f"{clip}: it must be mono with 16 bits")
                rates.add(file.getframerate())
                seconds += file.getnframes() / file.getframerate()
        except (OSError, wave.Error, EOFError):
            raise SettingsError(f"{metadata}:{number}: {clip.name} is missing or no WAV file") from None
        letters |= set(columns[2].lower())
    if len(lines) < MIN_CLIPS:
        raise SettingsError(f"{metadata}: {len(lines)} clips; record more: twin enroll voice --record")
    if len(rates) != 1:
        raise SettingsError(f"{dataset}: all clips must have one sample rate, not {sorted(rates)} Hz")
    return Dataset(len(lines), seconds, rates.pop(), "".join(sorted(letters - {"\n"})))


async def train(plan: Plan, *, python: str) -> AsyncGenerator[Progress, None]:
    """Train until it is done; `python` is an interpreter with coqui-tts.

    Leaving it early (inside `aclosing`) stops the training once it saved itself. Raises `SettingsError` for the
    data set, `EngineMissing` for the libraries, `EngineFailed` when the training broke.
    """
    await asyncio.to_thread(look, plan.dataset)
    plan.out.mkdir(parents=True, exist_ok=True)
    try:
        process = await asyncio.create_subprocess_exec(
            python, "-P", "-c", _BOOT.format(root=_ROOT), plan.as_json(), cwd=plan.out,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1"}, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise EngineMissing(f"{python} cannot be run ({error.strerror}); run: make voices") from None
    log = asyncio.create_task(_keep_log(process, plan.out / "training.log"), name="training log")
    try:
        async for progress in _told(process):
            yield progress
        async with asyncio.timeout(SAVE_LIMIT_S):
            status = await process.wait()
        if status:
            raise EngineFailed(f"the training ended with status {status}; {plan.out / 'training.log'} says why")
    finally:
        await _stop(process)
        log.cancel()
        await asyncio.wait({log}, timeout=1.0)


async def _told(process: asyncio.subprocess.Process) -> AsyncGenerator[Progress, None]:
    assert process.stdout is not None
    while True:
        try:
            async with asyncio.timeout(_SILENT_S):
                line = await process.stdout.readline()
        except TimeoutError:
            raise EngineFailed("the training fell silent; start it again: it goes on from its last save") from None
        if not line:
            return
        told = json.loads(line)
        if missing := told.pop("missing", ""):
            raise EngineMissing(f"training: {missing} cannot be imported; run: make voices")
        yield Progress(**told)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask it to save itself and end; kill it when it does not."""
    assert process.stdin is not None
    process.stdin.close()  # it takes that as an interrupt; a second one would end it in the middle of the save
    for kill, limit_s in ((False, SAVE_LIMIT_S), (True, 5.0)):
        if kill:
            with suppress(ProcessLookupError):
                process.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await process.wait()
            return


async def _keep_log(process: asyncio.subprocess.Process, path: Path) -> None:
    """What the trainer says is for the owner only: it may quote the texts."""
    assert process.stderr is not None
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:  # noqa: ASYNC230 - lines
        while data := await process.stderr.read(65536):
            file.write(data)
            file.flush()
