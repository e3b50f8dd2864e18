"""Whisper models on this disk: which are here, and fetching one.

    python -m agent.engines.speech.whisper_models base CACHE_FOLDER

The hub's client runs in a child process: its import takes most of a second and it has threads of its own. An
interrupted fetch goes on where it stopped; a model counts as present only after all of it is.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from agent.engines.child import Child, Job, Message, serve
from compliance.errors import EngineFailed, EngineMissing, TwinError

DEFAULT_MODEL = "base"
SIZES = ("tiny", "tiny.en", "base", "base.en", "small", "small.en", "medium", "medium.en", "large-v3")
TURBO = "mobiuslabsgmbh/faster-whisper-large-v3-turbo"
FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
COMPLETE = "complete"
"""A file of this name is written into a model's folder when all of it is there."""
SILENCE_TIMEOUT_S = 120.0
POLL_S = 0.5

Progress = Callable[[int, int | None], None]


def repository(model: str) -> str:
    """The hub's name of a model. Raises `EngineMissing` for a name nobody knows."""
    if "/" in model:
        return model
    if model in ("turbo", "large-v3-turbo"):
        return TURBO
    if model not in SIZES:
        raise EngineMissing(f'there is no Whisper model "{model}": choose one of {", ".join(SIZES)}, turbo')
    return f"Systran/faster-whisper-{model}"


def folder(model: str, cache: Path) -> Path:
    """Where a fetched model lies."""
    return cache / "whisper" / repository(model).replace("/", "--")


def locate(model: str, cache: Path) -> Path | None:
    """The folder of a model that is here in full: one that was fetched, or a folder that was named."""
    named = Path(model)
    if (named / "model.bin").is_file():
        return named
    fetched = folder(model, cache)
    return fetched if (fetched / COMPLETE).is_file() else None


def is_present(model: str, cache: Path) -> bool:
    """Whether `whisper` can start with this model."""
    return locate(model or DEFAULT_MODEL, cache) is not None


async def fetch(model: str, cache: Path, progress: Progress | None = None) -> Path:
    """Fetch a model, telling `progress(done_bytes, total_bytes)` about twice a second; total may be unknown.

    Raises `EngineFailed` when the hub cannot be reached or falls silent. Cancelling it stops the fetch; the
    next one goes on from there.
    """
    model = model or DEFAULT_MODEL
    if (here := locate(model, cache)) is not None:
        return here
    target = folder(model, cache)
    child = Child(__name__ if __name__ != "__main__" else "agent.engines.speech.whisper_models",
                  ["--child"], name="whisper model fetch")  # fmt: skip
    try:
        await child.start()
        fetching = child.stream(
            "fetch", timeout_s=SILENCE_TIMEOUT_S, repository=repository(model), target=str(target)
        )
        async with aclosing(fetching) as messages:
            async for message in messages:
                if progress is not None:
                    progress(message.fields["done"], message.fields["total"])
    finally:
        await child.close()
    await asyncio.to_thread((target / COMPLETE).touch)
    return target


def _size(target: Path) -> int:
    total = 0
    for root, _, names in os.walk(target):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except FileNotFoundError:
                continue  # the client renames its files while we look
    return total


def _download(name: str, target: Path, outcome: list[BaseException | None]) -> None:
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(name, local_dir=target, allow_patterns=list(FILES))
        outcome.append(None)
    except BaseException as error:  # noqa: BLE001 - a thread's error is the job's error
        outcome.append(error)


def _total(name: str) -> int | None:
    """The size of the model, if the hub says it."""
    from fnmatch import fnmatch

    from huggingface_hub import HfApi

    siblings: list[Any] = HfApi().model_info(name, files_metadata=True, timeout=20).siblings or []
    sizes = [each.size for each in siblings if any(fnmatch(each.rfilename, pattern) for pattern in FILES)]
    return sum(sizes) if sizes and all(sizes) else None


def _handle(job: Job) -> Iterator[Message]:
    # Xet keeps its pieces elsewhere, where neither our progress nor a later fetch would find them.
    os.environ.update(HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
    name, target = job.fields["repository"], Path(job.fields["target"])
    target.mkdir(parents=True, exist_ok=True)
    outcome: list[BaseException | None] = []
    try:
        total = _total(name)
    except Exception as error:  # noqa: BLE001 - the hub's client raises its own, httpx's and the system's errors
        raise EngineFailed(_cannot(name, error)) from None
    downloading = threading.Thread(target=_download, args=(name, target, outcome), daemon=True)
    downloading.start()
    while downloading.is_alive():
        downloading.join(POLL_S)
        done = _size(target)
        yield Message({"done": min(done, total) if total else done, "total": total})
    if outcome[0] is not None:
        raise EngineFailed(_cannot(name, outcome[0]))


def _cannot(name: str, error: BaseException) -> str:
    return f"{name} cannot be fetched ({type(error).__name__}): check the internet connection and try again"


async def _command(model: str, cache: Path) -> None:
    def show(done: int, total: int | None) -> None:
        of = f" of {total / 1e6:.0f}" if total else ""
        sys.stdout.write(f"\r{done / 1e6:.0f}{of} MB ")
        sys.stdout.flush()

    where = await fetch(model, cache, show)
    sys.stdout.write(f"\n{where}\n")


def main() -> None:
    """The command, or the child of `fetch`."""
    if sys.argv[1:] == ["--child"]:
        serve(_handle)
    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m agent.engines.speech.whisper_models MODEL CACHE_FOLDER")
    try:
        asyncio.run(_command(sys.argv[1], Path(sys.argv[2])))
    except TwinError as error:
        raise SystemExit(error.message) from None


if __name__ == "__main__":
    main()
